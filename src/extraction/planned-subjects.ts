// Calls, or login sessions, of several copies, each planned once: read side by side, with those under local keys put where
// they belong.

import type { FamilyName } from "../../schema/life.ts";
import type { Copy, Stretch, SubjectsQuestion } from "./copy.ts";
import type { Judgement } from "./judgement.ts";
import { LocalSubjects } from "./local-subjects.ts";
import { planSubject, type SubjectPlan } from "./plan.ts";
import { batchSubjects, mergeSubjects, type SubjectSet } from "./subject-merge.ts";
import { subjectVersion } from "./subject-version.ts";

export type Planned =
  | { readonly kind: "planned"; readonly plan: SubjectPlan }
  /** A copy has it under a key of its own; it comes, or came, under the source's. */
  | { readonly kind: "known under another key"; readonly family: FamilyName; readonly key: string };

export interface Planning {
  readonly family: FamilyName;
  readonly copies: readonly Copy[];
  readonly judgement: Judgement;
  readonly question: SubjectsQuestion;
  /** What goes on is judged up to there; UTC seconds. */
  readonly knownUntil: (plan: { readonly cluster: number; readonly switchDbid: number }) => number;
}

/** In batches, about in the order of creation. Throws CopyError, LedgersDifferError. */
export async function* plannedSubjects(planning: Planning): AsyncGenerator<Planned[]> {
  const { family, copies, question } = planning;
  const local = new LocalSubjects(family);
  let isPrepared = question.kind === "named";
  let batch: SubjectSet[] = [];
  let left: Planned[] = [];
  for await (const set of mergeSubjects(copies, family, question)) {
    if (isLocal(set)) {
      if (!isPrepared && question.kind !== "named") {
        isPrepared = true;
        await noteGoingOn(planning, question.stretch, local);
      }
      if (local.isKnown(set) || !local.hold(set)) {
        left.push({ kind: "known under another key", family, key: set.key });
      }
      continue;
    }
    local.note(set);
    batch.push(set, ...local.release(createdMs(set)));
    if (batch.length < batchSubjects[family]) continue;
    yield [...left, ...(await planAll(planning, batch))];
    [batch, left] = [[], []];
  }
  yield [...left, ...(await planAll(planning, [...batch, ...local.releaseAll()]))];
}

/** Those that were created before and go on at the beginning: a copy may have found them in the stretch. */
async function noteGoingOn({ family, copies }: Planning, { from }: Stretch, local: LocalSubjects): Promise<void> {
  for await (const set of mergeSubjects(copies, family, { kind: "alive", stretch: { from, until: from + 1 } })) {
    if (!isLocal(set)) local.note(set);
  }
}

async function planAll(planning: Planning, sets: readonly SubjectSet[]): Promise<Planned[]> {
  const { family, judgement } = planning;
  const lives = sets.map(({ found }): Stretch => {
    const versions = found.flatMap((each, copy) => (each === undefined ? [] : [subjectVersion(copy, each)]));
    const from = Math.min(...versions.map(({ createdMs }) => createdMs));
    const open = versions.some(({ endedMs }) => endedMs === null) ? untilOf(planning, versions[0]?.subject) : 0;
    const until = Math.max(from, open * 1000, ...versions.map(({ endedByMs }) => endedByMs ?? 0));
    return { from: Math.floor(from / 1000), until: Math.ceil(until / 1000) };
  });
  await judgement.coverAll(lives);
  return sets.map((set) => {
    const known = set.found.find((each) => each !== undefined);
    const plan = planSubject({ found: set.found, coverage: judgement, knownUntil: untilOf(planning, known) });
    // A copy that is whole has all of that time, and so this one, under another key.
    const isElsewhere = plan.isKeyLocal && plan.reasons.some(({ why }) => why === "contradicted");
    return isElsewhere ? { kind: "known under another key", family, key: set.key } : { kind: "planned", plan };
  });
}

function untilOf(
  { knownUntil }: Planning,
  subject: { readonly sourceCluster: number | null; readonly switchDbid: number | null } | undefined,
): number {
  const { sourceCluster: cluster = null, switchDbid = null } = subject ?? {};
  return cluster === null || switchDbid === null ? 0 : knownUntil({ cluster, switchDbid });
}

function isLocal({ found }: SubjectSet): boolean {
  return found.every((each) => each === undefined || each.isKeyLocal);
}

function createdMs({ found }: SubjectSet): number {
  return Math.min(...found.flatMap((each, copy) => (each === undefined ? [] : [subjectVersion(copy, each).createdMs])));
}
