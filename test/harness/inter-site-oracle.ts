// What the simulated T-Servers of two sites know of the calls between them, held against an IDB's rows: each end of each
// link, and which call came from which. Shares no code with the program under test.

import { readFileSync } from "node:fs";
import type { LinkStory } from "../../src/simulator/tserver/truth.ts";
import { truthPaths } from "../../src/simulator/tserver/truth.ts";
import { readOracle } from "./oracle.ts";

/** "LINKID CALLID": what is said of that end. */
export type Ends = Readonly<Record<string, string>>;
/** CALLID: that of the call that it came from, and of the one with which its way began. */
export type Ways = Readonly<Record<string, readonly [from: string | null, first: string]>>;

export interface SitesTruth {
  readonly ends: Ends;
  readonly ways: Ways;
}

export interface Expecting {
  /** MERGESTATE of an end whose partner is not told, by where it leads. */
  readonly without: (location: string) => number;
}

const types = { source: 2, target: 3 } as const;
const merged = 1;

/** From the truth files of all sites together. */
export function readSitesTruth(paths: readonly string[], { without }: Expecting): SitesTruth {
  const calls = paths.flatMap((path) => readOracle(path));
  const endedAt = new Map(calls.map(({ callUuid, endedAt }) => [callUuid, endedAt]));
  const links = paths.flatMap((path) => readLines<LinkStory>(truthPaths(path).links));
  const ends = links.map(({ callUuid, linkId, type, location, at, partner }) => {
    const until = Math.max(at, endedAt.get(callUuid) ?? 0);
    const state = partner === null ? without(location) : merged;
    return [`${linkId} ${callUuid}`, endText(types[type], location, state, at, until)] as const;
  });
  const from = new Map(links.filter(({ type }) => type === "target").map((link) => [link.callUuid, link.partner]));
  const first = (callUuid: string): string => {
    const before = from.get(callUuid);
    return before == null ? callUuid : first(before);
  };
  const ways = calls.flatMap(({ callUuid }) =>
    callUuid === null ? [] : [[callUuid, [from.get(callUuid) ?? null, first(callUuid)]] as const],
  );
  return { ends: Object.fromEntries(ends), ways: Object.fromEntries(ways) };
}

export interface LinkRow {
  readonly LINKID: string;
  readonly CALLID: string;
  readonly ISLINKTYPE: number;
  readonly REMOTELOCATION?: string | null;
  readonly MERGESTATE?: number | null;
  readonly INITIATED: string;
  readonly TERMINATED?: string | null;
}

export interface RecordRow {
  readonly IRID: string;
  readonly ROOTCALLID: string;
  readonly PARENTIRID?: string | null;
}

export interface CallRow {
  readonly CALLID: string;
  readonly ROOTIRID?: string | null;
  readonly MERGECALLID?: string | null;
}

/** As readSitesTruth, from rows. Merges within a switch are none of its business. */
export function sitesRecorded(
  links: readonly LinkRow[],
  records: readonly RecordRow[],
  calls: readonly CallRow[],
): SitesTruth {
  const callOf = new Map(records.map(({ IRID, ROOTCALLID }) => [IRID, ROOTCALLID]));
  const recordOf = new Map(records.map((record) => [record.ROOTCALLID, record]));
  const ends = links.map((row) => [
    `${row.LINKID} ${row.CALLID}`,
    endText(
      ...([row.ISLINKTYPE, row.REMOTELOCATION ?? "", row.MERGESTATE ?? -1] as const),
      Date.parse(row.INITIATED),
      row.TERMINATED == null ? Number.NaN : Date.parse(row.TERMINATED),
    ),
  ]);
  const ways = calls
    .filter(({ MERGECALLID }) => MERGECALLID == null)
    .map(({ CALLID, ROOTIRID }) => {
      const parent = recordOf.get(CALLID)?.PARENTIRID;
      return [CALLID, [parent == null ? null : callOf.get(parent), callOf.get(ROOTIRID ?? "")]];
    });
  return { ends: Object.fromEntries(ends), ways: Object.fromEntries(ways) };
}

/** TIMESTAMP columns have whole milliseconds. */
function endText(type: number, location: string, state: number, fromMs: number, untilMs: number): string {
  return `${type}>${location}, ${state}, ${Math.floor(fromMs)}–${Math.floor(untilMs)}`;
}

function readLines<T>(path: string): T[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}
