// The instance's side of Asterisk's manager interface: logs in, asks what is there now, appends every message as it
// came, and pings so that silence and a dead link can be told apart.
//
// The manager acknowledges nothing and resends nothing: what was missed is only known from the two lists asked for
// after login. The marks "list requested" say where in the stream they were asked, for what a list lacks ended only if
// it was known before that.
//
// A ping is answered with the manager's time, whether or not its events bear time stamps. A manager that leaves it out
// (very old ones do) leaves the difference of the clocks unknown, and nothing is guessed.

import { type AmiMessage, type AmiResponse, timestampOf } from "../event/ami-message.ts";
import type { SessionEndCause, SessionId } from "../event/envelope.ts";
import { encodeAction } from "../protocol/ami/action.ts";
import { type AmiFrame, AmiFramer } from "../protocol/ami/framer.ts";
import { decodeAmi } from "../protocol/ami/message.ts";
import { ClockQuestion } from "./clock-question.ts";
import type { Connection } from "./network.ts";
import type { OurEnd, Retry, SessionParts, SourceSession } from "./session.ts";
import { watchSilence } from "./silence.ts";

export interface AmiLogin {
  readonly username: string;
  readonly secret: string;
}

const loginTimeoutMs = 10_000;
const pingIntervalMs = 10_000;
// As on the T-Event link: three pings unanswered, and the link is dead.
const pingsMissedMax = 3;
// A busy Asterisk lists some thousand channels within a second or two.
const listTimeoutMs = 30_000;
type ListAction = "CoreShowChannels" | "QueueStatus";
const greeting = /^Asterisk Call Manager\//;

export class AmiSession implements SourceSession {
  readonly #parts: SessionParts;
  readonly #login: AmiLogin;
  readonly #framer = new AmiFramer();
  #connection: Connection | null = null;
  #banner: string | null = null;
  #session: SessionId | null = null;
  #heardAt: number;
  #isOver = false;
  #isStopping = false;
  readonly #clocks: ClockQuestion;
  #asked = 0;
  readonly #lists = new Map<string, { readonly action: ListAction; readonly cancel: () => void }>();
  #cancelTimer: () => void = () => {};

