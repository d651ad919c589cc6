// P13, of two IDBs that say the same (pair-data.ts): one minute's extraction from ten million rows ÷ from a tenth of
// that; the intake of an instance while both are being extracted ÷ without. And what comes with it: the availability of a
// day, and how much of their rows and bytes a comparison reads to say that they are equal.

import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Comparison } from "../../src/extraction/comparison.ts";
import { type Spread, spread } from "./figures.ts";
import type { Measurement } from "./line.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import { type PairData, pairData } from "./pair-data.ts";
import { calm, emptyPlace, perSecond, type Setting, shown, warmUpEvents } from "./setting.ts";

const dayS = 86_400;
const minuteS = 60;

export async function* measurePair(setting: Setting): AsyncGenerator<Measurement> {
  const data = await pairData(setting, setting.pairRows);
  const rows = `${(data.rows / 1e6).toFixed(1)} M rows`;
  yield* await compareEqual(setting, data, rows);
  yield await availabilityOfDay(setting, data, rows);
  yield await minuteOfMany(setting, data, rows);
  yield await intakeBeside(setting, data, rows);
}

async function compareEqual(setting: Setting, data: PairData, rows: string): Promise<Measurement[]> {
  const { idbPath, otherPath } = data;
  const runs: { readonly ms: number; readonly rowsShare: number; readonly bytesShare: number }[] = [];
  const bytes = statSync(idbPath).size + statSync(otherPath).size;
  const bounds = ["--from", time(data.from), "--to", time(data.until)];
  // What starting the program reads is no part of it.
  const startBytes = (await run(setting, ["version"])).bytesRead;
  for (let time = 1; time <= setting.pairs; time += 1) {
    await calm(setting);
    const { ms, output, bytesRead } = await run(setting, ["compare", ...both(data), ...bounds, "--json"]);
    const { result, windows, read } = JSON.parse(output) as Comparison;
    if (result !== "equal") throw new Error(`Cannot measure P13: two IDBs that are equal are "${result}"`);
    if (windows.notCompared > 0) {
      throw new Error(`Cannot measure P13: ${windows.notCompared} windows were not compared`);
    }
    const rowsShare = ((read.ledgerRows + read.callRows) / (2 * data.rows)) * 100;
    const bytesShare = (Math.max(0, bytesRead - startBytes) / bytes) * 100;
    runs.push({ ms, rowsShare, bytesShare });
    setting.say(`P13 compare ${time}/${setting.pairs}: ${ms.toFixed(0)} ms, ${rowsShare.toFixed(3)} % of the rows`);
  }
  const ms = `${spread(runs.map((each) => each.ms)).median.toFixed(0)} ms`;
  const line = (what: string, pick: (each: (typeof runs)[number]) => number, note: string): Measurement => ({
    promise: "P13",
    what,
    unit: "%",
    goal: { atMost: 1 },
    figure: spread(runs.map(pick)),
    note,
    runs,
  });
  return [
    line(`rows read to find two IDBs of ${rows} equal`, (each) => each.rowsShare, ms),
    line(`bytes read for that`, (each) => each.bytesShare, `of ${(bytes / 1e9).toFixed(1)} GB`),
  ];
}

async function availabilityOfDay(setting: Setting, data: PairData, rows: string): Promise<Measurement> {
  const bounds = ["--from", time(data.from), "--to", time(data.from + dayS)];
  const runs: { readonly ms: number }[] = [];
  for (let each = 1; each <= setting.pairs; each += 1) {
    // What came before the first word of the source is missing, and behind the last one nothing is known.
    const { ms } = await run(setting, ["availability", ...both(data), ...bounds, "--json"], [0, 3, 5]);
    runs.push({ ms });
    setting.say(`P13 availability ${each}/${setting.pairs}: ${ms.toFixed(0)} ms`);
  }
  return {
    promise: "P13",
    what: `availability of a day, two IDBs of ${rows}`,
    unit: "ms",
    goal: { atMost: 1000 },
    figure: spread(runs.map(({ ms }) => ms)),
    note: "with the start of its process",
    runs,
  };
}

/** The same minute, so the same rows: what differs is how many others there are. */
async function minuteOfMany(setting: Setting, data: PairData, rows: string): Promise<Measurement> {
  const small = { ...data, idbPath: data.smallPath, otherPath: data.smallOtherPath };
  // Behind the first minutes, whose beginning nobody has heard, and within both.
  const from = data.from + 5 * minuteS;
  const extraction = (of: PairData) => {
    const out = join(setting.directory, "extracted.db");
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${out}${suffix}`, { force: true });
    const bounds = ["--from", time(from), "--to", time(from + minuteS), "--out", out];
    return run(setting, ["extract", ...both(of), ...bounds]);
  };
  await extraction(small);
  await extraction(data);
  const runs: { readonly largeMs: number; readonly smallMs: number; readonly ratio: number }[] = [];
  for (let pair = 1; pair <= setting.pairs; pair += 1) {
    const isLargeFirst = pair % 2 === 1;
    const first = (await extraction(isLargeFirst ? data : small)).ms;
    const second = (await extraction(isLargeFirst ? small : data)).ms;
    const [largeMs, smallMs] = isLargeFirst ? [first, second] : [second, first];
    runs.push({ largeMs, smallMs, ratio: largeMs / smallMs });
    setting.say(`P13 minute ${pair}/${setting.pairs}: ${largeMs.toFixed(0)} ÷ ${smallMs.toFixed(0)} ms`);
  }
  const median = (pick: (each: (typeof runs)[number]) => number) => spread(runs.map(pick)).median.toFixed(0);
  return {
    promise: "P13",
    what: `one minute's extraction, ${rows} ÷ ${(data.smallRows / 1e6).toFixed(1)} M rows`,
    unit: "",
    goal: { atMost: 1.3 },
    figure: spread(runs.map(({ ratio }) => ratio)),
    note: `${median((each) => each.largeMs)} ÷ ${median((each) => each.smallMs)} ms, files in the page cache`,
    runs,
  };
}

