// One configured data source: keeps a session with it, address after address, for as long as the instance runs.

import { Backoff, type BackoffLimits } from "../backoff.ts";
import { type Clock, sleep } from "../clock.ts";
import type { SessionEndCause, SourceIdentity } from "../event/envelope.ts";
import type { Log } from "../log.ts";
import type { Allowance } from "./allowance.ts";
import type { Intake } from "./intake.ts";
import { type Address, addressText, type Network } from "./network.ts";
import { PairWatch, type PairWatchTimes, pairWatchTimes } from "./pair-watch.ts";
import { askRole } from "./role-question.ts";
import type { SessionEnd, SessionParts, SourceCounts, SourceSession } from "./session.ts";
import type { SourceAlarm, SourceAlarmKind } from "./source-alarm.ts";
import { stayConnected } from "./stay.ts";
import type { TlsTerms } from "./tls.ts";
import { TroubleMemory } from "./trouble-memory.ts";

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
  /** Bytes that may have been read and not yet be durable; beyond that the socket is not read. */
  readonly allowanceBytes?: number;
  /** What was configured under this name until a reload, as it was left: its counts go on. */
  readonly predecessor?: DataSourceStatus | undefined;
  /** When the other server of a pair is asked for its role. */
  readonly pairWatch?: PairWatchTimes;
}

export interface DataSourceStatus extends Readonly<SourceCounts> {
  readonly name: string;
  readonly kind: SourceIdentity["kind"];
  readonly address: string;
  readonly state: "connected" | "connecting" | "waiting";
  readonly connectedSince: number | null;
  readonly lastTrouble: string | null;
  readonly lastEnd: LastEnd | null;
  /** Ended sessions by cause, since the instance started. */
  readonly ends: Readonly<Partial<Record<SessionEndCause, number>>>;
  readonly alarms: readonly SourceAlarm[];
  /** Bytes that were read and are not durable yet; beyond `allowanceBytes` the socket is not read. */
  readonly notDurableBytes: number;
  readonly allowanceBytes: number;
  /** The socket is not read at the moment. */
  readonly isHeldBack: boolean;
}

/** How the last session ended. */
export interface LastEnd {
  readonly cause: SessionEndCause;
  readonly detail: string | null;
  /** By this host's clock; null: an earlier run of the instance had it open when it crashed. */
  readonly at: number | null;
}

// A session that lasted this long starts the back-off anew.
const settledMs = 30_000;
const roleTimeoutMs = 5_000;
/** More than waits in one commit at the rate of a flood; four times as much was no faster and took 20 MiB more memory. */
export const allowanceBytesDefault = 1024 * 1024;

export class DataSource {
  readonly #options: DataSourceOptions;
  readonly #counts: SourceCounts;
  readonly #troubles: TroubleMemory;
  readonly #pairWatch: PairWatch;
  readonly #alarms = new Map<SourceAlarmKind, SourceAlarm>();
  readonly #ends: Partial<Record<SessionEndCause, number>>;
  #addressIndex = 0;
  #state: DataSourceStatus["state"] = "waiting";
  #connectedSince: number | null = null;
  /** Whether the last connection came as far as a session in which the source took us. */
  #hadSession = false;
  #lastTrouble: string | null = null;
  #allowance: Allowance | null = null;
  #lastEnd: LastEnd | null;