  constructor(parts: SessionParts, login: AmiLogin) {
    this.#parts = parts;
    this.#login = login;
    this.#heardAt = parts.clock.monotonic();
    this.#clocks = new ClockQuestion(parts, (ping) =>
      this.#connection?.write(encodeAction("Ping", { ActionID: this.#pingId(ping) })),
    );
  }

  get aliveAtMs(): number | null {
    return this.#clocks.aliveAtMs;
  }

  get session(): SessionId | null {
    return this.#session;
  }

  /** The manager is logged in to before a session begins. */
  get isAccepted(): boolean {
    return this.#session !== null;
  }

  opened(connection: Connection): void {
    this.#connection = connection;
    this.#cancelTimer = this.#parts.clock.after(loginTimeoutMs, () => {
      const expected = this.#banner === null ? "a manager's greeting" : "an answer to Login";
      this.#end("protocol error", `nothing came within ${loginTimeoutMs / 1000} s; expected ${expected}`, "soon");
    });
  }

  data(chunk: Uint8Array): void {
    if (this.#isStopping) return;
    this.#heardAt = this.#parts.clock.monotonic();
    for (const frame of this.#framer.push(chunk)) {
      if (this.#isOver) return;
      if (this.#session === null) this.#introduce(frame);
      else this.#take(this.#session, frame);
    }
  }

  async stop(cause: OurEnd): Promise<void> {
    if (this.#isOver) return;
    this.#isStopping = true;
    this.#connection?.write(encodeAction("Logoff", {}));
    this.#end(cause, null, "soon");
  }

  goesOn(): void {
    this.#heardAt = this.#parts.clock.monotonic();
    if (this.#session !== null) this.#clocks.ask(); // its answer shows that the manager did not mind
  }

  closed(): void {
    this.#isOver = true;
    this.#cancelTimer();
    for (const list of this.#lists.values()) list.cancel();
    this.#lists.clear();
    // Nobody will send the rest: what came of a message is kept as one that was cut.
    const rest = this.#session === null || this.#isStopping ? null : this.#framer.takeRest();
    if (this.#session !== null && rest !== null) this.#take(this.#session, rest);
  }

  /** Before the login is accepted nothing is recorded: it is the greeting, and the answer to Login. */
  #introduce(frame: AmiFrame): void {
    const message = decodeAmi(frame.bytes, frame.isCut);
    if (this.#banner === null) {
      if (message.kind !== "banner" || !greeting.test(message.text)) {
        this.#end("protocol error", "expected Asterisk's manager greeting: is this another protocol's port?", "soon");
        return;
      }
      this.#banner = message.text;
      const { username, secret } = this.#login;
      this.#connection?.write(encodeAction("Login", { ActionID: "icon-login", Username: username, Secret: secret }));
      return;
    }
    if (message.kind !== "response" || message.actionId !== "icon-login") return;
    if (!message.success) {
      this.#end("protocol error", "manager refuses the login; check the credentials file and manager.conf", "late");
      return;
    }
    this.#begin(frame);
  }

  #begin(loginAnswer: AmiFrame): void {
    const { identity, intake, address, log } = this.#parts;
    const session = intake.openSession({
      mark: "session opened",
      source: identity.name,
      address,
      serverName: this.#banner,
      dbid: identity.dbid,
      primaryDbid: identity.primaryDbid,
      switchDbid: identity.switchDbid,
      dsType: identity.dsType,
      run: null,
      resumeAfter: null,
    });
    this.#session = session;
    this.#take(session, loginAnswer);
    for (const action of ["CoreShowChannels", "QueueStatus"] as const) this.#askList(session, action);
    this.#ping();
    log.info("data source session opened", { source: identity.name, session, address });
  }

  /** Asks what is there now; asks again when the answer stays away, for without it what was missed is not known. */
  #askList(session: SessionId, action: ListAction): void {
    const { intake, identity, clock, log } = this.#parts;
    this.#asked += 1;
    const actionId = `icon-${session}-${this.#asked}-${action}`;
    intake.mark({ mark: "list requested", source: identity.name, action, actionId }, session);
    this.#connection?.write(encodeAction(action, { ActionID: actionId }));
    const cancel = clock.after(listTimeoutMs, () => {
      this.#lists.delete(actionId);
      log.warn("manager does not answer what is there", { source: identity.name, session, action });
      this.#askList(session, action);
    });
    this.#lists.set(actionId, { action, cancel });
  }

  /** An answer to one of our lists: complete, or refused. */
  #noteAnswer(session: SessionId, message: AmiMessage): void {
    if (message.kind !== "event" && message.kind !== "response") return;
    const actionId = message.fields.get("ActionID") ?? "";
    const list = this.#lists.get(actionId);
    if (list === undefined) return;
    const isRefused = message.kind === "response" && !message.success;
    const isComplete = message.kind === "event" && message.name === `${list.action}Complete`;
    if (!isRefused && !isComplete) return;
    list.cancel();
    this.#lists.delete(actionId);
    if (!isRefused) return;
    const { log, identity } = this.#parts;
    const needed = "read = system,call,agent,… and write = reporting,system in manager.conf";
    log.warn("manager refuses to say what is there", { source: identity.name, session, action: list.action, needed });
  }

  #take(session: SessionId, frame: AmiFrame): void {
    const { intake, counts, clock } = this.#parts;
    intake.frame(session, frame.bytes, frame.isCut);
    counts.frames += 1;
    const message = decodeAmi(frame.bytes, frame.isCut);
    if (this.#lists.size > 0) this.#noteAnswer(session, message);
    if (message.kind === "response") this.#takePong(session, message);
    if (message.kind === "event") {
      counts.events += 1;
      counts.lastEventAt = clock.now();
      if (message.name === "Shutdown") this.#end("source shutdown", null, "soon");
    }
  }

  #pingId(ping: string): string {
    return `icon-${this.#session}-Ping-${ping}`;
  }

  #takePong(session: SessionId, message: AmiResponse): void {
    const prefix = this.#pingId("");
    if (!message.actionId?.startsWith(prefix)) return;
    this.#clocks.answered(session, message.actionId.slice(prefix.length), timestampOf(message));
  }

  #ping(): void {
    this.#cancelTimer();
    const { clock, isReading } = this.#parts;
    const silenceMs = this.#parts.silenceMs ?? pingsMissedMax * pingIntervalMs;
    this.#clocks.ask();
    this.#cancelTimer = watchSilence({
      clock,
      silenceMs,
      lookEveryMs: Math.min(pingIntervalMs, silenceMs / pingsMissedMax),
      heardAt: () => this.#heardAt,
      isReading,
      looked: () => this.#clocks.ask(),
      silent: (seconds) => this.#end("silence", `pings unanswered, nothing heard for ${seconds} s`, "soon"),
    });
  }

  #end(cause: SessionEndCause, detail: string | null, retry: Retry): void {
    if (this.#isOver) return;
    this.closed();
    this.#parts.end({ cause, detail, retry });
  }
}
