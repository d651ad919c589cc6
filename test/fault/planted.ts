// `bun run planted [--seeds-only] [NAME…]`: plants one fault after another and shows who catches it: the seeded simulation
// (test/simulation), into whose sources it is put as they are loaded, and the fault tests, which run against a build that
// has it. The healthy program has to pass both with the same settings. A fault is caught when broken promises were found,
// not when a test merely failed. Ends with 1 when a planted fault goes uncaught or the healthy program is found guilty.

import { join } from "node:path";
import { whyNoPowerCut } from "../harness/power-cut.ts";
import { buildBinary } from "../harness/processes.ts";
import { plants } from "./plant.ts";

interface Run {
  readonly promise: string;
  /** Names of broken promises with their counts. */
  readonly broken: Readonly<Record<string, number | readonly string[]>>;
}

const suites = [
  { name: "R1 (kill -9)", file: "test/fault/kill.test.ts" },
  { name: "R3 (power cut)", file: "test/fault/power-cut.test.ts" },
] as const;
type SuiteName = (typeof suites)[number]["name"];

/**
 * By plant, the suite that must catch it. A kill alone loses nothing that was written, and the moment between an early
 * acknowledgement and the write is short: R1 need not see those. What a start forgets, every kill shows.
 */
const mustCatch: Readonly<Record<string, SuiteName>> = {
  "no-fdatasync": "R3 (power cut)",
  "past-durable": "R3 (power cut)",
  "early-ack": "R3 (power cut)",
  "blind-resume": "R1 (kill -9)",
  "lost-state": "R1 (kill -9)",
};

/** Faults in what the simulation has a stand-in for, and those that make no promise break; all others it must catch. */
const beyondSeeds: ReadonlySet<string> = new Set([
  "no-fdatasync",
  "blind-resume",
  "held-fails",
  "dies-on-record",
  "dies-uncaught",
  "exits-in-transaction",
  // What one copy of a pair believes and the other does not: test/fault/pair-lies.test.ts.
  "forgets-event",
  "misreads-event",
]);
const seedsMax = 1000;

// So many that a fault which one cut in two shows does not get away.
const settings = { ICON_POWER_CUTS: "6", ICON_KILL_CYCLES: "10" };

async function runSuite(
  file: string,
  binary: string,
  healthy: string,
): Promise<{ runs: Run[]; exitCode: number; text: string }> {
  const child = Bun.spawn([process.execPath, "test", file], {
    env: { ...settings, ...process.env, ICON_BINARY: binary, ICON_SIMULATOR_BINARY: healthy },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const runs = `${out}\n${err}`
    .split("\n")
    .filter((line) => line.startsWith("verdict "))
    .map((line) => JSON.parse(line.slice("verdict ".length)) as Run);
  return { runs, exitCode, text: `${out}\n${err}` };
}

function inShort(broken: Run["broken"]): string {
  return Object.entries(broken)
    .map(([name, value]) => `${name} ${typeof value === "number" ? value : value.length}`)
    .join(", ");
}

interface Row {
  readonly plant: string;
  readonly suite: string;
  readonly outcome: string;
  readonly found: string;
}

/** The histories from seed 1 on, up to the first that finds something. */
async function runSeeds(plant: string | null): Promise<Row & { readonly isFine: boolean }> {
  const preload = plant === null ? [] : ["--preload", join(import.meta.dir, "plant-loader.ts")];
  const script = join(import.meta.dir, "../simulation/seeds.ts");
  const child = Bun.spawn([process.execPath, ...preload, script, "--count", String(seedsMax), "--first-only"], {
    env: { ...process.env, ...(plant === null ? {} : { ICON_PLANT: plant }) },
    stdout: "pipe",
    stderr: "inherit",
  });
  const [text] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  const [, seed, what = ""] = /^seed (\d+): (.*)$/m.exec(text) ?? [];
  const isComplete = text.includes(`${seedsMax} histories`);
  const isFine = plant === null ? isComplete && seed === undefined : seed !== undefined;
  const outcome = seed !== undefined ? `caught by seed ${seed}` : isFine ? `passes ${seedsMax}` : "WRONG";
  if (!isFine) console.error(text);
  return { plant: plant ?? "(none: healthy)", suite: "R20 (seeds)", outcome, found: what, isFine };
}

async function main(): Promise<number> {
  const isSeedsOnly = process.argv.includes("--seeds-only");
  const chosen = process.argv.slice(2).filter((word) => !word.startsWith("--"));
  const isChosen = (plant: string) => chosen.length === 0 || chosen.includes(plant);
  const rows: Row[] = [];
  let isWrong = false;
  for (const plant of [null, ...Object.keys(plants).filter((name) => !beyondSeeds.has(name) && isChosen(name))]) {
    const { isFine, ...row } = await runSeeds(plant);
    isWrong ||= !isFine;
    rows.push(row);
    console.log(`${row.plant}, ${row.suite}: ${row.outcome} ${row.found}`);
    if (plant !== null) console.log(`  ${plant}: ${plants[plant]?.what}`);
  }
  if (!isSeedsOnly && (await runFaultTests(isChosen, rows))) isWrong = true;
  console.table(rows.map(({ plant, suite, outcome }) => ({ plant, suite, outcome })));
  return isWrong ? 1 : 0;
}

/** Adds their rows; returns whether something is wrong. */
async function runFaultTests(isChosen: (plant: string) => boolean, rows: Row[]): Promise<boolean> {
  const why = whyNoPowerCut("ext4");
  if (why !== null) console.log(`skipped: R3 on planted builds: ${why}`);
  const healthy = await buildBinary(null);
  let isWrong = false;
  for (const plant of [null, ...Object.keys(mustCatch)]) {
    if (plant !== null && !isChosen(plant)) continue;
    const binary = plant === null ? healthy : await buildBinary(plant);
    for (const { name, file } of suites) {
      if (name.startsWith("R3") && why !== null) continue;
      // A fault that one suite must catch is shown to the other only where that tells something.
      if (plant !== null && mustCatch[plant] === "R1 (kill -9)" && name !== mustCatch[plant]) continue;
      const { runs, exitCode, text } = await runSuite(file, binary, healthy);
      const guilty = runs.filter(({ broken }) => Object.keys(broken).length > 0);
      const isCaught = guilty.length > 0;
      const must = plant !== null && mustCatch[plant] === name;
      const isFine = plant === null ? exitCode === 0 : isCaught || !must;
      if (!isFine) {
        isWrong = true;
        console.error(text);
      }
      rows.push({
        plant: plant ?? "(none: healthy)",
        suite: name,
        outcome: isCaught ? `caught by ${guilty.length} of ${runs.length}` : isFine ? "passes" : "WRONG",
        found: guilty.map(({ promise, broken }) => `${promise}: ${inShort(broken)}`).join("; "),
      });
      console.log(`${plant ?? "healthy"}, ${name}: ${rows.at(-1)?.outcome} ${rows.at(-1)?.found}`);
    }
    if (plant !== null) console.log(`  ${plant}: ${plants[plant]?.what}`);
  }
  return isWrong;
}

process.exit(await main());
