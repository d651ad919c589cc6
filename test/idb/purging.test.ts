// Turns of a purge beside the recorder's work, and beside a reader that keeps the WAL: a real file.

import { expect, test } from "bun:test";
import Database from "libsql";
import { openIdb } from "../../src/idb/open.ts";
import { Purging } from "../../src/idb/purging.ts";
import { WalGrowth } from "../../src/idb/wal-growth.ts";
import { silentLog } from "../../src/log.ts";
import { Projector } from "../../src/projector.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { manyCalls, store } from "../harness/stored-story.ts";
import { startMs } from "../harness/story.ts";
import { query } from "./temporary.ts";

const calls = 2000;
const mib = 1024 * 1024;
const walLimitBytes = 16 * mib;

test("a reader that holds a transaction is not harmed, the WAL stays within its bound, and afterwards the purge goes on", async () => {
  using directory = new TemporaryDirectory("purging");
  const [queue, path] = [directory.at("queue"), directory.at("idb.db")];
  const story = manyCalls({ calls }).heartbeat(calls * 3);
  story.mark({ mark: "purge", before: startMs + calls * 1500, by: "schedule", isUnconfirmed: false });
  await store(queue, story.payloads, 4 * mib);
  const clock = new FakeClock(startMs);
  using idb = openIdb({ path, log: silentLog, windowSeconds: 60, walLimitBytes });
  using reader = new QueueReader({ disk: systemDisk, directory: queue });
  const projector = new Projector({ reader, idb, log: silentLog });
  while (projector.advance(reader.lastWholePosition())) {} // batch after batch
  idb.checkpoint();
  const growth = new WalGrowth({ limitBytes: walLimitBytes, clock, log: silentLog });
  const purging = new Purging({ clock, log: silentLog, walLimitBytes });
  const turn = (): number | null => {
    const inMs = purging.turn(idb, { isBusy: false, block: growth.look(idb) });
    clock.standStill(inMs ?? 0);
    return inMs;
  };
  const left = "SELECT count(*) FROM G_CALL";

  const other = new Database(path);
  other.exec("BEGIN");
  const seen = () => (other.prepare(left).raw().all() as number[][])[0]?.[0];
  expect(seen()).toBe(calls);
  let turns = 0;
  // Until it waits for the reader.
  while ((turn() ?? 0) < 1000) turns += 1;
  const purged = purging.status(idb);
  expect(purged.isUnderWay).toBe(true);
  expect(purged.calls).toBe(turns * 50);
  for (let more = 0; more < 5; more += 1) turn();
  expect(purging.status(idb).calls).toBe(purged.calls);
  // An eighth of the limit, and what one turn writes.
  expect(idb.walBytes).toBeLessThan(walLimitBytes / 8 + 2 * mib);
  expect(seen()).toBe(calls);
  other.exec("COMMIT");
  other.close();

  while (turn() !== null) turns += 1;
  const { furthest, isUnderWay, calls: deleted } = purging.status(idb);
  expect(isUnderWay).toBe(false);
  expect(furthest?.before).toBe(startMs + calls * 1500);
  const kept = query(path, left)[0]?.[0];
  expect(deleted + Number(kept)).toBe(calls);
  expect(deleted).toBeGreaterThan(1000);
  expect(query(path, `SELECT count(*) FROM G_CALL WHERE TERMINATED_TS < ${startMs / 1000 + calls * 1.5}`)).toEqual([
    [0],
  ]);
});
