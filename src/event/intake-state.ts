// What the intake must remember to go on after a restart: per source the open session and what may be resumed after.
// Written into the head of every segment of the persistent queue, and folded on from there with the envelopes that
// follow, so that a start needs the last segment and nothing else.

import { decodeEnvelope, EnvelopeError, encodeEnvelope, type MarkEnvelope, type SessionId } from "./envelope.ts";
import { arrivalInstant } from "./instant.ts";

type SessionOpened = Extract<MarkEnvelope["mark"], { mark: "session opened" }>;
type InstanceStarted = Extract<MarkEnvelope["mark"], { mark: "instance started" }>;

export interface SourceIntake {
  readonly session: SessionId;
  readonly openedAt: number;
  readonly opened: SessionOpened;
  readonly isOpen: boolean;
  /** Frames of the session so far. */
  readonly arrivalNumber: number;
  /** The server run that `contiguous` counts in; null where the source has none. */
  readonly run: string | null;
  /** End of the contiguous prefix of the run's sequence numbers that is in the queue; null: none yet. */
  readonly contiguous: number | null;
  /** When the server of the open session lost its CTI link, by our clock; null or absent: it has not. */
  readonly switchLostAt?: number | null;
}

export interface IntakeState {
  /** The highest session id given out. */
  readonly lastSession: number;
  readonly started: { readonly arrivedAt: number; readonly mark: InstanceStarted } | null;
  readonly sources: Readonly<Record<string, SourceIntake>>;
}

export const emptyIntakeState: IntakeState = { lastSession: 0, started: null, sources: {} };

const headVersion = 1;

export function encodeHead(state: IntakeState): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ version: headVersion, ...state }));
}

/** A segment's head was written by a newer version of this program. */
export class HeadVersionError extends Error {
  override readonly name = "HeadVersionError";
}

/** A segment's head is whole by its checksum, and yet not what this program writes. */
export class HeadForeignError extends Error {
  override readonly name = "HeadForeignError";
}

/** Throws HeadVersionError and HeadForeignError. */
export function decodeHead(head: Uint8Array): IntakeState {
  if (head.length === 0) return emptyIntakeState;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(head));
  } catch (cause) {
    throw new HeadForeignError("Cannot read a segment head: it is not JSON", { cause });
  }
  if (!isObject(value)) throw new HeadForeignError("Cannot read a segment head: it is no object");
  const { version, ...state } = value;
  if (version !== headVersion) {
    throw new HeadVersionError(
      `Cannot read a segment head of version ${String(version)}: this program reads version ${headVersion}`,
    );
  }
  if (!isState(state)) throw new HeadForeignError("Cannot read a segment head: a member of it has another type");
  return state;
}

// What goes wrong with a member is said where it is used; here only what would make a start end without a word why.
function isState(state: Record<string, unknown>): state is Record<string, unknown> & IntakeState {
  const { lastSession, started, sources } = state;
  return (
    isCount(lastSession) &&
    (started === null || (isObject(started) && isCount(started["arrivedAt"]) && isMark(started["mark"]))) &&
    isObject(sources) &&
    Object.values(sources).every(isSource)
  );
}

function isSource(source: unknown): boolean {
  if (!isObject(source)) return false;
  const { session, openedAt, opened, isOpen, arrivalNumber, run, contiguous } = source;
  return (
    [session, openedAt, arrivalNumber].every(isCount) &&
    isMark(opened) &&
    typeof isOpen === "boolean" &&
    (run === null || typeof run === "string") &&
    (contiguous === null || isCount(contiguous))
  );
}

function isMark(mark: unknown): boolean {
  return isObject(mark) && typeof mark["mark"] === "string";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Which instance wrote the queue that a head is of; undefined before its first start. */
export function instanceOfHead(head: Uint8Array): InstanceStarted["instance"] | undefined {
  return decodeHead(head).started?.mark.instance;
}

/** Which instance says in this record that it started; undefined for any other record. */
export function instanceOfRecord(payload: Uint8Array): InstanceStarted["instance"] | undefined {
  try {
    const envelope = decodeEnvelope(payload);
    if (envelope.kind === "mark" && envelope.mark.mark === "instance started") return envelope.mark.instance;
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error;
  }
  return undefined;
}

/** The marks, as envelopes, that lead to what a head says was open: for a reader that begins at its segment. */
export function continueFromHead(head: Uint8Array): readonly Uint8Array[] {
  const { started, sources } = decodeHead(head);
  if (started === null) return [];
  const marks: MarkEnvelope[] = [
    { kind: "mark", session: 0 as SessionId, arrivedAt: arrivalInstant(started.arrivedAt), mark: started.mark },
  ];
  for (const source of Object.values(sources)) {
    if (!source.isOpen) continue;
    const arrivedAt = arrivalInstant(source.openedAt);
    marks.push({ kind: "mark", session: source.session, arrivedAt, mark: source.opened });
    if (source.switchLostAt == null) continue;
    const mark = { mark: "switch disconnected", source: source.opened.source } as const;
    marks.push({ kind: "mark", session: source.session, arrivedAt: arrivalInstant(source.switchLostAt), mark });
  }
  return marks.map(encodeEnvelope);
}
