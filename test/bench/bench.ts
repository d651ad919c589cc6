// `bun run bench`: what the instance costs, as ratios to the least that any program would have to do. Both sides of a
// ratio are measured alternately in one run (A B A B …), for the disk and its neighbours change from minute to minute.
//
//   P1  durably acknowledged events/s ÷ bare write and fdatasync of the same bytes in the same commit sizes. The instance
//       is the binary as it ships, on a directory of its own; `[idb] written` means that it also writes its IDB on the
//       same disk meanwhile, `paused` that somebody holds the IDB's lock. Load generator, instance and its Worker are
//       three threads of work: on a machine of two cores they take each other's time, which the floor does not suffer.
//   P4  events/s from the first byte sent to the last row readable ÷ bare prepared INSERTs of the final rows of the
//       documented tables, same indexes, same `synchronous`, as many transactions.
//
// Timings depend on the machine: they are printed and written as JSON, and never asserted.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { BareRows } from "./bare-rows.ts";
import { readCommits } from "./commit-sizes.ts";
import { type Spread, spread, textTable } from "./figures.ts";
import { type LoadFile, recordLoad } from "./load-file.ts";
import { provenance } from "./machine.ts";
import { type Run, runInstanceUnderLoad } from "./measured-instance.ts";

interface IntakePair {
  readonly eventsPerSecond: number;
  readonly bareEventsPerSecond: number;
  readonly ratio: number;
  readonly events: number;
  readonly commits: number;
  readonly commitBytesMedian: number;
}

interface RowsPair {
  readonly eventsPerSecond: number;
  readonly bareEventsPerSecond: number;
  readonly ratio: number;
  readonly events: number;
  readonly rows: number;
  readonly transactions: number;
}

interface Result<Pair> {
  readonly promise: "P1" | "P4";
  readonly goal: number;
  readonly windowBytes: number;
  readonly idb: Run["idb"];
  readonly ratio: Spread;
  readonly eventsPerSecond: Spread;
  readonly bareEventsPerSecond: Spread;
  readonly pairs: readonly Pair[];
}

