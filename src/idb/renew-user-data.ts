// Takes the attached data of calls from one IDB into another: that of all calls that began at a given time or later, in
// one transaction. Afterwards the one says of them what the other says, and of all other calls what it said.
//
// 1. Rows of the histories get new ids behind all there are, in their order: whoever follows GSYS_USEQ sees them.
// 2. A row of columns has the id of its call's row in G_CALL, which is another one there than here.
// 3. The windows since then count as changed by the record that comes next, for whoever follows has read these calls.
// 4. Of calls that are still open the live state comes along, and so does the mapping, in force from here on.

import { getTableColumns } from "drizzle-orm";
import Database from "libsql";
import { tables } from "../../schema/tables.ts";
import { callUserDataTables, userDataHistories } from "../../schema/user-data.ts";
import { idbError } from "./error.ts";
import { inTransaction } from "./migrate.ts";
import { readingPlace } from "./reading.ts";

export interface Renewal {
  /** The IDB that is changed. Hold its lock, with nobody in this process having it open. */
  readonly path: string;
  /** The one that is read. */
  readonly from: string;
  /** Calls that began at this time or later are renewed; as CREATED is written. */
  readonly since: string;
  /** What ICON_CONFIGURATION says of it. */
  readonly configuration: {
    readonly added: string;
    readonly programVersion: string;
    readonly hash: string;
    readonly text: string;
  };
}

export interface Renewed {
  /** Calls that began since then. */
  readonly calls: number;
  /** Rows of attached data that were there of them, and that are there now. */
  readonly rowsBefore: number;
  readonly rowsNow: number;
}

/** All of it is on disk when it returns, or nothing is changed. Throws what the IDB's errors say. */
export function renewUserData({ path, from, since, configuration }: Renewal): Renewed {
  let database: Database.Database | null = null;
  try {
    database = new Database(path);
    database.exec("PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF");
    // Nobody writes it any more, but libSQL lets go of who built it late.
    database.prepare("ATTACH DATABASE ? AS renewed").run([readingPlace(from).url]);
    database.exec("CREATE TEMP TABLE renewed_call (CALLID TEXT PRIMARY KEY) WITHOUT ROWID");
    database
      .prepare("INSERT INTO renewed_call SELECT DISTINCT CALLID FROM renewed.G_CALL WHERE CREATED >= ?")
      .run([since]);
    let renewed: Renewed = { calls: 0, rowsBefore: 0, rowsNow: 0 };
    const open = database;
    inTransaction(open, () => {
      renewed = renew(open, configuration);
      noteChanged(open, since);
    });
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return renewed;
  } catch (error) {
    throw idbError(error, `Cannot renew the attached data in IDB "${path}"`);
  } finally {
    database?.close();
  }
}

function renew(database: Database.Database, configuration: Renewal["configuration"]): Renewed {
  const number = (sql: string) => Number((database.prepare(sql).raw().get() as readonly unknown[])[0]);
  const calls = number("SELECT count(*) FROM renewed_call");
  let sequence = number("SELECT ROW_SEQ FROM ICON_APPLIED WHERE ID = 1");
  let rowsBefore = 0;
  let rowsNow = 0;
  database.exec("INSERT OR IGNORE INTO main.G_TIMECODE SELECT * FROM renewed.G_TIMECODE");
  for (const table of [...userDataHistories, ...callUserDataTables]) {
    const isHistory = (userDataHistories as readonly string[]).includes(table);
    const ofRenewed = "CALLID IN (SELECT CALLID FROM renewed_call)";
    const count = number(`SELECT count(*) FROM renewed.${table} WHERE ${ofRenewed}`);
    rowsBefore += number(`SELECT count(*) FROM main.${table} WHERE ${ofRenewed}`);
    rowsNow += count;
    const columns = Object.keys(getTableColumns(tables[table]));
    // An id, its insert sequence and its update sequence, as a row that is written once has them.
    const own = `${sequence} + 2 * row_number() OVER (ORDER BY theirs.ID)`;
    const rowId = isHistory
      ? `${own} - 1`
      : `coalesce((SELECT ID FROM main.G_CALL WHERE CALLID = theirs.CALLID), (SELECT ID FROM ours WHERE CALLID = theirs.CALLID), ${own} - 1)`;
    const values = columns.map((column) => {
      if (column === "ID" || column === "GSYS_SEQ") return rowId;
      return column === "GSYS_USEQ" ? own : `theirs."${column}"`;
    });
    database.exec(`
      CREATE TEMP TABLE ours AS SELECT CALLID, ID FROM main.${table} WHERE ${ofRenewed};
      DELETE FROM main.${table} WHERE ${ofRenewed};
      INSERT INTO main.${table} (${columns.map((column) => `"${column}"`).join(", ")})
        SELECT ${values.join(", ")} FROM renewed.${table} AS theirs WHERE theirs.${ofRenewed};
      DROP TABLE temp.ours`);
    sequence += 2 * count;
  }
  renewLive(database);
  sequence += 1;
  database
    .prepare(
      `INSERT INTO ICON_CONFIGURATION (ID, POSITION, ADDED, CAUSE, PROGRAM_VERSION, HASH, CONFIGURATION, IS_OVERRIDDEN)
       SELECT ?, POSITION, ?, 'attached data renewed', ?, ?, ?, 1 FROM ICON_APPLIED WHERE ID = 1`,
    )
    .run([sequence, configuration.added, configuration.programVersion, configuration.hash, configuration.text]);
  database.prepare("UPDATE ICON_APPLIED SET ROW_SEQ = ?, COMMITS = COMMITS + 1 WHERE ID = 1").run([sequence]);
  return { calls, rowsBefore, rowsNow };
}

function noteChanged(database: Database.Database, since: string): void {
  const next = "(SELECT POSITION + 1 FROM main.ICON_APPLIED WHERE ID = 1)";
  database
    .prepare(
      `UPDATE main.ICON_WINDOW SET VERSION = ${next}
       WHERE WINDOW_TS > ? - (SELECT WINDOW_SECONDS FROM main.ICON_APPLIED WHERE ID = 1)`,
    )
    .run([Math.floor(Date.parse(since) / 1000)]);
  // Those that are still kept would be written over with their earlier version.
  database.exec(`UPDATE main.ICON_LIVE SET DATA = json_set(DATA, '$.version', ${next}) WHERE KIND = 'window'`);
}

function renewLive(database: Database.Database): void {
  const ofRenewed = "KIND = 'call data' AND KEY IN (SELECT CALLID FROM renewed_call)";
  database.exec(`
    DELETE FROM main.ICON_LIVE WHERE ${ofRenewed};
    INSERT INTO main.ICON_LIVE (KIND, KEY, VERSION, DATA)
      SELECT KIND, KEY, VERSION, DATA FROM renewed.ICON_LIVE WHERE ${ofRenewed};
    UPDATE main.ICON_LIVE
      SET DATA = json_set(DATA, '$.attachedData', json((
        SELECT json_extract(DATA, '$.attachedData') FROM renewed.ICON_LIVE WHERE KIND = 'configuration')))
      WHERE KIND = 'configuration' AND EXISTS (SELECT 1 FROM renewed.ICON_LIVE WHERE KIND = 'configuration')`);
}
