// One line of the T-Event link, decoded (docs/link.md). A line with `id` is an event; any other is a control line,
// named by its leading member. What cannot be decoded says why and, where it can still be read, its sequence number,
// so that a bad attribute costs one event and does not look like a hole.

import { instantMsMax, type SourceInstant, sourceInstant } from "../../event/instant.ts";
import type { EventOrigin, TEvent } from "../../event/tevent.ts";
import { enumerationNumber } from "./enums.ts";
import { textUnder } from "./key-values.ts";

export interface Hello {
  readonly kind: "hello";
  readonly server: string;
  readonly type: string;
  readonly dbid: number;
  readonly primaryDbid: number;
  readonly switchDbid: number | null;
  /** Names the server run; a restarted server has a new one. */
  readonly startTime: string;
  readonly role: "primary" | "backup";
  readonly lastSeq: number;
  readonly oldestSeq: number | null;
  readonly heartbeatMs: number;
}

export type TeventLine =
  | Hello
  /** `members` as they stand in the line. */
  | { readonly kind: "event"; readonly event: TEvent; readonly members: Members }
  | { readonly kind: "resumed"; readonly after: number }
  | { readonly kind: "gap"; readonly from: number; readonly to: number | null }
  | { readonly kind: "snapshot begin" }
  | { readonly kind: "snapshot end"; readonly lastSeq: number }
  | { readonly kind: "heartbeat"; readonly at: SourceInstant; readonly lastSeq: number | null }
  | { readonly kind: "cti"; readonly isUp: boolean; readonly at: SourceInstant | null }
  /** `to` names the other server: its type and DBID, as far as they are told. */
  | { readonly kind: "link"; readonly isUp: boolean; readonly to: string; readonly at: SourceInstant | null }
  | { readonly kind: "role"; readonly role: "primary" | "backup"; readonly at: SourceInstant | null }
  | { readonly kind: "bye"; readonly reason: string; readonly at: SourceInstant | null }
  /** `ping`: what the ping said that it answers. */
  | { readonly kind: "pong"; readonly ping: string; readonly at: SourceInstant | null }
  | { readonly kind: "error"; readonly code: string; readonly message: string }
  | { readonly kind: "unknown control"; readonly member: string }
  | { readonly kind: "undecodable"; readonly reason: string; readonly sequence: number | null };

type Members = Readonly<Record<string, unknown>>;

const decoder = new TextDecoder("utf-8", { fatal: true });

/** A line longer than this is kept up to here and not decoded. */
export const lineBytesMax = 1024 * 1024;

export function decodeLine(frame: Uint8Array, isCut = false): TeventLine {
  // What the intake has noted of the line holds for it, whatever else it says: acknowledgements hang on that number.
  const leading = leadingSequence(frame, isCut);
  if (isCut) return undecodable(`line is longer than ${lineBytesMax} bytes`, leading);
  let members: unknown;
  try {
    members = JSON.parse(decoder.decode(frame));
  } catch (error) {
    return undecodable(error instanceof SyntaxError ? "line is not JSON" : "line is not UTF-8", leading);
  }
  if (typeof members !== "object" || members === null || Array.isArray(members)) {
    return undecodable("line is not a JSON object");
  }
  if (!("id" in members)) return decodeControl(members as Members);
  return decodeEvent(members as Members, leading);
}

/** What a line says of sequence numbers, for the intake: enough to know what may be resumed after and acknowledged. */
export type SequenceNote =
  | { readonly kind: "event"; readonly sequence: number }
  | { readonly kind: "snapshot end"; readonly lastSeq: number }
  | { readonly kind: "none" };

const none: SequenceNote = { kind: "none" };

export function noteSequence(frame: Uint8Array, isCut = false): SequenceNote {
  const leading = leadingSequence(frame, isCut);
  if (leading !== null) return { kind: "event", sequence: leading };
  const line = decodeLine(frame, isCut);
  switch (line.kind) {
    case "event":
      return line.event.sequence === null ? none : { kind: "event", sequence: line.event.sequence };
    case "undecodable":
      return line.sequence === null ? none : { kind: "event", sequence: line.sequence };
    case "snapshot end":
      return line;
    default:
      return none;
  }
}

