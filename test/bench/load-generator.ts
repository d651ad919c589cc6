// The server side of link.md, as thin as can be: sends a load file to one client, never more than a window of bytes ahead
// of what the client has acknowledged, as fast as that lets or at a pace, and says when which event went and was
// acknowledged. A process of its own: `bun load-generator.ts LOAD`. Each line on standard input is a Sending, begun once a
// client is there and answered by a line with what was Sent; one goes on where the one before has ended.

import { readFileSync, writeFileSync } from "node:fs";
import type { Socket } from "bun";

export interface Sending {
  readonly events: number;
  readonly windowBytes: number;
  /** Null: as fast as the window lets. */
  readonly eventsPerSecond: number | null;
  /** Ends the sending although there are more events. */
  readonly secondsMax: number;
  /** Where the instants are written at which each event was handed to the socket, as doubles; null: nowhere. */
  readonly instantsPath: string | null;
}

/** Times are milliseconds since 1970, with fractions. */
export interface Sent {
  /** Sequence number of the first. */
  readonly first: number;
  readonly events: number;
  readonly bytes: number;
  readonly firstSentAt: number;
  readonly lastAckAt: number;
  /** From an event's way into the socket to the acknowledgement that covers it; null of events sent without a pace. */
  readonly acknowledgedMs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
}

const heartbeatMs = 1_000;
// What the socket is handed at once; more only fills the memory of this process.
const writeBytesMax = 256 * 1024;
// At a pace: how often what is due is sent.
const tickMs = 1;

if (import.meta.main) generate(process.argv[2] ?? "");

function generate(path: string): void {
  const load = readFileSync(path);
  const ends = lineEnds(load);
  const sentAt = new Float64Array(ends.length);
  const ackedAt = new Float64Array(ends.length);
  let sending: Sending | null = null;
  let first = 0; // events sent before this sending
  let goal = 0; // events sent when it is over; cut down when its time is over
  let due = 0; // events that may be sent now
  let sentBytes = 0;
  let reached = 0; // events sent whole
  let acked = 0;
  let firstSentAt = 0;
  let client: Socket<undefined> | null = null;
  let ticking: Timer | null = null;
  let limiting: Timer | null = null;
  let rest = "";

  const endOf = (events: number) => (events === 0 ? 0 : (ends[events - 1] ?? 0));

  function begin(next: Sending): void {
    sending = next;
    first = acked;
    goal = Math.min(ends.length, first + next.events);
    due = next.eventsPerSecond === null ? goal : first;
    firstSentAt = 0;
    limiting = setTimeout(stopSending, next.secondsMax * 1000);
    if (next.eventsPerSecond !== null) pace(next.eventsPerSecond);
    pump();
  }

  function pace(eventsPerSecond: number): void {
    const beganAt = performance.now();
    ticking = setInterval(() => {
      due = Math.min(goal, first + Math.ceil(((performance.now() - beganAt) * eventsPerSecond) / 1000));
      pump();
    }, tickMs);
  }

  function pump(): void {
    if (client === null || sending === null) return;
    const limit = Math.min(endOf(Math.min(due, goal)), endOf(acked) + sending.windowBytes);
    while (sentBytes < limit) {
      const until = Math.min(limit, sentBytes + writeBytesMax);
      const at = now();
      const count = client.write(load.subarray(sentBytes, until));
      if (count > 0 && firstSentAt === 0) firstSentAt = at;
      sentBytes += Math.max(0, count);
      while (reached < goal && endOf(reached + 1) <= sentBytes) sentAt[reached++] = at;
      if (sentBytes < until) break;
    }
  }

  function stopSending(): void {
    // The line that is half sent is finished.
    goal = Math.min(goal, endOf(reached) < sentBytes ? reached + 1 : reached);
    if (acked >= goal) finish();
  }

  function heard(line: string): void {
    const { ack } = JSON.parse(line) as { ack?: number };
    if (ack === undefined || ack <= acked) return;
    ackedAt.fill(now(), acked, ack);
    acked = ack;
    if (sending !== null && acked >= goal) finish();
    else pump();
  }

  function finish(): void {
    if (sending === null) return;
    if (ticking !== null) clearInterval(ticking);
    if (limiting !== null) clearTimeout(limiting);
    const { eventsPerSecond, instantsPath } = sending;
    sending = null;
    const instants = sentAt.subarray(first, acked);
    if (instantsPath !== null) writeFileSync(instantsPath, instants);
    const sent: Sent = {
      first: first + 1,
      events: acked - first,
      bytes: endOf(acked) - endOf(first),
      firstSentAt,
      lastAckAt: ackedAt[acked - 1] ?? 0,
      acknowledgedMs: eventsPerSecond === null ? null : quantiles(ackedAt.subarray(first, acked), instants),
    };
    process.stdout.write(`${JSON.stringify(sent)}\n`);
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
        for (const line of lines) {
          if (client !== null) heard(line);
          else if (line.includes('"open"')) {
            socket.write('{"snapshot":"begin"}\n{"snapshot":"end","lastSeq":0}\n');
            client = socket;
            pump();
          }
        }
      },
      drain: pump,
    },
  });
  setInterval(() => {
    // Never within a line.
    if (sentBytes === endOf(reached)) client?.write(`{"heartbeat":${now() / 1000},"lastSeq":${reached}}\n`);
  }, heartbeatMs);
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (text: string) => {
    for (const line of text.split("\n")) if (line !== "") begin(JSON.parse(line) as Sending);
  });
  process.stdin.on("end", () => process.exit(0));
  process.stdout.write(`${JSON.stringify({ listening: `127.0.0.1:${listener.port}` })}\n`);
}

/** Where each line ends, the line end included. */
function lineEnds(load: Uint8Array): Float64Array {
  const ends: number[] = [];
  for (let end = load.indexOf(0x0a); end !== -1; end = load.indexOf(0x0a, end + 1)) ends.push(end + 1);
  return new Float64Array(ends);
}

function quantiles(after: Float64Array, before: Float64Array): Sent["acknowledgedMs"] {
  const taken = after.map((at, index) => at - (before[index] ?? 0)).sort();
  const at = (share: number) => taken[Math.min(taken.length - 1, Math.floor(taken.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
