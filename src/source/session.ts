// What one stay connected to a data source is, whichever wire language it speaks: it is given chunks, appends frames,
// and in the end says why it is over.

import type { Clock } from "../clock.ts";
import type { SessionEndCause, SessionId, SourceIdentity } from "../event/envelope.ts";
import type { Log } from "../log.ts";
import type { ClockDifference } from "./clock-comparison.ts";
import type { Intake } from "./intake.ts";
import type { Connection } from "./network.ts";

/** What to do after a connection is over. */
export type Retry =
  | "soon" // with back-off
  | "other address" // at once, at the pair's other address
  | "late"; // refused for good until somebody mends it: the longest wait, and an alarm

export interface SessionEnd {
  readonly cause: SessionEndCause;
  /** What the operator should read; nothing of a caller's. */
  readonly detail: string | null;
  readonly retry: Retry;
  /** The server ended it for reasons of its own, which may be that we did not read. */
  readonly isCutOff?: boolean;
}

export interface SourceSession {
  /** The connection is open. */
  opened(connection: Connection): void;
  data(chunk: Uint8Array): void;
  /** Ends in order, because we do: acknowledges what is durable and says goodbye to the server. */
  stop(cause: OurEnd): Promise<void>;
  /** The socket is read again after it was not: silence counts from now on. */
  goesOn(): void;
  /** The connection is over, whoever ended it: timers stop. */
  closed(): void;
  /** The open session's id; null before the source has introduced itself. */
  readonly session: SessionId | null;
  /** The source has taken us: it sends what it was asked for. A server introduces itself before it judges who asks. */
  readonly isAccepted: boolean;
  /** When the latest ping that the server has answered went out, by the monotonic clock; null: none has been answered. */
  readonly aliveAtMs: number | null;
}

/** Why we end a session ourselves. */
export type OurEnd = Extract<SessionEndCause, "our stop" | "reload">;

export interface SessionParts {
  readonly identity: SourceIdentity;
  readonly address: string;
  readonly instance: { readonly name: string; readonly dbid: number };
  /** Silence after which the link counts as dead, ms; null: three of the source's heartbeats. */
  readonly silenceMs: number | null;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly log: Log;
  readonly counts: SourceCounts;
  /** False: the socket is not read at the moment, so that silence says nothing of the server. */
  readonly isReading: () => boolean;
  /** Ends a session while the connection goes on: its last mark, log line and count. */
  readonly closeSession: (session: SessionId, cause: SessionEndCause, detail: string | null) => void;
  /** Says that the connection is over; only the first call counts. */
  readonly end: (end: SessionEnd) => void;
}

/** What a source's status page shows, counted since the instance started. */
export interface SourceCounts {
  frames: number;
  events: number;
  reconnects: number;
  lastEventAt: number | null;
  lastSequence: number | null;
  acknowledged: number | null;
  run: string | null;
  /** The source's clock against ours, as last measured; null: not measured. */
  clock: ClockDifference | null;
  /** Since when the server has no CTI link to the switch; null: it has one, as far as it said. */
  switchLostAt: number | null;
}