const idLead = Buffer.from('{"id":"');
const sequenceLead = Buffer.from('","EventSequenceNumber":');
const idBytesMax = 64;
// Below 2^53, whatever the digits.
const sequenceDigitsMax = 15;

/**
 * Most servers write id and sequence number first; then the rest of the line need not be looked at. Null: it begins
 * otherwise, or does not end like an object although it is all there. Byte by byte, since this is done for every frame before it goes to disk:
 * making a text of the bytes would cost six times as much.
 */
function leadingSequence(frame: Uint8Array, isCut: boolean): number | null {
  if ((!isCut && frame[frame.length - 1] !== 0x7d) || !hasAt(frame, 0, idLead)) return null;
  let at = idLead.length;
  const idEnd = Math.min(frame.length, at + idBytesMax);
  while (at < idEnd && isLetter(frame[at] ?? 0)) at += 1;
  if (at === idLead.length || !hasAt(frame, at, sequenceLead)) return null;
  at += sequenceLead.length;
  let sequence = 0;
  let digits = 0;
  for (let digit = (frame[at] ?? 0) - 0x30; digit >= 0 && digit <= 9; digit = (frame[at] ?? 0) - 0x30) {
    sequence = sequence * 10 + digit;
    digits += 1;
    at += 1;
  }
  const isNext = frame[at] === 0x2c && frame[at + 1] === 0x22; // ,"
  return isNext && sequence > 0 && digits <= sequenceDigitsMax ? sequence : null;
}

function hasAt(bytes: Uint8Array, at: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index += 1) if (bytes[at + index] !== expected[index]) return false;
  return true;
}

function isLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

function undecodable(reason: string, sequence: number | null = null): TeventLine {
  return { kind: "undecodable", reason, sequence };
}

function decodeEvent(members: Members, leading: number | null): TeventLine {
  const isSnapshot = members["snapshot"] === true;
  const sequence = isSnapshot ? null : decodeSequence(members["EventSequenceNumber"]);
  if (leading !== null && leading !== sequence) {
    return undecodable("EventSequenceNumber is there twice, or in an event of a snapshot", leading);
  }
  if (sequence === undefined) {
    return undecodable("EventSequenceNumber is missing or is neither a whole number nor 16 hexadecimal digits");
  }
  const wrong = (attribute: string, expected: string) => undecodable(`${attribute} is not ${expected}`, sequence);
  if (typeof members["id"] !== "string") return wrong("id", "a string");
  const at = decodeTime(members["time"]);
  if (at === undefined) return wrong("time", "seconds since 1970 as number, decimal string or {sec, usec}");
  const origin = decodeOrigin(members["origin"]);
  if (origin === undefined) return wrong("origin", "{run, seq, time}");

  const callType = enumerated(members, "CallType");
  if (callType === undefined) return wrong("CallType", "a TCallType");
  const callState = enumerated(members, "CallState");
  if (callState === undefined) return wrong("CallState", "a TCallState");
  const thisDnRole = enumerated(members, "ThisDNRole");
  if (thisDnRole === undefined) return wrong("ThisDNRole", "a TDNRole");
  const switchCallId = optional(members["CallID"], wholeNumber);
  if (switchCallId === undefined) return wrong("CallID", "a whole number");

  for (const name of textAttributes) {
    const value = members[name];
    if (value !== undefined && value !== null && typeof value !== "string") return wrong(name, "a string");
  }
  const isVirtualQueue = hasKey(members["Extensions"], "VQID");
  const text = (name: (typeof textAttributes)[number]) => (members[name] as string | null | undefined) || null;
  return {
    kind: "event",
    members,
    event: {
      id: members["id"],
      sequence,
      at,
      isSnapshot,
      origin,
      connId: text("ConnID"),
      previousConnId: text("PreviousConnID"),
      callUuid: text("CallUUID"),
      partyUuid: text("PartyUUID"),
      switchCallId,
      callType,
      callState,
      thisDn: text("ThisDN"),
      thisDnRole,
      thisQueue: textIfAny(members["ThisQueue"]),
      otherDn: textIfAny(members["OtherDN"]),
      thirdPartyDn: textIfAny(members["ThirdPartyDN"]),
      thirdPartyDnRole: enumerationNumber("ThirdPartyDNRole", members["ThirdPartyDNRole"]) ?? null,
      transferHome: textIfAny(members["LastTransferHomeLocation"]),
      transferOrigDn: textIfAny(members["LastTransferOrigDN"]),
      ani: text("ANI"),
      dnis: text("DNIS"),
      isVirtualQueue,
      vqid: isVirtualQueue ? textUnder(members["Extensions"], "VQID") || null : null,
      releasingParty: releasingOf(members),
      ctrlParty: members["id"] === "EventCallDeleted" ? textIfAny(members["CtrlParty"]) : null,
      refCallUuid: members["id"] === "EventCallDeleted" ? textIfAny(members["RefCallUUID"]) : null,
    },
  };
}

