// The connections to the HTTP side: how many there may be, how fast new ones may come, and for how long one may keep us
// waiting. The runtime's own limits do not reach a TLS handshake, nor connections that we accept ourselves, so that they
// are kept here, at the socket. Nobody who only connects can keep others out: where there is no more room, the one goes
// that has waited longest without having asked anything.

import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";

export interface ConnectionBounds {
  readonly inAllMax: number;
  readonly perAddressMax: number;
  /** New connections a second, in the long run; three seconds' worth at once. */
  readonly newPerSecondMax: number;
  /** From accepting (handshake included), or the end of the answer before, to the end of the next request's headers. */
  readonly headersMsMax: number;
  /** From there to the end of its answer; for a stream, from one piece that was taken to the next. */
  readonly answerMsMax: number;
}

/** One connection, from accepting to its end. */
export interface Connection {
  readonly address: string;
  /** A request's headers are complete. */
  asked(): void;
  /** A piece of a long answer was taken. */
  progressed(): void;
  /** Its answer is complete. */
  answered(): void;
}

interface Kept extends Connection {
  readonly socket: Socket;
  isAsking: boolean;
  waitsSinceMs: number;
}

const sweepEveryMs = 1000;
const burstSeconds = 3;

export class Connections {
  readonly #clock: Clock;
  readonly #bounds: ConnectionBounds;
  readonly #kept = new Set<Kept>();
  readonly #countByAddress = new Map<string, number>();
  #allowance: number;
  #allowanceAtMs: number;
  #cancelSweep: (() => void) | null = null;
  #turnedAway = 0;

  constructor(clock: Clock, bounds: ConnectionBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#allowance = bounds.newPerSecondMax * burstSeconds;
    this.#allowanceAtMs = clock.monotonic();
  }

  get count(): number {
    return this.#kept.size;
  }

  /** Connections closed because of a bound, since the start. */
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** Null: there is no room for it, and it is closed. */
  accept(socket: Socket): Connection | null {
    const address = socket.remoteAddress;
    if (address === undefined || !this.#isInTime() || !this.#makeRoom(address)) {
      this.#turnedAway += 1;
      socket.destroy();
      return null;
    }
    const clock = this.#clock;
    const kept: Kept = {
      address,
      socket,
      isAsking: false,
      waitsSinceMs: clock.monotonic(),
      asked() {
        this.isAsking = true;
        this.waitsSinceMs = clock.monotonic();
      },
      progressed() {
        this.waitsSinceMs = clock.monotonic();
      },
      answered() {
        this.isAsking = false;
        this.waitsSinceMs = clock.monotonic();
      },
    };
    this.#kept.add(kept);
    this.#countByAddress.set(address, (this.#countByAddress.get(address) ?? 0) + 1);
    socket.once("close", () => this.#forget(kept));
    this.#scheduleSweep();
    return kept;
  }

  /** Closes all of them at once. */
  closeAll(): void {
    this.#cancelSweep?.();
    for (const { socket } of this.#kept) socket.destroy();
  }

  #isInTime(): boolean {
    const now = this.#clock.monotonic();
    const { newPerSecondMax } = this.#bounds;
    const gained = ((now - this.#allowanceAtMs) / 1000) * newPerSecondMax;
    this.#allowance = Math.min(newPerSecondMax * burstSeconds, this.#allowance + gained);
    this.#allowanceAtMs = now;
    if (this.#allowance < 1) return false;
    this.#allowance -= 1;
    return true;
  }

  #makeRoom(address: string): boolean {
    const { inAllMax, perAddressMax } = this.#bounds;
    if ((this.#countByAddress.get(address) ?? 0) >= perAddressMax) {
      return this.#turnAwayFirst((each) => each.address === address);
    }
    return this.#kept.size < inAllMax || this.#turnAwayFirst(() => true);
  }

  /** Closes the one that has waited longest without asking; false when all of them are being answered. */
  #turnAwayFirst(isMeant: (kept: Kept) => boolean): boolean {
    let first: Kept | null = null;
    for (const each of this.#kept) {
      if (each.isAsking || !isMeant(each)) continue;
      if (first === null || each.waitsSinceMs < first.waitsSinceMs) first = each;
    }
    if (first === null) return false;
    this.#turnAway(first);
    return true;
  }

  #turnAway(kept: Kept): void {
    this.#turnedAway += 1;
    this.#forget(kept);
    kept.socket.destroy();
  }

  #forget(kept: Kept): void {
    if (!this.#kept.delete(kept)) return;
    const left = (this.#countByAddress.get(kept.address) ?? 1) - 1;
    if (left === 0) this.#countByAddress.delete(kept.address);
    else this.#countByAddress.set(kept.address, left);
  }

  #scheduleSweep(): void {
    this.#cancelSweep ??= this.#clock.after(sweepEveryMs, () => {
      this.#cancelSweep = null;
      const now = this.#clock.monotonic();
      const { headersMsMax, answerMsMax } = this.#bounds;
      for (const each of this.#kept) {
        if (now - each.waitsSinceMs > (each.isAsking ? answerMsMax : headersMsMax)) this.#turnAway(each);
      }
      if (this.#kept.size > 0) this.#scheduleSweep();
    });
  }
}
