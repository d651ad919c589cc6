// The events that the bench sends: a simulated contact centre's, with all of voice, taken once from the link and kept as the bytes they
// came as. They are made before anything is measured, so that the generator only has to send.

import { createWriteStream, readFileSync } from "node:fs";

export interface LoadFile {
  readonly path: string;
  readonly events: number;
  readonly bytes: number;
}

export interface LoadPlan {
  readonly icon: string;
  readonly path: string;
  readonly events: number;
  readonly seed: number;
  /** By the source's clock; left out: now. */
  readonly startTime?: string;
}

/** How many events of the load are in a second of the source's time. */
export const loadEventsPerSecond = 2000;

const lf = 0x0a;
const eventLine = /^\{"id":"[A-Za-z]+","EventSequenceNumber":(\d+),/;

/** A load that was recorded before. */
export function readLoad(path: string): LoadFile {
  const bytes = readFileSync(path);
  let events = 0;
  for (let end = bytes.indexOf(lf); end !== -1; end = bytes.indexOf(lf, end + 1)) events += 1;
  return { path, events, bytes: bytes.length };
}

/** Lets `icon simulate tserver` tell so many events as fast as it can, and writes them to `path`, one a line. */
export async function recordLoad({ icon, path, events, seed, startTime }: LoadPlan): Promise<LoadFile> {
  const words = [
    "simulate",
    "tserver",
    "--plain",
    "--voice-in-full",
    "--as-fast-as-possible",
    "--clients-min",
    "1",
    "--linger",
    "0",
  ];
  if (startTime !== undefined) words.push("--start-time", startTime);
  const simulator = Bun.spawn(
    [
      icon,
      ...words,
      "--events",
      String(events),
      "--seed",
      String(seed),
      "--rate",
      String(loadEventsPerSecond),
      "--heartbeat-ms",
      "1000",
    ],
    { stdout: "pipe", stderr: "inherit" },
  );
  const reader = simulator.stdout.getReader();
  const { value } = await reader.read();
  const { listening } = JSON.parse(new TextDecoder().decode(value)) as { listening: string };
  const border = listening.lastIndexOf(":");
  const file = createWriteStream(path, { mode: 0o600 });
  let rest: Uint8Array = new Uint8Array(0);
  let last = 0;
  let bytes = 0;
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname: listening.slice(0, border),
    port: Number(listening.slice(border + 1)),
    socket: {
      data(_, chunk) {
        const before = last;
        const joined: Uint8Array = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        let from = 0;
        for (let end = joined.indexOf(lf); end !== -1; end = joined.indexOf(lf, from)) {
          take(joined.subarray(from, end + 1));
          from = end + 1;
        }
        rest = joined.slice(from);
        if (last > before) socket.write(`{"ack":${last}}\n`);
      },
      close: () => resolve(),
      error: () => resolve(),
    },
  });
  function take(line: Uint8Array): void {
    const lead = new TextDecoder("latin1").decode(line.subarray(0, 96));
    if (lead.startsWith('{"hello"')) {
      socket.write('{"open":"tevent/1","client":"bench","dbid":9001,"resumeAfter":null}\n');
      return;
    }
    const sequence = Number(eventLine.exec(lead)?.[1] ?? 0);
    if (sequence === 0) return; // snapshot and heartbeats: the generator has its own
    if (sequence !== last + 1) throw new Error(`Cannot use the load: event ${sequence} came after ${last}`);
    last = sequence;
    bytes += line.length;
    file.write(line.slice());
  }
  await ended;
  simulator.kill();
  await simulator.exited;
  await new Promise<void>((done) => file.end(() => done()));
  if (last === 0) throw new Error("Cannot use the load: the simulated T-Server told no events");
  return { path, events: last, bytes };
}