async function intakeBeside(setting: Setting, data: PairData, rows: string): Promise<Measurement> {
  const windowBytes = 262_144;
  const runs: { readonly beside: number; readonly alone: number; readonly ratio: number }[] = [];
  for (let pair = 1; pair <= setting.pairs; pair += 1) {
    const isAloneFirst = pair % 2 === 1;
    const first = await intake(setting, windowBytes, isAloneFirst ? null : data);
    const second = await intake(setting, windowBytes, isAloneFirst ? data : null);
    const [alone, beside] = isAloneFirst ? [first, second] : [second, first];
    runs.push({ beside, alone, ratio: beside / alone });
    setting.say(`P13 intake ${pair}/${setting.pairs}: ${shown(beside)} ÷ ${shown(alone)} events/s`);
  }
  emptyPlace(setting);
  const median = (values: readonly number[]) => shown(spread(values).median);
  const figure: Spread = spread(runs.map(({ ratio }) => ratio));
  return {
    promise: "P13",
    what: `intake with an extraction from ${rows} running ÷ without, window 256 KiB`,
    unit: "",
    goal: { atLeast: 0.9 },
    figure,
    note: `${median(runs.map((each) => each.beside))} ÷ ${median(runs.map((each) => each.alone))} events/s`,
    runs,
  };
}

/** Events a second. Extractions read the instance's own IDB and a large one, one after another while the load lasts. */
async function intake(setting: Setting, windowBytes: number, beside: PairData | null): Promise<number> {
  const { icon, load, seconds } = setting;
  await using instance = await MeasuredInstance.start({ icon, directory: emptyPlace(setting), loadPath: load.path });
  await instance.send({ events: warmUpEvents, windowBytes });
  await instance.readable();
  await calm(setting);
  await using extractions = beside === null ? null : new Extractions(setting, instance.idbPath, beside);
  if (extractions !== null) await instance.until(async () => extractions.hasBegun());
  const sent = await instance.send({ events: load.events, windowBytes, secondsMax: seconds });
  return perSecond(sent.events, sent.lastAckAt - sent.firstSentAt);
}

/** Extracts all of two IDBs, again and again until it is disposed. */
class Extractions implements AsyncDisposable {
  readonly #out: string;
  readonly #running: Promise<void>;
  #child: Bun.Subprocess | null = null;
  #isOver = false;

  constructor({ icon, directory }: Setting, ownPath: string, { idbPath, from, until }: PairData) {
    this.#out = join(directory, "extracted.ndjson");
    const idbs = ["--idb", ownPath, "--idb", idbPath];
    const words = ["extract", ...idbs, "--from", time(from), "--to", time(until), "--out", this.#out, "--force"];
    const log = join(directory, "extract.log");
    this.#running = this.#repeat([icon, ...words], log);
  }

  /** What it has found so far is being written. Throws when an extraction fails. */
  async hasBegun(): Promise<boolean> {
    if (this.#isOver) await this.#running;
    return [this.#out, `${this.#out}.extracting`].some((file) => existsSync(file) && statSync(file).size > 0);
  }

  async #repeat(words: readonly string[], log: string): Promise<void> {
    while (!this.#isOver) {
      const child = Bun.spawn([...words], { stdout: "ignore", stderr: Bun.file(log) });
      this.#child = child;
      const exitCode = await child.exited;
      // The source's first minute is missing in both, and the newest is not yet known.
      if (this.#isOver || [0, 3, 5].includes(exitCode)) continue;
      this.#isOver = true;
      throw new Error(
        `Cannot measure P13: an extraction ended with ${exitCode}: ${readFileSync(log, "utf8").slice(-1000)}`,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#child?.kill("SIGKILL");
    await this.#running;
    for (const file of readdirSync(dirname(this.#out))) {
      if (file.startsWith("extracted.ndjson")) rmSync(join(dirname(this.#out), file), { force: true });
    }
  }
}

interface Run {
  readonly ms: number;
  readonly output: string;
  /** By its system calls, from files and the page cache alike. */
  readonly bytesRead: number;
}

/** A process of the binary from its start to its end. A shell that waits for it is told what it has read. */
async function run({ icon }: Setting, words: readonly string[], expected: readonly number[] = [0]): Promise<Run> {
  const script = '"$@"; code=$?; cat /proc/$$/io >&2; exit $code';
  const beganAt = performance.now();
  const child = Bun.spawn(["sh", "-c", script, "icon", icon, ...words], { stdout: "pipe", stderr: "pipe" });
  const [output, trouble] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const exitCode = await child.exited;
  const ms = performance.now() - beganAt;
  if (!expected.includes(exitCode)) {
    throw new Error(`Cannot measure P13: icon ${words.join(" ")} ended with ${exitCode}: ${trouble.slice(-1000)}`);
  }
  return { ms, output, bytesRead: Number(/^rchar: (\d+)$/m.exec(trouble)?.[1] ?? Number.NaN) };
}

function both({ idbPath, otherPath }: PairData): string[] {
  return ["--idb", idbPath, "--idb", otherPath];
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
