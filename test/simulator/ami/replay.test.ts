import { afterEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { systemClock } from "../../../src/clock.ts";
import { encodeAction } from "../../../src/protocol/ami/action.ts";
import { type RecordedConnection, readRecording } from "../../../src/simulator/ami/recording.ts";
import { type AmiReplay, type ReplayOptions, startAmiReplay } from "../../../src/simulator/ami/replay.ts";
import { loadRecording } from "../../harness/ami-recording.ts";

const running: AmiReplay[] = [];
afterEach(async () => {
  for (const replay of running.splice(0)) await replay.stop();
});

async function serve(options: Partial<ReplayOptions> & Pick<ReplayOptions, "recording">): Promise<AmiReplay> {
  const replay = await startAmiReplay({
    listen: { host: "127.0.0.1", port: 0 },
    pace: "fast",
    credentials: null,
    lingerMs: 0,
    stays: false,
    repeats: false,
    answerWaitMs: 5000,
    clock: systemClock,
    ...options,
  });
  running.push(replay);
  return replay;
}

/** A client that knows nothing but the bytes. */
class BareClient {
  readonly #socket: Socket;
  readonly #closed: Promise<void>;
  #received = "";
  #onData: () => void = () => {};
  #isClosed = false;

  constructor(address: string) {
    const [host = "", port] = address.split(":");
    this.#socket = connect({ host, port: Number(port) });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => {
      this.#received += text;
      this.#onData();
    });
    this.#socket.on("error", () => {});
    this.#closed = new Promise((resolve) =>
      this.#socket.once("close", () => {
        this.#isClosed = true;
        this.#onData();
        resolve();
      }),
    );
  }

  send(action: string, fields: Record<string, string> = {}): void {
    this.#socket.write(encodeAction(action, fields));
  }

  /** Everything received once `text` is in it. */
  async until(text: string): Promise<string> {
    while (!this.#received.includes(text)) {
      if (this.#isClosed) throw new Error(`Closed before ${JSON.stringify(text)}: ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => {
        this.#onData = resolve;
      });
    }
    return this.#received;
  }

  /** Everything received until the other side closed. */
  async rest(): Promise<string> {
    await this.#closed;
    return this.#received;
  }

  drop(): void {
    this.#socket.destroy();
  }
}

/** The bytes of a recorded connection, with the ActionIDs of the matched answers as `rename` has them. */
function recordedText(connection: RecordedConnection, rename: Record<string, string>): string {
  const pieces = connection.messages.map(({ bytes, answers }) => {
    const text = Buffer.from(bytes).toString("latin1");
    return answers === null ? text : text.replace(/^ActionID: .*$/m, `ActionID: ${rename[answers]}`);
  });
  return Buffer.from(connection.greeting).toString("latin1") + pieces.join("");
}

const login = { Username: "anybody", Secret: "anything" };