/** Of an ending, who released it. */
function releasingOf(members: Members): number | null {
  if (members["id"] !== "EventReleased" && members["id"] !== "EventAbandoned") return null;
  return releasingNumber(members["ReleasingParty"] ?? textUnder(members["Extensions"], "ReleasingParty"));
}

/** Servers write "1 Local", "2 Remote", "3 Unknown", or one half of it. */
function releasingNumber(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  const word = /^\s*([123])?\s*(local|remote|unknown)?\s*$/i.exec(String(value));
  if (word?.[1] !== undefined) return Number(word[1]);
  const name = word?.[2]?.toLowerCase();
  return name === undefined ? null : ["", "local", "remote", "unknown"].indexOf(name);
}

/** Of what only says how a party came to be: written oddly it is left out, for the event itself says enough without it. */
function textIfAny(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

const textAttributes = ["ConnID", "PreviousConnID", "CallUUID", "PartyUUID", "ThisDN", "ANI", "DNIS"] as const;

function decodeControl(members: Members): TeventLine {
  const leading = Object.keys(members)[0];
  const at = members["time"] === undefined ? null : (decodeTime(members["time"]) ?? null);
  const value = leading === undefined ? undefined : members[leading];
  switch (leading) {
    case "hello":
      return decodeHello(members);
    case "resumed":
      return isSequence(value) ? { kind: "resumed", after: value } : undecodable("resumed is not a sequence number");
    case "gap":
      return decodeGap(value);
    case "snapshot": {
      if (value === "begin") return { kind: "snapshot begin" };
      const lastSeq = members["lastSeq"];
      if (value !== "end" || !isSequence(lastSeq)) {
        return undecodable('snapshot is neither "begin" nor "end" with lastSeq');
      }
      return { kind: "snapshot end", lastSeq };
    }
    case "heartbeat": {
      const beat = decodeTime(value);
      if (beat === undefined) return undecodable("heartbeat is not a time");
      const lastSeq = members["lastSeq"];
      return { kind: "heartbeat", at: beat, lastSeq: isSequence(lastSeq) ? lastSeq : null };
    }
    case "cti":
      if (value !== "up" && value !== "down") return undecodable('cti is neither "up" nor "down"');
      return { kind: "cti", isUp: value === "up", at };
    case "link":
      if (value !== "up" && value !== "down") return undecodable('link is neither "up" nor "down"');
      return { kind: "link", isUp: value === "up", to: otherServer(members["to"]), at };
    case "role":
      if (value !== "primary" && value !== "backup") return undecodable('role is neither "primary" nor "backup"');
      return { kind: "role", role: value, at };
    case "bye":
      return { kind: "bye", reason: typeof value === "string" ? value : "", at };
    case "pong":
      return { kind: "pong", ping: String(value), at };
    case "error": {
      const { code, message } = (typeof value === "object" && value !== null ? value : {}) as Members;
      return { kind: "error", code: String(code ?? ""), message: String(message ?? "") };
    }
    default:
      return { kind: "unknown control", member: leading ?? "" };
  }
}

// A name is shown in ICON_MARK, so it is not as long as the sender likes.
const serverTypeLengthMax = 64;

function otherServer(value: unknown): string {
  const { type, dbid } = (typeof value === "object" && value !== null ? value : {}) as Members;
  const name = typeof type === "string" && type !== "" ? type.slice(0, serverTypeLengthMax) : "server";
  return isSequence(dbid) ? `${name} ${dbid}` : name;
}

// A timer holds no more: beyond it, one for the next heartbeat would end at once, again and again.
const heartbeatMsMax = 2 ** 31 - 1;

function decodeHello(members: Members): TeventLine {
  const { hello, server, type, dbid, primaryDbid, switchDbid, startTime, role, lastSeq, oldestSeq, heartbeatMs } =
    members;
  if (hello !== "tevent/1") return undecodable('hello is not "tevent/1"');
  if (typeof server !== "string" || typeof type !== "string") return undecodable("hello without server and type");
  if (!isSequence(dbid)) return undecodable("hello without dbid");
  if (typeof startTime !== "string" || startTime === "") return undecodable("hello without startTime");
  if (role !== "primary" && role !== "backup") return undecodable('hello with a role neither "primary" nor "backup"');
  if (!isSequence(lastSeq)) return undecodable("hello without lastSeq");
  if (oldestSeq !== null && oldestSeq !== undefined && !isSequence(oldestSeq)) {
    return undecodable("hello with an oldestSeq that is no sequence number");
  }
  if (!isSequence(heartbeatMs) || heartbeatMs === 0 || heartbeatMs > heartbeatMsMax) {
    return undecodable(`hello without a heartbeatMs from 1 to ${heartbeatMsMax}`);
  }
  return {
    kind: "hello",
    server,
    type,
    dbid,
    primaryDbid: isSequence(primaryDbid) ? primaryDbid : dbid,
    switchDbid: isSequence(switchDbid) ? switchDbid : null,
    startTime,
    role,
    lastSeq,
    oldestSeq: oldestSeq ?? null,
    heartbeatMs,
  };
}

function decodeGap(value: unknown): TeventLine {
  const { from, to } = (typeof value === "object" && value !== null ? value : {}) as Members;
  if (!isSequence(from) || !(to === null || to === undefined || isSequence(to))) {
    return undecodable("gap is not {from, to}");
  }
  return { kind: "gap", from, to: to ?? null };
}

function isSequence(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function wholeNumber(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  return typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** Number, or hexadecimal string of 16 digits; undefined: neither. Sequences start at 1. */
function decodeSequence(value: unknown): number | undefined {
  const sequence = typeof value === "string" && /^[0-9a-fA-F]{16}$/.test(value) ? Number.parseInt(value, 16) : value;
  return isSequence(sequence) && sequence > 0 ? sequence : undefined;
}

/** Seconds since 1970 with fraction as number or decimal string, or {sec, usec}. */
function decodeTime(value: unknown): SourceInstant | undefined {
  let us: number;
  if (typeof value === "number") us = value * 1e6;
  else if (typeof value === "string" && /^\d{1,12}(\.\d{1,9})?$/.test(value)) us = Number(value) * 1e6;
  else if (typeof value === "object" && value !== null) {
    const { sec, usec } = value as Members;
    if (!isSequence(sec) || !isSequence(usec)) return undefined;
    us = sec * 1e6 + usec;
  } else return undefined;
  // Whole microseconds, so that one instant is one number, however it was written.
  const ms = Math.round(us) / 1000;
  return ms >= 0 && ms <= instantMsMax ? sourceInstant(ms) : undefined;
}

function decodeOrigin(value: unknown): EventOrigin | null | undefined {
  if (value === undefined || value === null) return null;
  if (typeof value !== "object") return undefined;
  const { run, seq, time } = value as Members;
  const sequence = decodeSequence(seq);
  const at = decodeTime(time);
  return typeof run === "string" && sequence !== undefined && at !== undefined ? { run, sequence, at } : undefined;
}

/**
 * Null: it is not there, or has a name that is not known: a server of a later version may have more of them, and the event
 * itself says enough without it. Undefined: it is neither number nor name.
 */
function enumerated(members: Members, attribute: "CallType" | "CallState" | "ThisDNRole"): number | null | undefined {
  const value = members[attribute];
  if (value === undefined || value === null) return null;
  return enumerationNumber(attribute, value) ?? (typeof value === "string" ? null : undefined);
}

function optional<T>(value: unknown, decode: (value: unknown) => T | undefined): T | null | undefined {
  return value === undefined || value === null ? null : decode(value);
}

/** Whether a key-value list, given as object or as list of {key, type, value}, holds the key. */
function hasKey(list: unknown, key: string): boolean {
  if (Array.isArray(list)) {
    return list.some((pair) => typeof pair === "object" && pair !== null && (pair as Members)["key"] === key);
  }
  return typeof list === "object" && list !== null && Object.hasOwn(list, key);
}
