// Calls and login sessions that were handed out and that no copy has any more: purged, or their IDB was made anew without
// them.
//
// One is withdrawn only on the word of a copy that is whole for the time of its creation and does not have it. Where all
// copies have merely lost that time, what was handed out is all that is left of it, and it stays.

import { type FamilyName, familyNames } from "../../schema/life.ts";
import type { ExtractStore } from "../idb/extract-store.ts";
import type { StoredSubject } from "../idb/stored-subject.ts";
import type { Copy, Stretch } from "./copy.ts";
import type { Judgement } from "./judgement.ts";
import { batchSubjects } from "./subject-merge.ts";
import type { SubjectWriter } from "./subject-writer.ts";

export interface Withdrawal {
  readonly copies: readonly Copy[];
  readonly judgement: Judgement;
  readonly writer: SubjectWriter;
  readonly store: ExtractStore;
}

/** Of those created in the stretch that were not seen in this run (ExtractStore.trackSeen). */
export async function withdrawGone(withdrawal: Withdrawal, stretch: Stretch): Promise<void> {
  for (const family of familyNames) await withdrawGoneOf(family, withdrawal, stretch);
}

async function withdrawGoneOf(family: FamilyName, withdrawal: Withdrawal, { from, until }: Stretch): Promise<void> {
  const { copies, judgement, writer, store } = withdrawal;
  for (let after = ""; ; ) {
    const unseen = store.notSeen(family, from, until, after, batchSubjects[family]);
    const last = unseen.at(-1);
    if (last === undefined) return;
    after = last.key;
    const here = new Set<string>();
    const keys = unseen.map(({ key }) => key);
    for (const copy of copies) {
      for await (const { key } of copy.subjects(family, { kind: "named", keys })) here.add(key);
    }
    const gone: StoredSubject[] = [];
    for (const subject of unseen) {
      if (!here.has(subject.key) && (await isVouchedFor(copies, judgement, subject))) gone.push(subject);
    }
    writer.withdraw(gone, "no copy has it any more");
  }
}

/** Whether a copy is whole where it was created: that copy would have it. */
async function isVouchedFor(copies: readonly Copy[], judgement: Judgement, subject: StoredSubject): Promise<boolean> {
  const { sourceCluster: cluster, switchDbid, createdTs } = subject;
  if (cluster === null || switchDbid === null) return false;
  await judgement.cover(createdTs, createdTs);
  return copies.some(
    (_copy, place) => judgement.doubted(place, { cluster, switchDbid }, createdTs, createdTs).length === 0,
  );
}
