// The steps of the check, each a process of its own, one after the other: with two cores, tests that measure nothing but
// still wait for something must not be starved by others. One step goes beside the others, with what they leave of the
// cores: the tests that only compute, and wait for nothing.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { constants, setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { checkout } from "./installed.ts";
import { type Counts, countsLine, nothing, readJunit, slowestFiles, sum } from "./junit.ts";

interface Step {
  readonly name: string;
  run(): Promise<Counts>;
}

const slowestShown = 12;
const one = { passed: { ...nothing, passed: 1 }, failed: { ...nothing, failed: 1 } } as const;
// The whole check takes 15 minutes where nothing else runs. A step that hangs must end while there is time to say so.
const stepMsMax = 25 * 60_000;

/** Runs all steps, also after one has failed; returns the exit code. */
export async function checkEverything(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "icon-check-"));
  const counted: Counts[] = [];
  try {
    const { before, inTurn, beside } = steps(directory);
    for (const step of before) counted.push(await taken(step));
    const begunAt = performance.now();
    const computed = beside.run();
    for (const step of inTurn) counted.push(await taken(step));
    counted.push(await taken({ ...beside, run: () => computed }, begunAt));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const total = sum(counted);
  console.log(`\n${countsLine(total)}`);
  return total.failed === 0 ? 0 : 1;
}

async function taken(step: Step, startedAt = performance.now()): Promise<Counts> {
  console.log(`\n== ${step.name}`);
  const counts = await step.run();
  console.log(`-- ${step.name}: ${countsLine(counts)} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  return counts;
}

/** No processes, no sockets, no waiting, and most of the processor time that all tests take. */
const computing = [/^(event|extraction|fuzz|projection|protocol|queue|schema|simulation|structure)\//, /^projector\./];
const waiting = [/^fuzz\/http\./, /^extraction\/(follow|http-copy)\./, /^queue\/segment\./];

interface Steps {
  readonly before: readonly Step[];
  readonly inTurn: readonly Step[];
  /** Goes on while those of `inTurn` do. */
  readonly beside: Step;
}

function steps(directory: string): Steps {
  const binary = join(directory, "first", "icon");
  const second = join(directory, "second", "icon");
  const files = [...new Bun.Glob("**/*.test.{ts,tsx}").scanSync({ cwd: join(checkout, "test") })].sort();
  const isIn = (folder: string) => (file: string) => file.startsWith(`${folder}/`);
  const isComputing = (file: string) =>
    computing.some((each) => each.test(file)) && !waiting.some((each) => each.test(file));
  const rest = files.filter((file) => !isIn("binary")(file) && !isIn("fault")(file) && !isComputing(file));
  const tests = (name: string, chosen: readonly string[], isBeside = false): Step => ({
    name,
    run: () => runTests(chosen, { report: join(directory, name.replaceAll(" ", "-")), binary, isBeside }),
  });
  const before: readonly Step[] = [
    { name: "types", run: () => succeeds(tool("typescript/bin/tsc"), ["--noEmit", "-p", "."]) },
    { name: "lint and format", run: () => succeeds(tool("@biomejs/biome/bin/biome"), ["ci", "."]) },
    { name: "build", run: () => succeeds("build.ts", ["--outfile", binary]) },
    {
      name: "build again, the same bytes",
      run: async () => {
        if ((await succeeds("build.ts", ["--outfile", second])).failed > 0) return one.failed;
        const [first, again] = [sha256(binary), sha256(second)];
        console.log(`SHA-256 ${first}${first === again ? ", twice" : ` and ${again}`}`);
        return first === again ? one.passed : one.failed;
      },
    },
  ];
  return {
    before,
    inTurn: [
      tests("binary away from the checkout", files.filter(isIn("binary"))),
      tests("tests", rest),
      tests("short fault tests", files.filter(isIn("fault"))),
    ],
    beside: tests("tests that only compute", files.filter(isComputing), true),
  };
}

function tool(path: string): string {
  return join(checkout, "node_modules", path);
}

function sha256(file: string): string {
  return new Bun.CryptoHasher("sha256").update(readFileSync(file)).digest("hex");
}

/** Runs a script with the running executable: there may be neither bun nor node on PATH. */
async function succeeds(script: string, words: readonly string[]): Promise<Counts> {
  return (await runBun([script, ...words], {})) === 0 ? one.passed : one.failed;
}

interface TestRun {
  /** Path without an ending of what the run leaves. */
  readonly report: string;
  readonly binary: string;
  /** Other tests run meanwhile: it lets them go first, and says what it has to say when it has ended. */
  readonly isBeside: boolean;
}

async function runTests(files: readonly string[], { report, binary, isBeside }: TestRun): Promise<Counts> {
  const paths = files.map((file) => `./test/${file}`);
  // A test says itself when it may take longer. The runner's 5 s are short for one that starts processes on a busy host.
  const timeout = isBeside ? "--timeout=300000" : "--timeout=30000";
  const words = ["test", timeout, "--reporter=junit", `--reporter-outfile=${report}.xml`, ...paths];
  const exitCode = await runBun(words, { ICON_BINARY: binary }, isBeside ? `${report}.txt` : null);
  if (isBeside) console.log(readFileSync(`${report}.txt`, "utf8"));
  const text = readReport(`${report}.xml`);
  const slowest = slowestFiles(text, slowestShown).map(({ file, seconds }) => `${file} ${seconds.toFixed(1)} s`);
  console.log(`slowest: ${slowest.join(", ")}`);
  const counts = readJunit(text);
  // An error outside of any test fails the run and stands in no report; so does a run that was killed.
  if (counts === null || (exitCode !== 0 && counts.failed === 0)) return sum([counts ?? nothing, one.failed]);
  return counts;
}

function readReport(report: string): string {
  try {
    return readFileSync(report, "utf8");
  } catch {
    return ""; // not written: the run ended before its end
  }
}

/** With a file for what it prints, it also gives way to whatever else wants the cores. */
async function runBun(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  file: string | null = null,
): Promise<number> {
  const output = file === null ? "inherit" : openSync(file, "w");
  const child = Bun.spawn([process.execPath, ...words], {
    cwd: checkout,
    env: { ...process.env, ...environment },
    stdin: "ignore",
    stdout: output,
    stderr: output,
  });
  if (file !== null) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const giveUp = setTimeout(() => child.kill("SIGKILL"), stepMsMax);
  const exitCode = await child.exited;
  clearTimeout(giveUp);
  if (output !== "inherit") closeSync(output);
  return exitCode;
}
