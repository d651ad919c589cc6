// Holds an IDB against what a simulated T-Server says was there (truth), or could be known (observable). Both are read
// whole and compared call by call, party by party, state by state.

import { readFileSync } from "node:fs";
import Database from "libsql";
import { ccEvents, parentLinkTypes, partyTypes } from "../../schema/dictionary.ts";
import type { ObservedCall, ObservedParty } from "../../src/simulator/tserver/observable.ts";
import type { ObservedOutside } from "../../src/simulator/tserver/observed-outside.ts";
import type { ParentStory } from "../../src/simulator/tserver/truth.ts";

export interface Comparison {
  readonly calls: number;
  readonly parties: number;
  /** One line a difference; empty: equal. */
  readonly differences: readonly string[];
  /** CALLIDs in which there is a difference. */
  readonly callsDiffering: ReadonlySet<string>;
}

interface IdbParty {
  readonly partyId: string;
  readonly guid: string;
  readonly dn: string;
  readonly role: number;
  readonly created: string;
  readonly terminated: string | null;
  readonly ccEvent: number;
  readonly ccCause: number | null;
  readonly parentId: string | null;
  readonly parentLink: number | null;
  readonly states: { readonly state: number; readonly added: string }[];
}

interface IdbCall {
  readonly callId: string;
  readonly connId: string | null;
  readonly callType: number;
  readonly ani: string | null;
  readonly dnis: string | null;
  readonly created: string;
  readonly terminated: string | null;
  readonly parentCallId: string | null;
  readonly mergeCallId: string | null;
  readonly mergeType: number | null;
  readonly parties: IdbParty[];
  /** Of TYPE 2. */
  readonly outside: IdbParty[];
}

/** Dictionary 8 by the oracle's words; 1 is null. */
const states: Readonly<Record<string, number>> = { alerting: 2, connected: 3, held: 4, queued: 5, dialing: 6 };
const partyIsNull = 1;
const endings: Readonly<Record<string, number>> = {
  EventDiverted: 58,
  EventAbandoned: 59,
  EventReleased: 65,
  EventPartyChanged: 68,
};

export function readOracle(file: string): ObservedCall[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ObservedCall);
}

type Row = Readonly<Record<string, unknown>>;

export function readIdbCalls(idbPath: string): IdbCall[] {
  const database = new Database(idbPath, { readonly: true });
  try {
    const rows = (table: string, order: string) =>
      database.prepare(`SELECT * FROM ${table} ORDER BY ${order}`).all() as Row[];
    return idbCallsOf(rows("G_CALL", "ID"), rows("G_PARTY", "ID"), rows("G_PARTY_HISTORY", "PARTYID, PSEQ"));
  } finally {
    database.close();
  }
}

/** Rows in the order of their IDs, and of each party's PSEQ. */
export function idbCallsOf(calls: readonly Row[], parties: readonly Row[], history: readonly Row[]): IdbCall[] {
  const byPartyId = new Map<string, IdbParty>();
  const inside = new Map<string, IdbParty[]>();
  const outside = new Map<string, IdbParty[]>();
  for (const row of parties) {
    const party: IdbParty = {
      partyId: String(row["PARTYID"]),
      guid: String(row["PARTYGUID"]),
      dn: String(row["ENDPOINTDN"]),
      role: Number(row["PROLE"]),
      created: String(row["CREATED"]),
      terminated: row["TERMINATED"] as string | null,
      ccEvent: Number(row["CCEVENT"]),
      ccCause: row["CCEVENTCAUSE"] as number | null,
      parentId: row["PARENTPARTYID"] as string | null,
      parentLink: row["PARENTLINKTYPE"] as number | null,
      states: [],
    };
    byPartyId.set(party.partyId, party);
    const side = row["TYPE"] === partyTypes.external ? outside : inside;
    const callId = String(row["CALLID"]);
    side.set(callId, [...(side.get(callId) ?? []), party]);
  }
  for (const { PARTYID, STATE, ADDED, CCEVENT } of history) {
    // EventDestinationBusy is a row of its own, and no change of the state.
    if (STATE === partyIsNull || CCEVENT === ccEvents.destinationBusy) continue;
    byPartyId.get(String(PARTYID))?.states.push({ state: Number(STATE), added: String(ADDED) });
  }
  return calls.map((row) => ({
    callId: String(row["CALLID"]),
    connId: row["CONNID"] as string | null,
    callType: Number(row["CALLTYPE"]),
    ani: row["CALLANI"] as string | null,
    dnis: row["CALLDNIS"] as string | null,
    created: String(row["CREATED"]),
    terminated: row["TERMINATED"] as string | null,
    parentCallId: row["PARENTCALLID"] as string | null,
    mergeCallId: row["MERGECALLID"] as string | null,
    mergeType: row["MERGETYPE"] as number | null,
    parties: inside.get(String(row["CALLID"])) ?? [],
    outside: outside.get(String(row["CALLID"])) ?? [],
  }));
}

