// Rows of the histories that a copy concluded and did not see: they give way to those of a copy that saw.

import { partyChangeTypes } from "../../schema/dictionary.ts";
import type { LifeTableName } from "../../schema/life.ts";
import { type Row, rowsOf, type Subject } from "./copy.ts";

type Doubt = Subject["quality"][number];

export function concludedRows(subject: Subject): ReadonlySet<Row> {
  return subject.family === "call" ? concludedOfCall(subject) : concludedOfSession(subject);
}

function concludedOfCall(call: Subject): ReadonlySet<Row> {
  const concluded = new Set<Row>();
  for (const doubt of call.quality) {
    const isCall = doubt.TABLE_NAME === "G_CALL";
    const tables: readonly LifeTableName[] = isCall ? ["G_CALL_HISTORY", "G_IR_HISTORY"] : ["G_PARTY_HISTORY"];
    const histories = tables.flatMap((table) => rowsOf(call, table));
    const own = isCall ? histories : histories.filter((row) => row["PARTYID"] === doubt.ROW_KEY);
    for (const row of concludedBy(doubt, own)) concluded.add(row);
  }
  return concluded;
}

// The classes of CHANGETYPE agree in these two values, as the dictionary says; a changed party is the third of its class.
const { created, terminated, changed } = partyChangeTypes;

/** `rows` are those of the row in doubt, in the order in which they were written. */
function concludedBy({ REASON, EARLIEST, LATEST }: Doubt, rows: readonly Row[]): readonly Row[] {
  const ofType = (type: number) => rows.filter((row) => row["CHANGETYPE"] === type);
  switch (REASON) {
    case "beginning not seen":
      return ofType(created);
    case "end not seen":
      return ofType(terminated);
    case "change not seen": {
      // The state before may have been reached at the earliest instant itself, by a row that was seen.
      const within = ofType(changed).filter(
        (row) => String(row["ADDED"]) >= (EARLIEST ?? "") && String(row["ADDED"]) <= (LATEST ?? "9"),
      );
      return within.slice(-1);
    }
    default:
      return [];
  }
}

function concludedOfSession(session: Subject): ReadonlySet<Row> {
  const rows = (["G_AGENT_STATE_HISTORY", "G_DND_HISTORY"] as const).flatMap((table) => rowsOf(session, table));
  return new Set(rows.filter((row) => isConcludedAt(session, row, "ADDED")));
}

const unseenReasons: ReadonlySet<string> = new Set(["beginning not seen", "change not seen", "end not seen"]);

/**
 * Whether a time in a login session's row was concluded. Nobody knows when what was not seen happened: it stands there as of
 * the last word before or of the source's word in the snapshot, which are the doubt's bounds, and was written in the data
 * source session of that snapshot.
 */
export function isConcludedAt({ quality }: Subject, row: Row, column: string): boolean {
  const time = row[column];
  return quality.some(
    ({ REASON, EARLIEST, LATEST, GSYS_DOMAIN }) =>
      unseenReasons.has(REASON) && GSYS_DOMAIN === row["GSYS_DOMAIN"] && (time === EARLIEST || time === LATEST),
  );
}
