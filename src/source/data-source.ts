// One configured data source: keeps a session with it, address after address, for as long as the instance runs.

import { Backoff, type BackoffLimits } from "../backoff.ts";
import { type Clock, sleep } from "../clock.ts";
import type { SessionEndCause, SourceIdentity } from "../event/envelope.ts";
import type { Log } from "../log.ts";
import type { Intake } from "./intake.ts";
import { type Address, addressText, type Connection, type Network } from "./network.ts";
import type { SessionEnd, SessionParts, SourceCounts, SourceSession } from "./session.ts";
import { TlsError, type TlsTerms } from "./tls.ts";

export interface DataSourceOptions {
  readonly identity: SourceIdentity;
  /** Tried in turn; the second is the backup of the pair. */
  readonly addresses: readonly Address[];
  readonly reconnect: BackoffLimits;
  /** Silence after which the link counts as dead, ms; null: three of the source's heartbeats. */
  readonly silenceMs: number | null;
  readonly instance: { readonly name: string; readonly dbid: number };
  readonly intake: Intake;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  /** Numbers from 0 up to 1, for the jitter of the waits. */
  readonly random: () => number;
  /** Read anew for each connection; null, or left out: plain TCP. Throws when its files cannot be used. */
  readonly tls?: () => TlsTerms | null;
  /** Speaks the source's language over one connection. */
  readonly converse: (parts: SessionParts) => SourceSession;
}

export interface DataSourceStatus extends Readonly<SourceCounts> {
  readonly name: string;
  readonly kind: SourceIdentity["kind"];
  readonly address: string;
  readonly state: "connected" | "connecting" | "waiting";
  readonly connectedSince: number | null;
  readonly lastTrouble: string | null;
}

const connectTimeoutMs = 10_000;
// A session that lasted this long starts the back-off anew.
const settledMs = 30_000;
// Words of the server's own may be in a trouble: as many different ones are remembered, and no more.
const troublesToldMax = 16;

