// Hands planned calls and login sessions to the output, a batch a transaction: what is new or has changed in a new revision, what is as it
// was not at all.

import type { StoredSubject, SubjectName } from "../idb/stored-subject.ts";
import { contentDigest, handOut } from "./handed-subject.ts";
import type { Output, OutputCopy } from "./output.ts";
import type { SubjectPlan } from "./plan.ts";
import type { Planned } from "./planned-subjects.ts";

/** What to do with a subject: it is of another stretch, or goes on and waits. */
export type Decision = "hand out" | "wait" | "hand out and wait" | "leave";

/** Of one run. */
export interface Tally {
  /** Handed out for the first time, or again because something has changed. */
  written: number;
  unchanged: number;
  withdrawn: number;
  /** Known to a copy under a key of its own, and left out: they come under the source's key. */
  knownUnderAnotherKey: number;
}

export function newTally(): Tally {
  return { written: 0, unchanged: 0, withdrawn: 0, knownUnderAnotherKey: 0 };
}

export interface SubjectWriterParts {
  readonly output: Output;
  /** By place of the copy; an unread copy has none. */
  readonly copies: readonly OutputCopy[];
  readonly decide: (plan: SubjectPlan) => Decision;
  /** Which subjects were seen is noted (see ExtractStore.trackSeen). */
  readonly notesSeen: boolean;
}

/** It was handed out whole, and is less now because a copy has purged it. */
function isOnlyPurged({ verdict }: StoredSubject, plan: SubjectPlan): boolean {
  if (verdict !== "complete" && verdict !== "joined") return false;
  return plan.verdict === "incomplete" && plan.reasons.some(({ causes }) => causes.includes("purged"));
}

export class SubjectWriter {
  readonly #parts: SubjectWriterParts;
  readonly tally = newTally();

  constructor(parts: SubjectWriterParts) {
    this.#parts = parts;
  }

  /** Durable when it returns. */
  write(batch: readonly Planned[]): void {
    if (batch.length === 0) return;
    const { output, notesSeen } = this.#parts;
    output.store.transaction(() => {
      for (const planned of batch) {
        if (planned.kind === "known under another key") {
          this.tally.knownUnderAnotherKey += 1;
          this.#withdraw(planned, "known under another key");
        } else {
          if (notesSeen) output.store.noteSeen(planned.plan);
          this.#write(planned.plan);
        }
      }
      output.sync();
    });
  }

  /** Those that no copy has any more. */
  withdraw(subjects: readonly StoredSubject[], reason: string): void {
    if (subjects.length === 0) return;
    const { output } = this.#parts;
    output.store.transaction(() => {
      for (const subject of subjects) this.#withdraw(subject, reason);
      output.sync();
    });
  }

  #write(plan: SubjectPlan): void {
    const { output, copies, decide } = this.#parts;
    const { store } = output;
    const decision = decide(plan);
    if (decision === "leave") return;
    if (decision === "hand out") store.deleteWaiting(plan);
    else store.putWaiting(plan, Math.floor(plan.createdMs / 1000));
    if (decision === "wait") return;
    const known = store.subject(plan);
    const digest = contentDigest(plan);
    if (known?.withdrawn === null && (known.digest === digest || isOnlyPurged(known, plan))) {
      this.tally.unchanged += 1;
      return;
    }
    const revision = (known?.revision ?? 0) + 1;
    output.write(
      handOut(plan, revision, () => store.nextId()),
      copies,
    );
    store.putSubject({
      family: plan.family,
      key: plan.key,
      revision,
      createdTs: Math.floor(plan.createdMs / 1000),
      endedTs: plan.endedMs === null ? null : Math.floor(plan.endedMs / 1000),
      sourceCluster: plan.source?.cluster ?? null,
      switchDbid: plan.source?.switchDbid ?? null,
      verdict: plan.verdict,
      isProven: plan.isProven,
      reasons: JSON.stringify(plan.reasons),
      copies: JSON.stringify(plan.copies.map((copy) => copies[copy]?.id ?? 0)),
      digest,
      withdrawn: null,
    });
    this.tally.written += 1;
  }

  #withdraw(subject: SubjectName, reason: string): void {
    const { output } = this.#parts;
    output.store.deleteWaiting(subject);
    const known = output.store.subject(subject);
    if (known === undefined || known.withdrawn !== null) return;
    const revision = known.revision + 1;
    output.withdraw(subject, revision, reason);
    output.store.putSubject({ ...known, revision, withdrawn: reason });
    this.tally.withdrawn += 1;
  }
}
