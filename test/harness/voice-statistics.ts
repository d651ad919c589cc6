// What an IDB says that calls came to, held against what a simulated T-Server says that they were: G_CALL_STAT, G_PARTY_STAT,
// G_ROUTE_RESULT and G_ROUTE_RES_VQ_HIST, each row and each column that is filled. Worked out from the truth alone.

import { routeResults } from "../../schema/dictionary.ts";
import { sourceInstant, timestampText } from "../../src/event/instant.ts";
import type { CallDetail } from "../../src/simulator/tserver/call-detail.ts";
import type { CallStory, PartyStory } from "../../src/simulator/tserver/truth.ts";
import type { RowsOf } from "./agent-rows.ts";
import { readCallDetails, readCallStories } from "./voice-truth.ts";

type Row = ReturnType<RowsOf>[number];
type Named = { readonly dn: string; readonly states: readonly { readonly from: number }[] };

export interface VoiceStatistics {
  readonly calls: number;
  readonly parties: number;
  readonly routes: number;
  readonly waits: number;
  /** One line a difference; empty: equal. */
  readonly differences: readonly string[];
}

interface Told {
  readonly calls: readonly CallStory[];
  readonly details: readonly CallDetail[];
  /** Whether the source says who hung up: with call monitoring. */
  readonly tellsWhoReleased: boolean;
}

/** Of a server with call monitoring. */
export function readTold(truthPath: string): Told {
  return { calls: readCallStories(truthPath), details: readCallDetails(truthPath), tellsWhoReleased: true };
}

export function compareVoiceStatistics(rows: RowsOf, told: Told): VoiceStatistics {
  const names = new Names(rows);
  const details = new Map(told.details.map((detail) => [detail.connId, detail]));
  const of = (story: CallStory) => [story, details.get(story.connId)] as const;
  const real = {
    calls: told.calls.filter(({ endedAt }) => endedAt !== null).map((call) => callText(...of(call), told)),
    parties: told.calls.flatMap((call) => partyTexts(...of(call))),
    routes: told.calls.flatMap((call) => routesOf(...of(call)).map((route) => routeText(call, route))),
    waits: told.calls.flatMap((call) => waitTexts(...of(call))),
  };
  const ours = {
    calls: rows("G_CALL_STAT").map((row) => names.callStatistics(row)),
    parties: rows("G_PARTY_STAT").map((row) => names.partyStatistics(row)),
    routes: rows("G_ROUTE_RESULT").map((row) => names.route(row)),
    waits: rows("G_ROUTE_RES_VQ_HIST").map((row) => names.wait(row)),
  };
  const kinds = ["calls", "parties", "routes", "waits"] as const;
  return {
    ...{ calls: real.calls.length, parties: real.parties.length },
    ...{ routes: real.routes.length, waits: real.waits.length },
    differences: kinds.flatMap((kind) => differencesOf(kind, real[kind], ours[kind])),
  };
}

function differencesOf(what: string, real: readonly string[], ours: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of real) counts.set(text, (counts.get(text) ?? 0) + 1);
  for (const text of ours) counts.set(text, (counts.get(text) ?? 0) - 1);
  return [...counts]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([text, count]) => (count === 0 ? [] : [`${what}: ${count > 0 ? "missing" : "too many"}: ${text}`]));
}

function text(ms: number | null): string | null {
  return ms === null ? null : timestampText(sourceInstant(ms));
}

function inWords(name: string, values: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(values).map(([key, value]) => `${key} ${value === undefined ? null : value}`);
  return `${name}: ${words.join(", ")}`;
}

/** The rows' keys as the truth can name them. */
class Names {
  readonly #calls: ReadonlyMap<unknown, Row>;
  readonly #parties: ReadonlyMap<unknown, Row>;
  readonly #stays: ReadonlyMap<unknown, Row>;

  constructor(rows: RowsOf) {
    this.#calls = new Map(rows("G_CALL").map((row) => [row["CALLID"], row]));
    this.#parties = new Map(rows("G_PARTY").map((row) => [row["PARTYID"], row]));
    this.#stays = new Map(rows("G_VIRTUAL_QUEUE").map((row) => [row["VQUEUEID"], row]));
  }

