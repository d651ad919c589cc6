// One run over a stretch of time: the calls that were created in it, and then the login sessions, from whichever copies have
// them.
//
//   identities ─▶ ledgers ─▶ subjects of all copies side by side ─▶ plans ─▶ output, a batch a transaction ─▶ report
//
// Extracting the same stretch again into the same output writes what has changed and nothing else. Memory holds a batch of
// subjects and the ledgers of their lives, however long the stretch.

import { familyNames } from "../../schema/life.ts";
import { type Copy, CopyError, type CopyIdentity, type Stretch } from "./copy.ts";
import { Judgement, keyOf } from "./judgement.ts";
import type { Output, OutputCopy } from "./output.ts";
import type { SubjectPlan } from "./plan.ts";
import { plannedSubjects } from "./planned-subjects.ts";
import { type CopyFound, type ExtractReport, extractReport } from "./report.ts";
import { settledWindows } from "./settled-windows.ts";
import { type Decision, SubjectWriter } from "./subject-writer.ts";
import { readableCopies } from "./unread-copy.ts";
import { withdrawGone } from "./withdrawal.ts";

export interface Extraction {
  readonly copies: readonly Copy[];
  readonly output: Output;
  /** What goes on is handed out too. */
  readonly withOpen: boolean;
  /** Ends it in order after the batch that is in hand. */
  readonly stop?: AbortSignal;
  /** Awaited between batches, while nothing is held. */
  readonly afterBatch?: () => Promise<void>;
  /** Seconds of the stretch. */
  readonly onProgress?: (progress: { readonly done: number; readonly all: number }) => void;
}

/** The extraction was stopped; what was written stays, and another run goes on. */
export class ExtractionStoppedError extends Error {
  override readonly name = "ExtractionStoppedError";
}

/**
 * Throws CopyError when no copy can be read or one is none of ours, LedgersDifferError, ExtractionStoppedError, and what
 * the output's book throws.
 */
export async function extract(extraction: Extraction, stretch: Stretch): Promise<ExtractReport> {
  const { output, withOpen, stop, afterBatch, onProgress } = extraction;
  const found = await findCopies(extraction.copies, output);
  const identities = found.map(({ identity }) => identity);
  const copies = readableCopies(extraction.copies, identities);
  const judgement = new Judgement(copies, identities);
  await judgement.findFirstWord(stretch);
  const settled = await settledWindows(judgement, stretch);

  const { store } = output;
  const hasEarlier = familyNames.some((family) => store.hasCreated(family, stretch.from, stretch.until));
  if (hasEarlier) store.trackSeen();
  const writer = new SubjectWriter({
    output,
    copies: outputCopies(found),
    decide: (plan) => decide(plan, stretch, withOpen),
    notesSeen: hasEarlier,
  });
  const all = (stretch.until - stretch.from) * familyNames.length;
  for (const [index, family] of familyNames.entries()) {
    const done = (stretch.until - stretch.from) * index - stretch.from;
    const plans = plannedSubjects({
      ...{ family, copies, judgement },
      question: { kind: "created", stretch },
      knownUntil: (source) => settled.until.get(keyOf(source)) ?? stretch.from,
    });
    for await (const batch of plans) {
      writer.write(batch);
      if (stop?.aborted)
        throw new ExtractionStoppedError("Stopped: the extraction is not whole; run it again to go on");
      const last = batch.findLast((planned) => planned.kind === "planned");
      if (last !== undefined) onProgress?.({ done: done + last.plan.createdMs / 1000, all });
      await afterBatch?.();
    }
  }
  if (hasEarlier) await withdrawGone({ copies, judgement, writer, store }, stretch);
  finish(output, judgement, () => store.windows.put(settled.windows));
  return extractReport({ store, copies: found, ...stretch, run: writer.tally });
}

/** Sessions and whatever belongs to the end of a run, in one transaction. */
export function finish(output: Output, judgement: Judgement, act: () => void): void {
  output.store.transaction(() => {
    output.putSessions(judgement.sessions().filter((session) => output.store.isSessionNews(session)));
    act();
    output.sync();
  });
}

function decide({ createdMs, endedMs }: SubjectPlan, { from, until }: Stretch, withOpen: boolean): Decision {
  if (createdMs < from * 1000 || createdMs >= until * 1000) return "leave";
  if (endedMs !== null) return "hand out";
  return withOpen ? "hand out and wait" : "wait";
}

/**
 * Who they are, and under which number rows name them. A copy that cannot be read now is left out: the others may have
 * everything. One that is none of ours is an error. Throws CopyError.
 */
export async function findCopies(copies: readonly Copy[], output: Output): Promise<CopyFound[]> {
  const asked = await Promise.all(
    copies.map(async (copy): Promise<{ identity: CopyIdentity | null; problem: string | null }> => {
      try {
        return { identity: await copy.identity(), problem: null };
      } catch (error) {
        if (error instanceof CopyError && error.kind === "passing") return { identity: null, problem: error.message };
        throw error;
      }
    }),
  );
  if (asked.every(({ identity }) => identity === null)) {
    throw new CopyError("passing", asked.map(({ problem }) => problem).join("\n"));
  }
  const found: CopyFound[] = [];
  output.store.transaction(() => {
    for (const [index, { identity, problem }] of asked.entries()) {
      const name = copies[index]?.name ?? "";
      found.push({ name, identity, problem, id: identity === null ? null : output.store.copyId(identity, name) });
    }
  });
  return found;
}

export function outputCopies(found: readonly CopyFound[]): readonly OutputCopy[] {
  return found.map(({ id, identity }) => ({ id: id ?? 0, idbId: identity?.idbId ?? "" }));
}
