import { expect, test } from "bun:test";
import { rmSync, statSync } from "node:fs";
import Database from "libsql";
import { IdbBusyError, IdbDamagedError, IdbRejectedError } from "../../src/idb/error.ts";
import { batch, call, partyHistory, query, TemporaryDirectory } from "./temporary.ts";

test("rows, live state and applied position are there together after a commit, and after opening again", () => {
  using directory = new TemporaryDirectory();
  const idb = directory.open();
  const data = JSON.stringify({ state: "open" });
  idb.commit(batch(5n, { G_CALL: [call(1)] }, [{ kind: "call", key: "call-1", version: 3, data }]));
  expect(query(directory.idb, "SELECT ID, CALLID, IRID, CREATED_TS, CALLTYPE FROM G_CALL")).toEqual([
    [1, "call-1", "ir-1", 1_795_423_791, null],
  ]);
  const { idbId } = idb.readApplied();
  idb.close();

  using again = directory.open();
  expect(again.readApplied()).toEqual({
    idbId,
    queueId: "q1",
    segmentSalt: 7,
    position: 5n,
    rowSeq: 5,
    commits: 1,
    windowSeconds: 60,
  });
  expect([...again.readLive()]).toEqual([{ kind: "call", key: "call-1", version: 3, data }]);
  expect(again.lastPosition).toBe(5n);
});

test("a position beyond what a number holds exactly comes back as it went in", () => {
  using directory = new TemporaryDirectory();
  using idb = directory.open();
  idb.commit({ ...batch(0n), applied: { queueId: "q1", segmentSalt: null, position: 2n ** 62n + 1n, rowSeq: 1 } });
  expect(idb.readApplied().position).toBe(2n ** 62n + 1n);
  expect(idb.readApplied().segmentSalt).toBeNull();
});

test("a row that changes keeps its key and takes every other value, null too", () => {
  using directory = new TemporaryDirectory();
  using idb = directory.open();
  idb.commit(batch(1n, { G_CALL: [call(1, { CALLTYPE: 2, CALLANI: "1" })] }));
  idb.commit(batch(2n, { G_CALL: [call(1, { CALLTYPE: 3, TERMINATED_TS: 9 })] }));
  expect(query(directory.idb, "SELECT CALLID, CALLTYPE, CALLANI, TERMINATED_TS FROM G_CALL")).toEqual([
    ["call-1", 3, null, 9],
  ]);
});

test("tables with a compound key are changed by that key, and a time step may be written again and again", () => {
  using directory = new TemporaryDirectory();
  using idb = directory.open();
  const session = (etime: string | null) => ["[4,9]", { DSS_ID: 4, ICON_DBID: 9, DSCONN_ETIME: etime }] as const;
  idb.commit(batch(1n, { G_DSS_GCC_PROVIDER: [session(null)], G_TIMECODE: [[300, { ID: 300 }]] }));
  idb.commit(batch(2n, { G_DSS_GCC_PROVIDER: [session("later")], G_TIMECODE: [[300, { ID: 300 }]] }));
  expect(query(directory.idb, "SELECT DSS_ID, ICON_DBID, DSCONN_ETIME FROM G_DSS_GCC_PROVIDER")).toEqual([
    [4, 9, "later"],
  ]);
  expect(query(directory.idb, "SELECT ID FROM G_TIMECODE")).toEqual([[300]]);
});

test("null for a row deletes it, null for a live entry forgets it", () => {
  using directory = new TemporaryDirectory();
  using idb = directory.open();
  const active = [1, { ID: 1, CALLID: "c", IRID: "i" }] as const;
  idb.commit(batch(1n, { G_CALL_ACTIVE: [active] }, [{ kind: "call", key: "c", version: 1, data: "{}" }]));
  idb.commit(batch(2n, { G_CALL_ACTIVE: [[1, null]] }, [{ kind: "call", key: "c", version: 1, data: null }]));
  expect(query(directory.idb, "SELECT count(*) FROM G_CALL_ACTIVE")).toEqual([[0]]);
  expect([...idb.readLive()]).toEqual([]);
});

