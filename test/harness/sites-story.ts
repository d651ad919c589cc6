// Several switches of one instance, each with a T-Server of its own: what each of them tells, and what becomes of the calls
// and their links. A call is named by its CALLID, a source by its name.

import type { RowOf, TableName } from "../../schema/tables.ts";
import {
  encodeEnvelope,
  type Mark,
  type ProjectionConfiguration,
  type SessionEndCause,
  type SessionId,
} from "../../src/event/envelope.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import { type InterSiteOptions, interSiteDefaults } from "../../src/event/inter-site.ts";
import { stepRecord } from "../../src/projection/projection.ts";
import { MemoryWorld } from "./memory-world.ts";
import { startMs } from "./story.ts";

type Line = Readonly<Record<string, unknown>>;

export type Site = "north" | "south" | "west";
const dbids: Readonly<Record<Site, number>> = { north: 101, south: 102, west: 103 };

interface Given extends Partial<InterSiteOptions> {
  readonly role?: readonly string[];
  readonly sites?: readonly Site[];
  readonly callDeletionTimeoutSeconds?: number;
}

interface Joined {
  readonly parent: string | null;
  readonly root: string;
}

/** What a link tells of itself in an event. */
export function linkTo(linkId: string, location: string, type: string): Line {
  return { ISLinkList: { [linkId]: { location, type } } };
}

export class SitesStory {
  readonly world = new MemoryWorld();
  readonly payloads: Uint8Array[] = [];
  readonly #sites: readonly Site[];
  readonly #given: Given;
  readonly #sessions = new Map<Site, number>();
  readonly #sequences = new Map<Site, number>();
  #session = 1000;
  #arrivals = 0;