  callStatistics(row: Row): string {
    const { F_CONN, F_CONN_EXTN, F_TE_ABND, CNT_HOLD, CNT_DIVERT, CNT_TRANSFER, CNT_CONFERENCE } = row;
    const counted = { F_CONN, F_CONN_EXTN, F_TE_ABND, CNT_HOLD, CNT_DIVERT, CNT_TRANSFER, CNT_CONFERENCE };
    const released = { by: row["GSYS_EXT_VCH1"], party: row["GSYS_EXT_VCH2"] && this.#party(row["GSYS_EXT_VCH2"]) };
    return inWords(this.#call(row["CALLID"]), { ...counted, ...released });
  }

  partyStatistics(row: Row): string {
    const { TT_ALERTING, TT_CONNECTED, TT_HOLD, TT_QUEUED, TT_DIALING, RELEASINGPARTY } = row;
    const spent = { TT_ALERTING, TT_CONNECTED, TT_HOLD, TT_QUEUED, TT_DIALING };
    return inWords(this.#party(row["PARTYID"]), { ...spent, RELEASINGPARTY });
  }

  route(row: Row): string {
    const irid = this.#calls.get(row["CALLID"])?.["IRID"];
    return inWords(this.#party(row["PARTYID"]), {
      ...{ CONNID: row["CONNID"], ENDPOINTDN: row["ENDPOINTDN"], CREATED: row["CREATED"], RESULT: row["RESULT"] },
      ...{ rule: row["RTARGETRULESELECTED"], object: row["RTARGETOBJECTSELECTED"], type: row["RTARGETTYPESELECTED"] },
      ...{ agent: row["RTARGETAGENTSELECTED"], place: row["RTARGETPLACESELECTED"], strategy: row["RSTRATEGYNAME"] },
      isOfTheCall: this.#call(row["CALLID"]) === row["CONNID"] && row["IRID"] === irid,
    });
  }

  wait(row: Row): string {
    const stay = this.#stays.get(row["VQUEUEID"]);
    return inWords(this.#party(row["PARTYID"]), {
      ...{ VQID: row["VQID"], ENDPOINTDN: row["ENDPOINTDN"], CREATED: row["CREATED"], TERMINATED: row["TERMINATED"] },
      isOfTheStay: stay?.["VQID"] === row["VQID"] && stay?.["CALLID"] === row["CALLID"],
    });
  }

  #call(callId: unknown): string {
    return String(this.#calls.get(callId)?.["CONNID"] ?? `of no call: ${callId}`);
  }

  #party(partyId: unknown): string {
    const row = this.#parties.get(partyId);
    if (row === undefined) return `of no party: ${partyId}`;
    return `${this.#call(row["CALLID"])}, ${row["ENDPOINTDN"]} from ${row["CREATED"]}`;
  }
}

function partyName({ connId }: CallStory, { dn, states }: Named): string {
  return `${connId}, ${dn} from ${text(states[0]?.from ?? 0)}`;
}

function callText(call: CallStory, detail: CallDetail | undefined, { tellsWhoReleased }: Told): string {
  const { parties } = call;
  const answered = parties.filter(({ states }) => states.some(({ event }) => event === "EventEstablished"));
  const endings = (event: string) => parties.filter(({ endEvent }) => endEvent === event).length;
  const releasedBy = tellsWhoReleased ? (detail?.releasedBy ?? "") : "";
  const releaser = [...call.outside, ...parties].findLast(({ dn }) => dn === releasedBy);
  return inWords(call.connId, {
    F_CONN: answered.length > 0 ? 1 : 0,
    // Where calls are queued nobody sits.
    F_CONN_EXTN: answered.some(({ states }) => states[0]?.state !== "queued") ? 1 : 0,
    F_TE_ABND: endings("EventAbandoned") > 0 ? 1 : 0,
    CNT_HOLD: parties.flatMap(({ states }) => states).filter(({ event }) => event === "EventHeld").length,
    CNT_DIVERT: endings("EventDiverted"),
    CNT_TRANSFER: Math.max(detail?.counts.transferredIn ?? 0, isTransferredOutside(call) ? 1 : 0),
    CNT_CONFERENCE:
      (detail?.counts.conferencedIn ?? 0) + call.outside.filter(({ broughtBy }) => broughtBy === 2).length,
    by: releasedBy,
    party: releaser === undefined ? null : partyName(call, releaser),
  });
}

