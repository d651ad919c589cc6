// The steps of the check, each a process of its own, one after the other: with two cores, tests that measure nothing but
// still wait for something must not be starved by others.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkout } from "./installed.ts";
import { type Counts, countsLine, nothing, readJunit, sum } from "./junit.ts";

interface Step {
  readonly name: string;
  run(): Promise<Counts>;
}

const one = { passed: { ...nothing, passed: 1 }, failed: { ...nothing, failed: 1 } } as const;
// The whole check has 15 minutes; a step that hangs must end while there is time to say so.
const stepMsMax = 12 * 60_000;

/** Runs all steps, also after one has failed; returns the exit code. */
export async function checkEverything(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "icon-check-"));
  const counted: Counts[] = [];
  try {
    for (const step of steps(directory)) {
      console.log(`\n== ${step.name}`);
      const startedAt = performance.now();
      const counts = await step.run();
      counted.push(counts);
      console.log(`-- ${step.name}: ${countsLine(counts)} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const total = sum(counted);
  console.log(`\n${countsLine(total)}`);
  return total.failed === 0 ? 0 : 1;
}

function steps(directory: string): readonly Step[] {
  const binary = join(directory, "first", "icon");
  const second = join(directory, "second", "icon");
  const files = [...new Bun.Glob("**/*.test.{ts,tsx}").scanSync({ cwd: join(checkout, "test") })].sort();
  const isIn = (folder: string) => (file: string) => file.startsWith(`${folder}/`);
  const rest = files.filter((file) => !isIn("binary")(file) && !isIn("fault")(file));
  const tests = (name: string, chosen: readonly string[]): Step => ({
    name,
    run: () => runTests(chosen, join(directory, `${name.replaceAll(" ", "-")}.xml`), binary),
  });
  return [
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
    tests("binary away from the checkout", files.filter(isIn("binary"))),
    tests("tests", rest),
    tests("short fault tests", files.filter(isIn("fault"))),
  ];
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

async function runTests(files: readonly string[], report: string, binary: string): Promise<Counts> {
  const paths = files.map((file) => `./test/${file}`);
  // A test says itself when it may take longer. The runner's 5 s are short for one that starts processes on a busy host.
  const words = ["test", "--timeout=30000", "--reporter=junit", `--reporter-outfile=${report}`, ...paths];
  const exitCode = await runBun(words, { ICON_BINARY: binary });
  const counts = readReport(report);
  // An error outside of any test fails the run and stands in no report; so does a run that was killed.
  if (counts === null || (exitCode !== 0 && counts.failed === 0)) return sum([counts ?? nothing, one.failed]);
  return counts;
}

function readReport(report: string): Counts | null {
  try {
    return readJunit(readFileSync(report, "utf8"));
  } catch {
    return null; // not written: the run ended before its end
  }
}

async function runBun(words: readonly string[], environment: Readonly<Record<string, string>>): Promise<number> {
  const child = Bun.spawn([process.execPath, ...words], {
    cwd: checkout,
    env: { ...process.env, ...environment },
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
  });
  const giveUp = setTimeout(() => child.kill("SIGKILL"), stepMsMax);
  const exitCode = await child.exited;
  clearTimeout(giveUp);
  return exitCode;
}