  constructor(options: DataSourceOptions) {
    const { identity, intake, clock, log, network, tls, pairWatch, predecessor } = options;
    this.#options = options;
    this.#counts = {
      frames: predecessor?.frames ?? 0,
      events: predecessor?.events ?? 0,
      reconnects: predecessor?.reconnects ?? 0,
      lastEventAt: predecessor?.lastEventAt ?? null,
      lastSequence: null,
      acknowledged: null,
      run: null,
      clock: null,
      switchLostAt: null,
    };
    this.#ends = { ...predecessor?.ends };
    this.#troubles = new TroubleMemory(identity.name, log);
    // What the start found open was left so by a crash.
    const isLeftOpen = intake.source(identity.name)?.isOpen === true;
    const crash: LastEnd = { cause: "our crash", detail: "found at this start", at: null };
    this.#lastEnd = isLeftOpen ? crash : (predecessor?.lastEnd ?? null);
    this.#pairWatch = new PairWatch({
      clock,
      times: pairWatch ?? pairWatchTimes,
      ask: (address, stop) => {
        const after = (delayMs: number, act: () => void) => clock.after(delayMs, act);
        const terms = readOrNothing(tls);
        if (terms === undefined) return Promise.resolve(null);
        return askRole({ network, address, timeoutMs: roleTimeoutMs, stop, tls: terms, after });
      },
      changed: (other) => this.#noteSecondPrimary(other),
    });
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
      lastEnd: this.#lastEnd,
      ends: this.#ends,
      notDurableBytes: this.#allowance?.pendingBytes ?? 0,
      allowanceBytes: this.#options.allowanceBytes ?? allowanceBytesDefault,
      isHeldBack: this.#state === "connected" && this.#allowance?.isReading === false,
      alarms: [...this.#alarms.values(), ...this.#switchAlarm()],
      ...this.#counts,
    };
  }

  /**
   * Until `stop`, whose reason may be "reload"; then the open session has been closed in order. Rejects only when the
   * persistent queue fails.
   */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, reconnect, random, addresses } = this.#options;
    const backoff = new Backoff(reconnect, random);
    /** Addresses in a row that were left for the other one of the pair. */
    let turnedAway = 0;
    while (!stop.aborted) {
      this.#state = "connecting";
      const startedAt = clock.monotonic();
      const end = await this.#stay(stop);
      this.#state = "waiting";
      this.#connectedSince = null;
      this.#pairWatch.end();
      this.#alarms.delete("two primaries");
      this.#counts.switchLostAt = null;
      if (stop.aborted) return;
      if (clock.monotonic() - startedAt > settledMs) {
        backoff.reset();
        this.#troubles.forget();
      }
      this.#note(end);
      this.#addressIndex = (this.#addressIndex + 1) % addresses.length;
      // Both of a pair may say that they are the backup: when all have been asked in vain there is a wait as well.
      if (end.retry === "other address") turnedAway = this.#hadSession ? 1 : turnedAway + 1;
      if (turnedAway >= addresses.length && !this.#hadSession) this.#noteNoPrimary();
      const isTurn = end.retry === "other address" && turnedAway < addresses.length;
      if (!isTurn) turnedAway = 0;
      const waitMs = isTurn ? 0 : end.retry === "late" ? backoff.longestMs() : backoff.nextMs();
      await sleep(clock, waitMs, stop);
      this.#counts.reconnects += 1;
    }
  }

  async #stay(stop: AbortSignal): Promise<SessionEnd> {
    const { clock, log, identity, addresses, allowanceBytes, ...rest } = this.#options;
    const address = this.#address();
    this.#hadSession = false;
    return stayConnected(
      {
        ...rest,
        identity,
        address,
        clock,
        log,
        allowanceBytes: allowanceBytes ?? allowanceBytesDefault,
        counts: this.#counts,
        slowedBy: (allowance) => {
          this.#allowance = allowance;
        },
        opened: () => {
          this.#hadSession = true;
          this.#state = "connected";
          this.#connectedSince = clock.now();
          this.#alarms.clear();
          // Asterisk's servers know no roles.
          if (identity.kind === "tevent") this.#pairWatch.begin(addresses.filter((each) => each !== address));
        },
        closed: (session, cause, detail) => {
          this.#lastEnd = { cause, detail, at: clock.now() };
          this.#ends[cause] = (this.#ends[cause] ?? 0) + 1;
          const fields = { source: this.name, session, cause, detail };
          if (isInOrder(cause)) log.info("data source session closed", fields);
          else log.warn("data source session closed", fields);
        },
      },
      stop,
    );
  }

  #note(end: SessionEnd): void {
    const address = addressText(this.#address());
    const trouble = `${end.cause}${end.detail === null ? "" : `: ${end.detail}`}`;
    this.#lastTrouble = trouble;
    const isRefused = end.retry === "late";
    if (isRefused) this.#raise("refused", `Source ${this.name} and this instance do not accept each other: ${trouble}`);
    else this.#alarms.delete("refused");
    const sentence = isRefused
      ? "data source and this instance do not accept each other"
      : "data source is not connected";
    this.#troubles.note(isRefused ? "error" : "warn", sentence, trouble, { address });
  }

  #noteNoPrimary(): void {
    const asked = this.#options.addresses.map(addressText).join(", ");
    const isNews = this.#raise("no primary", `Source ${this.name} has no primary: each says that it is the backup`);
    if (!isNews) return;
    const detail = `each says that it is the backup: ${asked}`;
    this.#options.intake.mark({ mark: "no primary", source: this.name, detail });
    this.#options.log.error("data source has no primary server", { source: this.name, asked });
  }

  #noteSecondPrimary(other: Address | null): void {
    const { log, intake } = this.#options;
    const here = addressText(this.#address());
    if (other === null) {
      this.#alarms.delete("two primaries");
      log.info("data source has one primary server again", { source: this.name, address: here });
      return;
    }
    const second = addressText(other);
    this.#raise(
      "two primaries",
      `Source ${this.name} has two primaries, ${here} and ${second}; it is recorded from the first`,
    );
    const detail = `recorded from ${here}; ${second} says that it is the primary too`;
    intake.mark({ mark: "two primaries", source: this.name, detail }, intake.source(this.name)?.session);
    log.error("data source has two primary servers", { source: this.name, address: here, second });
  }

  #switchAlarm(): readonly SourceAlarm[] {
    const { switchLostAt } = this.#counts;
    if (switchLostAt === null) return [];
    const sentence = `Source ${this.name} has lost its CTI link: nothing of the switch is told`;
    return [{ kind: "CTI link down", sentence, since: switchLostAt }];
  }

  /** Returns whether it is news. */
  #raise(kind: SourceAlarmKind, sentence: string): boolean {
    const before = this.#alarms.get(kind);
    this.#alarms.set(kind, { kind, sentence, since: before?.since ?? this.#options.clock.now() });
    return before === undefined;
  }

  #address(): Address {
    const { addresses } = this.#options;
    const address = addresses[this.#addressIndex % addresses.length];
    if (address === undefined) throw new Error(`Cannot connect to source "${this.name}": it has no addresses`);
    return address;
  }
}

function isInOrder(cause: SessionEndCause): boolean {
  return cause === "our stop" || cause === "reload" || cause === "source shutdown";
}

/** Undefined: its files cannot be used at the moment. */
function readOrNothing(tls: DataSourceOptions["tls"]): TlsTerms | null | undefined {
  try {
    return tls?.() ?? null;
  } catch {
    return undefined;
  }
}