/** Who was transferred outside has no events of its own: only that somebody was released for it tells. */
export function isTransferredOutside({ parties, merged }: CallStory): boolean {
  const isReleased = parties.some(({ endEvent, callState }) => endEvent === "EventReleased" && callState === 1);
  return isReleased && merged === null;
}

const columns = {
  ...({ alerting: "TT_ALERTING", connected: "TT_CONNECTED", held: "TT_HOLD" } as const),
  ...({ queued: "TT_QUEUED", dialing: "TT_DIALING" } as const),
};

/** Of all that are over. Times are differences of whole seconds, as CREATED_TS and TERMINATED_TS have them. */
function partyTexts(call: CallStory, detail: CallDetail | undefined): string[] {
  return call.parties.flatMap((party) => {
    const { dn, states, endedAt } = party;
    if (endedAt === null) return [];
    const spent = { TT_ALERTING: 0, TT_CONNECTED: 0, TT_HOLD: 0, TT_QUEUED: 0, TT_DIALING: 0 };
    for (const [index, { state, from }] of states.entries()) {
      const to = states[index + 1]?.from ?? endedAt;
      spent[columns[state]] += Math.floor(to / 1000) - Math.floor(from / 1000);
    }
    const told = detail?.parties.find((each) => each.dn === dn && each.from === states[0]?.from);
    return [inWords(partyName(call, party), { ...spent, RELEASINGPARTY: told?.releasingParty ?? null })];
  });
}

type Route = CallDetail["routes"][number];

/** With a result: what was lost, or goes on, has none. */
function routesOf(call: CallStory, detail: CallDetail | undefined): (Route & { readonly party: PartyStory })[] {
  return (detail?.routes ?? []).flatMap((route) => {
    const party = call.parties.find(({ dn, states }) => dn === route.dn && states[0]?.from === route.from);
    if (party === undefined) throw new Error(`Call ${call.connId} was routed at ${route.dn}, where it never was`);
    return route.outcome === null || route.outcome === "lost" ? [] : [{ ...route, party }];
  });
}

function routeText(call: CallStory, { dn, to, outcome, keys, party }: ReturnType<typeof routesOf>[number]): string {
  const key = (name: string) => keys[name] ?? null;
  return inWords(partyName(call, party), {
    ...{ CONNID: call.connId, ENDPOINTDN: dn, CREATED: text(to) },
    RESULT: outcome === "abandoned" ? routeResults.abandoned : routeResults.routed,
    ...{ rule: key("RTargetRuleSelected"), object: key("RTargetObjectSelected"), type: key("RTargetTypeSelected") },
    ...{ agent: key("RTargetAgentSelected"), place: key("RTargetPlaceSelected"), strategy: key("RStrategyName") },
    isOfTheCall: true,
  });
}

/** Of each routing with a result the stays, over by now, that it and the routing had in common. */
function waitTexts(call: CallStory, detail: CallDetail | undefined): string[] {
  return routesOf(call, detail).flatMap(({ from: routedFrom, to: routedTo, party }) =>
    (detail?.virtualStays ?? [])
      .filter(({ from, to }) => to !== null && to >= routedFrom && from <= (routedTo ?? 0))
      .map(({ vqid, dn, from, to }) => {
        const times = { CREATED: text(from), TERMINATED: text(to) };
        return inWords(partyName(call, party), { VQID: vqid, ENDPOINTDN: dn, ...times, isOfTheStay: true });
      }),
  );
}
