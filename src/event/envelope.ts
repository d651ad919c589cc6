// An envelope is what one record of the persistent queue holds: a frame as the source sent it, plus what only we know;
// or a mark of ours, so that everything that changes rows is in one stream and in order.
//
//   0      1       2        4         8           16              24
//   +------+-------+--------+---------+-----------+---------------+------- … -------+
//   | kind | flags | zero   | session | arrivalMs | arrivalNumber | frame, or JSON  |    little-endian
//   +------+-------+--------+---------+-----------+---------------+------- … -------+
//
// 1. kind 1 is a frame, 2 a mark. An unknown kind, of envelope or mark, is kept and counted by whoever reads, never an error of the queue.
// 2. session is the DSS_ID of the data source session (0 in marks that belong to none); arrivalNumber counts the frames
//    of that session from 1, so a missing one is seen.
// 3. The frame is byte for byte what arrived, without its line end; flag 1 says that it was cut to the bound.

import type { AttachedDataMapping } from "./attached-data.ts";
import type { ArrivalInstant } from "./instant.ts";
import type { InterSiteOptions } from "./inter-site.ts";
import type { UserEventMapping } from "./user-events.ts";

export const envelopeHeaderBytes = 24;
const kindFrame = 1;
const kindMark = 2;
const flagCut = 1;

/** Names one stay connected to one data source; the DSS_ID of its G_DSS rows. Grows with time, unique per instance. */
export type SessionId = number & { readonly brand: "SessionId" };

export interface FrameEnvelope {
  readonly kind: "frame";
  readonly session: SessionId;
  readonly arrivedAt: ArrivalInstant;
  readonly arrivalNumber: number;
  /** The frame was longer than its bound and only its beginning is kept. */
  readonly isCut: boolean;
  readonly frame: Uint8Array;
}

export interface MarkEnvelope {
  readonly kind: "mark";
  readonly session: SessionId;
  readonly arrivedAt: ArrivalInstant;
  readonly mark: Mark;
}

export type Envelope = FrameEnvelope | MarkEnvelope;

export type SourceKind = "tevent" | "ami";

/** What the configuration says of a data source, as far as rows depend on it. */
export interface SourceIdentity {
  readonly name: string;
  readonly kind: SourceKind;
  /** DBID of the data source application: DS_DBID. */
  readonly dbid: number;
  /** DBID of the primary server of the pair: DS_DBID_PRIM, the source cluster. */
  readonly primaryDbid: number;
  /** DBID of the switch: DS2_DBID. */
  readonly switchDbid: number;
  /** DS_TYPE: 1 T-Server, 2 Interaction Server, 3 OCS; 100 Configuration Server and 101 Asterisk are ours. */
  readonly dsType: number;
}

/** Why a session ended. Each is what we saw, not a guess at what caused it. */
export type SessionEndCause =
  | "source shutdown" // an orderly bye
  | "connection lost" // reset, end of stream, write error
  | "silence" // three heartbeats missed
  | "switchover" // the server said it is no longer primary
  | "CTI link down" // the server lost its link to the switch; nothing it said afterwards is of the switch
  | "our back-pressure" // the server cut us off while we did not read
  | "protocol error" // what came is not the protocol, or the server refused
  | "our stop"
  | "reload" // the configuration was read again, and this source's connection was to change
  | "our crash" // found at the next start; no mark stands in the queue for it
  | "source role"; // "switchover", as earlier versions called it

/** The options of one source that decide what its rows look like; part of the queue, so that a rebuild obeys them. */
export interface ProjectionOptions {
  /** Switch option call-deletion-timeout, seconds 0–3600, default 30 [S: Switch Options]. */
  readonly callDeletionTimeoutSeconds: number;
  /** Asterisk only: dialplan contexts by the direction of the calls that begin in them. */
  readonly inboundContexts: readonly string[];
  readonly internalContexts: readonly string[];
  readonly outboundContexts: readonly string[];
  /** [callconcentrator] store-releasing-party is 1. These and what follows: absent, off. */
  readonly storesReleasingParty?: true;
  /** [filter-data]: what is left out; in the order of the original's list. */
  readonly leavesOut?: readonly LeftOut[];
  /** [callconcentrator] dest-busy-processing is 1. */
  readonly storesBusyDestinations?: true;
  /**
   * [source.gts] delivered-flag: parties outside of the switch are rebuilt, and whoever is called there alerts from this
   * event on. Absent: they are not rebuilt.
   */
  readonly delivered?: "dialing" | "network reached" | "established";
  /** [callconcentrator] ssc-processing is 1. */
  readonly linksSingleStepConferences?: true;
  /** [callconcentrator] extended-route-result is 1. */
  readonly extendsRouteResults?: true;
  /** DNs that are virtual queues without their events saying so; `*` stands for any letters. */
  readonly virtualQueues?: readonly string[];
  /** Absent: an earlier version wrote the mark; then as `defaultAgentOptions` says. */
  readonly agents?: AgentOptions;
}

