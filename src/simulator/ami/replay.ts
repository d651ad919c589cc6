// Serves a recording of Asterisk's manager interface as that Asterisk would have.
//
// 1. One client at a time; another one is turned away. It is greeted, logs in, and gets the recorded messages as they
//    came. Only the ActionIDs of the answers to Login, CoreShowChannels and QueueStatus become the client's own.
// 2. At a recorded answer the replay waits until the client has asked for it, but not for ever: then it goes on.
// 3. Ping is answered at once, with the recording's time. A list that the recording does not answer is answered with
//    what is there at this point of it.
// 4. Where the recording was cut, the connection is cut; until the recording's next beginning, clients are turned away.
//    A client that goes by itself misses nothing but what was on its way: the replay waits for it.

import { createServer, type Server, type Socket } from "node:net";
import { type Clock, sleep } from "../../clock.ts";
import { decodeAmi } from "../../protocol/ami/message.ts";
import { type ClientAction, ReplayClient } from "./client.ts";
import { LiveView } from "./live-view.ts";
import type { AnsweredAction, RecordedConnection, RecordedMessage, Recording } from "./recording.ts";

export interface ReplayOptions {
  readonly recording: Recording;
  /** Where to listen; port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** How often faster than it was recorded; "fast" waits for nothing but the client. */
  readonly pace: number | "fast";
  /** Null: any username and secret will do. */
  readonly credentials: { readonly username: string; readonly secret: string } | null;
  /** How long Ping is answered after the last message. */
  readonly lingerMs: number;
  /** After the last message the connection stays until the client goes or the replay is stopped. */
  readonly stays: boolean;
  /** After the end the recording is served again, from its beginning. */
  readonly repeats: boolean;
  /** How long a recorded answer waits for the client's action. */
  readonly answerWaitMs: number;
  readonly clock: Clock;
}

