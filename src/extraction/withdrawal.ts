// Calls that were handed out and that no copy has any more: purged, or their IDB was made anew without them.
//
// A call is withdrawn only on the word of a copy that is whole for the time of its creation and does not have it. Where all
// copies have merely lost that time, what was handed out is all that is left of it, and it stays.

import type { ExtractStore, StoredCall } from "../idb/extract-store.ts";
import type { CallWriter } from "./call-writer.ts";
import type { Copy, Stretch } from "./copy.ts";
import type { Judgement } from "./judgement.ts";

export interface Withdrawal {
  readonly copies: readonly Copy[];
  readonly judgement: Judgement;
  readonly writer: CallWriter;
  readonly store: ExtractStore;
}

const callsAtOnce = 200;

/** Of the calls created in the stretch that were not seen in this run (ExtractStore.trackSeen). */
export async function withdrawGone(withdrawal: Withdrawal, { from, until }: Stretch): Promise<void> {
  const { copies, judgement, writer, store } = withdrawal;
  for (let after = ""; ; ) {
    const unseen = store.callsNotSeen(from, until, after, callsAtOnce);
    const last = unseen.at(-1);
    if (last === undefined) return;
    after = last.callId;
    const here = new Set<string>();
    const callIds = unseen.map(({ callId }) => callId);
    for (const copy of copies) {
      for await (const { callId } of copy.calls({ kind: "named", callIds })) here.add(callId);
    }
    const gone: StoredCall[] = [];
    for (const call of unseen) {
      if (!here.has(call.callId) && (await isVouchedFor(copies, judgement, call))) gone.push(call);
    }
    writer.withdraw(gone, "no copy has it any more");
  }
}

/** Whether a copy is whole where the call was created: that copy would have it. */
async function isVouchedFor(copies: readonly Copy[], judgement: Judgement, call: StoredCall): Promise<boolean> {
  const { sourceCluster: cluster, switchDbid, createdTs } = call;
  if (cluster === null || switchDbid === null) return false;
  await judgement.cover(createdTs, createdTs);
  return copies.some(
    (_copy, place) => judgement.doubted(place, { cluster, switchDbid }, createdTs, createdTs).length === 0,
  );
}
