// The instance's side of the T-Event link: introduces itself, resumes, appends every line as it came, and tells the
// server what is durable.
//
// 1. `resumeAfter` and `ack` speak of the contiguous prefix that an fdatasync has covered, and of nothing else. What may
//    be acknowledged is noted every few lines, so that a chunk which became durable in part is acknowledged in part: a
//    server that waits for it sends on while the rest is written.
// 2. Every line goes into the queue unjudged, control lines too: what it means is worked out behind the queue. Here a
//    line is only looked at for what this side of the link must answer.
// 3. While the server has no CTI link to the switch the session goes on, but nothing in it is of the switch: a mark says
//    from when on. When the link is back, a new session begins on the same connection: until then nobody could vouch.

import type { Mark, SessionEndCause, SessionId } from "../event/envelope.ts";
import type { ArrivalInstant } from "../event/instant.ts";
import type { SourceIntake } from "../event/intake-state.ts";
import { type Line, LineFramer } from "../protocol/tevent/framer.ts";
import { decodeLine, type Hello, lineBytesMax, type SequenceNote } from "../protocol/tevent/line.ts";
import { Acknowledgement } from "./acknowledgement.ts";
import { ClockQuestion } from "./clock-question.ts";
import type { Connection } from "./network.ts";
import type { OurEnd, Retry, SessionParts, SourceSession } from "./session.ts";
import { watchSilence } from "./silence.ts";

// A T-Server answers at once; a port that accepts and says nothing is not one.
const helloTimeoutMs = 10_000;
// link.md: three heartbeats missed in a row, and the link is dead.
const heartbeatsMissedMax = 3;
const pingsInSilence = 3;
// About 16 KiB: a fraction of what a disk makes durable at once.
const linesPerNote = 48;

export class TeventSession implements SourceSession {
  readonly #parts: SessionParts;
  readonly #token: string | null;
  readonly #framer = new LineFramer();
  #connection: Connection | null = null;
  #session: SessionId | null = null;
  #heartbeatMs = 0;
  #heardAt: number;
  #acknowledgement: Acknowledgement | null = null;
  #lastPosition: bigint | null = null;
  #isOver = false;
  // What arrives while we say goodbye is not taken in: the server keeps it until the next time.
  #isStopping = false;
  #cancelTimer: () => void = () => {};
  readonly #clocks: ClockQuestion;
  #opened: Extract<Mark, { mark: "session opened" }> | null = null;
  #isAccepted = false;
  /** The answer to our open is through: what comes is new. */
  #isAnswered = false;
  /** The CTI link came back in the middle of a snapshot: what that names is still of the old session. */
  #isSwitchBack = false;
  #isInSnapshot = false;

  constructor(parts: SessionParts, token: string | null) {
    this.#parts = parts;
    this.#token = token;
    this.#heardAt = parts.clock.monotonic();
    this.#clocks = new ClockQuestion(parts, (ping) => this.#connection?.write(`{"ping":${ping}}\n`));
  }

  get aliveAtMs(): number | null {
    return this.#clocks.aliveAtMs;
  }

