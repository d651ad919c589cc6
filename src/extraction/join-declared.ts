// Rows of a joined subject in the tables whose joining is declared (schema/life.ts): what needs no more than when a row
// lived, which columns name it and which copy saw what.

import { type LifeTableName, lives, type TableLife } from "../../schema/life.ts";
import { type Row, rowsOf } from "./copy.ts";
import { msOf } from "./subject-version.ts";
import {
  isWithin,
  renumbered,
  type Segment,
  type TakenRow,
  type TakenRows,
  takenInTurn,
  takenRow,
} from "./taken-row.ts";

type Joiner = (segments: readonly Segment[], table: LifeTableName) => TakenRow[];

const joiners: Readonly<Record<Exclude<TableLife["joins"], "own" | "counted">, Joiner>> = {
  history: (segments, table) => renumbered(takenInTurn(segments, table), lives[table].sequence),
  stay: joinStays,
  latest: joinLatestKnown,
};

/** The rows of those of the tables that are joined by their declaration alone. */
export function joinDeclared(segments: readonly Segment[], tables: readonly LifeTableName[]): TakenRows {
  const joined: Partial<Record<LifeTableName, readonly TakenRow[]>> = {};
  for (const table of tables) {
    const { joins } = lives[table];
    if (joins !== "own" && joins !== "counted") joined[table] = joiners[joins](segments, table);
  }
  return joined;
}

/**
 * A stay is known to whoever saw it begin; how it ended to whoever listened then. A copy that came upon it later may know
 * nothing of its beginning: what is null there is taken from the first that does.
 */
function joinStays(segments: readonly Segment[], table: LifeTableName): TakenRow[] {
  const { from, until } = lives[table];
  return rowsByKey(segments, table).map((rows) => {
    const [first, last] = [rows[0] as TakenRow, rows.at(-1) as TakenRow];
    const sawEnd = rows.find(({ copy, values }) => {
      const ms = msOf(values[until ?? ""]);
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
function isConcluded({ version }: Segment, table: LifeTableName, values: Row): boolean {
  const [key = ""] = lives[table].key;
  return version.subject.quality.some(
    ({ TABLE_NAME, ROW_KEY, REASON }) => TABLE_NAME === table && ROW_KEY === values[key] && REASON === "end not seen",
  );
}

function joinLatestKnown(segments: readonly Segment[], table: LifeTableName): TakenRow[] {
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
function rowsByKey(segments: readonly Segment[], table: LifeTableName): TakenRow[][] {
  const rows = segments.flatMap(({ version }) =>
    rowsOf(version.subject, table).map((values) => takenRow(version, table, values)),
  );
  const byKey = Map.groupBy(rows, ({ values }) => JSON.stringify(lives[table].key.map((column) => values[column])));
  return [...byKey.values()];
}
