// What the intake must remember to go on after a restart: per source the open session and what may be resumed after.
// Written into the head of every segment of the persistent queue, and folded on from there with the envelopes that
// follow, so that a start needs the last segment and nothing else.

import { encodeEnvelope, type MarkEnvelope, type SessionId } from "./envelope.ts";
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

export function decodeHead(head: Uint8Array): IntakeState {
  if (head.length === 0) return emptyIntakeState;
  // Only this program writes heads, and the segment header's checksum vouches for the bytes.
  const { version, ...state } = JSON.parse(new TextDecoder().decode(head)) as IntakeState & { version: number };
  if (version !== headVersion) {
    throw new HeadVersionError(
      `Cannot read a segment head of version ${version}: this program reads version ${headVersion}`,
    );
  }
  return state;
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
  }
  return marks.map(encodeEnvelope);
}
