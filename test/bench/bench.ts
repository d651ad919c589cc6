// `bun run bench`: what the instance costs, as ratios to the least that any program would have to do, or to itself in
// another state. Both sides of a ratio are measured alternately in one run (A B A B …), for the disk and its neighbours
// change from minute to minute. Each promise's file here says what is measured against what.
//
// Lines are kept in a JSON file and replaced one by one, so that a long bench can be run in slices (`--only P5,P7`).
// Timings depend on the machine: they are printed and written, and never asserted.

import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { measureDigest } from "./digest.ts";
import { measureDrain } from "./drain.ts";
import { measureGrowth } from "./growth.ts";
import { measureIntake } from "./intake.ts";
import { measureLatency } from "./latency.ts";
import { type Measurement, readLines, table, withLine, writeLines } from "./line.ts";
import { readLoad, recordLoad } from "./load-file.ts";
import { provenance } from "./machine.ts";
import { measureMemory } from "./memory.ts";
import { measurePair } from "./pair.ts";
import { measurePurge } from "./purge.ts";
import { measureRebuild } from "./rebuild.ts";
import { measureRecording } from "./recording.ts";
import { measureRows } from "./rows.ts";
import type { Setting } from "./setting.ts";
import { measureStart } from "./start.ts";

// What is made for each second; a side that is faster is measured for less time.
const intakeEventsPerSecond = 600_000;

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "7" },
    seconds: { type: "string", default: "2" },
    windows: { type: "string", default: "65536,262144,1048576" },
    "p4-events": { type: "string", default: "60000" },
    "pair-rows": { type: "string", default: "10000000" },
    "p12-events": { type: "string", default: "1000000" },
    "p12-steps": { type: "string", default: "10" },
    "purge-days": { type: "string", default: "30" },
    "purge-day-seconds": { type: "string", default: "86400" },
    "purge-rate": { type: "string", default: "0.5" },
    only: { type: "string" },
    load: { type: "string" },
    dir: { type: "string", default: tmpdir() },
    json: { type: "string", default: "bench-result.json" },
  },
});
const seconds = positive("seconds", values.seconds);
const rowEvents = positive("p4-events", values["p4-events"]);
const root = resolve(import.meta.dir, "../..");

/** In the order in which they are measured. */
const measurements: readonly {
  /** By which it is chosen: the promises that its lines are of, or a word where one takes long that not everybody wants. */
  readonly names: readonly string[];
  measure(setting: Setting): AsyncIterable<Measurement>;
}[] = [
  {
    names: ["P1"],
    async *measure(setting) {
      for (const idb of ["written", "paused"] as const)
        for (const windowBytes of setting.windows) yield await measureIntake(setting, windowBytes, idb);
    },
  },
  {
    names: ["P4"],
    async *measure(setting) {
      yield await measureRows(setting);
      yield await measureDigest(setting);
    },
  },
  {
    names: ["P5"],
    async *measure(setting) {
      for (const windowBytes of setting.windows) yield await measureRecording(setting, windowBytes);
    },
  },
  {
    names: ["P6"],
    async *measure(setting) {
      yield* await measureRebuild(setting);
    },
  },
  {
    names: ["P8"],
    async *measure(setting) {
      yield* await measureStart(setting);
    },
  },
  {
    names: ["P9"],
    async *measure(setting) {
      yield* await measureMemory(setting);
    },
  },
  {
    names: ["P7"],
    async *measure(setting) {
      yield await measureDrain(setting);
    },
  },
  {
    names: ["P10", "P11"],
    async *measure(setting) {
      yield* await measureLatency(setting);
    },
  },
  {
    names: ["P12"],
    async *measure(setting) {
      yield await measureGrowth(setting);
    },
  },
  {
    names: ["P13"],
    async *measure(setting) {
      yield* measurePair(setting);
    },
  },
  {
    names: ["purge"],
    async *measure(setting) {
      yield* measurePurge(setting);
    },
  },
];

const chosen = choose(values.only);
const from = provenance(values.dir);
const directory = mkdtempSync(join(values.dir, "icon-bench-"));
try {
  const icon = binary();
  const events = Math.max(rowEvents, Math.ceil(seconds * intakeEventsPerSecond));
  const path = values.load ?? join(directory, "load");
  if (!existsSync(path)) say(`making a load of ${events} events`);
  const load = existsSync(path) ? readLoad(path) : await recordLoad({ icon, path, events, seed: 1 });
  say(`${load.events} events, ${Math.round(load.bytes / load.events)} bytes each`);
  const setting: Setting = {
    icon,
    load,
    keptDirectory: resolve(values.dir),
    directory,
    pairs: positive("pairs", values.pairs),
    seconds,
    windows: values.windows.split(",").map((each) => positive("windows", each)),
    rowEvents,
    pairRows: positive("pair-rows", values["pair-rows"]),
    growth: { events: whole("p12-events", values["p12-events"]), steps: whole("p12-steps", values["p12-steps"]) },
    month: {
      days: whole("purge-days", values["purge-days"]),
      daySeconds: whole("purge-day-seconds", values["purge-day-seconds"]),
      rate: positive("purge-rate", values["purge-rate"]),
    },
    say,
  };
  for (const { measure } of chosen) {
    for await (const measured of measure(setting)) {
      writeLines(values.json, withLine(readLines(values.json), { ...measured, from }));
    }
  }
  const { machine, commit, date } = from;
  console.log(`\n${table(readLines(values.json))}\n`);
  console.log(`${setting.pairs} pairs, median of the pairs; ${Math.round(load.bytes / load.events)} bytes an event.`);
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${machine.fileSystem}, load ${machine.loadBefore} before; ${commit}, ${date}`,
  );
  console.log(`written to ${values.json}`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function choose(only: string | undefined): typeof measurements {
  if (only === undefined) return measurements;
  const wanted = new Set(only.split(","));
  const known = measurements.flatMap(({ names }) => names);
  if ([...wanted].every((each) => known.includes(each))) {
    return measurements.filter(({ names }) => names.some((name) => wanted.has(name)));
  }
  throw new Error(`Cannot measure --only "${only}": expected some of ${known.join(",")}`);
}

/** The binary given by ICON_BINARY, or one built now. */
function binary(): string {
  const given = process.env["ICON_BINARY"];
  if (given !== undefined) {
    if (!existsSync(given)) throw new Error(`Cannot use ICON_BINARY "${given}": there is no such file`);
    return resolve(given);
  }
  const outfile = join(directory, "bin", "icon");
  mkdirSync(join(directory, "bin"));
  const { success, stderr } = Bun.spawnSync([process.execPath, "build.ts", "--outfile", outfile], { cwd: root });
  if (!success) throw new Error(`Cannot build the binary:\n${stderr.toString()}`);
  return outfile;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value)))
    throw new Error(`Cannot use --${name} "${text}": expected a number above 0`);
  return value;
}

function whole(name: string, text: string): number {
  const value = positive(name, text);
  if (!(Number.isInteger(value) && value >= 2))
    throw new Error(`Cannot use --${name} "${text}": expected a whole number from 2 on`);
  return value;
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
