// The life of an instance that the tests of every system call play again and again:
//
//   data directory as an instance left it that was killed under load  ──▶  start ─ roll ─ trim ─ WAL checkpoint ─ stop

import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { segmentsAmong } from "../../src/queue/segment.ts";
import { Load, type LoadOptions } from "./load.ts";
import { Instance, type InstanceSetting, isWithin, queueDirectoryOf, until } from "./processes.ts";

// So many are more than the smallest segment holds: few and large, since each event's rows are many calls, all alike.
const segmentEvents = 130;
/** With it the instance trims what the one before had left, and nothing of its own. */
export const shortRetention = "6MiB";

/** What every cycle begins with: the data directory of an instance that was killed, and what its server knows. */
export interface Beginning {
  readonly directory: string;
  readonly load: LoadOptions;
  readonly run: string;
  readonly producedSeq: number;
  readonly ackedSeq: number;
}

/** Two segments, rows of most of what is in them, calls that are open; then killed. */
export async function begin(directory: string, seed: number): Promise<Beginning> {
  const options = { name: "north", dbid: 101, seed, eventsPerSecond: 2_000, paddingMax: 50_000 };
  await using load = await Load.start(options);
  await using instance = await Instance.start(settingOf(directory, load));
  await until("the source serves the instance", 10_000, () => load.isServed);
  load.burst(2 * segmentEvents);
  await until("rows are there", 10_000, async () => {
    const { queue } = await instance.status();
    return load.ackedSeq === load.producedSeq && queue.recordsNotApplied === 0;
  });
  const before = load.ackedSeq;
  load.burst(40);
  await until("some more is acknowledged", 10_000, () => load.ackedSeq > before);
  await instance.kill();
  return { directory, load: options, run: load.run, producedSeq: load.producedSeq, ackedSeq: load.ackedSeq };
}

/** A copy to begin with, in a folder that is made. */
export function copyBeginning({ directory }: Beginning, dataDirectory: string): void {
  mkdirSync(dirname(dataDirectory), { recursive: true });
  cpSync(join(directory, "data"), dataDirectory, { recursive: true, preserveTimestamps: true });
}

/** From a start to an orderly stop; returns when the instance is over, however. */
export async function play(instance: Instance, load: Load): Promise<void> {
  const first = segmentsAmong(readdirSync(queueDirectoryOf(instance.setting)))[0]?.file ?? "";
  const within = async (condition: () => boolean) => {
    if (!(await isWithin(20_000, () => instance.isOver || condition()))) throw new Error("The scenario does not go on");
  };
  await within(() => load.isServed);
  if (!instance.isOver) load.burst(segmentEvents);
  await within(
    () => load.ackedSeq === load.producedSeq && !existsSync(join(queueDirectoryOf(instance.setting), first)),
  );
  if (!instance.isOver) instance.signal("SIGTERM");
  await instance.exited;
}

/** What was trimmed is put back, so that the whole history can be looked through and folded. */
export function bringBack(beginning: Beginning, queueDirectory: string): void {
  const from = join(beginning.directory, "data/queue");
  const oldest = segmentsAmong(readdirSync(queueDirectory))[0]?.firstPosition ?? 1n;
  for (const { file, firstPosition } of segmentsAmong(readdirSync(from))) {
    if (firstPosition < oldest) cpSync(join(from, file), join(queueDirectory, file));
  }
}

function settingOf(directory: string, load: Load): InstanceSetting {
  return { directory, sources: [{ name: "north", address: load.address, dbid: 101 }] };
}

/** A call without the positions in it: "rename /queue/….new". */
export const kindOf = (call: string): string => call.replace(/\d{20}/, "…");

/** Numbers of calls, from 1, in order: so many of as many kinds as there are. */
export function spreadOverKinds(calls: readonly string[], count: number): number[] {
  const byKind = [...Map.groupBy(calls.keys(), (at) => kindOf(calls[at] ?? "")).values()];
  const numbers = Array.from({ length: count }, (_, at) => {
    const ofKind = byKind[Math.floor(((at + 0.5) / count) * byKind.length)] ?? [];
    return (ofKind[Math.floor(ofKind.length / 2)] ?? 0) + 1;
  });
  return [...new Set(numbers)].sort((a, b) => a - b);
}