export class DataSource {
  readonly #options: DataSourceOptions;
  readonly #counts: SourceCounts = {
    frames: 0,
    events: 0,
    reconnects: 0,
    lastEventAt: null,
    lastSequence: null,
    acknowledged: null,
    run: null,
  };
  #addressIndex = 0;
  #state: DataSourceStatus["state"] = "waiting";
  #connectedSince: number | null = null;
  /** Whether the last connection came as far as a session. */
  #hadSession = false;
  #lastTrouble: string | null = null;
  /** Troubles logged since the last session that lasted. */
  readonly #told = new Set<string>();
  #repeats = 0;

  constructor(options: DataSourceOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.identity.name;
  }

  status(): DataSourceStatus {
    return {
      name: this.name,
      kind: this.#options.identity.kind,
      address: addressText(this.#address()),
      state: this.#state,
      connectedSince: this.#connectedSince,
      lastTrouble: this.#lastTrouble,
      ...this.#counts,
    };
  }

  /** Until `stop`; then the open session has been closed in order. Rejects only when the persistent queue fails. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, reconnect, random } = this.#options;
    const backoff = new Backoff(reconnect, random);
    /** Addresses in a row that were left for the other one of the pair. */
    let turnedAway = 0;
    while (!stop.aborted) {
      this.#state = "connecting";
      const startedAt = clock.monotonic();
      const end = await this.#connectOnce(stop);
      this.#state = "waiting";
      this.#connectedSince = null;
      if (stop.aborted) return;
      if (clock.monotonic() - startedAt > settledMs) {
        backoff.reset();
        this.#forgetTroubles();
      }
      this.#note(end);
      const hasOther = this.#options.addresses.length > 1;
      this.#addressIndex = (this.#addressIndex + 1) % this.#options.addresses.length;
      // Both of a pair may say that they are the backup: when all have been asked in vain there is a wait as well.
      if (end.retry === "other address") turnedAway = this.#hadSession ? 1 : turnedAway + 1;
      const isTurn = end.retry === "other address" && hasOther && turnedAway < this.#options.addresses.length;
      if (!isTurn) turnedAway = 0;
      const waitMs = isTurn ? 0 : end.retry === "late" ? backoff.longestMs() : backoff.nextMs();
      await sleep(clock, waitMs, stop);
      this.#counts.reconnects += 1;
    }
  }

  async #connectOnce(stop: AbortSignal): Promise<SessionEnd> {
    const { identity, instance, silenceMs, intake, network, clock, log, converse } = this.#options;
    const address = addressText(this.#address());
    let resolveEnd: (end: SessionEnd) => void = () => {};
    const ended = new Promise<SessionEnd>((resolve) => {
      resolveEnd = resolve;
    });
    let connection: Connection | null = null;
    this.#hadSession = false;
    const parts = { identity, address, instance, silenceMs, intake, clock, log, counts: this.#counts, end: resolveEnd };
    let session: SourceSession;
    let tls: TlsTerms | null;
    try {
      tls = this.#options.tls?.() ?? null;
      session = converse(parts);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return { cause: "protocol error", detail, retry: "late" };
    }
    let queueFailure: unknown = null;
    try {
      connection = await network.connect(
        this.#address(),
        {
          data: (chunk) => {
            try {
              session.data(chunk);
            } catch (error) {
              queueFailure = error;
              resolveEnd({ cause: "our stop", detail: "persistent queue failed", retry: "late" });
              return;
            }
            if (session.session !== null && this.#state !== "connected") {
              this.#state = "connected";
              this.#connectedSince = clock.now();
            }
            if (!intake.sink.hasRoom) this.#holdBack(connection);
          },
          closed: (error) => {
            const detail = error === null ? "server closed the connection" : error.message;
            resolveEnd({ cause: "connection lost", detail, retry: error instanceof TlsError ? "late" : "soon" });
          },
        },
        connectTimeoutMs,
        stop,
        tls,
      );
    } catch (error) {
      session.closed();
      const detail = error instanceof Error ? error.message : String(error);
      return {
        cause: "connection lost",
        detail: `cannot connect: ${detail}`,
        retry: error instanceof TlsError ? "late" : "soon",
      };
    }
    const onStop = () => void session.stop();
    stop.addEventListener("abort", onStop, { once: true });
    if (stop.aborted) onStop();
    else session.opened(connection);
    const end = await ended;
    stop.removeEventListener("abort", onStop);
    session.closed();
    connection.destroy();
    if (queueFailure !== null) throw queueFailure;
    this.#hadSession = session.session !== null;
    if (session.session !== null) this.#close(session.session, end.cause, end.detail);
    return end;
  }

  #close(session: NonNullable<SourceSession["session"]>, cause: SessionEndCause, detail: string | null): void {
    this.#options.intake.closeSession(session, this.name, cause, detail);
    const fields = { source: this.name, session, cause, detail };
    if (cause === "our stop" || cause === "source shutdown")
      this.#options.log.info("data source session closed", fields);
    else this.#options.log.warn("data source session closed", fields);
  }

  /** More is waiting for the disk than should: the socket is not read until there is room. */
  #holdBack(connection: Connection | null): void {
    if (connection === null) return;
    connection.pause();
    this.#options.intake.sink.room().then(
      () => connection.resume(),
      () => {},
    );
  }

  // What repeats is counted, not logged each time; two troubles that take turns are no news either.
  #note(end: SessionEnd): void {
    const { log } = this.#options;
    const address = addressText(this.#address());
    const trouble = `${end.cause}${end.detail === null ? "" : `: ${end.detail}`}`;
    this.#lastTrouble = trouble;
    if (this.#told.has(trouble)) {
      this.#repeats += 1;
      return;
    }
    if (this.#told.size >= troublesToldMax) this.#forgetTroubles();
    this.#told.add(trouble);
    const fields = { source: this.name, address, trouble };
    if (end.retry === "late") log.error("data source and this instance do not accept each other", fields);
    else log.warn("data source is not connected", fields);
  }

  #forgetTroubles(): void {
    if (this.#repeats > 0) {
      this.#options.log.warn("data source trouble repeated", { source: this.name, times: this.#repeats });
    }
    this.#repeats = 0;
    this.#told.clear();
  }

  #address(): Address {
    const { addresses } = this.#options;
    const address = addresses[this.#addressIndex % addresses.length];
    if (address === undefined) throw new Error(`Cannot connect to source "${this.name}": it has no addresses`);
    return address;
  }
}
