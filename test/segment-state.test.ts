// Live state beside the segments: a rebuild begins with the oldest, and never with one that is not whole.

import { expect, test } from "bun:test";
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openReading } from "../src/idb/reading.ts";
import { type Log, type LogFields, silentLog } from "../src/log.ts";
import { TemporaryDirectory } from "./harness/processes.ts";
import { filesOf, fold, manyCalls, openStored, store, trim } from "./harness/stored-story.ts";

function rows<T>(path: string, sql: string): T[] {
  const reading = openReading(path);
  try {
    return reading.database.prepare(sql).all() as T[];
  } finally {
    reading.close();
  }
}

const callRows = `SELECT c.CALLID, c.CREATED, c.TERMINATED, p.PARTYID, p.STATE, p.CREATED AS BEGAN, p.TERMINATED AS ENDED,
  h.PSEQ, h.STATE AS WAS, h.ADDED FROM G_CALL c JOIN G_PARTY p USING (CALLID) JOIN G_PARTY_HISTORY h USING (PARTYID)
  ORDER BY c.CALLID, p.PARTYID, h.PSEQ`;

function warnings(): { readonly log: Log; readonly events: string[] } {
  const events: string[] = [];
  const note = (event: string, fields: LogFields = {}) =>
    events.push(`${event}: ${fields["reason"] ?? fields["oldestPosition"]}`);
  return { log: { ...silentLog, warn: note }, events };
}

test("with the first segments trimmed a rebuild begins with the state beside the oldest, and what began since is as it was", async () => {
  using directory = new TemporaryDirectory("state");
  const queue = directory.at("queue");
  await store(queue, manyCalls().payloads);
  await fold(queue, directory.at("idb.db"));
  const segments = filesOf(queue, ".segment");
  expect(segments.length).toBeGreaterThan(8);
  // None beside the first: before the first record there is nothing.
  expect(filesOf(queue, ".state")).toEqual(segments.slice(1).map((file) => file.replace("segment", "state")));
  expect(statSync(join(queue, filesOf(queue, ".state")[0] ?? "")).mode & 0o777).toBe(0o600);

  const oldest = trim(queue, 4);
  const { log, events } = warnings();
  await fold(queue, directory.at("rebuilt.db"), { log });
  expect(events).toEqual([
    `what the persistent queue no longer holds is not known here; what was open is: ${BigInt(oldest)}`,
  ]);
  type Row = { readonly CALLID: string };
  const before = rows<Row>(directory.at("idb.db"), callRows);
  const rebuilt = rows<Row>(directory.at("rebuilt.db"), callRows);
  const doubtful = rows<{ ROW_KEY: string; REASON: string; CAUSE: string }>(
    directory.at("rebuilt.db"),
    "SELECT ROW_KEY, REASON, CAUSE FROM ICON_ROW_QUALITY",
  );
  // Calls open at the border are named; every other call there is, is whole.
  const open = new Set(doubtful.map(({ ROW_KEY }) => ROW_KEY));
  expect(doubtful.length).toBeGreaterThan(0);
  expect(new Set(doubtful.map(({ REASON, CAUSE }) => `${REASON}, ${CAUSE}`))).toEqual(
    new Set(["earlier rows not kept, history not kept"]),
  );
  const known = new Set(rebuilt.map(({ CALLID }) => CALLID));
  const isWhole = ({ CALLID }: Row) => known.has(CALLID) && !open.has(CALLID);
  expect(rebuilt.filter(isWhole)).toEqual(before.filter(isWhole));
  expect(rebuilt.filter(isWhole).length).toBeGreaterThan(60);
  // A call that was open has its whole row: beginning, end, keys.
  const ends = "SELECT CALLID, CONNID, CREATED, TERMINATED, CREATED_TCODE FROM G_CALL ORDER BY CALLID";
  const all = rows<Row>(directory.at("idb.db"), ends);
  const found = rows<Row>(directory.at("rebuilt.db"), ends);
  expect(found).toEqual(all.filter(({ CALLID }) => found.some((each) => each.CALLID === CALLID)));
  for (const key of open) expect(found.map(({ CALLID }) => CALLID)).toContain(key);
  const missing = "SELECT count(*) AS n FROM G_CALL WHERE CREATED_TCODE NOT IN (SELECT ID FROM G_TIMECODE)";
  expect(rows<{ n: number }>(directory.at("rebuilt.db"), missing)).toEqual([{ n: 0 }]);
  const windows = rows<{ FAULTS: string }>(
    directory.at("rebuilt.db"),
    "SELECT FAULTS FROM ICON_WINDOW ORDER BY WINDOW_TS",
  );
  expect(JSON.parse(windows[0]?.FAULTS ?? "")).toEqual(["history not kept"]);
  expect(JSON.parse(windows.at(-1)?.FAULTS ?? "")).toEqual([]);
  expect(rows(directory.at("rebuilt.db"), "SELECT KIND FROM ICON_MARK WHERE KIND = 'history not kept'")).toHaveLength(
    1,
  );
});