const goals = { P1: 0.8, P4: 0.5 } as const;
// What is made for each second; a side that is faster is measured for less time.
const loadEventsPerSecond = 600_000;
const calmMs = 500;

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "7" },
    seconds: { type: "string", default: "2" },
    windows: { type: "string", default: "65536,262144,1048576" },
    "p4-events": { type: "string", default: "60000" },
    only: { type: "string" },
    dir: { type: "string", default: tmpdir() },
    json: { type: "string", default: "bench-result.json" },
  },
});
const pairCount = positive("pairs", values.pairs);
const seconds = positive("seconds", values.seconds);
const windows = values.windows.split(",").map((each) => positive("windows", each));
const rowEvents = positive("p4-events", values["p4-events"]);
const root = resolve(import.meta.dir, "../..");
const from = provenance(values.dir);
const directory = mkdtempSync(join(values.dir, "icon-bench-"));
try {
  const icon = binary();
  const events = Math.max(rowEvents, Math.ceil(seconds * loadEventsPerSecond));
  say(`making a load of ${events} events`);
  const load = await recordLoad({ icon, path: join(directory, "load"), events, seed: 1 });
  say(`${load.events} events, ${Math.round(load.bytes / load.events)} bytes each`);
  const results: Result<IntakePair | RowsPair>[] = [];
  if (values.only !== "P4") {
    for (const windowBytes of windows) results.push(await measureIntake(icon, load, windowBytes, "written"));
    for (const windowBytes of windows) results.push(await measureIntake(icon, load, windowBytes, "paused"));
  }
  if (values.only !== "P1") results.push(await measureRows(icon, load, Math.max(...windows)));
  report(results, load);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function measureIntake(
  icon: string,
  load: LoadFile,
  windowBytes: number,
  idb: Run["idb"],
): Promise<Result<IntakePair>> {
  const pairs: IntakePair[] = [];
  for (let pair = 1; pair <= pairCount; pair += 1) {
    const place = join(directory, "run");
    const run = { icon, directory: place, loadPath: load.path, windowBytes, idb, until: "acknowledged" } as const;
    await calm();
    const sent = await runInstanceUnderLoad({ ...run, eventsMax: load.events, secondsMax: seconds });
    const sizes = readCommits(sent.queueDirectory).flatMap((segment) => segment.sizes);
    await calm();
    const bareMs = Number(await child("bare-disk.ts", [sent.queueDirectory, join(directory, "target")]));
    rmSync(place, { recursive: true });
    const eventsPerSecond = (sent.events / (sent.lastAckAt - sent.firstSentAt)) * 1000;
    const bareEventsPerSecond = (sent.events / bareMs) * 1000;
    const ratio = eventsPerSecond / bareEventsPerSecond;
    const commitBytesMedian = spread(sizes).median;
    pairs.push({
      eventsPerSecond,
      bareEventsPerSecond,
      ratio,
      events: sent.events,
      commits: sizes.length,
      commitBytesMedian,
    });
    say(
      `P1 ${windowBytes} ${idb} ${pair}/${pairCount}: ${shown(eventsPerSecond)} ÷ ${shown(bareEventsPerSecond)} = ${ratio.toFixed(2)}`,
    );
  }
  return summed({ promise: "P1", windowBytes, idb, pairs });
}

async function measureRows(icon: string, load: LoadFile, windowBytes: number): Promise<Result<RowsPair>> {
  const pairs: RowsPair[] = [];
  for (let pair = 1; pair <= pairCount; pair += 1) {
    const place = join(directory, "run");
    const run = {
      icon,
      directory: place,
      loadPath: load.path,
      windowBytes,
      idb: "written",
      until: "readable",
    } as const;
    const sent = await runInstanceUnderLoad({ ...run, eventsMax: rowEvents, secondsMax: 600 });
    if (sent.readableAt === null) throw new Error("Cannot measure P4: the last row was not waited for");
    const target = join(directory, "floor.db");
    const words = [sent.idbPath, target, String(Math.max(1, sent.commits))];
    const bare = JSON.parse(await child("bare-rows.ts", words)) as BareRows;
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${target}${suffix}`, { force: true });
    rmSync(place, { recursive: true });
    const eventsPerSecond = (sent.events / (sent.readableAt - sent.firstSentAt)) * 1000;
    const bareEventsPerSecond = (sent.events / bare.ms) * 1000;
    const ratio = eventsPerSecond / bareEventsPerSecond;
    pairs.push({
      eventsPerSecond,
      bareEventsPerSecond,
      ratio,
      events: sent.events,
      rows: bare.rows,
      transactions: sent.commits,
    });
    say(`P4 ${pair}/${pairCount}: ${shown(eventsPerSecond)} ÷ ${shown(bareEventsPerSecond)} = ${ratio.toFixed(2)}`);
  }
  return summed({ promise: "P4", windowBytes, idb: "written", pairs });
}

/** Both sides of a pair begin with nothing left to be written. */
async function calm(): Promise<void> {
  Bun.spawnSync(["sync", "--file-system", directory]);
  await Bun.sleep(calmMs);
}

async function child(script: string, words: readonly string[]): Promise<string> {
  const process_ = Bun.spawn([process.execPath, join(import.meta.dir, script), ...words], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await new Response(process_.stdout).text();
  if ((await process_.exited) !== 0) throw new Error(`Cannot measure the floor: ${script} failed`);
  return text;
}

function summed<Pair extends IntakePair | RowsPair>(
  part: Pick<Result<Pair>, "promise" | "windowBytes" | "idb" | "pairs">,
): Result<Pair> {
  return {
    ...part,
    goal: goals[part.promise],
    ratio: spread(part.pairs.map(({ ratio }) => ratio)),
    eventsPerSecond: spread(part.pairs.map((each) => each.eventsPerSecond)),
    bareEventsPerSecond: spread(part.pairs.map((each) => each.bareEventsPerSecond)),
  };
}

function report(results: readonly Result<IntakePair | RowsPair>[], load: LoadFile): void {
  const { machine, commit, date } = from;
  const rows = results.map(({ promise, windowBytes, idb, ratio, eventsPerSecond, bareEventsPerSecond, goal }) => [
    promise,
    `${windowBytes / 1024} KiB`,
    idb,
    ratio.median.toFixed(2),
    `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`,
    goal.toFixed(2),
    shown(eventsPerSecond.median),
    shown(bareEventsPerSecond.median),
  ]);
  const head = ["", "window", "IDB", "ratio", "min–max", "goal", "events/s", "floor events/s"];
  console.log(`\n${textTable([head, ...rows])}\n`);
  console.log(
    `${pairCount} pairs, median of the pairs' ratios; ${Math.round(load.bytes / load.events)} bytes an event.`,
  );
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${machine.fileSystem}, load ${machine.loadBefore} before; ${commit}, ${date}`,
  );
  writeFileSync(
    values.json,
    `${JSON.stringify({ ...from, loadEvents: load.events, loadBytes: load.bytes, results }, null, 2)}\n`,
  );
  console.log(`written to ${values.json}`);
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

function shown(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
