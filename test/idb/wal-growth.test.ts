import { expect, test } from "bun:test";
import { openIdb } from "../../src/idb/open.ts";
import { readersText, WalGrowth, walAlarmBytes, walUsualBytes } from "../../src/idb/wal-growth.ts";
import { walReaders } from "../../src/idb/wal-readers.ts";
import type { Log } from "../../src/log.ts";
import { silentLog } from "../../src/log.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { IdbReader } from "../harness/idb-reader.ts";
import { batch, call, TemporaryDirectory } from "./temporary.ts";

const limitBytes = 16 * 1024 * 1024;
const lookMs = 1_000;

/** An IDB under a small limit, who watches its WAL, and what was logged. */
function watched(directory: TemporaryDirectory) {
  const idb = openIdb({ path: directory.idb, log: silentLog, windowSeconds: 60, walLimitBytes: limitBytes });
  const clock = new FakeClock();
  const sentences: string[] = [];
  const note = (sentence: string) => {
    sentences.push(sentence);
  };
  const log: Log = { ...silentLog, info: note, warn: note };
  const growth = new WalGrowth({ limitBytes, clock, log });
  let position = 0n;
  /** Rows of some MiB, then one look. */
  const grow = async (until: number) => {
    while (idb.walBytes < until) {
      position += 1n;
      const rows = Array.from({ length: 500 }, (_, index) => call(Number(position) * 500 + index));
      idb.commit(batch(position, { G_CALL: rows }));
    }
    return await look();
  };
  const look = async () => {
    await clock.advance(lookMs);
    return growth.look(idb);
  };
  const commit = () => {
    position += 1n;
    idb.commit(batch(position, { G_CALL: [call(Number(position) * 500)] }));
  };
  return { idb, clock, growth, sentences, grow, look, commit };
}

test("a reader that does not end makes the WAL grow, and is named with the time since when, until it ends", async () => {
  using directory = new TemporaryDirectory();
  const { idb, clock, sentences, grow, look } = watched(directory);
  await using reader = await IdbReader.open(directory.idb);
  expect(await grow(walUsualBytes(limitBytes) + 1)).toBeNull();
  const since = clock.now();
  const block = await grow(walAlarmBytes(limitBytes) + 1);
  expect(block).toMatchObject({ since, isAtLimit: false });
  expect(block?.readers.map(({ pid }) => pid)).toEqual([reader.pid]);
  expect(readersText(block?.readers ?? [])).toMatch(new RegExp(`^process ${reader.pid} \\(bun`));
  expect(await grow(limitBytes)).toMatchObject({ since, isAtLimit: true });
  // One line, however long it lasts.
  expect(sentences).toEqual(["a reader of the IDB keeps its WAL from being moved into it"]);
  await reader.end();
  // Nothing more is committed, and the file is given back all the same.
  expect(await look()).toBeNull();
  expect(idb.walBytes).toBe(0);
  expect(sentences).toEqual([
    "a reader of the IDB keeps its WAL from being moved into it",
    "the WAL of the IDB is moved into it again",
  ]);
  idb.close();
}, 30_000);

test("without a reader the WAL stays below what is told of, however much is committed", async () => {
  using directory = new TemporaryDirectory();
  const { idb, commit, look } = watched(directory);
  let largest = 0;
  for (let count = 0; count < 3_000; count++) {
    commit();
    largest = Math.max(largest, idb.walBytes);
    if (count % 500 === 0) expect(await look()).toBeNull();
  }
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThanOrEqual(walUsualBytes(limitBytes));
  idb.close();
}, 30_000);

test("nobody but this process has an IDB open that nobody reads", () => {
  using directory = new TemporaryDirectory();
  using idb = openIdb({ path: directory.idb, log: silentLog, windowSeconds: 60 });
  expect(walReaders(idb.path)).toEqual([]);
  expect(readersText([])).toBe("an unknown process");
});
