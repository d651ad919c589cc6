// The connections to the HTTP side: how many there may be, how fast new ones may come, and for how long one may keep us
// waiting. The runtime's own limits do not reach a TLS handshake, nor connections that we accept ourselves, so that they
// are kept here, at the socket. Nobody who only connects can keep others out: where there is no more room, the one goes
// that has waited longest without having asked anything.

import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";
import { Pace, type PaceBounds } from "./pace.ts";

export interface ConnectionBounds {
  readonly inAllMax: number;
  readonly perAddressMax: number;
  /** New connections, in all and from one address. */
  readonly newInAll: PaceBounds;
  readonly newPerAddress: PaceBounds;
  /** Requests, in all and from one address. */
  readonly requestsInAll: PaceBounds;
  readonly requestsPerAddress: PaceBounds;
  /** From accepting (handshake included), or the end of the answer before, to the end of the next request's headers. */
  readonly headersMsMax: number;
  /** From there to the end of its answer; for a stream, from one piece that was taken to the next. */
  readonly answerMsMax: number;
}

/** One connection, from accepting to its end. */
export interface Connection {
  readonly address: string;
  /** A request's headers are complete; false: it comes too soon after too many others. */
  asked(): boolean;
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

/** Stays for a while after its last connection, or whoever floods us would begin anew with each. */
interface Address {
  count: number;
  readonly connections: Pace;
  readonly requests: Pace;
}

const sweepEveryMs = 1000;
const addressesMax = 4096;

export class Connections {
  readonly #clock: Clock;
  readonly #bounds: ConnectionBounds;
  readonly #kept = new Set<Kept>();
  readonly #addresses = new Map<string, Address>();
  readonly #newInAll: Pace;
  readonly #requestsInAll: Pace;
  #cancelSweep: (() => void) | null = null;
  #turnedAway = 0;

  constructor(clock: Clock, bounds: ConnectionBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#newInAll = new Pace(clock, bounds.newInAll);
    this.#requestsInAll = new Pace(clock, bounds.requestsInAll);
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
    const name = socket.remoteAddress;
    const address = name === undefined ? null : this.#address(name);
    if (name === undefined || address === null || !this.#mayCome(address) || !this.#makeRoom(name, address)) {
      this.#turnedAway += 1;
      socket.destroy();
      return null;
    }
    const [clock, requestsInAll] = [this.#clock, this.#requestsInAll];
    const kept: Kept = {
      address: name,
      socket,
      isAsking: false,
      waitsSinceMs: clock.monotonic(),
      asked() {
        this.isAsking = true;
        this.waitsSinceMs = clock.monotonic();
        return address.requests.take() && requestsInAll.take();
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
    address.count += 1;
    socket.once("close", () => this.#forget(kept));
    this.#scheduleSweep();
    return kept;
  }

  /** Closes all of them at once. */
  closeAll(): void {
    this.#cancelSweep?.();
    for (const { socket } of this.#kept) socket.destroy();
  }

  /** Null: more addresses than anybody honest has. */
  #address(name: string): Address | null {
    const known = this.#addresses.get(name);
    if (known !== undefined) return known;
    if (this.#addresses.size >= addressesMax) return null;
    const address: Address = {
      count: 0,
      connections: new Pace(this.#clock, this.#bounds.newPerAddress),
      requests: new Pace(this.#clock, this.#bounds.requestsPerAddress),
    };
    this.#addresses.set(name, address);
    this.#scheduleSweep();
    return address;
  }

  #mayCome(address: Address): boolean {
    return address.connections.take() && this.#newInAll.take();
  }

  #makeRoom(name: string, { count }: Address): boolean {
    const { inAllMax, perAddressMax } = this.#bounds;
    if (count >= perAddressMax) return this.#turnAwayFirst((each) => each.address === name);
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
    const address = this.#kept.delete(kept) ? this.#addresses.get(kept.address) : undefined;
    if (address !== undefined) address.count -= 1;
  }

  #scheduleSweep(): void {
    this.#cancelSweep ??= this.#clock.after(sweepEveryMs, () => {
      this.#cancelSweep = null;
      const now = this.#clock.monotonic();
      const { headersMsMax, answerMsMax } = this.#bounds;
      for (const each of this.#kept) {
        if (now - each.waitsSinceMs > (each.isAsking ? answerMsMax : headersMsMax)) this.#turnAway(each);
      }
      for (const [name, { count, connections, requests }] of this.#addresses) {
        if (count === 0 && connections.isFull && requests.isFull) this.#addresses.delete(name);
      }
      if (this.#addresses.size > 0) this.#scheduleSweep();
    });
  }
}
