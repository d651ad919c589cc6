// Calls and parties that ended while nobody listened: after the link is back none may stay open that the source no longer
// has, and each that was closed without having been seen to end says between which bounds it did.

import { partyTypes } from "../../src/event/happening.ts";
import { openReading } from "../../src/idb/reading.ts";
import type { ObservedCall } from "../../src/simulator/tserver/observable.ts";

export interface StuckAudit {
  /** Closed with bounds, calls and parties together. */
  readonly closed: number;
  /** One line each that the bounds do not hold. Must be empty. */
  readonly outside: readonly string[];
  /** One line each that is open and has really ended. Must be empty. */
  readonly stuck: readonly string[];
}

interface Doubt {
  readonly TABLE_NAME: string;
  readonly ROW_KEY: string;
  readonly EARLIEST: string | null;
  readonly LATEST: string | null;
}

/** Of the IDB of an instance that has heard the server to its end. Calls and parties are named by the source. */
export function auditStuck(idbPath: string, truth: readonly ObservedCall[]): StuckAudit {
  const calls = new Map(truth.map((call) => [call.callUuid ?? "", call.endedAt]));
  const parties = new Map(truth.flatMap((call) => call.parties.map((each) => [each.partyUuid ?? "", each.endedAt])));
  const reading = openReading(idbPath);
  try {
    const rows = <T>(sql: string) => reading.database.prepare(sql).all() as T[];
    // Whoever is outside of the switch has no name of the source's, and ends with the call.
    const ends = new Map(
      rows<{ PARTYID: string; PARTYGUID: string; CALLID: string; TYPE: number }>(
        "SELECT PARTYID, PARTYGUID, CALLID, TYPE FROM G_PARTY",
      ).map(({ PARTYID, PARTYGUID, CALLID, TYPE }) => [
        PARTYID,
        TYPE === partyTypes.external ? calls.get(CALLID) : parties.get(PARTYGUID),
      ]),
    );
    const endOf = (table: string, key: string) => (table === "G_PARTY" ? ends.get(key) : calls.get(key));
    const doubts = rows<Doubt>(
      `SELECT TABLE_NAME, ROW_KEY, EARLIEST, LATEST FROM ICON_ROW_QUALITY
       WHERE REASON = 'end not seen' AND TABLE_NAME IN ('G_CALL', 'G_PARTY')`,
    );
    const outside = doubts.flatMap(({ TABLE_NAME, ROW_KEY, EARLIEST, LATEST }) => {
      const endedAt = endOf(TABLE_NAME, ROW_KEY);
      if (endedAt == null) return [`${TABLE_NAME} ${ROW_KEY} was closed and has not ended`];
      // Rows have whole milliseconds, cut off.
      const at = Math.floor(endedAt);
      const isWithin = Date.parse(EARLIEST ?? "") <= at && at <= Date.parse(LATEST ?? "");
      return isWithin
        ? []
        : [`${TABLE_NAME} ${ROW_KEY} ended at ${new Date(at).toISOString()}, not from ${EARLIEST} to ${LATEST}`];
    });
    const open = [
      ...rows<{ key: string }>("SELECT CALLID AS key FROM G_CALL WHERE TERMINATED IS NULL").map((row) => ({
        ...row,
        table: "G_CALL",
      })),
      ...rows<{ key: string }>("SELECT PARTYID AS key FROM G_PARTY WHERE TERMINATED IS NULL").map((row) => ({
        ...row,
        table: "G_PARTY",
      })),
    ];
    const stuck = open
      .filter(({ table, key }) => endOf(table, key) != null)
      .map(({ table, key }) => `${table} ${key} is open and ended at ${endOf(table, key)}`);
    return { closed: doubts.length, outside, stuck };
  } finally {
    reading.close();
  }
}