  constructor(given: Given = {}) {
    this.#given = given;
    this.#sites = given.sites ?? ["north", "south"];
    const started = { programVersion: "0.1.0", queueId: "q", queueState: "new", configurationHash: "0" } as const;
    this.mark({ mark: "instance started", instance: { name: "a", dbid: 9001 }, ...started, ...this.#configuration() });
    for (const site of this.#sites) this.open(site);
  }

  /** The configuration is read again. */
  reload(change: Partial<Given>): this {
    const about = { programVersion: "0.1.0", startedAt: startMs, configurationHash: "1" };
    const mark = { mark: "configuration in force", instance: { name: "a", dbid: 9001 } } as const;
    return this.mark({ ...mark, ...about, ...this.#configuration(change) });
  }

  #configuration(change: Partial<Given> = {}): ProjectionConfiguration {
    const given = { ...this.#given, ...change };
    const { role = ["gcc"], callDeletionTimeoutSeconds = 30 } = given;
    const { remoteLocations = [], linkTimeoutSeconds = interSiteDefaults.linkTimeoutSeconds } = given;
    const contexts = { inboundContexts: [], internalContexts: [], outboundContexts: [] };
    const sources = this.#sites.map((name) => ({
      ...{ name, kind: "tevent" as const, dbid: dbids[name], primaryDbid: dbids[name], dsType: 1 },
      switchDbid: dbids[name] - 100,
      options: { callDeletionTimeoutSeconds, ...contexts },
    }));
    return { role, sources, interSite: { remoteLocations, linkTimeoutSeconds } };
  }

  open(site: Site): this {
    this.#session += 1;
    this.#sessions.set(site, this.#session);
    const dbid = dbids[site];
    const about = { address: "127.0.0.1:7001", serverName: site, primaryDbid: dbid, dsType: 1, resumeAfter: null };
    return this.mark({ mark: "session opened", source: site, dbid, switchDbid: dbid - 100, run: site, ...about }, site);
  }

  close(site: Site, cause: SessionEndCause = "connection lost"): this {
    return this.mark({ mark: "session closed", source: site, cause, detail: null }, site);
  }

  mark(mark: Mark, site?: Site): this {
    const session = ((site && this.#sessions.get(site)) ?? 0) as SessionId;
    return this.#step(encodeEnvelope({ kind: "mark", session, arrivedAt: arrivalInstant(startMs), mark }));
  }

  /** Events of one call at one site. */
  call(
    site: Site,
    callUuid: string,
    ...events: readonly (readonly [seconds: number, id: string, members?: Line])[]
  ): this {
    for (const [seconds, id, members] of events) {
      const sequence = (this.#sequences.get(site) ?? 0) + 1;
      this.#sequences.set(site, sequence);
      const named = { ConnID: `0${callUuid}`, CallUUID: callUuid };
      const dn = id.startsWith("EventCall") || id === "EventTransactionStatus" ? {} : { ThisDN: "5001", ThisDNRole: 2 };
      this.line(site, { id, EventSequenceNumber: sequence, time: timeOf(seconds), ...named, ...dn, ...members });
    }
    return this;
  }

  /** A call that rings, is answered, and ends; `members` are of its first event. */
  whole(site: Site, callUuid: string, from: number, until: number, members: Line = {}): this {
    return this.call(
      ...([site, callUuid] as const),
      [from, "EventCallCreated", members],
      [from, "EventRinging"],
      [from + 1, "EventEstablished"],
      [until, "EventReleased"],
      [until, "EventCallDeleted"],
    );
  }

  heartbeat(site: Site, seconds: number): this {
    return this.line(site, { heartbeat: timeOf(seconds), lastSeq: this.#sequences.get(site) ?? 0 });
  }

  /** All of them tell that nothing happened until then. */
  heartbeats(seconds: number): this {
    for (const site of this.#sites) this.heartbeat(site, seconds);
    return this;
  }

  line(site: Site, members: Line | string): this {
    this.#arrivals += 1;
    const frame = new TextEncoder().encode(typeof members === "string" ? members : JSON.stringify(members));
    const session = this.#sessions.get(site) as SessionId;
    const about = { kind: "frame", session, arrivedAt: arrivalInstant(startMs), isCut: false } as const;
    return this.#step(encodeEnvelope({ ...about, arrivalNumber: this.#arrivals, frame }));
  }

  #step(payload: Uint8Array): this {
    this.payloads.push(payload);
    stepRecord(this.world, { windowSeconds: 60 }, BigInt(this.payloads.length), payload);
    return this;
  }

  /** The last row written under each key of a table, in the order in which they were first written. */
  rows<T extends TableName>(table: T, key: keyof RowOf<T>): RowOf<T>[] {
    const rows = new Map<unknown, RowOf<T>>();
    for (const each of this.world.written) {
      if (each.table === table) rows.set((each.row as unknown as RowOf<T>)[key], each.row as unknown as RowOf<T>);
    }
    return [...rows.values()];
  }

  /** Of each call, by its CALLID: whose record its own has as its parent, and which is the root. */
  joined(): Record<string, Joined> {
    const records = this.rows("G_IR", "ID");
    const callOf = (irId: string | null | undefined) =>
      records.find((ir) => ir.IRID === irId)?.ROOTCALLID ?? irId ?? null;
    return Object.fromEntries(
      this.rows("G_CALL", "ID").map((call) => {
        const ir = records.find(({ IRID }) => IRID === call.IRID);
        return [call.CALLID, { parent: callOf(ir?.PARENTIRID), root: callOf(call.ROOTIRID) ?? "" }];
      }),
    );
  }

  /** Each end of a link as "LINKID CALLID type>location state merge from–until", times in seconds; "…": it is there. */
  links(): string[] {
    return this.rows("G_IS_LINK", "ID").map((row) => {
      const [from, until] = [secondsOf(row.INITIATED), row.TERMINATED == null ? "…" : secondsOf(row.TERMINATED)];
      const about = `${row.ISLINKTYPE}>${row.REMOTELOCATION ?? "?"} ${row.STATE} ${row.MERGESTATE}`;
      return `${row.LINKID} ${row.CALLID} ${about} ${from}–${until}`;
    });
  }

  /** Each change as "LINKID SEQ type state CALLID<PREVCALLID at". */
  linkHistory(): string[] {
    return this.rows("G_IS_LINK_HISTORY", "ID").map(
      (row) =>
        `${row.LINKID} ${row.SEQ} ${row.CHANGETYPE} ${row.STATE} ${row.CALLID}<${row.PREVCALLID ?? ""} ${secondsOf(row.ADDED)}`,
    );
  }

  counters(): Record<string, number> {
    return Object.fromEntries(
      this.world
        .all("source")
        .flatMap(([name, { counters }]) =>
          Object.entries(counters).map(([counter, value]) => [`${name}: ${counter}`, value]),
        ),
    );
  }
}

export const toSouth = linkTo("L1", "South", "source");
export const fromNorth = linkTo("L1", "North", "target");

/** A caller is with North from 0 to 20, and goes on in South until 60. */
export function goneOn(story = new SitesStory()): SitesStory {
  return story
    .call("north", "N1", [0, "EventCallCreated"], [0, "EventRinging"], [2, "EventEstablished"])
    .call("north", "N1", [15, "EventCallDataChanged", toSouth])
    .call("south", "S1", [16, "EventCallCreated", fromNorth], [16, "EventRinging"], [18, "EventEstablished"])
    .call("north", "N1", [20, "EventReleased"], [20, "EventCallDeleted"])
    .call("south", "S1", [60, "EventReleased"], [60, "EventCallDeleted"]);
}

/** North asks South about its caller, and hands him over: the consultation is merged into the call. */
export function handedOver(story = new SitesStory()): SitesStory {
  const consultation = { ConnID: "0N2", CallUUID: "N2", CallType: 4, PreviousConnID: "0N1" };
  return story
    .call("north", "N1", [0, "EventCallCreated"], [0, "EventRinging"], [2, "EventEstablished"], [10, "EventHeld"])
    .call("north", "N2", [10, "EventDialing", { ...consultation, ...toSouth }])
    .call("south", "S1", [11, "EventCallCreated", fromNorth], [11, "EventRinging"], [12, "EventEstablished"])
    .call("north", "N1", [20, "EventReleased", { CallState: 1 }])
    .call("north", "N2", [20, "EventReleased", { CallState: 1 }])
    .call("north", "N2", [20, "EventCallDeleted", { RefCallUUID: "N1" }])
    .call("north", "N1", [60, "EventCallDeleted"])
    .call("south", "S1", [60, "EventReleased"], [60, "EventCallDeleted"]);
}

function timeOf(seconds: number): number {
  return startMs / 1000 + seconds;
}

function secondsOf(timestamp: string): number {
  return (Date.parse(timestamp) - startMs) / 1000;
}
