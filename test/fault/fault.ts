// `bun run fault [--again] [--list] [R1 | part of a name …]`: the fault suite at full length, slice after slice, and one
// table of the promises in the end. Ends with 1 when something failed, a promise without any figure included.
//
// It can be stopped at any time: what has passed on the same commit, with nothing changed in the checkout, is not run
// again, unless --again is given. Results and the output of every slice are kept in fault-result/.

import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { provenance } from "../bench/machine.ts";
import type { Figure } from "../harness/figure.ts";
import { iconBinary, whenGone } from "../harness/processes.ts";
import { environmentOf, ResultFile, readTests, resultThatStands, type SliceResult } from "./result.ts";
import { checkout, chosenSlices, promised, type Slice, slices } from "./slice.ts";
import { rowsOf, tableText } from "./table.ts";

const resultDirectory = join(checkout, "fault-result");
// A slice is a few minutes long; one that hangs must not take the night.
const sliceMsMax = 45 * 60_000;
const stillMs = 60_000;
const shownLines = 60;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { again: { type: "boolean", default: false }, list: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const chosen = chosenSlices(slices(), positionals);
  if (values.list) {
    for (const slice of chosen) console.log(lineOf(slice));
    return 0;
  }
  const { commit, machine } = provenance(tmpdir());
  console.log(`commit ${commit}; ${machine.cores} × ${machine.cpu}, Linux ${machine.kernel}, Bun ${machine.bun}`);
  const file = new ResultFile(join(resultDirectory, "results.jsonl"));
  const earlier = values.again ? [] : file.read();
  const binary = await iconBinary();
  const ran: { slice: Slice; result: SliceResult }[] = [];
  for (const [at, slice] of chosen.entries()) {
    const stands = resultThatStands(slice, earlier, { commit, environment: process.env });
    console.log(`[${at + 1}/${chosen.length}] ${lineOf(slice)}${stands === null ? "" : ": passed before"}`);
    const result = stands ?? (await runSlice(slice, commit, binary));
    if (stands === null) file.add(result);
    ran.push({ slice, result });
  }
  // Asked for a part, the other promises are no failures.
  const asked = Object.entries(promised).filter(
    ([promise]) =>
      positionals.length === 0 ||
      ran.some(({ slice, result }) =>
        [...slice.promises, ...result.figures.map((each) => each.promise)].includes(promise),
      ),
  );
  const rows = rowsOf(Object.fromEntries(asked), ran);
  console.log(`\n${tableText(rows)}`);
  return rows.some(({ outcome }) => outcome === "failed") ? 1 : 0;
}

function lineOf({ name, promises, environment }: Slice): string {
  const variables = Object.entries(environmentOf({ environment } as Slice, process.env));
  return [
    promises.length === 0 ? "–" : promises.join(" "),
    name,
    ...variables.map(([variable, value]) => `${variable}=${value}`),
  ].join("  ");
}

async function runSlice(slice: Slice, commit: string, binary: string): Promise<SliceResult> {
  const directory = mkdtempSync(join(tmpdir(), "icon-slice-"));
  const [report, figuresPath] = [join(directory, "report.xml"), join(directory, "figures.jsonl")];
  const logPath = join(resultDirectory, `${slice.name.replaceAll(/[^\w.-]+/g, "-")}.log`);
  const environment = environmentOf(slice, process.env);
  const isTest = slice.words[0] === "test";
  const words = isTest ? [...slice.words, "--reporter=junit", `--reporter-outfile=${report}`] : slice.words;
  const startedAt = performance.now();
  const secondsSoFar = () => Math.round((performance.now() - startedAt) / 1_000);
  const stillRunning = setInterval(() => console.log(`    still running after ${secondsSoFar()} s`), stillMs);
  try {
    mkdirSync(resultDirectory, { recursive: true });
    const log = openSync(logPath, "w");
    const child = Bun.spawn([process.execPath, ...words], {
      cwd: checkout,
      env: { ...process.env, ...environment, ICON_BINARY: binary, ICON_FIGURES: figuresPath },
      stdin: "ignore",
      stdout: log,
      stderr: log,
    });
    void child.exited.then(whenGone(["kill", "-9", String(child.pid)]));
    const giveUp = setTimeout(() => child.kill("SIGKILL"), sliceMsMax);
    const exitCode = await child.exited;
    clearTimeout(giveUp);
    closeSync(log);
    const tests = isTest
      ? readTests(existsSync(report) ? readFileSync(report, "utf8") : "", slice.tests)
      : { testsPassed: exitCode === 0 ? 1 : 0, failures: [], skipped: [] };
    const failures = [...tests.failures];
    if (exitCode !== 0 && failures.length === 0) failures.push(`exit code ${exitCode}`);
    if (tests.testsPassed + tests.failures.length + tests.skipped.length === 0) failures.push("no test was run");
    const outcome = failures.length > 0 ? "failed" : "passed";
    const seconds = secondsSoFar();
    console.log(`    ${outcome} after ${seconds} s${tests.skipped.map((reason) => `; skipped: ${reason}`).join("")}`);
    if (outcome === "failed") console.log(tailOf(logPath));
    return {
      slice: slice.name,
      environment,
      commit,
      ...tests,
      outcome,
      seconds,
      failures,
      figures: readFigures(figuresPath),
    };
  } finally {
    clearInterval(stillRunning);
    rmSync(directory, { recursive: true, force: true });
  }
}

function readFigures(path: string): Pick<Figure, "promise" | "text">[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Figure);
}

function tailOf(path: string): string {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return `${lines
    .slice(-shownLines)
    .map((line) => `    ${line}`)
    .join("\n")}\n    all of it: ${path}`;
}

process.exit(await main());