export interface AmiReplay {
  /** host:port that it listens on. */
  readonly address: string;
  /** Resolves when the recording has been served, or the replay was stopped. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Starts to listen and to serve. Rejects when it cannot listen there. */
export async function startAmiReplay(options: ReplayOptions): Promise<AmiReplay> {
  const replay = new Replay(options);
  const address = await replay.listen();
  const ended = replay.run();
  return {
    address,
    ended,
    async stop() {
      replay.stop();
      await ended;
    },
  };
}

const loginWaitMs = 10_000;
const listActions = new Set<string>(["CoreShowChannels", "QueueStatus"]);

class Replay {
  readonly #options: ReplayOptions;
  readonly #server: Server;
  readonly #stopped = new AbortController();
  readonly #view = new LiveView();
  #client: ReplayClient | null = null;
  #isOpen = false;
  /** Wakes whoever waits for a client or an action. */
  #wake: () => void = () => {};
  #login: ClientAction | null = null;
  /** Settled once the client's Login is answered, or the client is another one: what it asked meanwhile waits for it. */
  #loginAnswered = Promise.withResolvers<void>();
  /** Actions of the client that a recorded answer is still to come for. */
  #asked: { readonly action: AnsweredAction; readonly actionId: string | null }[] = [];
  /** The ActionID that stands in for a recorded one. */
  readonly #ownIds = new Map<string, string | null>();
  /** The messages of the present connection that are still to come. */
  #coming: RecordedMessage[] = [];
  #recordedNow = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  listen(): Promise<string> {
    const { host, port } = this.#options.listen;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        const bound = this.#server.address();
        resolve(`${host}:${typeof bound === "object" && bound !== null ? bound.port : port}`);
      });
    });
  }

  stop(): void {
    this.#stopped.abort();
    this.#client?.drop();
    this.#wake();
  }

  async run(): Promise<void> {
    const { connections } = this.#options.recording;
    do {
      for (const [index, connection] of connections.entries()) {
        const before = connections[index - 1];
        if (before !== undefined) await this.#pause(connection.openedAt - before.closedAt);
        await this.#serve(connection, index === connections.length - 1);
        if (this.#isStopped) break;
      }
    } while (this.#options.repeats && !this.#isStopped);
    this.#isOpen = false;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /** Serves one recorded connection, to as many clients in turn as it takes. */
  async #serve(connection: RecordedConnection, isLast: boolean): Promise<void> {
    this.#recordedNow = connection.openedAt;
    this.#coming = [...connection.messages];
    this.#isOpen = true;
    while (!this.#isStopped) {
      const client = await this.#awaitClient(connection.greeting);
      if (client === null) continue;
      await this.#play(client);
      if (client.isGone && this.#coming.length > 0) continue;
      if (isLast) await this.#linger(client);
      break;
    }
    this.#isOpen = false;
    await this.#client?.end(this.#options.clock);
    this.#client = null;
  }

  /** A client that has logged in, or null when the one that came did not. */
  async #awaitClient(greeting: Uint8Array): Promise<ReplayClient | null> {
    await this.#until(() => this.#client !== null && !this.#client.isGone);
    const client = this.#client;
    if (client === null) return null;
    await client.write(greeting);
    await this.#until(() => this.#login !== null || client.isGone, loginWaitMs);
    const login = this.#login;
    if (login === null || !this.#isWelcome(login)) {
      if (login !== null) await client.write(response("Error", login.actionId, "Message: Authentication failed\r\n"));
      await client.end(this.#options.clock);
      this.#client = null;
      return null;
    }
    // The recorded answer to Login went to the first client of this connection, or there is none.
    const isAnswered = !this.#coming.some((message) => message.answers === "Login");
    if (isAnswered) {
      await client.write(response("Success", login.actionId, "Message: Authentication accepted\r\n"));
      this.#loginAnswered.resolve();
    } else this.#asked.push({ action: "Login", actionId: login.actionId });
    return client;
  }

  #isWelcome({ fields }: ClientAction): boolean {
    const { credentials } = this.#options;
    if (credentials === null) return true;
    return fields.get("Username") === credentials.username && fields.get("Secret") === credentials.secret;
  }

  async #play(client: ReplayClient): Promise<void> {
    const startedAt = this.#options.clock.monotonic();
    const recordedStart = this.#coming[0]?.at ?? this.#recordedNow;
    for (let message = this.#coming[0]; message !== undefined; message = this.#coming[0]) {
      const elapsed = this.#options.clock.monotonic() - startedAt;
      const due = this.#options.pace === "fast" ? 0 : (message.at - recordedStart) / this.#options.pace - elapsed;
      if (due > 0) await this.#until(() => client.isGone, due);
      const bytes = await this.#addressed(message, client);
      if (client.isGone || this.#isStopped) return;
      this.#coming.shift();
      this.#recordedNow = Math.max(this.#recordedNow, message.at);
      this.#view.observe(decodeAmi(message.bytes), message.at);
      const written = client.write(bytes);
      if (message.answers === "Login") this.#loginAnswered.resolve();
      await written;
    }
  }

  /** The message as this client is to get it: a matched answer under the client's own ActionID. */
  async #addressed(message: RecordedMessage, client: ReplayClient): Promise<Uint8Array> {
    const { answers, actionId } = message;
    if (answers === null) return message.bytes;
    const key = actionId ?? "";
    if (!this.#ownIds.has(key)) {
      const isAsked = () => this.#asked.some((each) => each.action === answers);
      await this.#until(() => isAsked() || client.isGone, this.#options.answerWaitMs);
      const index = this.#asked.findIndex((each) => each.action === answers);
      if (index === -1) return message.bytes;
      this.#ownIds.set(key, this.#asked[index]?.actionId ?? null);
      this.#asked.splice(index, 1);
    }
    return withActionId(message.bytes, this.#ownIds.get(key) ?? null);
  }

  async #linger(client: ReplayClient): Promise<void> {
    if (this.#options.stays) await this.#until(() => client.isGone);
    else await this.#until(() => client.isGone, this.#options.lingerMs);
  }

  #accept(socket: Socket): void {
    if (!this.#isOpen || this.#isStopped || (this.#client !== null && !this.#client.isGone)) {
      socket.on("error", () => {});
      socket.destroy();
      return;
    }
    this.#login = null;
    this.#asked = [];
    this.#ownIds.clear();
    this.#loginAnswered.resolve();
    this.#loginAnswered = Promise.withResolvers();
    const client: ReplayClient = new ReplayClient(socket, (action) => void this.#act(client, action));
    // A client that stops sending goes; nothing is played into a half-closed connection.
    socket.once("end", () => client.drop());
    void client.gone.then(() => this.#wake());
    this.#client = client;
    this.#wake();
  }

  async #act(client: ReplayClient, action: ClientAction): Promise<void> {
    const { actionId } = action;
    const name = action.name.toLowerCase();
    const isList = listActions.has(action.name);
    if (name !== "login" && this.#login !== null && !isList) await this.#loginAnswered.promise;
    if (name === "login") {
      this.#login = action;
    } else if (this.#login === null) {
      await client.write(response("Error", actionId, "Message: Permission denied\r\n"));
    } else if (name === "ping") {
      const seconds = (this.#recordedNow / 1000).toFixed(6);
      await client.write(response("Success", actionId, `Ping: Pong\r\nTimestamp: ${seconds}\r\n`));
    } else if (name === "logoff") {
      await client.write(response("Goodbye", actionId, "Message: Thanks for all the fish.\r\n"));
      await client.end(this.#options.clock);
    } else if (isList) {
      await this.#list(client, action.name === "QueueStatus" ? "QueueStatus" : "CoreShowChannels", actionId);
    } else {
      await client.write(response("Error", actionId, "Message: Invalid/unknown command\r\n"));
    }
    this.#wake();
  }

  async #list(
    client: ReplayClient,
    action: "CoreShowChannels" | "QueueStatus",
    actionId: string | null,
  ): Promise<void> {
    const asked = this.#asked.filter((each) => each.action === action).length;
    const isRecorded = new Set(
      this.#coming
        .filter((each) => each.answers === action && !this.#ownIds.has(each.actionId ?? ""))
        .map((each) => each.actionId),
    );
    if (isRecorded.size > asked) {
      this.#asked.push({ action, actionId });
      return;
    }
    await this.#loginAnswered.promise;
    if (action === "QueueStatus") await client.write(this.#view.listWaiting(actionId ?? "", this.#recordedNow));
    else await client.write(this.#view.listChannels(actionId ?? "", this.#recordedNow));
  }

  /** Waits until `isMet`, the time is up, or the replay is stopped. */
  async #until(isMet: () => boolean, limitMs?: number): Promise<void> {
    const { clock } = this.#options;
    const endsAt = limitMs === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() + limitMs;
    while (!isMet() && !this.#isStopped && clock.monotonic() < endsAt) {
      await new Promise<void>((resolve) => {
        const remaining = endsAt - clock.monotonic();
        const cancel = Number.isFinite(remaining) ? clock.after(Math.max(0, remaining), resolve) : () => {};
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
    }
  }

  async #pause(recordedMs: number): Promise<void> {
    if (this.#options.pace === "fast") return;
    await sleep(this.#options.clock, recordedMs / this.#options.pace, this.#stopped.signal);
  }
}

function response(word: string, actionId: string | null, rest: string): string {
  const id = actionId === null ? "" : `ActionID: ${actionId}\r\n`;
  return `Response: ${word}\r\n${id}${rest}\r\n`;
}

function withActionId(bytes: Uint8Array, actionId: string | null): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1");
  const line = actionId === null ? "" : `ActionID: ${Buffer.from(actionId).toString("latin1")}`;
  const replaced = text.replace(actionId === null ? /^ActionID:[^\r\n]*\r?\n/im : /^ActionID:[^\r\n]*/im, () => line);
  return Uint8Array.from(Buffer.from(replaced, "latin1"));
}
