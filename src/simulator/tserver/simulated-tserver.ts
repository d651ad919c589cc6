// A T-Server that is not there: link.md's server side on a real port, in front of a seeded contact centre. The stream of
// events depends on the options alone; clients, cuts and the speed of the machine decide only who gets what when.
//
//   centre ──event──▶ server run (numbers, encodes, keeps to resend) ──bytes──▶ link session, one a connection
//                └──▶ truth                                                       └──▶ client ──▶ observable

import { type Clock, sleep, systemClock } from "../../clock.ts";
import { Centre, meanEventsPerSecond } from "./centre.ts";
import type { Client, ClientSummary } from "./client.ts";
import type { CallLink } from "./journey.ts";
import { LineWriter } from "./line.ts";
import { LinkServer } from "./link-server.ts";
import type { LoginSession } from "./login-session.ts";
import { type TserverOptions, tserverDefaults } from "./options.ts";
import { type Outage, planOutages } from "./outage.ts";
import { Random } from "./random.ts";
import { ServerRun } from "./server-run.ts";
import type { Call, EventNumber, EventSink, SwitchEvent } from "./switch-event.ts";
import { Truth } from "./truth.ts";

export interface TserverSummary {
  readonly events: number;
  /** Calls that are over; with `callsOpen` all of which an event was told. */
  readonly calls: number;
  readonly callsOpen: number;
  /** startTime and last sequence number of each server run. */
  readonly runs: readonly { readonly run: string; readonly lastSeq: number }[];
  readonly clients: Readonly<Record<string, ClientSummary>>;
}

export interface SimulatedTserver {
  /** host:port, with the port that was chosen. */
  readonly address: string;
  /** Of the standby, if there is one. */
  readonly standbyAddress: string | null;
  /** Ends at once, with an orderly bye; `finished` resolves soon after. */
  stop(): void;
  /** Resolves when the oracles are written and the port is closed. */
  readonly finished: Promise<TserverSummary>;
  /** Makes it do what servers do now and then. */
  readonly control: TserverControl;
  /** How far it has come, for whoever waits for a condition. */
  progress(): TserverProgress;
}

export interface TserverProgress {
  readonly events: number;
  /** Everything up to this source time is told, milliseconds since 1970. */
  readonly toldUntil: number;
  readonly clientsServed: number;
  readonly isCentreOver: boolean;
}

export interface TserverControl {
  /** Nothing more happens in the centre; the simulation comes to its end as if its time were over. */
  closeCentre(): void;
  /** The server's place in its pair is another from now on; clients are told. */
  setRole(role: TserverOptions["role"]): void;
  /**
   * The standby takes over, with a server run of its own that goes on with the calls there are. The other one says that it
   * is the backup now, or is lost, and nobody can connect to it until it has to take over in its turn. With `cutSettleMs` it
   * waits so long for what was sent to be acknowledged, and nothing happens meanwhile. Without a standby: RangeError.
   */
  switchOver(manner: "role" | "lost"): void;
  /** Ends all connections, or those of one client; whoever comes again is served. */
  cut(manner: Outage["manner"], client?: string): void;
  /** Says nothing more, and keeps its connections. */
  freeze(): void;
  /** The CTI link to the switch is lost, or back. Events go on all the same: it is not this simulator's switch that failed. */
  cti(state: "up" | "down"): void;
  /** The connection to another server, on which this one depends, is lost, or back. Events go on all the same. */
  link(state: "up" | "down"): void;
  /** Its clock steps, in what it says of its own time. */
  stepClock(ms: number): void;
}

/** Rejects when an option is wrong, the address cannot be used, or an oracle's file cannot be written. */
export async function startSimulatedTserver(
  options: Partial<TserverOptions> = {},
  clock: Clock = systemClock,
): Promise<SimulatedTserver> {
  const simulation = new Simulation({ ...tserverDefaults, ...options }, clock);
  return {
    address: simulation.server.address,
    standbyAddress: simulation.standbyAddress,
    stop: () => simulation.stop(),
    finished: simulation.play(),
    control: simulation.control(),
    progress: () => simulation.progress(),
  };
}

// At 2,000 events a second a tick has ten events; their time stamps are at most this much older than their sending.
const tickMs = 5;
const batchEvents = 512;
// The only server that it has a connection to; not one of its own pair.
const otherServer = { type: "TServer", dbid: 201 };
// Outages are planned ahead; of an endless simulation, for a day.
const plannedSecondsMax = 86_400;
// Nobody is kept waiting longer than this for a condition that no connection reports.
const pollMs = 20;

