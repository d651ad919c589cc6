// Attached data does not depend on how records come in: one batch, or a restart of the recorder after every few.

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { AttachedDataMapping } from "../../src/event/attached-data.ts";
import { type Dump, differencesBetween, readWhole } from "../harness/dump.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { fold, store } from "../harness/stored-story.ts";
import { Story } from "../harness/story.ts";

const mapping: AttachedDataMapping = {
  public: [
    ["a", "userdata", "all"],
    ["b", "userdata", "last"],
    ["c", "userdata", "first"],
    ["r", "reasons", "last"],
  ],
  secure: [
    ["a", "userdata", "last"],
    ["b", "userdata", "all"],
  ],
  columns: [
    ["a", "userdata", "last", "G_CALL_USERDATA", "ACCOUNT_ID"],
    ["c", "userdata", "first", "G_CALL_USERDATA_CUST", "CUST_DATA_1"],
  ],
  otherKeys: "last",
  valueLengthMax: 5,
};
const other: AttachedDataMapping = { ...mapping, public: [["c", "userdata", "last"]], otherKeys: "all" };

const key = fc.constantFrom("a", "b", "c", "d", "1", "0");
const data = fc.dictionary(key, fc.oneof(fc.constantFrom("x", "longer than five", "😀😀😀😀😀😀"), fc.nat(3)), {
  maxKeys: 4,
});
const event = fc.record({
  id: fc.constantFrom(
    "EventRinging",
    "EventEstablished",
    "EventAttachedDataChanged",
    "EventAttachedDataChanged",
    "EventReleased",
  ),
  call: fc.constantFrom("1", "2", "3"),
  after: fc.nat(20),
  members: fc.record({ UserData: data, Reasons: fc.record({ r: fc.constantFrom("1", "2") }) }, { requiredKeys: [] }),
  isReload: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
});
type Told = ReturnType<typeof event.generate>["value"];

function story(events: readonly Told[]): Story {
  const role = ["gcc", "gud"];
  const told = new Story({ role, attachedData: mapping, callDeletionTimeoutSeconds: 10 });
  let now = 0;
  let mappings = 0;
  for (const { id, call, after, members, isReload } of events) {
    now += after;
    if (isReload) told.reload({ role, attachedData: [other, mapping][mappings++ % 2] ?? mapping });
    told.events([
      now,
      id,
      { ConnID: `0${call}`, CallUUID: `C${call}`, ThisDN: `500${call}`, ThisDNRole: 2, ...members },
    ]);
  }
  return told.heartbeat(now + 30);
}

async function folded(payloads: readonly Uint8Array[], chunk: number): Promise<Dump> {
  using directory = new TemporaryDirectory("call-data-restarts");
  for (let from = 0; from < payloads.length; from += chunk) {
    await store(`${directory.path}/queue`, payloads.slice(from, from + chunk));
    await fold(`${directory.path}/queue`, `${directory.path}/idb.db`);
  }
  return readWhole(`${directory.path}/idb.db`);
}

test("with restarts after every few records the rows are those of one batch, row for row", async () => {
  let rows = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 5, maxLength: 60 }),
      fc.integer({ min: 1, max: 7 }),
      async (events, chunk) => {
        const { payloads } = story(events);
        const [whole, inPieces] = [await folded(payloads, payloads.length), await folded(payloads, chunk)];
        rows += story(events).rows("G_USERDATA_HISTORY", "ID").length;
        expect(differencesBetween(whole, inPieces)).toEqual([]);
      },
    ),
    { numRuns: 12 },
  );
  expect(rows).toBeGreaterThan(20);
}, 120_000);