/** Options of [filter-data] that leave something out where they are 1. */
export const leftOut = [
  "observer-party",
  "external-party",
  "acd-party-metrics",
  "acd-party-history",
  "call-metrics",
  "gls-queue",
] as const;
export type LeftOut = (typeof leftOut)[number];

/** How agents' states are told; of the original's options [S: Agent States] those whose meaning is documented. */
export interface AgentOptions {
  /** gls-acw-first: after-call work belongs to the call that made the agent busy, else to the last one. */
  readonly isAcwOfFirstCall: boolean;
  /** gls-enable-acw-busy: an agent who takes a call during after-call work is busy. */
  readonly isBusyOverAcw: boolean;
  /** gls-active-reason-codes: G_AGENT_STATE_RC_A is written. */
  readonly writesActiveReasons: boolean;
  /** gls-max-duration and gls-max-inactivity, of login sessions; absent: no bound. */
  readonly sessionSecondsMax?: number;
  readonly idleSecondsMax?: number;
}

export const defaultAgentOptions: AgentOptions = {
  isAcwOfFirstCall: false,
  isBusyOverAcw: true,
  writesActiveReasons: false,
};

/** The part of the configuration that rows depend on. Never holds a secret. */
export interface ProjectionConfiguration {
  readonly role: readonly string[];
  readonly sources: readonly (SourceIdentity & { readonly options: ProjectionOptions })[];
  /** Absent: no attached data is stored. */
  readonly attachedData?: AttachedDataMapping;
  /** Absent: nothing of user events is stored. */
  readonly userEvents?: UserEventMapping;
  /** Absent: as `interSiteDefaults` says. */
  readonly interSite?: InterSiteOptions;
}

export type Mark =
  | ({
      readonly mark: "instance started";
      readonly programVersion: string;
      readonly instance: { readonly name: string; readonly dbid: number };
      readonly queueId: string;
      /** Id of the queue that this one was copied from, at the first start after a restore. */
      readonly restoredFrom?: string;
      /** How the persistent queue was found: "new", "clean" (orderly stop) or "recovered" (after a crash). */
      readonly queueState: "new" | "clean" | "recovered";
      /** SHA-256 of the projection configuration, hexadecimal. */
      readonly configurationHash: string;
    } & ProjectionConfiguration)
  /** The configuration was read again while the instance ran: what follows is recorded with this one. */
  | ({
      readonly mark: "configuration in force";
      readonly programVersion: string;
      readonly instance: { readonly name: string; readonly dbid: number };
      /** When this run of the instance began, milliseconds since 1970: ICON_STIME of a source's sessions. */
      readonly startedAt: number;
      readonly configurationHash: string;
    } & ProjectionConfiguration)
  | { readonly mark: "instance stopped" }
  | {
      readonly mark: "session opened";
      readonly source: string;
      /** host:port that answered. */
      readonly address: string;
      readonly serverName: string | null;
      /** DBID the server gave, else the configured one. */
      readonly dbid: number;
      readonly primaryDbid: number;
      readonly switchDbid: number;
      readonly dsType: number;
      /** Identity of the server run (startTime of a tevent server); null where the source has none. */
      readonly run: string | null;
      /** What we asked to resume after; null when we asked for everything anew. */
      readonly resumeAfter: number | null;
      /** The connection is the earlier session's, and the server's CTI link has come back; absent: a new connection. */
      readonly isSwitchReconnection?: true;
    }
  /** The server of this session lost its CTI link to the switch: up to here the session was good. */
  | { readonly mark: "switch disconnected"; readonly source: string }
  | {
      readonly mark: "session closed";
      readonly source: string;
      readonly cause: SessionEndCause;
      readonly detail: string | null;
    }
  /** An action of ours whose answer describes the present state: what the answer lacks had ended before this. */
  | { readonly mark: "list requested"; readonly source: string; readonly action: string; readonly actionId: string }
  /** The source's clock was compared with ours, and it is not as far from it as was last known. */
  | {
      readonly mark: "clock difference";
      readonly source: string;
      /** Source minus ours, ms; the true value is within the uncertainty. */
      readonly differenceMs: number;
      readonly uncertaintyMs: number;
      /** It came by a step of the source's clock, ms; null: it did not. */
      readonly stepMs: number | null;
    }
  /** Every server of the source that was asked says that it is the backup. */
  | { readonly mark: "no primary"; readonly source: string; readonly detail: string }
  /** Another server of the pair says that it is the primary too; the session stays where it is. */
  | { readonly mark: "two primaries"; readonly source: string; readonly detail: string }
  /** The disk was full: applied records were deleted before their retention was over. */
  | {
      readonly mark: "history trimmed early";
      readonly firstPosition: number;
      /** A rebuild knows what comes after it. */
      readonly lastPosition: number;
      /** When the last of them was written, milliseconds since 1970 by this host's clock. */
      readonly lastAt: number;
    }
  /**
   * What ended before is deleted from the IDB, as far as its ending was written when this mark came; whatever is open
   * stays. See src/idb/purge-subjects.ts.
   */
  | {
      readonly mark: "purge";
      /** Milliseconds since 1970 by the sources' clocks, whole seconds. */
      readonly before: number;
      readonly by: "command" | "schedule";
      /** Nobody looked whether another copy has it. */
      readonly isUnconfirmed: boolean;
    }
  /** The recorder could not write the IDB for a while, or had to make it anew; what arrived meanwhile is in the queue. */
  | { readonly mark: "idb lost"; readonly detail: string }
  /** It writes again, and the IDB has what had arrived until it was lost. */
  | { readonly mark: "idb back" }
  /** This host's clock went so much further than time did, or back (negative). Arrivals from here on are by the new time. */
  | { readonly mark: "host clock stepped"; readonly stepMs: number };