class Simulation implements EventSink {
  /** The one that tells of the centre now. */
  server: LinkServer;
  #standby: LinkServer | null = null;
  readonly standbyAddress: string | null;
  readonly #options: TserverOptions;
  readonly #clock: Clock;
  readonly #startUs: number;
  readonly #endUs: number;
  readonly #usPerSecond: number;
  readonly #centre: Centre;
  readonly #lines: LineWriter;
  readonly #truth: Truth | null;
  readonly #outages: Outage[];
  readonly #runs: ServerRun[] = [];
  readonly #clients = new Map<string, Client>();
  readonly #switchesWanted: ("role" | "lost")[] = [];
  readonly #stop = new AbortController();
  #run: ServerRun;
  #outage: Outage | null = null;
  #eventCount = 0;
  #callCount = 0;
  #lastEventUs = 0;
  #isCentreOver = false;
  /** By the monotonic clock; null: the centre waits for its first clients, and its clock stands still. */
  #startedAt: number | null = null;

  constructor(options: TserverOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    // Whole milliseconds, so that startTime says it exactly.
    this.#startUs = (options.startTime === null ? Math.floor(clock.now()) : Date.parse(options.startTime)) * 1000;
    if (!Number.isSafeInteger(this.#startUs)) {
      throw new RangeError(`Cannot start at "${options.startTime}": expected a time in ISO 8601`);
    }
    this.#usPerSecond = options.clockSpeed * 1_000_000;
    const seconds = options.seconds ?? Number.POSITIVE_INFINITY;
    this.#endUs = this.#startUs + Math.round(seconds * this.#usPerSecond);
    this.#outages = planOutages({
      ...options,
      startUs: this.#startUs,
      endUs: Math.min(this.#endUs, this.#startUs + plannedSecondsMax * this.#usPerSecond),
      usPerSecond: this.#usPerSecond,
    });
    this.#lines = new LineWriter(options, options.plain ? null : new Random(options.seed, "encoding"));
    this.#centre = new Centre(options, this.#startUs, this);
    this.#run = this.#beginRun();
    this.#truth = options.truth === null ? null : new Truth(options.truth, options);
    // Last, for an open port would keep the process alive after an error.
    const sourceNowUs = () => this.#centre.board.nowUs;
    const surroundings = {
      clock,
      sourceNowUs,
      sourceClockUs: () => this.#sourceClockUs(),
      run: this.#run,
      clients: this.#clients,
    };
    this.server = new LinkServer(options, surroundings);
    if (options.standby !== null) {
      const { standby } = options;
      this.#standby = new LinkServer({ ...options, ...standby, role: "backup" }, surroundings);
    }
    this.standbyAddress = this.#standby?.address ?? null;
  }

