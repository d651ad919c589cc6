// Rows of a joined call in the tables whose joining is declared (schema/life.ts): what needs no more than when a row lived,
// which columns name it and which copy saw what.

import { type CallTableName, callTableNames, callTables } from "../../schema/life.ts";
import { msOf, type Row } from "./call-version.ts";
import { renumbered, type Segment, type TakenRow, takenInTurn, takenRow } from "./taken-row.ts";

type Declared = (typeof callTables)[CallTableName]["joins"];
/** The tables that are joined by their declaration alone. */
export type DeclaredTable = {
  [T in CallTableName]: (typeof callTables)[T]["joins"] extends "own" | "counted" ? never : T;
}[CallTableName];

const joiners: Readonly<
  Record<Exclude<Declared, "own" | "counted">, (segments: readonly Segment[], table: CallTableName) => TakenRow[]>
> = {
  history: (segments, table) => renumbered(takenInTurn(segments, table), callTables[table].sequence),
  stay: joinStays,
  latest: joinLatestKnown,
};

/** The rows of all tables that are joined by their declaration. */
export function joinDeclared(segments: readonly Segment[]): Readonly<Record<DeclaredTable, readonly TakenRow[]>> {
  const joined: Partial<Record<CallTableName, readonly TakenRow[]>> = {};
  for (const table of callTableNames) {
    const { joins } = callTables[table];
    if (joins !== "own" && joins !== "counted") joined[table] = joiners[joins](segments, table);
  }
  return joined as Record<DeclaredTable, readonly TakenRow[]>;
}

/**
 * A stay is known to whoever saw it begin; how it ended to whoever listened then. A copy that came upon it later may know
 * nothing of its beginning: what is null there is taken from the first that does.
 */
function joinStays(segments: readonly Segment[], table: CallTableName): TakenRow[] {
  const { from, until } = callTables[table];
  return rowsByKey(segments, table).map((rows) => {
    const [first, last] = [rows[0] as TakenRow, rows.at(-1) as TakenRow];
    const sawEnd = rows.find(({ copy, values }) => {
      const ms = msOf(values[until ?? ""]);
      if (ms === null) return false;
      return segments.some(
        (each) => each.version.copy === copy && isWithin(each, ms) && !isConcluded(each, table, values),
      );
    });
    const ending = sawEnd ?? last;
    const beginning = Object.fromEntries(
      Object.entries(first.values).filter(([column]) => column.startsWith(from ?? "") || ending.values[column] == null),
    );
    const end = Object.fromEntries(Object.entries(ending.values).filter(([column]) => column.startsWith(until ?? "")));
    return { ...ending, values: { ...ending.values, ...beginning, ...end } };
  });
}

/** Nobody told that copy of the end: it found in a snapshot that the stay was over. */
function isConcluded({ version }: Segment, table: CallTableName, values: Row): boolean {
  const [key = ""] = callTables[table].key;
  return version.call.quality.some(
    ({ TABLE_NAME, ROW_KEY, REASON }) => TABLE_NAME === table && ROW_KEY === values[key] && REASON === "end not seen",
  );
}

function isWithin({ from, until }: Segment, ms: number): boolean {
  return ms >= from * 1000 && ms < until * 1000;
}

function joinLatestKnown(segments: readonly Segment[], table: CallTableName): TakenRow[] {
  return rowsByKey(segments, table).map((rows) => {
    const last = rows.at(-1) as TakenRow;
    const values: Record<string, unknown> = { ...last.values };
    for (const earlier of rows.toReversed()) {
      for (const [column, value] of Object.entries(earlier.values)) values[column] ??= value;
    }
    return { ...last, values };
  });
}

/** What the copies have under each key, in the order of the segments. */
function rowsByKey(segments: readonly Segment[], table: CallTableName): TakenRow[][] {
  const rows = segments.flatMap(({ version }) =>
    version.call.rows[table].map((values) => takenRow(version, table, values)),
  );
  const byKey = Map.groupBy(rows, ({ values }) =>
    JSON.stringify(callTables[table].key.map((column) => values[column])),
  );
  return [...byKey.values()];
}
