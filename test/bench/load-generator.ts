// The server side of link.md, as thin as can be: sends a load file to one client, never more than a window of bytes
// ahead of what the client has acknowledged, and says when the first byte went and the last acknowledgement came. A
// process of its own: `bun load-generator.ts LOAD WINDOW_BYTES EVENTS_MAX SECONDS_MAX`. It begins once a byte has come
// on standard input and a client is there.

import { readFileSync } from "node:fs";
import type { Socket } from "bun";

/** The generator's last line. Times are milliseconds since 1970, with fractions. */
export interface Sent {
  readonly events: number;
  readonly bytes: number;
  readonly firstSentAt: number;
  readonly lastAckAt: number;
}

const heartbeatMs = 1_000;
// What the socket is handed at once; more only fills the memory of this process.
const writeBytesMax = 256 * 1024;

if (import.meta.main) generate(process.argv.slice(2));

function generate([path = "", ...numbers]: readonly string[]): void {
  const [windowBytes = 0, eventsMax = 0, secondsMax = 0] = numbers.map(Number);
  const load = readFileSync(path);
  const ends = lineEnds(load, eventsMax);
  let goal = ends.length; // events to send; cut down when the time is over
  let sentBytes = 0;
  let reached = 0; // events sent whole
  let acked = 0;
  let firstSentAt = 0;
  let client: Socket<undefined> | null = null;
  let isTold = false;
  let rest = "";

  const endOf = (events: number) => (events === 0 ? 0 : (ends[events - 1] ?? 0));

  function begin(): void {
    if (client === null || !isTold) return;
    client.write('{"snapshot":"begin"}\n{"snapshot":"end","lastSeq":0}\n');
    pump(client);
  }

  function pump(socket: Socket<undefined>): void {
    const limit = Math.min(endOf(goal), endOf(acked) + windowBytes);
    while (sentBytes < limit) {
      const until = Math.min(limit, sentBytes + writeBytesMax);
      const count = socket.write(load.subarray(sentBytes, until));
      if (count > 0 && firstSentAt === 0) {
        firstSentAt = now();
        setTimeout(stopSending, secondsMax * 1000);
      }
      sentBytes += count;
      if (sentBytes < until) break;
    }
    while (reached < goal && endOf(reached + 1) <= sentBytes) reached += 1;
  }

  function stopSending(): void {
    // The line that is half sent is finished.
    goal = Math.min(goal, endOf(reached) < sentBytes ? reached + 1 : reached);
  }

  function heard(socket: Socket<undefined>, line: string): void {
    const { open, ack } = JSON.parse(line) as { open?: string; ack?: number };
    if (open !== undefined && client === null) {
      client = socket;
      begin();
    }
    if (ack === undefined || ack <= acked) return;
    acked = ack;
    if (acked >= goal) {
      const sent: Sent = { events: acked, bytes: endOf(acked), firstSentAt, lastAckAt: now() };
      process.stdout.write(`${JSON.stringify(sent)}\n`);
      goal = 0;
      return;
    }
    pump(socket);
  }

  const listener = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        const startTime = new Date().toISOString();
        const hello = { hello: "tevent/1", server: "Bench", type: "TServer", dbid: 101, primaryDbid: 101 };
        const state = { switch: "Bench", switchDbid: 1, startTime, role: "primary", lastSeq: 0, oldestSeq: null };
        socket.write(`${JSON.stringify({ ...hello, ...state, heartbeatMs })}\n`);
      },
      data(socket, chunk) {
        const lines = (rest + chunk.toString("utf8")).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) heard(socket, line);
      },
      drain: pump,
    },
  });
  process.stdin.once("data", () => {
    isTold = true;
    begin();
  });
  process.stdout.write(`${JSON.stringify({ listening: `127.0.0.1:${listener.port}` })}\n`);
}

/** Where each line ends, the line end included. */
function lineEnds(load: Uint8Array, linesMax: number): Float64Array {
  const ends = new Float64Array(linesMax);
  let count = 0;
  for (let end = load.indexOf(0x0a); end !== -1 && count < linesMax; end = load.indexOf(0x0a, end + 1)) {
    ends[count] = end + 1;
    count += 1;
  }
  return ends.subarray(0, count);
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
