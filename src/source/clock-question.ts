// Pings a source: its answers tell that it is there and how its clock stands to ours. A change of the difference goes
// into the persistent queue as a mark, for what is read from the IDB later depends on it.

import type { SessionId } from "../event/envelope.ts";
import type { SourceInstant } from "../event/instant.ts";
import { ClockComparison } from "./clock-comparison.ts";
import type { SessionParts } from "./session.ts";

export class ClockQuestion {
  readonly #parts: SessionParts;
  readonly #send: (ping: string) => void;
  readonly #comparison: ClockComparison;
  #pings = 0;
  #aliveAtMs: number | null = null;

  /** `send` puts a ping that bears this text on the wire. */
  constructor(parts: SessionParts, send: (ping: string) => void) {
    this.#parts = parts;
    this.#send = send;
    this.#comparison = new ClockComparison(parts.clock);
    parts.counts.clock = null;
  }

  /** When the latest ping that was answered went out, by the monotonic clock; null: none was answered. */
  get aliveAtMs(): number | null {
    return this.#aliveAtMs;
  }

  ask(): void {
    this.#pings += 1;
    const ping = String(this.#pings);
    this.#comparison.sent(ping);
    this.#send(ping);
  }

  /** An answer came in this session. `at`: the source's time in it; null: it tells none. */
  answered(session: SessionId, ping: string, at: SourceInstant | null): void {
    const { intake, identity, counts, log } = this.#parts;
    this.#aliveAtMs = this.#comparison.sentAt(ping) ?? this.#aliveAtMs;
    const compared = at === null ? null : this.#comparison.answered(ping, at);
    if (compared === null) return;
    const { differenceMs, uncertaintyMs, stepMs, isNews } = compared;
    counts.clock = { differenceMs, uncertaintyMs };
    if (!isNews) return;
    const difference = { source: identity.name, differenceMs, uncertaintyMs, stepMs };
    intake.mark({ mark: "clock difference", ...difference }, session);
    if (stepMs !== null) log.warn("data source's clock stepped", difference);
  }
}
