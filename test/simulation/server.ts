// A T-Server on the simulated network: the simulator's own contact centre, server runs and link sessions, without its
// port. It remembers what it was told to be durable, and every byte that it ever handed to a connection.

import type { Socket } from "bun";
import { Centre } from "../../src/simulator/tserver/centre.ts";
import { Client } from "../../src/simulator/tserver/client.ts";
import { LineWriter } from "../../src/simulator/tserver/line.ts";
import { LinkSession, type SessionHost } from "../../src/simulator/tserver/link-session.ts";
import { type TserverOptions, tserverDefaults } from "../../src/simulator/tserver/options.ts";
import { Random } from "../../src/simulator/tserver/random.ts";
import { ServerRun } from "../../src/simulator/tserver/server-run.ts";
import type { EventNumber, EventSink, SwitchEvent } from "../../src/simulator/tserver/switch-event.ts";
import type { Dice } from "./dice.ts";
import type { Link } from "./network.ts";
import type { TrueEvent } from "./reference-digest.ts";

export interface ServerConnection {
  readonly run: string;
  readonly link: Link;
}

export class SimulatedServer implements SessionHost, EventSink {
  readonly role = "primary";
  readonly token = null;
  /** By the number that stands in the hello of each. */
  readonly connections: ServerConnection[] = [];
  /** By run: the highest number that the instance has ever called durable, in an `ack` or an `open`. */
  readonly acknowledged = new Map<string, number>();
  /** Every event told, over all runs. */
  readonly events: TrueEvent[] = [];
  readonly #options: TserverOptions;
  readonly #dice: Dice;
  readonly #centre: Centre;
  readonly #lines: LineWriter;
  readonly #client = new Client("icon-a", null);
  readonly #sessions = new Set<LinkSession>();
  #run: ServerRun;
  #startMs: number;
  #isSwitchUp = true;
  readonly #isHasty: boolean;

