// Statistics of a joined call: counts of a part are no counts of the whole, so they are counted anew, from the joined
// history of its parties. What is not counted (who released, after-call work) is taken from whichever copy knows it. A
// statistic that no copy has is not made up: it may be left out by configuration.

import { countedLinks } from "../../schema/counted-links.ts";
import { partyChangeTypes, partyStates, partyTypes } from "../../schema/dictionary.ts";
import {
  type CallTotals,
  type CountedState,
  callStatistics,
  countChange,
  countStretch,
  type PartyTotals,
  partyStatistics,
} from "../event/statistics.ts";
import { rowsOf } from "./copy.ts";
import { msOf } from "./subject-version.ts";
import { type Segment, type TakenRow, takenRow } from "./taken-row.ts";

type Statistics = Readonly<Record<"G_CALL_STAT" | "G_PARTY_STAT", readonly TakenRow[]>>;

const stateOf = new Map<unknown, CountedState>([
  [partyStates.queued, "queued"],
  [partyStates.dialing, "dialing"],
  [partyStates.alerting, "alerting"],
  [partyStates.connected, "connected"],
  [partyStates.hold, "hold"],
]);

/** `history` in the order in which it happened; `isOver`: the call has ended. */
export function countAnew(
  segments: readonly Segment[],
  parties: readonly TakenRow[],
  history: readonly TakenRow[],
  isOver: boolean,
): Statistics {
  const partyOf = new Map(parties.map((party) => [party.values["PARTYID"], party]));
  const totalsOf = new Map<unknown, PartyTotals>();
  const before = new Map<unknown, TakenRow>();
  let call: CallTotals = {};
  for (const row of history) {
    const partyId = row.values["PARTYID"];
    const party = partyOf.get(partyId)?.values ?? {};
    const last = before.get(partyId)?.values;
    const at = msOf(row.values["ADDED"]) ?? 0;
    const from = last === undefined ? null : (stateOf.get(last["STATE"]) ?? null);
    call = countChange(call, totalsOf.get(partyId) ?? {}, {
      isInternal: party["TYPE"] === partyTypes.internal,
      from,
      to: row.values["CHANGETYPE"] === partyChangeTypes.terminated ? null : (stateOf.get(row.values["STATE"]) ?? null),
      at,
      ccEvent: Number(row.values["CCEVENT"] ?? 0),
      ccCause: row.values["CCEVENTCAUSE"] == null ? null : Number(row.values["CCEVENTCAUSE"]),
      linkedBy: countedLinks.get(party["PARENTLINKTYPE"]) ?? null,
    });
    if (from !== null)
      totalsOf.set(partyId, countStretch(totalsOf.get(partyId) ?? {}, from, msOf(last?.["ADDED"]) ?? at, at));
    before.set(partyId, row);
  }
  const over = parties.filter(({ values }) => values["TERMINATED"] !== null);
  return {
    G_CALL_STAT: isOver ? known(segments, "G_CALL_STAT", () => callStatistics(call)).slice(-1) : [],
    G_PARTY_STAT: over.flatMap(({ values: { PARTYID } }) =>
      known(segments, "G_PARTY_STAT", () => partyStatistics(totalsOf.get(PARTYID) ?? {}), PARTYID).slice(-1),
    ),
  };
}

/** What the copies have of it, in turn; the last with the counts, and with what only an earlier one knows. */
function known(
  segments: readonly Segment[],
  table: "G_CALL_STAT" | "G_PARTY_STAT",
  counts: () => Readonly<Record<string, number>>,
  partyId?: unknown,
): TakenRow[] {
  const rows = segments.flatMap(({ version }) =>
    rowsOf(version.subject, table)
      .filter((row) => row["PARTYID"] === partyId)
      .map((values) => takenRow(version, table, values)),
  );
  const last = rows.at(-1);
  if (last === undefined) return [];
  const values: Record<string, unknown> = { ...last.values };
  for (const earlier of rows.toReversed()) {
    // An empty text says that the source did not name who released.
    for (const [column, value] of Object.entries(earlier.values)) values[column] ||= value;
  }
  return [{ ...last, values: { ...values, ...counts() } }];
}