test("any number of rows goes in whole, whatever it leaves over for the last statement", () => {
  using directory = new TemporaryDirectory();
  using idb = directory.open();
  let id = 0;
  for (const count of [1, 15, 16, 17, 32, 100]) {
    const rows = Array.from({ length: count }, () => partyHistory(++id, { PSEQ: id, FLAG: "no column, not stored" }));
    idb.commit(batch(BigInt(id), { G_PARTY_HISTORY: rows }));
  }
  const sum = (id * (id + 1)) / 2;
  expect(query(directory.idb, "SELECT count(*), sum(PHID), sum(PSEQ) FROM G_PARTY_HISTORY")).toEqual([[id, sum, sum]]);
  expect(idb.status()).toMatchObject({ rowsWritten: id, commits: 6, position: BigInt(id) });
});

const refusals = [
  ["a required value is missing", { PSEQ: null }, "NOT NULL constraint failed: G_PARTY_HISTORY.PSEQ"],
  ["a text stands where a number belongs", { PSEQ: "secret" }, "cannot store TEXT value in INTEGER column"],
  ["a number has a fraction", { PSEQ: 1.5 }, "cannot store REAL value in INTEGER column"],
  ["a value is a boolean", { PSEQ: true }, "PSEQ is a boolean"],
  ["a value is an object", { PARTYID: { secret: 1 } }, "PARTYID is a object"],
  ["a number is not finite", { PSEQ: Number.NaN }, "PSEQ is a number that is not finite"],
  ["an integer needs more than 64 bits", { PSEQ: 2n ** 64n }, "PSEQ is a integer beyond 64 bits"],
  ["a history row comes a second time", { PHID: 1 }, "UNIQUE constraint failed: G_PARTY_HISTORY.PHID"],
] as const;