describe("the replay of a recording", () => {
  test("the raw form reaches a bare client byte for byte, under the ActionID of its own Login", async () => {
    const recording = loadRecording("ami");
    const replay = await serve({ recording });
    const client = new BareClient(replay.address);
    client.send("Login", { ActionID: "mine-1", ...login });
    const received = await client.rest();
    const [connection] = recording.connections;
    if (connection === undefined) throw new Error("no connection");
    expect(received).toBe(recordedText(connection, { Login: "mine-1" }));
    await replay.ended;
  });

  test.each(["a", "b"] as const)(
    "observer %s is served connection by connection, cut where it was cut",
    async (name) => {
      const recording = loadRecording(name);
      const replay = await serve({ recording });
      for (const [index, connection] of recording.connections.entries()) {
        const ids = { Login: `l-${index}`, CoreShowChannels: `c-${index}`, QueueStatus: `q-${index}` };
        const client = new BareClient(replay.address);
        for (const [action, ActionID] of Object.entries(ids)) client.send(action, { ActionID, ...login });
        expect(await client.rest()).toBe(recordedText(connection, ids));
      }
      await replay.ended;
    },
  );

  test("a recorded list waits for the client to ask for it", async () => {
    const recording = loadRecording("b");
    const replay = await serve({ recording });
    const client = new BareClient(replay.address);
    client.send("Login", { ActionID: "1", ...login });
    const before = await client.until("Authentication accepted");
    expect(before).not.toContain("Channels will follow");
    client.send("CoreShowChannels", { ActionID: "2" });
    expect(await client.until("CoreShowChannelsComplete")).toContain("ActionID: 2\r\nEventList: start");
    client.drop();
  });

  test("a recorded list goes out under its own ActionID when nobody asks for it in time", async () => {
    const recording = loadRecording("b");
    const replay = await serve({ recording, answerWaitMs: 10 });
    const client = new BareClient(replay.address);
    client.send("Login", { ActionID: "1", ...login });
    expect(await client.until("QueueStatusComplete")).toContain("ActionID: b-1-CoreShowChannels");
    client.drop();
  });

  test("a wrong secret is refused, and the right one is served afterwards", async () => {
    const replay = await serve({
      recording: loadRecording("ami"),
      credentials: { username: "icon", secret: "right" },
    });
    const wrong = new BareClient(replay.address);
    wrong.send("Login", { ActionID: "1", Username: "icon", Secret: "wrong" });
    expect(await wrong.rest()).toContain("Response: Error\r\nActionID: 1\r\nMessage: Authentication failed\r\n\r\n");
    const right = new BareClient(replay.address);
    right.send("Login", { ActionID: "1", Username: "icon", Secret: "right" });
    expect(await right.rest()).toContain("Authentication accepted");
  });

  test("before Login nothing is answered but with an error", async () => {
    const replay = await serve({ recording: loadRecording("ami") });
    const client = new BareClient(replay.address);
    client.send("Ping", { ActionID: "1" });
    expect(await client.until("Permission denied")).not.toContain("Pong");
    client.drop();
  });

  test("Ping is answered after the last message too, with the recording's time, until the lingering ends", async () => {
    const recording = loadRecording("ami");
    const replay = await serve({ recording, stays: true });
    const client = new BareClient(replay.address);
    client.send("Login", { ActionID: "1", ...login });
    await client.until("Thanks for all the fish");
    client.send("Ping", { ActionID: "p-1" });
    const seconds = ((recording.connections[0]?.closedAt ?? 0) / 1000).toFixed(6);
    expect(await client.until("Pong")).toContain(
      `Response: Success\r\nActionID: p-1\r\nPing: Pong\r\nTimestamp: ${seconds}\r\n\r\n`,
    );
    client.drop();
    await replay.ended;
  });

  test("where nothing is recorded, a list says what is there at this point", async () => {
    const [message = "", joined = ""] = [
      "Event: Newchannel\r\nTimestamp: 1000000000.5\r\nChannel: PJSIP/6001-00000001\r\nChannelState: 6\r\nChannelStateDesc: Up\r\nUniqueid: 1000000000.1\r\nLinkedid: 1000000000.1\r\n\r\n",
      "Event: QueueCallerJoin\r\nTimestamp: 1000000001.0\r\nChannel: PJSIP/6001-00000001\r\nUniqueid: 1000000000.1\r\nQueue: support\r\n\r\n",
    ];
    const text = `Asterisk Call Manager/9.0\r\nResponse: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n${message}${joined}`;
    const replay = await serve({ recording: readRecording("made", new TextEncoder().encode(text)), stays: true });
    const client = new BareClient(replay.address);
    client.send("Login", { ActionID: "x", ...login });
    await client.until("Queue: support");
    client.send("CoreShowChannels", { ActionID: "c" });
    const listed = await client.until(
      "CoreShowChannelsComplete\r\nActionID: c\r\nEventList: Complete\r\nListItems: 1\r\n",
    );
    expect(listed).toContain("Event: CoreShowChannel\r\nActionID: c\r\nChannel: PJSIP/6001-00000001\r\n");
    client.send("QueueStatus", { ActionID: "q" });
    expect(await client.until("QueueStatusComplete")).toContain(
      "Event: QueueEntry\r\nQueue: support\r\nPosition: 1\r\n",
    );
    client.drop();
  });

  test("a client that goes by itself is waited for, and served from where it went", async () => {
    const recording = loadRecording("b");
    const replay = await serve({ recording });
    const first = new BareClient(replay.address);
    first.send("Login", { ActionID: "1", ...login });
    await first.until("Authentication accepted");
    first.drop();
    let received = "";
    for (let attempt = 0; !received.includes("Authentication accepted"); attempt += 1) {
      if (attempt > 100) throw new Error("never served again");
      const second = new BareClient(replay.address);
      second.send("Login", { ActionID: "again", ...login });
      second.send("CoreShowChannels", { ActionID: "c" });
      second.send("QueueStatus", { ActionID: "q" });
      received = await second.rest();
    }
    const [connection] = recording.connections;
    const last = connection?.messages.at(-1)?.bytes ?? new Uint8Array();
    expect(received).toContain("Response: Success\r\nActionID: again\r\n");
    expect(received).toEndWith(Buffer.from(last).toString("latin1"));
  });

  test("real pace keeps the recorded distances, scaled", async () => {
    const event = (number: number, at: string) => `Event: Tick${number}\r\nTimestamp: ${at}\r\n\r\n`;
    const text = `Asterisk Call Manager/9.0\r\nResponse: Success\r\nActionID: 1\r\n\r\n${event(1, "1000.0")}${event(2, "1010.0")}`;
    const replay = await serve({ recording: readRecording("made", new TextEncoder().encode(text)), pace: 100 });
    const client = new BareClient(replay.address);
    client.send("Login", { ActionID: "1", ...login });
    await client.until("Tick1");
    const startedAt = performance.now();
    await client.until("Tick2");
    expect(performance.now() - startedAt).toBeGreaterThan(80);
  });

  test("a file that is no recording is refused with its line", () => {
    const read = (text: string) => () => readRecording("x.jsonl", new TextEncoder().encode(text));
    expect(read('{"at":1,"mark":"open"}\n{"at":\n')).toThrow('Cannot read line 2 of recording "x.jsonl"');
    expect(read("")).toThrow("expected at least one");
  });
});
