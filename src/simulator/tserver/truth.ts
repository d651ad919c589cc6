// The oracle "truth": every event that the server told, and the calls as they really were. It is written from the
// switch's own state, not from the events, so that it can convict whoever folds them wrongly.

import { callDetail, sessionStory } from "./call-detail.ts";
import type { CallLink } from "./journey.ts";
import type { LoginSession } from "./login-session.ts";
import type { TserverOptions } from "./options.ts";
import { StoryFile } from "./story-file.ts";
import type { Call, CallType, DnRole, EndingId, EventNumber, MoveId, Party, PartyState } from "./switch-event.ts";

/** One line of the truth file. Times are milliseconds since 1970 with the microseconds as fraction, as they were sent. */
export interface CallStory {
  /** Null when the server tells no CallUUID. */
  readonly callUuid: string | null;
  readonly connId: string;
  readonly callType: CallType;
  readonly ani: string | null;
  readonly dnis: string | null;
  readonly createdAt: number;
  /** Null: not over when the simulation ended. */
  readonly endedAt: number | null;
  /** startTime of the server run whose event told of the call first. */
  readonly run: string;
  /** ConnID of the call that this one was a consultation of; null: none. */
  readonly consultOf: string | null;
  /** ConnID of the call into which it was merged, and whether by a transfer (1) or a conference (2). */
  readonly merged: { readonly into: string; readonly by: 1 | 2 } | null;
  readonly parties: readonly PartyStory[];
  readonly outside: readonly OutsideStory[];
}

/** Whoever took part from outside of the switch; nobody names them but by their number. */
export interface OutsideStory {
  readonly dn: string;
  readonly role: DnRole;
  readonly states: readonly { readonly state: PartyState; readonly from: number }[];
  readonly endedAt: number | null;
  /** Brought in by a transfer (1) or a conference (2). */
  readonly broughtBy: 1 | 2 | null;
}

/** One line of the links file: a call's end of a link to a call at another site, as it was told first. */
export interface LinkStory extends Omit<CallLink, "atUs"> {
  readonly callUuid: string;
  readonly at: number;
}

export interface PartyStory {
  /** Null when the server tells no PartyUUID. */
  readonly partyUuid: string | null;
  readonly dn: string;
  readonly role: DnRole;
  readonly states: readonly { readonly state: PartyState; readonly from: number; readonly event: string }[];
  readonly endedAt: number | null;
  /** Null with an `endedAt`: the call was lost when the server restarted, and no event said so. */
  readonly endEvent: EndingId | MoveId | null;
  /** T-Lib number; null while the party is there, and when no event ended it. */
  readonly callState: number | null;
  /** The party that it descends from; null: none. */
  readonly parent: ParentStory | null;
}

/** A party is named by its call's ConnID with its PartyUUID, or else with its DN and when it came to the call. */
export interface ParentStory {
  readonly connId: string;
  readonly dn: string;
  readonly partyUuid: string | null;
  readonly from: number;
}

/** One line of the events file. */
export interface EventStory {
  readonly run: string;
  readonly seq: number;
  /** Milliseconds since 1970 with the microseconds as fraction, as it was sent. */
  readonly at: number;
  /** The first 16 hexadecimal digits of the SHA-256 of the line without its line end. */
  readonly sha: string;
}

export class Truth {
  readonly #calls: StoryFile;
  readonly #events: StoryFile;
  /** Null without `voiceInFull`. */
  readonly #details: StoryFile | null;
  readonly #agents: StoryFile | null;
  /** Null without `sites`. */
  readonly #links: StoryFile | null;
  readonly #names: { readonly hasCallUuid: boolean; readonly hasPartyUuid: boolean };

  /**
   * Writes calls to `path` and events beside it; with `voiceInFull` also what goes with calls, and login sessions: see
   * `truthPaths`.
   */
  constructor(
    path: string,
    names: Pick<TserverOptions, "hasCallUuid" | "hasPartyUuid" | "voiceInFull"> &
      Partial<Pick<TserverOptions, "sites">>,
  ) {
    this.#links = names.sites == null ? null : new StoryFile(truthPaths(path).links);
    this.#calls = new StoryFile(path);
    const beside = truthPaths(path);
    this.#events = new StoryFile(beside.events);
    this.#details = names.voiceInFull ? new StoryFile(beside.details) : null;
    this.#agents = names.voiceInFull ? new StoryFile(beside.agents) : null;
    this.#names = names;
  }

  event({ run, seq }: EventNumber, atUs: number, line: string): void {
    const frame = line.endsWith("\r") ? line.slice(0, -1) : line;
    const sha = new Bun.CryptoHasher("sha256").update(frame).digest("hex").slice(0, 16);
    this.#events.write({ run, seq, at: milliseconds(atUs), sha } satisfies EventStory);
  }

  call(call: Call): void {
    if (call.created === null) return;
    this.#details?.write(callDetail(call, call.created.run, this.#names));
    this.#calls.write({
      callUuid: this.#names.hasCallUuid ? call.uuid : null,
      connId: call.connId,
      callType: call.callType,
      ani: call.ani,
      dnis: call.dnis,
      createdAt: milliseconds(call.created.atUs),
      endedAt: call.endedAtUs === null ? null : milliseconds(call.endedAtUs),
      run: call.created.run,
      consultOf: call.consultOf,
      merged: call.merged && { into: call.merged.into.connId, by: call.merged.by },
      parties: call.parties.map((party) => ({
        partyUuid: this.#names.hasPartyUuid ? party.uuid : null,
        dn: party.dn,
        role: party.role,
        states: party.stretches.map(({ state, fromUs, event }) => ({ state, from: milliseconds(fromUs), event })),
        endedAt: party.end === null ? null : milliseconds(party.end.atUs),
        endEvent: party.end?.event ?? null,
        callState: party.end?.callState ?? null,
        parent: party.parent && this.#parentStory(party.parent),
      })),
      outside: call.outside.map(({ dn, role, stretches, endUs, broughtBy }) => ({
        ...{ dn, role, broughtBy, endedAt: endUs === null ? null : milliseconds(endUs) },
        states: stretches.map(({ state, fromUs }) => ({ state, from: milliseconds(fromUs) })),
      })),
    } satisfies CallStory);
  }

  link(call: Call, { atUs, ...link }: CallLink): void {
    this.#links?.write({ callUuid: call.uuid, ...link, at: milliseconds(atUs) } satisfies LinkStory);
  }

  session(session: LoginSession): void {
    this.#agents?.write(sessionStory(session));
  }

  #parentStory({ call, uuid, dn, stretches }: Party): ParentStory {
    const partyUuid = this.#names.hasPartyUuid ? uuid : null;
    return { connId: call.connId, dn, partyUuid, from: milliseconds(stretches[0]?.fromUs ?? 0) };
  }

  close(): void {
    this.#calls.close();
    this.#events.close();
    this.#details?.close();
    this.#agents?.close();
    this.#links?.close();
  }
}

/** Files beside the one of the calls: an EventStory, a CallDetail (for each call), a SessionStory, a LinkStory a line. */
export function truthPaths(path: string): {
  readonly events: string;
  readonly details: string;
  readonly agents: string;
  readonly links: string;
} {
  return {
    events: `${path}.events.ndjson`,
    details: `${path}.details.ndjson`,
    agents: `${path}.agents.ndjson`,
    links: `${path}.links.ndjson`,
  };
}

export function milliseconds(us: number): number {
  return us / 1000;
}
