// Waits in virtual queues during a routing (G_ROUTE_RES_VQ_HIST) of a joined call: found anew, for the copy that saw the
// routing's end need not have known all the waits. By the projection's rule: those that were not over when the party came
// to the routing point, and had begun when it went.

import { callTables } from "../../schema/life.ts";
import { type Row, rowsOf } from "./copy.ts";
import { msOf } from "./subject-version.ts";
import { type Segment, type TakenRow, takenRow } from "./taken-row.ts";

export function joinWaits(
  segments: readonly Segment[],
  results: readonly TakenRow[],
  stays: readonly TakenRow[],
  parties: readonly TakenRow[],
): TakenRow[] {
  const known = segments.flatMap(({ version }) =>
    rowsOf(version.subject, "G_ROUTE_RES_VQ_HIST").map((values) => takenRow(version, "G_ROUTE_RES_VQ_HIST", values)),
  );
  return results.flatMap((result) => {
    const partyId = result.values["PARTYID"];
    const party = parties.find(({ values }) => values["PARTYID"] === partyId)?.values;
    const own = stays.filter(({ values }) => isDuring(values, party)).map((stay) => waitOf(result, stay));
    const found = new Set(own.map(({ values }) => values["VQUEUEID"]));
    // A wait that began with another call, before this one took its place, is that call's stay.
    const others = known.filter(({ values }) => values["PARTYID"] === partyId && !found.has(values["VQUEUEID"]));
    const isOwn = new Set(stays.map(({ values }) => values["VQUEUEID"]));
    const byKey = new Map(others.map((row) => [row.values["VQUEUEID"], row]));
    return [...own, ...[...byKey.values()].filter(({ values }) => !isOwn.has(values["VQUEUEID"]))];
  });
}

function isDuring(stay: Row, party: Row | undefined): boolean {
  const [from, until] = [msOf(stay["CREATED"]), msOf(stay["TERMINATED"])];
  const [came, went] = [msOf(party?.["CREATED"]), msOf(party?.["TERMINATED"])];
  if (from === null || until === null || came === null || went === null) return false;
  return until >= came && from <= went;
}

function waitOf({ values: result }: TakenRow, { values: stay, copy }: TakenRow): TakenRow {
  const { STATUS: _status, CAUSE: _cause, DISTCALLID: _distributed, ENDPOINTID: _endpoint, ...shared } = stay;
  const id = callTables.G_ROUTE_RES_VQ_HIST.rowId;
  return { values: { ...shared, [id]: null, CALLID: result["CALLID"], PARTYID: result["PARTYID"] }, copy, rowId: null };
}