const markKinds: Readonly<Record<Mark["mark"], true>> = {
  "instance started": true,
  "configuration in force": true,
  "instance stopped": true,
  "session opened": true,
  "session closed": true,
  "switch disconnected": true,
  "list requested": true,
  "clock difference": true,
  "no primary": true,
  "two primaries": true,
  "history trimmed early": true,
  "host clock stepped": true,
  purge: true,
  "idb lost": true,
  "idb back": true,
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What stands before the frame in its envelope. */
export type FrameHeader = Omit<FrameEnvelope, "frame">;

// Made here each time: a new one for each frame would cost more than all the rest of it.
const header = new Uint8Array(envelopeHeaderBytes);
const headerView = new DataView(header.buffer);

/** The bytes that go before the frame's own. Valid until the next call of any of these functions. */
export function encodeFrameHeader({ session, arrivedAt, arrivalNumber, isCut }: FrameHeader): Uint8Array {
  headerView.setUint8(0, kindFrame);
  headerView.setUint8(1, isCut ? flagCut : 0);
  headerView.setUint32(4, session, true);
  headerView.setFloat64(8, arrivedAt, true);
  headerView.setFloat64(16, arrivalNumber, true);
  return header;
}

export function encodeMark({ session, arrivedAt, mark }: MarkEnvelope): Uint8Array {
  const body = encoder.encode(JSON.stringify(mark));
  headerView.setUint8(0, kindMark);
  headerView.setUint8(1, 0);
  headerView.setUint32(4, session, true);
  headerView.setFloat64(8, arrivedAt, true);
  headerView.setFloat64(16, 0, true);
  return joined(header, body);
}

export function encodeEnvelope(envelope: Envelope): Uint8Array {
  if (envelope.kind === "mark") return encodeMark(envelope);
  return joined(encodeFrameHeader(envelope), envelope.frame);
}

function joined(head: Uint8Array, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

/** The envelope's payload cannot be read: not written by this program, or by a newer version of it. */
export class EnvelopeError extends Error {
  override readonly name = "EnvelopeError";
}

/** The frame of the result shares memory with `bytes`. Throws EnvelopeError on what no version of ours wrote. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length < envelopeHeaderBytes) {
    throw new EnvelopeError(
      `Cannot read an envelope of ${bytes.length} bytes: expected at least ${envelopeHeaderBytes}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const session = view.getUint32(4, true) as SessionId;
  const arrivedAt = view.getFloat64(8, true) as ArrivalInstant;
  const body = bytes.subarray(envelopeHeaderBytes);
  switch (bytes[0]) {
    case kindFrame:
      return {
        kind: "frame",
        session,
        arrivedAt,
        arrivalNumber: view.getFloat64(16, true),
        isCut: (view.getUint8(1) & flagCut) !== 0,
        frame: body,
      };
    case kindMark:
      return { kind: "mark", session, arrivedAt, mark: decodeMark(body) };
    default:
      throw new EnvelopeError(`Cannot read an envelope of kind ${bytes[0]}: expected 1 (frame) or 2 (mark)`);
  }
}

const eightBytes = new Float64Array(1);
const eightBytesRaw = new Uint8Array(eightBytes.buffer);

/** When this arrived, without the rest being looked at; null for what is too short or of no known kind. */
export function readArrivedAt(bytes: Uint8Array): ArrivalInstant | null {
  if (bytes.length < envelopeHeaderBytes || (bytes[0] !== kindFrame && bytes[0] !== kindMark)) return null;
  for (let at = 0; at < 8; at += 1) eightBytesRaw[at] = bytes[8 + at] ?? 0; // little-endian, as the hosts are
  return (eightBytes[0] ?? Number.NaN) as ArrivalInstant;
}

function decodeMark(body: Uint8Array): Mark {
  let parsed: unknown;
  try {
    parsed = JSON.parse(decoder.decode(body));
  } catch (cause) {
    throw new EnvelopeError("Cannot read a mark: its text is not JSON", { cause });
  }
  if (typeof parsed !== "object" || parsed === null || !("mark" in parsed) || typeof parsed.mark !== "string") {
    throw new EnvelopeError('Cannot read a mark: expected an object with a member "mark"');
  }
  if (!Object.hasOwn(markKinds, parsed.mark)) {
    throw new EnvelopeError(
      `Cannot read a mark "${parsed.mark}": expected one of ${Object.keys(markKinds).join(", ")}; a newer version wrote it?`,
    );
  }
  return parsed as Mark; // Only this program writes marks; the record's checksum vouches for the text.
}