  constructor(given: {
    readonly seed: number;
    readonly dbid: number;
    readonly startMs: number;
    readonly dice: Dice;
    readonly eventsPerSecond: number;
    /** Its heartbeats may tell of events that it has not sent yet. */
    readonly isHasty: boolean;
  }) {
    const { seed, dbid, startMs, dice } = given;
    this.#dice = dice;
    this.#isHasty = given.isHasty;
    this.#options = {
      ...tserverDefaults,
      seed,
      dbid,
      primaryDbid: dbid,
      switchDbid: dbid - 100,
      rate: given.eventsPerSecond,
      talkSeconds: 0.3,
      transferPercent: seed % 2 === 0 ? 0 : 40,
      voiceInFull: seed % 3 === 0,
      heartbeatMs: 1_000,
      hasCallUuid: dice.chance(0.8),
      hasPartyUuid: dice.chance(0.8),
      hasCallMonitoring: dice.chance(0.7),
    };
    this.#startMs = startMs;
    this.#lines = new LineWriter(this.#options, dice.chance(0.5) ? null : new Random(seed, "encoding"));
    this.#centre = new Centre(this.#options, startMs * 1000, this);
    this.#run = this.#newRun();
  }

  get eventCount(): number {
    return this.events.length;
  }

  get run(): ServerRun {
    return this.#run;
  }

  get nowUs(): number {
    return this.#centre.board.nowUs;
  }

  get isFullyAcknowledged(): boolean {
    // What an earlier session said counts: to an event that was sent again for nothing there is no second answer.
    const { startTime, buffer } = this.#run;
    const isServed = [...this.#sessions].some(({ isStreaming }) => isStreaming);
    return isServed && (this.acknowledged.get(startTime) ?? 0) >= buffer.lastSeq;
  }

  accept(link: Link): void {
    const run = this.#run.startTime;
    this.connections.push({ run, link });
    const session = new LinkSession(this, link.socket as unknown as Socket<unknown>);
    link.server = {
      told: (text) => this.#noteDurable(run, text),
      received: (bytes) => session.received(this.#resumeEarlier(bytes)),
      closed: () => {
        this.#sessions.delete(session);
        session.closed();
      },
    };
    this.#sessions.add(session);
  }

  /** The centre works for so long, and what happened is sent. */
  work(ms: number): void {
    this.#happen(ms);
    for (const session of this.#sessions) session.pump();
  }

  #happen(ms: number): void {
    this.#centre.advance(this.nowUs + ms * 1000, () => false);
    this.#run.seal();
    if (this.#isHasty) this.heartbeat();
  }

  heartbeat(): void {
    for (const session of this.#sessions) session.heartbeat();
  }

  /** The CTI link is lost, or back; now and then it is said twice. */
  cti(): void {
    if (this.#dice.chance(0.8)) this.#isSwitchUp = !this.#isSwitchUp;
    const state = this.#isSwitchUp ? "up" : "down";
    for (const session of this.#sessions) session.say(`{"cti":"${state}","time":${this.nowUs / 1_000_000}}`);
  }

  /** A new run begins, with the calls there were or without them. */
  restart(): void {
    const manner = this.#dice.chance(0.5) ? "bye" : "reset";
    for (const session of [...this.#sessions]) session.close(manner);
    if (this.#dice.chance(0.5)) this.#centre.dropCalls();
    this.#run = this.#newRun();
  }

  /** What could have been sent again is forgotten, as far as the instance has not made it durable or more. */
  forget(): void {
    if (this.#isHasty) this.#happen(200);
    for (const session of [...this.#sessions]) session.close("half line");
    this.#run.seal();
    this.#run.buffer.clear();
  }

  // ---- for the link sessions

  hello(): string {
    const { buffer, startTime } = this.#run;
    const { serverName, dbid, primaryDbid, switchDbid, heartbeatMs } = this.#options;
    return JSON.stringify({
      hello: "tevent/1",
      server: serverName,
      type: "TServer",
      dbid,
      primaryDbid,
      switchDbid,
      startTime,
      role: this.role,
      lastSeq: buffer.lastSeq,
      oldestSeq: buffer.oldestSeq,
      heartbeatMs,
      connection: this.connections.length - 1,
    });
  }

  claim(_name: string, claimant: LinkSession): Client {
    for (const session of [...this.#sessions]) {
      if (session !== claimant && session.client === this.#client) session.close("reset");
    }
    return this.#client;
  }

  progressed(): void {}

  // ---- for the centre

  emit(event: SwitchEvent): EventNumber {
    const { number, line } = this.#run.tell(event);
    this.events.push({ ...number, atUs: event.atUs, line });
    return number;
  }

  callOver(): void {}

  sessionOver(): void {}

  #newRun(): ServerRun {
    const nowMs = Math.floor(this.#centre.board.nowUs / 1000);
    this.#startMs = Math.max(nowMs, this.#startMs + 1);
    return new ServerRun({
      startTime: new Date(this.#startMs).toISOString(),
      resendEvents: 100_000,
      lines: this.#lines,
      board: this.#centre.board,
      hasCallUuid: this.#options.hasCallUuid,
      keepsEvents: false,
    });
  }

  #noteDurable(run: string, text: string): void {
    for (const line of text.split("\n").filter((each) => each !== "")) {
      const message = JSON.parse(line) as { ack?: number; resumeAfter?: number | null; run?: string };
      const durable = message.ack ?? message.resumeAfter ?? null;
      if (durable === null) continue;
      const ofRun = message.run ?? run;
      this.acknowledged.set(ofRun, Math.max(this.acknowledged.get(ofRun) ?? 0, durable));
    }
  }

  // A server may send more again than it was asked for: the instance has to notice by the numbers.
  #resumeEarlier(bytes: Uint8Array): Uint8Array {
    const text = new TextDecoder().decode(bytes);
    if (!this.#dice.chance(0.4)) return bytes;
    const earlier = (_: string, seq: string) => `"resumeAfter":${Math.max(0, Number(seq) - this.#dice.below(6))}`;
    return new TextEncoder().encode(text.replace(/"resumeAfter":(\d+)/, earlier));
  }
}