/** Row keys (CALLID, PARTYID) that ICON_ROW_QUALITY says are doubtful. */
export function readDoubtfulKeys(idbPath: string): ReadonlySet<string> {
  const database = new Database(idbPath, { readonly: true });
  try {
    const rows = database.prepare("SELECT DISTINCT ROW_KEY FROM ICON_ROW_QUALITY").all() as { ROW_KEY: string }[];
    return new Set(rows.map((row) => row.ROW_KEY));
  } finally {
    database.close();
  }
}

/** Calls are matched by ConnID: every source sends it, and the simulator never gives it out twice. */
type Frozen<T> = T extends readonly (infer Each)[]
  ? readonly Frozen<Each>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

/** An observable file's call, or a truth file's, which says no less. */
type OracleCall = Frozen<ObservedCall>;

export function compare(idbCalls: readonly IdbCall[], oracle: readonly OracleCall[]): Comparison {
  const differences: string[] = [];
  const callsDiffering = new Set<string>();
  const byConnId = new Map<string, IdbCall[]>();
  for (const call of idbCalls) byConnId.set(call.connId ?? "", [...(byConnId.get(call.connId ?? "") ?? []), call]);
  const all = new Links(idbCalls);
  let parties = 0;
  for (const expected of oracle) {
    const found = byConnId.get(expected.connId) ?? [];
    byConnId.delete(expected.connId);
    parties += expected.parties.length + expected.outside.length;
    const [actual] = found;
    const say = (what: string) => {
      differences.push(`call ${expected.connId}: ${what}`);
      callsDiffering.add(actual?.callId ?? expected.connId);
    };
    if (actual === undefined) say("is not in the IDB");
    else if (found.length > 1) say(`is in the IDB ${found.length} times`);
    else compareCall(actual, expected, all, say);
  }
  for (const [connId, calls] of byConnId) {
    differences.push(`call ${connId}: is in the IDB and was never there`);
    for (const call of calls) callsDiffering.add(call.callId);
  }
  return { calls: oracle.length, parties, differences, callsDiffering };
}

/** By what rows of one call name rows of another. */
class Links {
  readonly #connIds: ReadonlyMap<string, string | null>;
  readonly #parties: ReadonlyMap<string, { readonly party: IdbParty; readonly connId: string | null }>;

  constructor(calls: readonly IdbCall[]) {
    this.#connIds = new Map(calls.map(({ callId, connId }) => [callId, connId]));
    this.#parties = new Map(
      calls.flatMap(({ connId, parties }) => parties.map((party) => [party.partyId, { party, connId }] as const)),
    );
  }

  /** Of an extraction that left the other call out only that there is one can be told. */
  connIdOf(callId: string | null, should: string | null): string | null {
    if (callId === null) return null;
    return this.#connIds.get(callId) ?? (this.#isThere(should) ? `of no call: ${callId}` : should);
  }

  party(partyId: string | null, should: ParentStory | null): string | null {
    if (partyId === null) return null;
    const found = this.#parties.get(partyId);
    if (found === undefined) {
      return this.#isThere(should?.connId ?? null) ? `of no party: ${partyId}` : parentText(should);
    }
    const { connId, party } = found;
    return `${connId}, ${party.dn}, ${should?.partyUuid == null ? party.states[0]?.added : party.guid}`;
  }

  #isThere(connId: string | null): boolean {
    return connId === null || [...this.#connIds.values()].includes(connId);
  }
}

function parentText(parent: ParentStory | null): string | null {
  return parent && `${parent.connId}, ${parent.dn}, ${parent.partyUuid ?? iso(parent.from)}`;
}

function compareCall(actual: IdbCall, expected: OracleCall, links: Links, say: (what: string) => void): void {
  const equal = (what: string, is: unknown, should: unknown) => {
    if (is !== should) say(`${what} is ${JSON.stringify(is)}, should be ${JSON.stringify(should)}`);
  };
  if (expected.callUuid !== null) equal("CALLID", actual.callId, expected.callUuid);
  equal("CALLTYPE", actual.callType, expected.callType);
  equal("CALLANI", actual.ani, expected.ani);
  equal("CALLDNIS", actual.dnis, expected.dnis);
  equal("CREATED", actual.created, iso(expected.createdAt));
  if (expected.consultOf !== undefined) {
    equal("the call of PARENTCALLID", links.connIdOf(actual.parentCallId, expected.consultOf), expected.consultOf);
  }
  if (expected.merged !== undefined) {
    const into = expected.merged?.into ?? null;
    equal("the call of MERGECALLID", links.connIdOf(actual.mergeCallId, into), into);
    equal("MERGETYPE", actual.mergeType, expected.merged?.by ?? null);
  }
  compareEnd("TERMINATED", actual.terminated, expected, lastOf(expected), equal, say);
  const rest = [...actual.parties];
  for (const party of expected.parties) {
    const index = rest.findIndex((each) =>
      party.partyUuid === null
        ? each.dn === party.dn && each.states[0]?.added === isoOf(party.states[0]?.from)
        : each.guid === party.partyUuid,
    );
    const [found] = index === -1 ? [] : rest.splice(index, 1);
    if (found === undefined) say(`party ${party.partyUuid ?? party.dn} is missing`);
    else compareParty(found, party, links, say);
  }
  for (const extra of rest) say(`party ${extra.guid} was never there`);
  const restOutside = [...actual.outside];
  for (const party of expected.outside) {
    const index = restOutside.findIndex(({ dn }) => dn === party.dn);
    const [found] = index === -1 ? [] : restOutside.splice(index, 1);
    if (found === undefined) say(`outside ${party.dn} is missing`);
    else compareOutside(found, party, say);
  }
  for (const extra of restOutside) say(`outside ${extra.dn} was never there`);
}

