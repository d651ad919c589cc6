// What a call's rows say of another site is another source's word, and a copy may be whole of the call without having heard
// that one: it is taken from whichever copy knows it.

import { linkMergeStates } from "../../schema/dictionary.ts";
import { type Row, rowsOf, type Subject } from "./copy.ts";
import type { TakenRow, TakenRows } from "./taken-row.ts";

/** What of a call's rows is another site's word. */
export const otherSiteColumns = {
  G_IR: "PARENTIRID",
  G_CALL: "ROOTIRID",
  G_IS_LINK: "MERGESTATE",
} as const;

type OtherSiteTable = keyof typeof otherSiteColumns;

/** A call's rows with what any of the copies knows of where it came from, and of its links' other ends. */
export function withOtherSites(rows: TakenRows, found: readonly (Subject | undefined)[]): TakenRows {
  const subjects = found.filter((subject) => subject !== undefined);
  if (subjects.length < 2) return rows;
  const others = (table: OtherSiteTable) => subjects.flatMap((subject) => rowsOf(subject, table));
  const links = others("G_IS_LINK");
  if (links.length === 0) return rows;
  const [calls, records] = [others("G_CALL"), others("G_IR")];
  return {
    ...rows,
    ...changed(rows, "G_IR", ({ IRID, PARENTIRID }) => {
      const parent = records.find((each) => each["IRID"] === IRID && each["PARENTIRID"] != null)?.["PARENTIRID"];
      return PARENTIRID == null && parent !== undefined ? { PARENTIRID: parent } : {};
    }),
    ...changed(rows, "G_CALL", ({ CALLID, IRID, ROOTIRID }) => {
      // Its own record: that it came from elsewhere was not known there.
      const isOther = (each: Row) => each["CALLID"] === CALLID && each["IRID"] === IRID && each["ROOTIRID"] !== IRID;
      const root = calls.find(isOther)?.["ROOTIRID"];
      return ROOTIRID === IRID && root != null ? { ROOTIRID: root } : {};
    }),
    ...changed(rows, "G_IS_LINK", ({ LINKID, CALLID }) => {
      const isMerged = links.some(
        (each) =>
          each["LINKID"] === LINKID && each["CALLID"] === CALLID && each["MERGESTATE"] === linkMergeStates.merged,
      );
      return isMerged ? { MERGESTATE: linkMergeStates.merged } : {};
    }),
  };
}

function changed(rows: TakenRows, table: OtherSiteTable, change: (values: Row) => Row): TakenRows {
  const taken = rows[table];
  if (taken === undefined) return {};
  return { [table]: taken.map((row): TakenRow => ({ ...row, values: { ...row.values, ...change(row.values) } })) };
}