  /** From waiting for the first client to the last acknowledgement. */
  async play(): Promise<TserverSummary> {
    const stopHeartbeats = this.#beat();
    try {
      await this.#until(() => this.server.servedCount >= this.#options.clientsMin);
      await this.#work();
      if (this.#outage !== null) this.#endOutage(this.#outage);
      await this.#linger();
      await this.#untilGivenUp(() => this.server.isAllAcked);
      return this.#summary();
    } finally {
      stopHeartbeats();
      this.server.close();
      this.#standby?.close();
      for (const client of this.#clients.values()) client.close();
      for (const call of this.#centre.board.liveCalls) this.#truth?.call(call);
      for (const session of this.#centre.board.desks?.sessions ?? []) this.#truth?.session(session);
      this.#truth?.close();
    }
  }

  stop(): void {
    this.#stop.abort();
    this.server.progressed();
  }

  control(): TserverControl {
    return {
      closeCentre: () => {
        this.#run.seal();
        this.#isCentreOver = true;
      },
      setRole: (role) => this.server.setRole(role),
      switchOver: (manner) => {
        if (this.#options.cutSettleMs === 0) this.#switchOver(manner);
        else this.#switchesWanted.push(manner);
      },
      cut: (manner, client) => this.server.cut(manner, client),
      freeze: () => {
        this.server.isFrozen = true;
      },
      cti: (state) =>
        this.server.say((time) => `{"cti":"${state}","switch":"${this.#options.switchName}","time":${time}}`),
      link: (state) => {
        const to = JSON.stringify(otherServer);
        this.server.say((time) => `{"link":"${state}","to":${to},"time":${time}}`);
      },
      stepClock: (ms) => this.server.stepClock(ms),
    };
  }

  #switchOver(manner: "role" | "lost"): void {
    const [old, next] = [this.server, this.#standby];
    if (next === null) throw new RangeError("Cannot switch over: this server has no standby");
    this.#run.seal();
    old.pump();
    this.#run = this.#beginRun();
    next.beginRun(this.#run);
    next.accept();
    next.setRole("primary");
    [this.server, this.#standby] = [next, old];
    if (manner === "role") old.setRole("backup");
    else {
      old.role = "backup";
      old.refuse("reset");
    }
  }

  progress(): TserverProgress {
    return {
      events: this.#eventCount,
      toldUntil: this.#centre.board.nowUs / 1000,
      clientsServed: this.server.servedCount,
      isCentreOver: this.#isCentreOver,
    };
  }

  // ---- what the centre tells

  emit(event: SwitchEvent): EventNumber | null {
    const { events: eventsMax } = this.#options;
    // A happening is told to its end, else the switch's state would be one that no switch can be in.
    if (eventsMax !== null && this.#eventCount >= eventsMax && event.atUs > this.#lastEventUs)
      this.#isCentreOver = true;
    if (this.#isCentreOver) return null;
    this.#eventCount++;
    this.#lastEventUs = event.atUs;
    const { number, line } = this.#run.tell(event);
    this.#truth?.event(number, event.atUs, line);
    return number;
  }

  callOver(call: Call): void {
    this.#callCount++;
    this.#truth?.call(call);
  }

  linkTold(call: Call, link: CallLink): void {
    this.#truth?.link(call, link);
  }

  sessionOver(session: LoginSession): void {
    this.#truth?.session(session);
  }

  /** A real server's clock goes on also while it is late with telling. */
  #sourceClockUs(): number {
    const toldUs = this.#centre.board.nowUs;
    if (this.#startedAt === null || this.#options.asFastAsPossible) return toldUs;
    const elapsedMs = this.#clock.monotonic() - this.#startedAt;
    return Math.max(toldUs, Math.round(this.#startUs + (elapsedMs / 1000) * this.#usPerSecond));
  }

  // ---- the centre at work

  async #work(): Promise<void> {
    const startedAt = this.#clock.monotonic();
    this.#startedAt = startedAt;
    // So much source time makes about one batch of events.
    const stepUs = (this.#usPerSecond * this.#batchEvents()) / meanEventsPerSecond(this.#options);
    while (!this.#isCentreOver && !this.#stop.signal.aborted) {
      const wanted = this.#switchesWanted.shift();
      if (wanted !== undefined) {
        await this.#settle();
        this.#switchOver(wanted);
      }
      if (this.#options.asFastAsPossible) {
        await this.#until(() => this.#outage !== null || this.#canOthersFollow());
        await this.#advance(Math.ceil(this.#centre.board.nowUs + stepUs));
        this.server.pump();
        await new Promise(setImmediate); // The sockets' turn.
      } else {
        const elapsedMs = this.#clock.monotonic() - startedAt;
        await this.#catchUp(Math.round(this.#startUs + (elapsedMs / 1000) * this.#usPerSecond), stepUs);
        await sleep(this.#clock, tickMs, this.#stop.signal);
      }
    }
    this.#isCentreOver = true;
  }

  /** In steps, so that after a pause of this machine no client that reads well falls out of the resend buffer. */
  async #catchUp(untilUs: number, stepUs: number): Promise<void> {
    for (let nextUs = this.#centre.board.nowUs; nextUs < untilUs && !this.#isCentreOver; ) {
      if (this.#stop.signal.aborted) return;
      nextUs = Math.min(untilUs, Math.ceil(nextUs + stepUs));
      await this.#advance(nextUs);
      this.server.pump();
      if (nextUs < untilUs) await new Promise(setImmediate); // The sockets' turn.
    }
  }

  #batchEvents(): number {
    return Math.max(1, Math.min(batchEvents, this.#options.resendEvents >> 2));
  }

  /** Going on now makes nobody fall out of the resend buffer. */
  #canOthersFollow(): boolean {
    const behindMax = Math.min(this.#options.resendEvents >> 1, 32 * batchEvents);
    return this.server.servedCount >= this.#options.clientsMin && this.server.behindMax <= behindMax;
  }

  /** Lets everything happen up to `untilUs`, outages in their place. */
  async #advance(untilUs: number): Promise<void> {
    const limitUs = Math.min(untilUs, this.#endUs);
    while (!this.#isCentreOver) {
      const borderUs = this.#outage?.untilUs ?? this.#outages[0]?.fromUs ?? Number.POSITIVE_INFINITY;
      this.#centre.advance(Math.min(borderUs, limitUs), () => this.#isCentreOver);
      if (this.#isCentreOver || borderUs > limitUs) break;
      if (this.#outage !== null) this.#endOutage(this.#outage);
      else {
        await this.#settle();
        this.#beginOutage();
      }
    }
    this.#run.seal();
    if (limitUs >= this.#endUs) this.#isCentreOver = true;
  }

  // ---- outages

  /** Without it, what a client took in just before a cut and could not acknowledge any more is not observable. */
  async #settle(): Promise<void> {
    const { cutSettleMs } = this.#options;
    if (cutSettleMs === 0) return;
    this.#run.seal();
    const cutAt = this.#clock.monotonic() + cutSettleMs;
    await this.#until(() => this.server.isAllAcked || this.#clock.monotonic() >= cutAt);
  }

  #beginOutage(): void {
    const outage = this.#outages.shift();
    if (outage === undefined) return;
    this.#outage = outage;
    this.#run.seal();
    this.server.refuse(outage.manner);
    if (outage.kind !== "restart") return;
    if (!this.#options.restartKeepsCalls) this.#centre.dropCalls();
    this.#run = this.#beginRun();
    this.server.beginRun(this.#run);
  }

  #endOutage(outage: Outage): void {
    this.#outage = null;
    this.#run.seal();
    if (outage.kind === "gap") this.#run.buffer.clear();
    this.server.accept();
  }

  #beginRun(): ServerRun {
    const nowMs = Math.floor(this.#centre.board.nowUs / 1000);
    const before = this.#runs.at(-1);
    const startMs = before === undefined ? nowMs : Math.max(nowMs, Date.parse(before.startTime) + 1);
    const run = new ServerRun({
      startTime: new Date(startMs).toISOString(),
      resendEvents: this.#options.resendEvents,
      lines: this.#lines,
      board: this.#centre.board,
      hasCallUuid: this.#options.hasCallUuid,
      keepsEvents: this.#options.observable !== null,
    });
    this.#runs.push(run);
    return run;
  }

  // ---- after the end

  /** Source time goes on and nothing happens any more. */
  async #linger(): Promise<void> {
    const { board } = this.#centre;
    const fromUs = board.nowUs;
    const untilUs = fromUs + this.#options.lingerSeconds * 1_000_000;
    const startedAt = this.#clock.monotonic();
    if (this.#options.asFastAsPossible) {
      await this.#untilGivenUp(() => this.#canOthersFollow() && this.server.behindMax === 0);
      board.nowUs = untilUs;
    }
    while (board.nowUs < untilUs && !this.#stop.signal.aborted) {
      await sleep(this.#clock, tickMs, this.#stop.signal);
      const elapsedMs = this.#clock.monotonic() - startedAt;
      board.nowUs = Math.min(untilUs, Math.round(fromUs + (elapsedMs / 1000) * this.#usPerSecond));
      this.server.pump();
    }
    this.server.heartbeat();
  }

  #beat(): () => void {
    const { heartbeatMs } = this.#options;
    let cancel = () => {};
    const beat = () => {
      this.server.heartbeat();
      cancel = this.#clock.after(heartbeatMs, beat);
    };
    cancel = this.#clock.after(heartbeatMs, beat);
    return () => cancel();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#stop.signal.aborted) {
      await this.server.moved(pollMs);
      this.server.pump();
    }
  }

  /** A client that has gone for good must not keep the simulation from its end. */
  async #untilGivenUp(condition: () => boolean): Promise<void> {
    const giveUpAt = this.#clock.monotonic() + this.#options.finalAckMs;
    await this.#until(() => condition() || this.#clock.monotonic() >= giveUpAt);
  }

  #summary(): TserverSummary {
    return {
      events: this.#eventCount,
      calls: this.#callCount,
      callsOpen: [...this.#centre.board.liveCalls].length,
      runs: this.#runs.map((run) => ({ run: run.startTime, lastSeq: run.buffer.lastSeq })),
      clients: Object.fromEntries([...this.#clients].map(([name, client]) => [name, client.summary])),
    };
  }
}