const linkOf = { 1: parentLinkTypes.transferred, 2: parentLinkTypes.conferenced } as const;

function compareOutside(actual: IdbParty, expected: Frozen<ObservedOutside>, say: (what: string) => void): void {
  const equal = (what: string, is: unknown, should: unknown) => {
    if (is !== should)
      say(`outside ${expected.dn}: ${what} is ${JSON.stringify(is)}, should be ${JSON.stringify(should)}`);
  };
  equal("PROLE", actual.role, expected.role);
  equal("CREATED", actual.created, isoOf(expected.originAt ?? expected.states[0]?.from));
  equal("PARENTLINKTYPE", actual.parentLink, expected.broughtBy === null ? null : linkOf[expected.broughtBy]);
  const stretches = expected.states.map(({ state, from }) => ({ state: states[state], added: iso(from) }));
  equal("states", JSON.stringify(actual.states), JSON.stringify(stretches));
  compareEnd("TERMINATED", actual.terminated, expected, expected.states.at(-1)?.from ?? 0, equal, (what) =>
    say(`outside ${expected.dn}: ${what}`),
  );
}

function compareParty(
  actual: IdbParty,
  expected: Frozen<ObservedParty>,
  links: Links,
  say: (what: string) => void,
): void {
  const name = `party ${expected.partyUuid ?? expected.dn}`;
  const equal = (what: string, is: unknown, should: unknown) => {
    if (is !== should) say(`${name}: ${what} is ${JSON.stringify(is)}, should be ${JSON.stringify(should)}`);
  };
  equal("ENDPOINTDN", actual.dn, expected.dn);
  equal("PROLE", actual.role, expected.role);
  if (expected.parent !== undefined) {
    equal("the party of PARENTPARTYID", links.party(actual.parentId, expected.parent), parentText(expected.parent));
    equal("PARENTLINKTYPE is there", actual.parentLink !== null, expected.parent !== null);
  }
  equal("CREATED", actual.created, isoOf(expected.originAt ?? expected.states[0]?.from));
  equal(
    "states",
    JSON.stringify(actual.states),
    JSON.stringify(expected.states.map(({ state, from }) => ({ state: states[state], added: iso(from) }))),
  );
  compareEnd("TERMINATED", actual.terminated, expected, expected.states.at(-1)?.from ?? 0, equal, say);
  if (expected.endEvent !== null) {
    equal("CCEVENT", actual.ccEvent, endings[expected.endEvent]);
    // An event without CallState says nothing; the server means CallStateOk by it.
    equal("CCEVENTCAUSE", actual.ccCause ?? 0, expected.callState);
  }
}

/** An end that nobody saw is somewhere between the bounds of what was surely and what was possibly heard before. */
function compareEnd(
  what: string,
  actual: string | null,
  expected: Pick<OracleCall | Frozen<ObservedOutside>, "endedAt" | "endedUnseen">,
  lastChange: number,
  equal: (what: string, is: unknown, should: unknown) => void,
  say: (what: string) => void,
): void {
  if (expected.endedUnseen === undefined) {
    equal(what, actual, isoOf(expected.endedAt ?? undefined) ?? null);
    return;
  }
  const at = actual === null ? Number.NaN : Date.parse(actual);
  const { earliest, earliestMax } = expected.endedUnseen;
  const from = Math.floor(Math.max(earliest, lastChange));
  const to = Math.floor(Math.max(earliestMax, lastChange));
  if (!(at >= from && at <= to)) say(`${what} is ${actual}, should be between ${iso(from)} and ${iso(to)}`);
}

function lastOf(call: OracleCall): number {
  return Math.max(call.createdAt, ...call.parties.flatMap(({ states: each }) => each.map(({ from }) => from)));
}

function iso(ms: number): string {
  return new Date(Math.floor(ms)).toISOString();
}

function isoOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : iso(ms);
}
