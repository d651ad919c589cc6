// Calls of several copies, each planned once: read side by side, with those under local keys put where they belong.

import { type CallSet, mergeCalls } from "./call-merge.ts";
import { callVersion } from "./call-version.ts";
import type { CallsQuestion, Copy, Stretch } from "./copy.ts";
import type { Judgement } from "./judgement.ts";
import { LocalCalls } from "./local-calls.ts";
import { type CallPlan, planCall } from "./plan.ts";

export type Planned =
  | { readonly kind: "call"; readonly plan: CallPlan }
  /** A copy has it under a key of its own; it comes, or came, under the source's. */
  | { readonly kind: "known under another key"; readonly callId: string };

export interface Planning {
  readonly copies: readonly Copy[];
  readonly judgement: Judgement;
  readonly question: CallsQuestion;
  /** Calls that go on are judged up to there; UTC seconds. */
  readonly knownUntil: (plan: { readonly cluster: number; readonly switchDbid: number }) => number;
}

// Calls whose windows are made ready together.
const batchCalls = 200;

/** In batches, about in the order of creation. Throws CopyError, LedgersDifferError. */
export async function* plannedCalls(planning: Planning): AsyncGenerator<Planned[]> {
  const { copies, question } = planning;
  const local = new LocalCalls();
  let isPrepared = question.kind === "named";
  let batch: CallSet[] = [];
  let left: Planned[] = [];
  for await (const set of mergeCalls(copies, question)) {
    if (isLocal(set)) {
      if (!isPrepared && question.kind !== "named") {
        isPrepared = true;
        await noteGoingOn(copies, question.stretch, local);
      }
      if (local.isKnown(set) || !local.hold(set)) {
        left.push({ kind: "known under another key", callId: set.callId });
      }
      continue;
    }
    local.note(set);
    batch.push(set, ...local.release(createdMs(set)));
    if (batch.length < batchCalls) continue;
    yield [...left, ...(await planAll(planning, batch))];
    [batch, left] = [[], []];
  }
  yield [...left, ...(await planAll(planning, [...batch, ...local.releaseAll()]))];
}

/** Those that were created before and go on at the beginning: a copy may have found them in the stretch. */
async function noteGoingOn(copies: readonly Copy[], { from }: Stretch, local: LocalCalls): Promise<void> {
  for await (const set of mergeCalls(copies, { kind: "alive", stretch: { from, until: from + 1 } })) {
    if (!isLocal(set)) local.note(set);
  }
}

async function planAll(planning: Planning, sets: readonly CallSet[]): Promise<Planned[]> {
  const { judgement } = planning;
  const lives = sets.map(({ found }): Stretch => {
    const versions = found.flatMap((call, copy) => (call === undefined ? [] : [callVersion(copy, call)]));
    const from = Math.min(...versions.map(({ createdMs }) => createdMs));
    const open = versions.some(({ endedMs }) => endedMs === null) ? untilOf(planning, versions[0]?.call) : 0;
    const until = Math.max(from, open * 1000, ...versions.map(({ endedByMs }) => endedByMs ?? 0));
    return { from: Math.floor(from / 1000), until: Math.ceil(until / 1000) };
  });
  await judgement.coverAll(lives);
  return sets.map((set) => {
    const known = set.found.find((call) => call !== undefined);
    const plan = planCall({ found: set.found, coverage: judgement, knownUntil: untilOf(planning, known) });
    // A copy that is whole has every call of that time, and so this one, under another key.
    const isElsewhere = plan.isKeyLocal && plan.reasons.some(({ why }) => why === "contradicted");
    return isElsewhere ? { kind: "known under another key", callId: set.callId } : { kind: "call", plan };
  });
}

function untilOf(
  { knownUntil }: Planning,
  call: { readonly sourceCluster: number | null; readonly switchDbid: number | null } | undefined,
): number {
  const { sourceCluster: cluster = null, switchDbid = null } = call ?? {};
  return cluster === null || switchDbid === null ? 0 : knownUntil({ cluster, switchDbid });
}

function isLocal({ found }: CallSet): boolean {
  return found.every((call) => call === undefined || call.isKeyLocal);
}

function createdMs({ found }: CallSet): number {
  return Math.min(...found.flatMap((call, copy) => (call === undefined ? [] : [callVersion(copy, call).createdMs])));
}