  get session(): SessionId | null {
    return this.#session;
  }

  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  opened(connection: Connection): void {
    this.#connection = connection;
    this.#cancelTimer = this.#parts.clock.after(helloTimeoutMs, () =>
      this.#end("protocol error", `nothing came within ${helloTimeoutMs / 1000} s; expected a tevent/1 hello`, "soon"),
    );
  }

  data(chunk: Uint8Array): void {
    if (this.#isStopping) return;
    this.#heardAt = this.#parts.clock.monotonic();
    const arrivedAt = this.#parts.intake.now();
    let lastPosition: bigint | null = null;
    let linesSinceNote = 0;
    for (const line of this.#framer.push(chunk)) {
      if (this.#isOver) return;
      if (this.#session === null) {
        if (!this.#introduce(line.bytes, line.isCut)) return;
        continue;
      }
      const appended = this.#parts.intake.frame(this.#session, line.bytes, line.isCut, arrivedAt);
      lastPosition = appended.position;
      this.#look(line, appended.note, arrivedAt);
      linesSinceNote += 1;
      if (linesSinceNote < linesPerNote) continue;
      this.#note(lastPosition);
      linesSinceNote = 0;
    }
    if (this.#session === null && this.#framer.pendingBytes >= lineBytesMax) {
      this.#end("protocol error", "more than 1 MiB came without a line end; expected a tevent/1 hello", "soon");
    }
    if (lastPosition === null) return;
    this.#lastPosition = lastPosition;
    this.#note(lastPosition);
  }

  async stop(cause: OurEnd): Promise<void> {
    if (this.#isOver) return;
    this.#isStopping = true;
    if (this.#lastPosition !== null) {
      try {
        // What this makes durable is acknowledged before it resolves.
        await this.#parts.intake.sink.durable(this.#lastPosition);
      } catch {
        // The queue has failed: nothing more is acknowledged, and whoever owns it ends the process.
      }
    }
    this.#connection?.write('{"bye":"shutdown"}\n');
    this.#end(cause, null, "soon");
  }

  goesOn(): void {
    this.#heardAt = this.#parts.clock.monotonic();
    if (this.#isAnswered) this.#clocks.ask(); // the pong shows that the server did not mind
  }

  /** The first line must be the hello; only then is there a session. Returns whether to go on. */
  #introduce(bytes: Uint8Array, isCut: boolean): boolean {
    const line = decodeLine(bytes, isCut);
    if (line.kind === "error") {
      this.#refused(line.code, line.message);
      return false;
    }
    if (line.kind !== "hello") {
      const why = line.kind === "undecodable" ? line.reason : `first line is a ${line.kind}`;
      this.#end("protocol error", `${why}; expected a tevent/1 hello: is this another protocol's port?`, "soon");
      return false;
    }
    if (line.role === "backup") {
      this.#connection?.write('{"bye":"backup"}\n');
      this.#end("switchover", "server is the backup of its pair", "other address");
      return false;
    }
    this.#begin(line, bytes);
    return true;
  }

  #begin(hello: Hello, bytes: Uint8Array): void {
    const { intake, identity, instance, address, counts } = this.#parts;
    const before = intake.source(identity.name);
    const resumeAfter = isRunOf(before, hello) ? before.contiguous : null;
    this.#opened = {
      mark: "session opened",
      source: identity.name,
      address,
      serverName: hello.server,
      dbid: hello.dbid,
      primaryDbid: hello.primaryDbid,
      switchDbid: hello.switchDbid ?? identity.switchDbid,
      dsType: identity.dsType,
      run: hello.startTime,
      resumeAfter,
    };
    this.#session = intake.openSession(this.#opened);
    const { position } = intake.frame(this.#session, bytes, false);
    this.#lastPosition = position;
    counts.run = hello.startTime;
    counts.frames += 1;
    this.#heartbeatMs = hello.heartbeatMs;
    this.#acknowledgement = new Acknowledgement(intake.sink, resumeAfter, (each) => this.#acknowledge(each));
    this.#watchHeartbeats();
    const open = {
      open: "tevent/1",
      client: instance.name,
      dbid: instance.dbid,
      resumeAfter,
      ...(resumeAfter === null ? {} : { run: hello.startTime }),
      ...(this.#token === null ? {} : { token: this.#token }),
    };
    // What is asked for next must not be more than what a power cut leaves.
    intake.sink.durable(position).then(
      () => {
        if (!this.#isOver) this.#connection?.write(`${JSON.stringify(open)}\n`);
      },
      () => {}, // The queue has failed; whoever owns it ends the process.
    );
    this.#parts.log.info("data source session opened", {
      source: identity.name,
      session: this.#session,
      address,
      resumeAfter,
      run: hello.startTime,
    });
  }

  #look({ bytes, isCut }: Line, note: SequenceNote, arrivedAt: ArrivalInstant): void {
    const { counts } = this.#parts;
    counts.frames += 1;
    if (note.kind === "event") {
      this.#isAccepted = true;
      counts.events += 1;
      counts.lastEventAt = arrivedAt;
      counts.lastSequence = note.sequence;
      return;
    }
    if (note.kind === "snapshot end") {
      this.#isAccepted = true;
      counts.lastSequence = note.lastSeq;
      this.#isInSnapshot = false;
      if (this.#isSwitchBack) this.#beginAnew();
      return this.#answered();
    }
    const line = decodeLine(bytes, isCut);
    if (line.kind !== "error" && line.kind !== "bye" && line.kind !== "role") this.#isAccepted = true;
    switch (line.kind) {
      case "resumed":
        return this.#answered();
      case "snapshot begin":
        this.#isInSnapshot = true;
        return;
      case "pong":
        if (this.#session !== null) this.#clocks.answered(this.#session, line.ping, line.at);
        return;
      case "cti":
        return line.isUp ? this.#switchIsBack() : this.#switchIsLost(arrivedAt);
      case "bye":
        return this.#end("source shutdown", line.reason === "" ? null : line.reason, "soon");
      case "role":
        if (line.role === "backup") this.#end("switchover", "server is no longer primary", "other address");
        return;
      case "error":
        return this.#refused(line.code, line.message);
      default:
        return;
    }
  }

  #refused(code: string, message: string): void {
    const detail = `server refuses: ${code}: ${message}`;
    // Between its hello and our open it may have become the backup: the other one is asked next, after a wait.
    if (code === "role") this.#end("switchover", detail, "soon");
    else this.#end("protocol error", detail, code === "auth" ? "late" : "soon", code === "busy");
  }

  #switchIsLost(at: number): void {
    const { counts, intake, identity, log } = this.#parts;
    this.#isSwitchBack = false;
    if (counts.switchLostAt !== null || this.#session === null) return;
    counts.switchLostAt = at;
    intake.mark({ mark: "switch disconnected", source: identity.name }, this.#session);
    log.warn("data source lost its CTI link", { source: identity.name, session: this.#session });
  }

  #switchIsBack(): void {
    if (this.#parts.counts.switchLostAt === null) return;
    if (this.#isInSnapshot) this.#isSwitchBack = true;
    else this.#beginAnew();
  }

  /** The CTI link is back: another session on the same connection. */
  #beginAnew(): void {
    const { counts, intake, identity, closeSession, log } = this.#parts;
    if (this.#session === null || this.#opened === null) return;
    this.#isSwitchBack = false;
    counts.switchLostAt = null;
    closeSession(this.#session, "CTI link down", null);
    const resumeAfter = intake.source(identity.name)?.contiguous ?? null;
    this.#session = intake.openSession({ ...this.#opened, resumeAfter, isSwitchReconnection: true });
    log.info("data source session opened", {
      source: identity.name,
      session: this.#session,
      address: this.#opened.address,
      reason: "CTI link is back",
    });
  }

  /** Everything that the server had for us is through: an answer now tells the clocks' difference best. */
  #answered(): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#clocks.ask();
  }

  #note(position: bigint): void {
    const { intake, identity } = this.#parts;
    this.#acknowledgement?.note(position, intake.source(identity.name)?.contiguous ?? null);
  }

  #acknowledge(contiguous: number): void {
    this.#connection?.write(`{"ack":${contiguous}}\n`);
    this.#parts.counts.acknowledged = contiguous;
  }

  #watchHeartbeats(): void {
    this.#cancelTimer();
    const { clock, isReading } = this.#parts;
    const silenceMs = this.#parts.silenceMs ?? heartbeatsMissedMax * this.#heartbeatMs;
    this.#cancelTimer = watchSilence({
      clock,
      silenceMs,
      // Where silence is to be noticed sooner than by heartbeats, the answers to our pings are the signs of life.
      lookEveryMs: Math.min(this.#heartbeatMs, silenceMs / pingsInSilence),
      heardAt: () => this.#heardAt,
      isReading,
      looked: () => {
        if (this.#isAnswered) this.#clocks.ask();
      },
      silent: (seconds) => this.#end("silence", `heartbeats missed, nothing heard for ${seconds} s`, "soon"),
    });
  }

  closed(): void {
    this.#isOver = true;
    this.#cancelTimer();
    this.#acknowledgement?.close();
  }

  #end(cause: SessionEndCause, detail: string | null, retry: Retry, isCutOff = false): void {
    if (this.#isOver) return;
    this.closed();
    this.#parts.end({ cause, detail, retry, isCutOff });
  }
}

/** A server run is named by the server's DBID and its start time. */
function isRunOf(before: SourceIntake | undefined, hello: Hello): before is SourceIntake {
  return before !== undefined && before.run === hello.startTime && before.opened.dbid === hello.dbid;
}
