// One stay connected to one address of a data source: from the attempt to connect to the end of the connection, whoever
// ends it. The session speaks the source's language; here it is connected, slowed down and ended.

import type { Clock } from "../clock.ts";
import type { SessionEndCause, SessionId, SourceIdentity } from "../event/envelope.ts";
import type { Log } from "../log.ts";
import { Allowance } from "./allowance.ts";
import type { Intake } from "./intake.ts";
import { type Address, addressText, type Connection, type Network } from "./network.ts";
import type { OurEnd, SessionEnd, SessionParts, SourceCounts, SourceSession } from "./session.ts";
import { TlsError, type TlsTerms } from "./tls.ts";

export interface StayOptions {
  readonly identity: SourceIdentity;
  readonly address: Address;
  readonly instance: { readonly name: string; readonly dbid: number };
  readonly silenceMs: number | null;
  /** Bytes that may have been read and not yet be durable. */
  readonly allowanceBytes: number;
  readonly intake: Intake;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly tls?: () => TlsTerms | null;
  readonly converse: (parts: SessionParts) => SourceSession;
  readonly counts: SourceCounts;
  /** What slows this connection down, for whoever shows how near it is to its bound. */
  readonly slowedBy: (allowance: Allowance) => void;
  /** A session is open, and the source has taken us. */
  readonly opened: () => void;
  readonly closed: (session: SessionId, cause: SessionEndCause, detail: string | null) => void;
}

const connectTimeoutMs = 10_000;

/** Until the connection is over, or `stop`, whose reason may be "reload". Rejects when the persistent queue fails. */
export async function stayConnected(options: StayOptions, stop: AbortSignal): Promise<SessionEnd> {
  const { identity, instance, silenceMs, intake, network, clock, log, counts } = options;
  const address = addressText(options.address);
  const { promise: ended, resolve: end } = Promise.withResolvers<SessionEnd>();
  let allowance: Allowance | null = null;
  const closeSession = (session: SessionId, cause: SessionEndCause, detail: string | null) => {
    intake.closeSession(session, identity.name, cause, detail);
    options.closed(session, cause, detail);
  };
  const isReading = () => allowance?.isReading ?? true;
  const parts = { identity, address, instance, silenceMs, intake, clock, log, counts, isReading, closeSession, end };
  let session: SourceSession;
  let tls: TlsTerms | null;
  try {
    tls = options.tls?.() ?? null;
    session = options.converse(parts);
  } catch (error) {
    return { cause: "protocol error", detail: reasonOf(error), retry: "late" };
  }
  using reading = new Allowance({
    bytesMax: options.allowanceBytes,
    sink: intake.sink,
    clock,
    goesOn: () => session.goesOn(),
  });
  allowance = reading;
  options.slowedBy(reading);
  let queueFailure: unknown = null;
  let isOpened = false;
  const data = (chunk: Uint8Array) => {
    const before = intake.lastPosition;
    try {
      session.data(chunk);
    } catch (error) {
      queueFailure = error;
      return end({ cause: "our stop", detail: "persistent queue failed", retry: "late" });
    }
    if (session.isAccepted && !isOpened) {
      isOpened = true;
      options.opened();
    }
    // What made no record waits in the framer, which has a bound of its own.
    if (intake.lastPosition > before) reading.took(chunk.length, intake.lastPosition);
  };
  const closed = (error: Error | null) => {
    const detail = error === null ? "server closed the connection" : error.message;
    end({ cause: "connection lost", detail, retry: retryAfter(error), isCutOff: true });
  };
  let connection: Connection;
  try {
    connection = await network.connect(options.address, { data, closed }, connectTimeoutMs, stop, tls);
  } catch (error) {
    session.closed();
    return { cause: "connection lost", detail: `cannot connect: ${reasonOf(error)}`, retry: retryAfter(error) };
  }
  reading.attach(connection);
  const onStop = () => void session.stop(ourEnd(stop));
  stop.addEventListener("abort", onStop, { once: true });
  if (stop.aborted) onStop();
  else session.opened(connection);
  const seen = await ended;
  const told = seen.isCutOff ? (reading.cutOffBecause(session.aliveAtMs) ?? null) : null;
  const last: SessionEnd =
    told === null ? seen : { ...seen, cause: "our back-pressure", detail: `${told}; ${seen.detail ?? ""}` };
  stop.removeEventListener("abort", onStop);
  session.closed();
  connection.destroy();
  if (queueFailure !== null) throw queueFailure;
  if (session.session !== null) closeSession(session.session, last.cause, last.detail);
  return last;
}

function ourEnd({ reason }: AbortSignal): OurEnd {
  return reason === "reload" ? "reload" : "our stop";
}

function retryAfter(error: unknown): SessionEnd["retry"] {
  return error instanceof TlsError ? "late" : "soon";
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