test("a state that is damaged, of another version or of another queue's segment is passed over with its reason", async () => {
  using directory = new TemporaryDirectory("state");
  const queue = directory.at("queue");
  await store(queue, manyCalls().payloads);
  await fold(queue, directory.at("idb.db"));
  trim(queue, 3);
  const [flipped = "", shorter = "", older = "", foreign = "", usable = ""] = filesOf(queue, ".state").map((file) =>
    join(queue, file),
  );
  const bytes = readFileSync(flipped);
  bytes[300] = (bytes[300] ?? 0) ^ 1;
  writeFileSync(flipped, bytes);
  writeFileSync(shorter, readFileSync(shorter).subarray(0, -7));
  writeFileSync(older, readFileSync(older, "latin1").replace("ICON live state 1", "ICON live state 7"));
  writeFileSync(foreign, readFileSync(usable));
  const { log, events } = warnings();
  await fold(queue, directory.at("rebuilt.db"), { log });
  const position = BigInt(usable.slice(-26, -6));
  expect(events).toEqual([
    "live state beside a segment is not used: its checksum does not agree",
    expect.stringMatching(/is not used: it has \d+ bytes after its first line, expected \d+$/),
    "live state beside a segment is not used: its format is version 7, this program reads 1",
    `live state beside a segment is not used: it belongs to position ${position}`,
    `what the persistent queue no longer holds is not known here; what was open is: ${position}`,
  ]);
});

test("killed while a state is being written, the next run writes it whole, and nothing half is ever used", async () => {
  using directory = new TemporaryDirectory("state");
  const queue = directory.at("queue");
  await store(queue, manyCalls().payloads);
  expect(await fold(queue, directory.at("idb.db"), { statesMax: 3 })).toBe(false);
  const written = filesOf(queue, ".state");
  expect(written).toHaveLength(3);
  // What a crash between write and rename leaves.
  const last = join(queue, written.at(-1) ?? "");
  renameSync(last, `${last}.new`);
  writeFileSync(`${last}.new`, readFileSync(`${last}.new`).subarray(0, 40));
  expect(await fold(queue, directory.at("again.db"))).toBe(true);
  expect(filesOf(queue, ".new")).toEqual([]);
  expect(await fold(queue, directory.at("idb.db"))).toBe(true);
  const segments = filesOf(queue, ".segment");
  expect(filesOf(queue, ".state")).toEqual(segments.slice(1).map((file) => file.replace("segment", "state")));
  trim(queue, 3);
  const { log, events } = warnings();
  await fold(queue, directory.at("rebuilt.db"), { log });
  expect(events).toHaveLength(1);
});

test("trimming deletes the state with its segment", async () => {
  using directory = new TemporaryDirectory("state");
  const path = directory.at("queue");
  await store(path, manyCalls().payloads);
  await fold(path, directory.at("idb.db"));
  await using queue = await openStored(path);
  const { segments } = await queue.trim({ appliedPosition: queue.durablePosition, olderThanMs: 1e12, bytesMax: 8192 });
  expect(segments.length).toBeGreaterThan(3);
  const left = filesOf(path, ".segment");
  expect(filesOf(path, ".state")).toEqual(left.map((file) => file.replace("segment", "state")));
});
