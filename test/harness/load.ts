// A load generator outside the instance: the server side of link.md with a stream of calls that is a pure function of
// seed and number, so that what was sent can be held against what is found, long after. It lives in the test's process
// and survives the instance, keeps every event to send again, and notes what it sent and what was acknowledged.
//
//   call n of a round:   created queued diverted ringing established held retrieved released deleted
//   round:               so many calls at once, step by step in turn; sequence numbers and source time rise by one

import { createServer, type Server, type Socket } from "node:net";
import type { ObservedCall } from "../../src/simulator/tserver/observable.ts";

export interface LoadOptions {
  /** Of the source in the configuration; also tells ConnIDs of several loads apart. */
  readonly name: string;
  readonly dbid: number;
  readonly seed: number;
  readonly eventsPerSecond: number;
  /** Attached data of up to so many characters beside the event's own members. */
  readonly paddingMax?: number;
  /** False: its truth leaves out who is outside of the switch, for an instance that stores nobody there. Default true. */
  readonly hasOutside?: boolean;
  /** How much it writes ahead of the connection; default 1 MiB. */
  readonly unsentBytesMax?: number;
}

/** A server run that another load with the same options had begun, and that is gone on with. */
export interface EarlierRun {
  readonly run: string;
  readonly producedSeq: number;
  readonly ackedSeq: number;
}

/** What was acknowledged when, by the load's own clock. */
export interface Acknowledgement {
  readonly seq: number;
  readonly at: number;
}

const stepIds = [
  "EventCallCreated",
  "EventQueued",
  "EventDiverted",
  "EventRinging",
  "EventEstablished",
  "EventHeld",
  "EventRetrieved",
  "EventReleased",
  "EventCallDeleted",
] as const;
/** Events that one call makes. */
export const eventsPerCall = stepIds.length;
const callsAtOnce = 40;
const eventsPerRound = callsAtOnce * eventsPerCall;

const tickMs = 5;
const heartbeatMs = 1_000;
// All loads are one thread: one with a large window must not keep the others from sending while it fills it.
const linesPerTurn = 1_024;
const unsentBytesUsual = 1024 * 1024;

export class Load {
  readonly options: LoadOptions;
  /** startTime of the only server run. */
  readonly run: string;
  /** Digest by sequence number, from 1, of all events that were ever handed to a connection. */
  readonly digests: (bigint | undefined)[] = [undefined];
  readonly acknowledgements: Acknowledgement[] = [];
  /** Broken promises that only the server sees: what was acknowledged is asked for again, or was never sent. */
  readonly violations: string[] = [];
  connections = 0;
  #address = "";
  #server: Server;
  #links = new Set<Link>();
  #produced = 0;
  #isFlowing = false;
  #flowedAt = 0;
  #credit = 0;
  #ackedSeq = 0;
  #lostAcknowledged = 0;
  #timer: ReturnType<typeof setInterval>;
  #beats = 0;
  #lingeredMs = 0;