test.each(refusals)(
  "nothing of a batch is stored when %s, and the message names table and key but no value",
  (_, wrong, words) => {
    using directory = new TemporaryDirectory();
    using idb = directory.open();
    idb.commit(batch(1n, { G_PARTY_HISTORY: [partyHistory(1)] }));
    const rows = Array.from({ length: 20 }, (_each, index) => partyHistory(100 + index, index === 9 ? wrong : {}));
    const bad = batch(2n, { G_CALL: [call(1)], G_PARTY_HISTORY: rows }, [
      { kind: "k", key: "x", version: 1, data: "1" },
    ]);

    let error: unknown;
    try {
      idb.commit(bad);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(IdbRejectedError);
    const message = error instanceof Error ? error.message : "";
    expect(message).toContain('Cannot store row "109" of G_PARTY_HISTORY');
    expect(message).toContain(words);
    expect(message).not.toContain("secret");
    expect(
      query(directory.idb, "SELECT (SELECT count(*) FROM G_CALL), (SELECT count(*) FROM G_PARTY_HISTORY)"),
    ).toEqual([[0, 1]]);
    expect([...idb.readLive()]).toEqual([]);
    expect(idb.readApplied().position).toBe(1n);

    idb.commit(batch(3n, { G_CALL: [call(1)] }));
    expect(query(directory.idb, "SELECT count(*) FROM G_CALL")).toEqual([[1]]);
  },
);

test("an IDB locked by somebody else is busy, nothing changes, and the same batch goes in once the lock is gone", () => {
  using directory = new TemporaryDirectory();
  using idb = directory.open();
  const other = new Database(directory.idb);
  other.exec("BEGIN IMMEDIATE");
  expect(() => idb.commit(batch(1n, { G_PARTY_HISTORY: [partyHistory(1)] }))).toThrow(IdbBusyError);
  other.exec("ROLLBACK");
  other.close();
  expect(idb.readApplied().position).toBe(0n);
  idb.commit(batch(1n, { G_PARTY_HISTORY: [partyHistory(1)] }));
  expect(query(directory.idb, "SELECT count(*) FROM G_PARTY_HISTORY")).toEqual([[1]]);
});

test("a file deleted under the open IDB is noticed at the next commit", () => {
  using directory = new TemporaryDirectory();
  const idb = directory.open();
  idb.commit(batch(1n));
  expect(idb.isInPlace()).toBeTrue();
  rmSync(directory.idb);
  expect(idb.isInPlace()).toBeFalse();
  expect(() => idb.commit(batch(2n))).toThrow(IdbDamagedError);
});

test("a reader that holds an old view does not keep commits away, only the checkpoint from finishing", () => {
  using directory = new TemporaryDirectory();
  using idb = directory.open();
  idb.commit(batch(1n, { G_CALL: [call(1)] }));
  const reader = new Database(`file:${directory.idb}?mode=ro`);
  reader.exec("BEGIN");
  expect(reader.prepare("SELECT count(*) FROM G_CALL").raw().get()).toMatchObject([1]);
  idb.commit(batch(2n, { G_CALL: [call(2)] }));
  expect(idb.checkpoint()).toBeFalse();
  expect(reader.prepare("SELECT count(*) FROM G_CALL").raw().get()).toMatchObject([1]);
  reader.exec("COMMIT");
  expect(idb.checkpoint()).toBeTrue();
  expect(idb.status().walBytes).toBe(0);
  reader.close();
});

test("what was committed survives the process being killed without any closing", async () => {
  using directory = new TemporaryDirectory();
  const child = Bun.spawn(["bun", `${import.meta.dir}/commit-and-die.ts`, directory.path], { stdout: "pipe" });
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
  const told = Number(await new Response(child.stdout).text());
  using idb = directory.open();
  expect(idb.readApplied()).toMatchObject({ position: BigInt(told), commits: told });
  expect(query(directory.idb, "SELECT count(*), max(ID) FROM G_CALL")).toEqual([[told, told]]);
});

test("somebody who opens and closes an IDB that was killed before leaves its WAL to whoever has it open now", async () => {
  using directory = new TemporaryDirectory();
  await Bun.spawn(["bun", `${import.meta.dir}/commit-and-die.ts`, directory.path], { stdout: "ignore" }).exited;
  using idb = directory.open();
  const wal = statSync(`${directory.idb}-wal`).ino;
  // One in another process: within one, SQLite itself knows who else has the file open.
  const stranger =
    'const all = new (require("libsql"))(process.argv[1]); all.exec("SELECT * FROM G_CALL"); all.close();';
  expect(Bun.spawnSync(["bun", "-e", stranger, directory.idb], { cwd: import.meta.dir }).exitCode).toBe(0);
  expect(statSync(`${directory.idb}-wal`, { throwIfNoEntry: false })?.ino).toBe(wal);
  idb.commit(batch(31n, { G_CALL: [call(31)] }));
  expect(query(directory.idb, "SELECT count(*) FROM G_CALL")).toEqual([[31]]);
});

test("asked whether it can be written, an IDB says so, or that somebody else has it locked, and changes nothing", () => {
  using directory = new TemporaryDirectory();
  using idb = directory.open();
  idb.commit(batch(1n));
  idb.requireWritable();
  const other = new Database(directory.idb);
  other.exec("BEGIN IMMEDIATE");
  expect(() => idb.requireWritable()).toThrow(IdbBusyError);
  other.exec("ROLLBACK");
  idb.requireWritable();
  // It holds no lock afterwards.
  other.exec("BEGIN IMMEDIATE; ROLLBACK");
  other.close();
  expect(idb.readApplied()).toMatchObject({ position: 1n, commits: 1 });
});

test("a late change of a call moves the version of the last window of its life, and of no other source's", () => {
  using directory = new TemporaryDirectory();
  using idb = directory.open();
  const window = (cluster: number, start: number) =>
    [
      `[${cluster},"r",1,${start}]`,
      {
        ...{
          SOURCE_CLUSTER: cluster,
          RUN: "r",
          SWITCH_DBID: 1,
          WINDOW_TS: start,
          EVENTS: 1,
          FIRST_SEQ: 1,
          LAST_SEQ: 1,
        },
        ...{ HOLES: "[]", FAULTS: "[]", VERSION: 1, DIGEST: null, IS_SEALED: 1 },
      },
    ] as const;
  const windows = [window(7, 0), window(7, 60), window(7, 180), window(8, 60)];
  idb.commit(batch(1n, { ICON_WINDOW: windows, G_CALL: [call(1, { TERMINATED_TS: 130 })] }));
  const late = (version: number, callId = "call-1") => ({ callId, cluster: 7, switchDbid: 1, version });
  const versions = () =>
    query(directory.idb, "SELECT SOURCE_CLUSTER, WINDOW_TS, VERSION FROM ICON_WINDOW ORDER BY 1, 2");
  const changed = [
    [7, 0, 1],
    [7, 60, 5],
    [7, 180, 1],
    [8, 60, 1],
  ];
  idb.commit({ ...batch(5n), late: [late(5)] });
  expect(versions()).toEqual(changed);
  // An earlier change does not move it back, and a call that is purged has no window.
  idb.commit({ ...batch(6n), late: [late(4), late(6, "call-2")] });
  expect(versions()).toEqual(changed);
});
