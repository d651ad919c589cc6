// Attached data of every call in an IDB, against what the simulated switch says that there was.

import Database from "libsql";
import { userDataChangeTypes } from "../../schema/dictionary.ts";
import type { CallDetail, StoryValue } from "../../src/simulator/tserver/call-detail.ts";
import type { ObservedDetail } from "../../src/simulator/tserver/observed-details.ts";
import { readCallDetails, readObservedDetails } from "./voice-truth.ts";

export interface AttachedDataVerdict {
  /** Changes that there were. */
  readonly changes: number;
  /** Calls whose rows are not exactly those, in their order, with time, value and who changed it. */
  readonly differences: readonly { readonly call: string; readonly found: unknown; readonly wanted: unknown }[];
  /** Calls that have rows and never were. */
  readonly invented: readonly string[];
}

/** Of an IDB that stores all of UserData, and of a server with CallUUID. */
export function compareAttachedData(idbPath: string, truthPath: string): AttachedDataVerdict {
  const database = new Database(idbPath, { readonly: true });
  const rows = database
    .prepare(
      "SELECT CALLID, KEYNAME, CHANGETYPE, VALUE, ADDED, ENDPOINTDN FROM G_USERDATA_HISTORY ORDER BY CALLID, SEQ",
    )
    .raw()
    .all() as [string, string, number, string | null, string, string | null][];
  database.close();
  const byCall = Map.groupBy(rows, ([callId]) => callId);
  const differences: { call: string; found: unknown; wanted: unknown }[] = [];
  let changes = 0;
  for (const detail of readCallDetails(truthPath)) {
    if (detail.callUuid === null) continue;
    const wanted = expected(detail);
    const found = (byCall.get(detail.callUuid) ?? []).map(([, key, type, value, added, dn], index) => {
      const isTold = detail.attached[index]?.dn !== null;
      return `${key} ${type} ${value}${isTold ? ` @${Date.parse(added)} by ${dn}` : ""}`;
    });
    byCall.delete(detail.callUuid);
    changes += wanted.length;
    if (!Bun.deepEquals(inOrder(found), inOrder(wanted))) differences.push({ call: detail.callUuid, found, wanted });
  }
  return { changes, differences, invented: [...byCall.keys()] };
}

export interface ObservedDataVerdict extends Omit<AttachedDataVerdict, "changes"> {
  readonly changes: number;
  /** Changes that nobody saw. */
  readonly unseen: number;
  readonly calls: number;
  /** Calls all of whose data were deleted while nobody listened: nothing says so. */
  readonly emptied: number;
}

/** As above, against what one client could know. With role gcc. */
export function compareObservedData(idbPath: string, observablePath: string): ObservedDataVerdict {
  const database = new Database(idbPath, { readonly: true });
  const rows = database
    .prepare(
      "SELECT CONNID, KEYNAME, CHANGETYPE, VALUE, ADDED, ENDPOINTDN FROM G_USERDATA_HISTORY JOIN G_CALL USING (CALLID) ORDER BY CALLID, SEQ",
    )
    .raw()
    .all() as [string, string, number, string | null, string, string | null][];
  database.close();
  const byCall = Map.groupBy(rows, ([connId]) => connId);
  const differences: { call: string; found: unknown; wanted: unknown }[] = [];
  const counted = { changes: rows.length, unseen: 0, calls: 0, emptied: 0 };
  for (const detail of readObservedDetails(observablePath)) {
    counted.calls += 1;
    const wanted = expectedHeard(detail);
    const found = (byCall.get(detail.connId) ?? []).map(([, key, type, value, added, dn], index) => {
      const each = detail.attached[index];
      const change = `${key} ${type} ${value}`;
      if (each !== undefined && "unseen" in each) {
        counted.unseen += 1;
        return `${change} unseen by ${dn}`;
      }
      return each?.dn === null ? change : `${change} @${Date.parse(added)} by ${dn}`;
    });
    byCall.delete(detail.connId);
    if (isEmptiedUnseen(detail)) counted.emptied += 1;
    else if (!Bun.deepEquals(inOrder(found), inOrder(wanted))) differences.push({ call: detail.connId, found, wanted });
  }
  return { ...counted, differences, invented: [...byCall.keys()] };
}

/** "key type value ms by DN" of what was heard, "key type value unseen" of what a snapshot told otherwise. */
function expectedHeard({ attached }: ObservedDetail): string[] {
  const changes = changesOf(attached);
  return attached.map((each, index) => {
    if ("unseen" in each) return `${changes[index]} unseen by null`;
    const { at, dn, thirdPartyDn } = each;
    return `${changes[index]}${dn === null ? "" : ` @${Math.floor(at)} by ${thirdPartyDn ?? dn}`}`;
  });
}

/** A snapshot that has no UserData for a call says nothing of it (docs/link.md), though all of it was deleted. */
function isEmptiedUnseen({ attached }: ObservedDetail): boolean {
  const known = new Set<string>();
  return attached.some((each) => {
    if (each.value === null) known.delete(each.key);
    else known.add(each.key);
    return "unseen" in each && known.size === 0;
  });
}

const deletion = new RegExp(`^\\S+ ${userDataChangeTypes.deleted} null @(\\d+) `);

/** Of keys that one event took away together nobody says in which order. */
function inOrder(changes: readonly string[]): string[] {
  const together: string[][] = [];
  let last: string | undefined;
  for (const change of changes) {
    const at = deletion.exec(change)?.[1];
    if (at !== undefined && at === last) together.at(-1)?.push(change);
    else together.push([change]);
    last = at;
  }
  return together.flatMap((group) => group.sort());
}

/** As the documentation says that a list is stored. */
export function stored(value: StoryValue): string {
  return typeof value === "object" ? json(value) : String(value);
}

function json(value: StoryValue): string {
  if (typeof value !== "object") return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${json(value[key] ?? "")}`).join(",")}}`;
}

/** "key type value ms by DN"; who it was is told of changes, not of what the call came with. */
function expected({ attached }: CallDetail): string[] {
  const changes = changesOf(attached);
  return attached.map(({ at, dn, thirdPartyDn }, index) => {
    return `${changes[index]}${dn === null ? "" : ` @${Math.floor(at)} by ${thirdPartyDn ?? dn}`}`;
  });
}

/** "key type value" */
export function changesOf(attached: readonly { readonly key: string; readonly value: StoryValue | null }[]): string[] {
  const known = new Set<string>();
  return attached.map(({ key, value }) => {
    const type = value === null ? "deleted" : known.has(key) ? "changed" : "added";
    if (value === null) known.delete(key);
    else known.add(key);
    return `${key} ${userDataChangeTypes[type]} ${value === null ? null : stored(value)}`;
  });
}
