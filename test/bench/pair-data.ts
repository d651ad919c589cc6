// Two IDBs of ten million rows that say the same, spread over a day, and one of a tenth of that. Ten minutes of a
// simulated contact centre are recorded by a real instance once; they are then laid end to end under new keys, with the
// ledger that belongs to them. Made once and kept beside the bench's own folder; delete it when nobody wants it.

import { Database } from "bun:sqlite";
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { callTableNames, callTables } from "../../schema/life.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import type { Setting } from "./setting.ts";

export interface PairData {
  readonly idbPath: string;
  /** The same rows under another IDB_ID, as the other instance of a pair would have them. */
  readonly otherPath: string;
  /** The first tenth of them, twice likewise. */
  readonly smallPath: string;
  readonly smallOtherPath: string;
  /** Of the tables that tell of calls, in one of the two. */
  readonly rows: number;
  readonly smallRows: number;
  /** UTC seconds of the first window's start. */
  readonly from: number;
  /** UTC seconds of the last window's end. */
  readonly until: number;
}

const startTime = "2025-11-01T00:00:00.000Z";
const templateSeconds = 600;
const windowSeconds = 60;
// So that ten million rows are about a day.
const eventsPerSecond = 75;

/** `rows`: of the two large ones, at least. */
export async function pairData(setting: Setting, rows: number): Promise<PairData> {
  const directory = join(setting.keptDirectory, `icon-bench-pair-${rows}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = (name: string) => join(directory, `${name}.db`);
  await once(path("template"), (making) => recordTemplate(setting, directory, making));
  const perTemplate = extentOf(path("template")).rows;
  for (const [name, wanted] of [
    ["small", rows / 10],
    ["a", rows],
  ] as const) {
    await once(path(name), async (making) => {
      const times = Math.ceil(wanted / perTemplate);
      setting.say(`making an IDB of ${wanted} rows: ${perTemplate} rows, ${times} times`);
      copyFileSync(path("template"), making);
      layEndToEnd(making, times);
    });
  }
  for (const [name, other] of [
    ["small", "small-other"],
    ["a", "b"],
  ] as const) {
    await once(path(other), async (making) => {
      copyFileSync(path(name), making);
      using idb = new Database(making);
      idb.query("UPDATE ICON_APPLIED SET IDB_ID = ?").run(crypto.randomUUID());
    });
  }
  const [large, small] = [extentOf(path("a")), extentOf(path("small"))];
  return {
    idbPath: path("a"),
    otherPath: path("b"),
    smallPath: path("small"),
    smallOtherPath: path("small-other"),
    rows: large.rows,
    smallRows: small.rows,
    from: large.from,
    until: large.until,
  };
}

async function once(path: string, make: (making: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) return;
  const making = `${path}.new`;
  remove(making);
  await make(making);
  for (const suffix of ["-wal", "-shm"]) rmSync(`${making}${suffix}`, { force: true });
  renameSync(making, path);
}

function remove(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
}

async function recordTemplate({ icon, say }: Setting, directory: string, making: string): Promise<void> {
  say(`recording ${templateSeconds} s of a contact centre`);
  const place = join(directory, "template");
  rmSync(place, { recursive: true, force: true });
  const words = ["--plain", "--as-fast-as-possible", "--clients-min", "1", "--linger", "60", "--start-time", startTime];
  const centre = ["--rate", String(eventsPerSecond), "--seconds", String(templateSeconds), "--heartbeat-ms", "1000"];
  const simulator = Bun.spawn([icon, "simulate", "tserver", ...words, ...centre], {
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    const { value } = await simulator.stdout.getReader().read();
    const { listening } = JSON.parse(new TextDecoder().decode(value)) as { listening: string };
    // What is laid end to end below are calls.
    const role = "gcc";
    const measured = { icon, directory: place, loadPath: null, address: listening, role };
    await using instance = await MeasuredInstance.start(measured);
    if ((await simulator.exited) !== 0) throw new Error("Cannot record the template: the simulated T-Server failed");
    await instance.readable();
    await instance.end("SIGTERM");
    copyFileSync(instance.idbPath, making);
  } finally {
    simulator.kill();
    rmSync(place, { recursive: true, force: true });
  }
  using idb = new Database(making);
  // What was going on at the end goes on for ever in each copy. That the source's time runs faster than ours is no fault
  // of this data.
  const open = "SELECT CALLID FROM G_CALL WHERE TERMINATED IS NULL";
  const partiesOpen = `SELECT PARTYID FROM G_PARTY WHERE CALLID IN (${open})`;
  const irsOpen = `SELECT IRID FROM G_CALL WHERE CALLID IN (${open})`;
  idb.exec(
    `DELETE FROM ICON_PARTY_CHANNEL WHERE PARTYID IN (${partiesOpen});
     DELETE FROM G_PARTY_HISTORY WHERE PARTYID IN (${partiesOpen});
     DELETE FROM G_PARTY WHERE CALLID IN (${open});
     DELETE FROM G_IR_HISTORY WHERE IRID IN (${irsOpen});
     DELETE FROM G_IR WHERE IRID IN (${irsOpen});
     DELETE FROM G_CALL_HISTORY WHERE CALLID IN (${open});
     DELETE FROM G_CALL WHERE TERMINATED IS NULL;
     DELETE FROM G_CALL_ACTIVE; DELETE FROM G_IR_ACTIVE; DELETE FROM ICON_LIVE; DELETE FROM ICON_ROW_QUALITY;
     DELETE FROM ICON_WINDOW WHERE EVENTS = 0;
     UPDATE ICON_WINDOW SET FAULTS = '[]';
     UPDATE ICON_COVERAGE SET (UNTIL_TIME, UNTIL_SEQ, VERSION, ENDED_BECAUSE) =
       (SELECT UNTIL_TIME, UNTIL_SEQ, VERSION, NULL FROM ICON_COVERAGE ORDER BY ID DESC LIMIT 1);
     DELETE FROM ICON_COVERAGE WHERE ID > (SELECT min(ID) FROM ICON_COVERAGE);
     PRAGMA wal_checkpoint(TRUNCATE)`,
  );
}

/** Indexes are made anew at the end, which is several times faster than keeping them meanwhile. */
function layEndToEnd(path: string, times: number): void {
  using idb = new Database(path);
  idb.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; BEGIN");
  const indexes = idb
    .query<{ name: string; sql: string }, []>(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
    )
    .all();
  for (const { name } of indexes) idb.exec(`DROP INDEX "${name}"`);
  const ids = callTableNames.flatMap((table) => {
    const { rowId } = callTables[table];
    return rowId === null ? [] : [`SELECT max("${rowId}") AS ID FROM "${table}"`];
  });
  const { step } = idb
    .query<{ step: number }, []>(`SELECT max(ID) + 1 AS step FROM (${ids.join(" UNION ALL ")})`)
    .get() ?? {
    step: 0,
  };
  const { events, versions } = idb
    .query<{ events: number; versions: number }, []>(
      "SELECT max(LAST_SEQ) AS events, max(VERSION) AS versions FROM ICON_WINDOW",
    )
    .get() ?? { events: 0, versions: 0 };
  for (const table of callTableNames) {
    const insert = idb.query(shiftedInsert(idb, table, callTables[table].rowId));
    const last = idb.query<{ last: number | null }, []>(`SELECT max(rowid) AS last FROM "${table}"`).get()?.last ?? 0;
    for (let copy = 1; copy < times; copy += 1) insert.run(copy, copy * templateSeconds, step * copy, last);
  }
  const windows = idb.query(
    `INSERT INTO ICON_WINDOW (SOURCE_CLUSTER, RUN, SWITCH_DBID, WINDOW_TS, EVENTS, FIRST_SEQ, LAST_SEQ, HOLES, FAULTS,
       VERSION, DIGEST, IS_SEALED)
     SELECT SOURCE_CLUSTER, RUN, SWITCH_DBID, WINDOW_TS + ?2, EVENTS, FIRST_SEQ + ?1 * ${events}, LAST_SEQ + ?1 * ${events},
       HOLES, FAULTS, VERSION + ?1 * ${versions}, DIGEST, IS_SEALED
     FROM ICON_WINDOW WHERE WINDOW_TS < ?3 + ${templateSeconds}`,
  );
  const { from } = idb.query<{ from: number }, []>('SELECT min(WINDOW_TS) AS "from" FROM ICON_WINDOW').get() ?? {
    from: 0,
  };
  for (let copy = 1; copy < times; copy += 1) windows.run(copy, copy * templateSeconds, from);
  const later = `'+${(times - 1) * templateSeconds} seconds'`;
  const shifted = (column: string) => `${column} = strftime('%Y-%m-%dT%H:%M:%fZ', ${column}, ${later})`;
  idb.exec(
    `UPDATE ICON_COVERAGE SET ${shifted("UNTIL_TIME")}, UNTIL_SEQ = UNTIL_SEQ + ${events * (times - 1)};
     UPDATE G_DSS_GCC_PROVIDER SET ${shifted("LEVENT_DSTIME")}, LEVENT_DSTS = LEVENT_DSTS + ${(times - 1) * templateSeconds};
     UPDATE ICON_APPLIED SET POSITION = ${versions * times}`,
  );
  for (const { sql } of indexes) idb.exec(sql);
  idb.exec("COMMIT; PRAGMA journal_mode = WAL");
}

/** Parameters: number of the copy, seconds later, what is added to row ids, the template's last row id. */
function shiftedInsert(idb: Database, table: string, rowId: string | null): string {
  const columns = idb.query<{ name: string; type: string }, []>(`PRAGMA table_info("${table}")`).all();
  const selected = columns.map(({ name, type }) => {
    const isInteger = /INT/i.test(type);
    if (name === rowId) return `"${name}" + ?3`;
    if (!isInteger && /(?:CALLID|IRID|PARTYID|PARTYGUID|UNIQUEID)$/.test(name)) return `"${name}" || '.' || ?1`;
    if (!isInteger && /^(?:CREATED|TERMINATED|ADDED)$/.test(name)) {
      return `strftime('%Y-%m-%dT%H:%M:%fZ', "${name}", ?2 || ' seconds')`;
    }
    return isInteger && /_(?:TS|TCODE)$/.test(name) ? `"${name}" + ?2` : `"${name}"`;
  });
  const names = columns.map(({ name }) => `"${name}"`).join(", ");
  return `INSERT INTO "${table}" (${names}) SELECT ${selected.join(", ")} FROM "${table}" WHERE rowid <= ?4`;
}

function extentOf(path: string): { readonly rows: number; readonly from: number; readonly until: number } {
  using idb = new Database(path, { readonly: true });
  const rows = callTableNames.reduce(
    (sum, name) => sum + (idb.query<{ rows: number }, []>(`SELECT count(*) AS rows FROM "${name}"`).get()?.rows ?? 0),
    0,
  );
  const bounds = idb
    .query<{ from: number; until: number }, []>(
      `SELECT min(WINDOW_TS) AS "from", max(WINDOW_TS) + ${windowSeconds} AS until FROM ICON_WINDOW`,
    )
    .get();
  if (bounds === null) throw new Error(`Cannot use "${path}": it has no windows`);
  return { rows, ...bounds };
}