  private constructor(options: LoadOptions, earlier: EarlierRun | null) {
    this.options = options;
    this.run = earlier?.run ?? new Date().toISOString();
    this.#produced = earlier?.producedSeq ?? 0;
    this.#ackedSeq = earlier?.ackedSeq ?? 0;
    for (let seq = 1; seq <= this.#produced; seq++) this.digests.push(digestOf(this.line(seq)));
    this.#server = createServer((socket) => this.#accept(socket));
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** Listens on a port of its own; events flow after `flow`. */
  static async start(options: LoadOptions, earlier: EarlierRun | null = null): Promise<Load> {
    const load = new Load(options, earlier);
    await new Promise<void>((resolve) => load.#server.listen(0, "127.0.0.1", resolve));
    const bound = load.#server.address();
    if (bound === null || typeof bound === "string") throw new Error("Cannot tell on which port the load listens");
    load.#address = `127.0.0.1:${bound.port}`;
    return load;
  }

  get address(): string {
    return this.#address;
  }

  /** Highest number of an event that has come to be, sent or not. */
  get producedSeq(): number {
    return this.#produced;
  }

  /** Highest number of an event that was ever handed to a connection. */
  get sentSeq(): number {
    return this.digests.length - 1;
  }

  /** Highest acknowledged number. */
  get ackedSeq(): number {
    return this.#ackedSeq;
  }

  /** Acknowledged events that the instance asked for again, over all its starts. */
  get lostAcknowledged(): number {
    return this.#lostAcknowledged;
  }

  get isServed(): boolean {
    return [...this.#links].some((link) => link.isOpen);
  }

  /** Events come at their rate from now on, whether or not anybody is connected. */
  flow(): void {
    this.#isFlowing = true;
    this.#flowedAt = performance.now();
  }

  /** So many events come at once, and are sent as fast as the connection takes them. */
  flood(events: number): void {
    this.#produced += events;
    for (const link of this.#links) link.pump();
  }

  /** The connections there are break off; the instance may come back. */
  cut(): void {
    for (const link of this.#links) link.cut();
  }

  pause(): void {
    this.#isFlowing = false;
  }

  /** Ends the flow at the end of a round, so that every call that was begun has ended, and returns its last number. */
  complete(): number {
    this.#isFlowing = false;
    this.#produced = Math.ceil(this.#produced / eventsPerRound) * eventsPerRound;
    return this.#produced;
  }

  /** So many more events at once. Returns the last number. */
  burst(count: number): number {
    this.#produced += count;
    for (const link of this.#links) link.pump();
    return this.#produced;
  }

  /** One more round at once: events that are surely new. Returns the last number. */
  fresh(): number {
    this.complete();
    this.#produced += eventsPerRound;
    for (const link of this.#links) link.pump();
    return this.#produced;
  }

  /** Source time goes on by so much and nothing more happens: what waits for a deadline gets its ending. */
  linger(ms: number): void {
    this.#lingeredMs += ms;
    for (const link of this.#links) link.beat();
  }

  /** The calls that events 1 to `upTo` tell of; `upTo` ends a round. */
  truth(upTo: number): ObservedCall[] {
    const calls: ObservedCall[] = [];
    for (let call = 0; call < (upTo / eventsPerRound) * callsAtOnce; call++) calls.push(this.#truthOf(call));
    return calls;
  }

  /** The line of an event, without its line end. */
  line(seq: number): string {
    const { call, step } = placeOf(seq);
    const id = stepIds[step] ?? "EventCallDeleted";
    const facts = this.#factsOf(call);
    const head = `{"id":"${id}","EventSequenceNumber":${seq},"time":${(this.#timeOf(seq) / 1000).toFixed(3)}`;
    const about = `"ConnID":"${facts.connId}","CallUUID":"${facts.callUuid}","CallType":2,"ANI":"${facts.ani}","DNIS":"${facts.dnis}"`;
    if (step === 0 || step === eventsPerCall - 1) return `${head},${about}}`;
    const isQueue = step <= 2;
    const party = isQueue
      ? `"ThisDN":"${facts.queue}","ThisDNRole":2,"PartyUUID":"${facts.queueParty}"`
      : `"ThisDN":"${facts.agent}","ThisDNRole":2,"PartyUUID":"${facts.agentParty}"`;
    const { paddingMax = 0, seed } = this.options;
    const padding = paddingMax === 0 ? "" : `,"UserData":{"Pad":"${paddingOf(seed, seq, paddingMax)}"}`;
    return `${head},${party},${about}${padding}}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  // ---- for the links

  hello(): string {
    const { name, dbid } = this.options;
    return JSON.stringify({
      hello: "tevent/1",
      server: name,
      type: "TServer",
      dbid,
      primaryDbid: dbid,
      switch: name,
      switchDbid: dbid,
      startTime: this.run,
      role: "primary",
      lastSeq: this.#produced,
      oldestSeq: this.#produced === 0 ? null : 1,
      heartbeatMs,
    });
  }

  /** The instance says what it has; returns after which number to go on. */
  opened(resumeAfter: number | null): number {
    this.connections += 1;
    const has = resumeAfter ?? 0;
    if (has < this.#ackedSeq) {
      this.#lostAcknowledged += this.#ackedSeq - has;
      this.violations.push(
        `${this.options.name}: ${this.#ackedSeq} was acknowledged, but the instance resumes after ${resumeAfter}`,
      );
      this.#ackedSeq = has; // counted once
    }
    if (has > this.sentSeq) {
      this.violations.push(`${this.options.name}: resumes after ${has}, but only ${this.sentSeq} events were sent`);
    }
    // "What the instance has made durable": a promise like any acknowledgement, and it makes no other of the same events.
    this.#ackedSeq = Math.max(this.#ackedSeq, Math.min(has, this.sentSeq));
    return Math.min(has, this.sentSeq);
  }

  /** The digest is noted at the first sending; a pure function makes the line, so later ones are the same. */
  sending(seq: number, line: string): void {
    if (seq === this.digests.length) this.digests.push(digestOf(line));
  }

  acknowledged(seq: number, sentOnThisLink: number): void {
    if (seq > sentOnThisLink) {
      this.violations.push(`${this.options.name}: acknowledged ${seq}, but only ${sentOnThisLink} was sent`);
    }
    this.#ackedSeq = Math.max(this.#ackedSeq, seq);
    this.acknowledgements.push({ seq, at: performance.now() });
  }

  heartbeat(): string {
    const at = this.#timeOf(this.#produced) + this.#lingeredMs;
    return `{"heartbeat":${(at / 1000).toFixed(3)},"lastSeq":${this.#produced}}`;
  }

  // ---- the stream as a function

  #timeOf(seq: number): number {
    return Date.parse(this.run) + seq;
  }

  #factsOf(call: number) {
    const { dbid, seed } = this.options;
    const digits = call.toString(16).padStart(8, "0");
    const connId = `${dbid.toString(16).padStart(4, "0")}${(seed & 0xffff).toString(16).padStart(4, "0")}${digits}`;
    return {
      connId,
      callUuid: `C${connId}`,
      queueParty: `Q${connId}`,
      agentParty: `A${connId}`,
      queue: String(8000 + (call % 4)),
      agent: String(50_000 + (call % callsAtOnce)),
      ani: String(4_155_000_000 + (call % 1_000_000)),
      dnis: "0800123456",
    };
  }

  #truthOf(call: number): ObservedCall {
    const { connId, callUuid, queueParty, agentParty, queue, agent, ani, dnis } = this.#factsOf(call);
    const at = (step: number) => this.#timeOf(seqOf(call, step));
    return {
      callUuid,
      connId,
      callType: 2,
      ani,
      dnis,
      createdAt: at(0),
      endedAt: at(8),
      run: this.run,
      outside:
        this.options.hasOutside === false
          ? []
          : [
              {
                ...{ dn: ani, role: 1, broughtBy: null, endedAt: at(8) },
                states: [
                  { state: "dialing", from: at(1) },
                  { state: "connected", from: at(4) },
                ],
              },
            ],
      parties: [
        {
          partyUuid: queueParty,
          dn: queue,
          role: 2,
          states: [{ state: "queued", from: at(1), event: "EventQueued" }],
          endedAt: at(2),
          endEvent: "EventDiverted",
          callState: 0,
        },
        {
          partyUuid: agentParty,
          dn: agent,
          role: 2,
          states: [
            { state: "alerting", from: at(3), event: "EventRinging" },
            { state: "connected", from: at(4), event: "EventEstablished" },
            { state: "held", from: at(5), event: "EventHeld" },
            { state: "connected", from: at(6), event: "EventRetrieved" },
          ],
          endedAt: at(7),
          endEvent: "EventReleased",
          callState: 0,
        },
      ],
    };
  }

  // ---- time

  #tick(): void {
    if (this.#isFlowing) {
      const now = performance.now();
      this.#credit += ((now - this.#flowedAt) / 1000) * this.options.eventsPerSecond;
      this.#flowedAt = now;
      const whole = Math.floor(this.#credit);
      this.#credit -= whole;
      this.#produced += whole;
    }
    this.#beats += tickMs;
    const isBeat = this.#beats >= heartbeatMs;
    if (isBeat) this.#beats = 0;
    for (const link of this.#links) {
      link.pump();
      if (isBeat) link.beat();
    }
  }

  #accept(socket: Socket): void {
    const link = new Link(this, socket, () => this.#links.delete(link));
    this.#links.add(link);
  }
}

/** One connection of the instance. */
class Link {
  readonly #load: Load;
  readonly #socket: Socket;
  #rest = "";
  #sentSeq = 0;
  isOpen = false;

  constructor(load: Load, socket: Socket, over: () => void) {
    this.#load = load;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#received(chunk.toString("utf8")));
    socket.on("error", () => {}); // the instance was killed; "close" follows
    socket.on("close", () => {
      this.isOpen = false;
      over();
    });
    socket.write(`${load.hello()}\n`);
  }

  cut(): void {
    this.#socket.destroy();
  }

  beat(): void {
    if (this.isOpen) this.#socket.write(`${this.#load.heartbeat()}\n`);
  }

  pump(): void {
    if (!this.isOpen) return;
    const { unsentBytesMax = unsentBytesUsual } = this.#load.options;
    const untilInTurn = Math.min(this.#load.producedSeq, this.#sentSeq + linesPerTurn);
    while (this.#sentSeq < untilInTurn && this.#socket.writableLength < unsentBytesMax) {
      let lines = "";
      const until = Math.min(untilInTurn, this.#sentSeq + 256);
      while (this.#sentSeq < until) {
        this.#sentSeq += 1;
        const line = this.#load.line(this.#sentSeq);
        this.#load.sending(this.#sentSeq, line);
        lines += `${line}\n`;
      }
      this.#socket.write(lines);
    }
  }

  #received(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(JSON.parse(line) as Readonly<Record<string, unknown>>);
  }

  #line(line: Readonly<Record<string, unknown>>): void {
    if (line["open"] === "tevent/1") {
      const resumeAfter = typeof line["resumeAfter"] === "number" ? line["resumeAfter"] : null;
      this.#sentSeq = this.#load.opened(resumeAfter);
      // Without a word of what it has, the instance gets the state before the first event: there was nothing.
      const answer =
        resumeAfter === null
          ? '{"snapshot":"begin"}\n{"snapshot":"end","lastSeq":0}\n'
          : `{"resumed":${this.#sentSeq}}\n`;
      this.#socket.write(answer);
      this.isOpen = true;
      this.pump();
    } else if (typeof line["ack"] === "number") {
      this.#load.acknowledged(line["ack"], this.#sentSeq);
    } else if (line["bye"] !== undefined) {
      this.#socket.end();
    }
  }
}

export function digestOf(frame: string | Uint8Array): bigint {
  return Bun.hash.xxHash64(frame);
}

function placeOf(seq: number): { readonly call: number; readonly step: number } {
  const index = seq - 1;
  const inRound = index % eventsPerRound;
  const round = (index - inRound) / eventsPerRound;
  return { call: round * callsAtOnce + (inRound % callsAtOnce), step: Math.floor(inRound / callsAtOnce) };
}

function seqOf(call: number, step: number): number {
  const inRound = call % callsAtOnce;
  const round = (call - inRound) / callsAtOnce;
  return round * eventsPerRound + step * callsAtOnce + inRound + 1;
}

function paddingOf(seed: number, seq: number, paddingMax: number): string {
  const number = Bun.hash.xxHash32(`${seed}/${seq}`);
  return number
    .toString(36)
    .repeat(Math.ceil(paddingMax / 6))
    .slice(0, number % paddingMax);
}
