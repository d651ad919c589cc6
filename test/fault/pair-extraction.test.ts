// The extraction from a pair under random faults, which is broken off, repeated and followed: each row once, the report
// true, and in the end equal to an extraction that nobody disturbed. ICON_PAIR_EXTRACT_SECONDS says for how long the pair is
// followed while faults befall it, ICON_PAIR_EXTRACT_KILLS how often an extraction is killed.

import { beforeAll, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { callTableNames, comparedColumns } from "../../schema/life.ts";
import { openReading } from "../../src/idb/reading.ts";
import { whyNoNamespaces } from "../harness/cable.ts";
import { EventLog } from "../harness/event-log.ts";
import { seededRandom } from "../harness/load-verdict.ts";
import { readOracle } from "../harness/oracle.ts";
import { Pair } from "../harness/pair.ts";
import { fromEnvironment, iconBinary, TemporaryDirectory } from "../harness/processes.ts";
import { type RunningCommand, startCommand } from "../harness/run-command.ts";
import { auditWindows, type JudgedWindow, readCountedWindows, type WindowAudit } from "./pair-audit.ts";
import {
  auditCalls,
  type CallAudit,
  type Extracted,
  type ExtractReport,
  extract,
  extractWords,
} from "./pair-extract.ts";
import { readJudgedWindows } from "./pair-judged.ts";
import { befall, planFaults } from "./pair-plan.ts";

const seconds = fromEnvironment("ICON_PAIR_EXTRACT_SECONDS", 6);
const kills = fromEnvironment("ICON_PAIR_EXTRACT_KILLS", 3);
const eventsPerSecond = fromEnvironment("ICON_PAIR_EXTRACT_RATE", 100);
const isNamespaced = whyNoNamespaces() === null;
const { seed, next } = seededRandom("pair extraction");

interface Played {
  readonly directory: TemporaryDirectory;
  readonly idbPaths: readonly string[];
  readonly stretch: Extracted;
  readonly judged: readonly JudgedWindow[];
  readonly windows: WindowAudit;
  readonly truthPath: string;
  /** Of an extraction that nobody disturbed. */
  readonly report: ExtractReport;
  readonly out: string;
  /** Of the one that followed the pair all the time. */
  readonly followed: string;
  readonly followerKills: number;
}

let played: Played;

beforeAll(
  async () => {
    await iconBinary();
    const directory = new TemporaryDirectory("pair-extraction");
    const followed = directory.at("followed.db");
    await using pair = await Pair.start({
      directory: directory.at("pair"),
      isNamespaced,
      simulator: {
        seed,
        rate: eventsPerSecond,
        talkSeconds: 2,
        heartbeatMs: 1_000,
        lingerSeconds: 7,
        resendEvents: 250,
      },
    });
    const far = { from: pair.listeningFrom, until: pair.listeningFrom + 86_400 };
    const following = new Following(pair.idbPaths, far, followed);
    await following.begin();
    // What a copy has lost for good, whoever has followed keeps, and whoever comes later cannot have.
    const plan = planFaults({ seed, seconds, quietSeconds: { one: 4, both: 20 } }).filter(
      ({ fault }) => fault !== "queue deleted while it is down",
    );
    const startedAt = performance.now();
    const untilEnd = befall(pair, plan);
    while (performance.now() - startedAt < seconds * 1_000) {
      await Bun.sleep(1_000 + next() * 4_000);
      await following.killAndGoOn();
    }
    await untilEnd;
    await pair.end();
    const log = EventLog.read(pair.truthPath);
    const stretch = { from: pair.listeningFrom, until: log.untilSeconds };
    await following.end(stretch);
    const { idbPaths, truthPath } = pair;
    const judged = await readJudgedWindows(idbPaths, stretch);
    const windows = auditWindows(log, stretch.from, judged, idbPaths.map(readCountedWindows));
    const out = directory.at("undisturbed.db");
    const report = await extract(idbPaths, stretch, out);
    played = {
      directory,
      idbPaths,
      stretch,
      judged,
      windows,
      truthPath,
      report,
      out,
      followed,
      followerKills: following.kills,
    };
  },
  seconds * 4_000 + 180_000,
);

/** `icon extract --follow`, killed now and then and begun again with the same output. */
class Following {
  kills = 0;
  #running: RunningCommand | null = null;

  constructor(
    readonly idbPaths: readonly string[],
    readonly stretch: Extracted,
    readonly out: string,
  ) {}

  async begin(): Promise<void> {
    this.#running = await startCommand([
      ...extractWords(this.idbPaths, this.stretch, this.out),
      "--follow",
      "--every",
      "300ms",
    ]);
  }

  async killAndGoOn(): Promise<void> {
    this.#running?.kill("SIGKILL");
    await this.#running?.ended;
    this.kills += 1;
    await this.begin();
  }

  /** Follows up to the end of the stretch, and is at its end then. */
  async end(stretch: Extracted): Promise<void> {
    this.#running?.kill("SIGKILL");
    await this.#running?.ended;
    const last = await startCommand([
      ...extractWords(this.idbPaths, stretch, this.out),
      "--follow",
      "--every",
      "300ms",
    ]);
    const giveUp = setTimeout(() => last.kill("SIGKILL"), 60_000);
    const { exitCode, stderr } = await last.ended;
    clearTimeout(giveUp);
    if (![0, 3].includes(exitCode)) throw new Error(`icon extract --follow ended with ${exitCode}: ${stderr}`);
  }
}

/** Every row that was handed out, with its table, as far as two copies can agree on it: either may be where it is from. */
function rowsOf(out: string): string[] {
  const reading = openReading(out);
  try {
    return callTableNames
      .flatMap((table) => {
        const columns = comparedColumns(table);
        const rows = reading.database.prepare(`SELECT ${columns.join(", ")} FROM "${table}"`).all();
        return rows.map((row) => `${table} ${JSON.stringify(row)}`);
      })
      .sort();
  } finally {
    reading.close();
  }
}

/** The first rows that are in the one and not in the other, or not as often. */
function differences(out: string, other: string): string[] {
  const counted = new Map<string, number>();
  for (const row of rowsOf(out)) counted.set(row, (counted.get(row) ?? 0) + 1);
  for (const row of rowsOf(other)) counted.set(row, (counted.get(row) ?? 0) - 1);
  return [...counted]
    .filter(([, times]) => times !== 0)
    .map(([row, times]) => `${times} ${row}`)
    .slice(0, 10);
}

/** [CALLID, what was said of it], of all that were handed out. */
function verdictsOf(out: string): unknown[] {
  const reading = openReading(out);
  try {
    return reading.database
      .prepare("SELECT CALLID, VERDICT FROM ICON_EXTRACT_CALL WHERE WITHDRAWN IS NULL ORDER BY CALLID")
      .raw()
      .all() as unknown[];
  } finally {
    reading.close();
  }
}

function auditOf(out: string): CallAudit {
  return auditCalls(out, played.stretch, readOracle(played.truthPath), played.judged);
}

test("the report is true: its windows are those of the ledger, and calls that it calls complete are as they were", () => {
  const { report, windows } = played;
  const audit = auditOf(played.out);
  console.log(
    `extraction: ${audit.calls} calls, ${audit.saidComplete} complete, ${audit.joined} of them joined`,
    report.windows,
  );
  const { falseComplete, notChosen, divergent } = windows;
  expect({ falseComplete, notChosen, divergent }).toEqual({ falseComplete: [], notChosen: [], divergent: [] });
  expect(report.windows).toMatchObject({
    complete: windows.said.complete,
    silent: windows.said.silent,
    incomplete: windows.said.incomplete,
  });
  expect(audit.saidComplete).toBeGreaterThan(0);
  expect(audit.falseComplete).toEqual([]);
  expect(audit.falseIncomplete).toEqual([]);
});

test("the same stretch extracted again into the same output writes nothing; into another one, the same rows", async () => {
  const { idbPaths, stretch, out, directory } = played;
  const again = await extract(idbPaths, stretch, out);
  expect(again.run).toMatchObject({ written: 0, withdrawn: 0 });
  const other = directory.at("other.db");
  await extract(idbPaths, stretch, other);
  expect(differences(other, out)).toEqual([]);
});

test("two stretches that overlap, one after the other, give each row once", async () => {
  const { idbPaths, stretch, out, directory } = played;
  const inParts = directory.at("parts.db");
  const middle = Math.floor((stretch.from + stretch.until) / 2);
  await extract(idbPaths, { from: stretch.from, until: middle + 3 }, inParts);
  await extract(idbPaths, { from: middle, until: stretch.until }, inParts);
  expect(differences(inParts, out)).toEqual([]);
});

test(
  `an extraction that is killed ${kills} times and begun again gives the rows of one that nobody disturbed`,
  async () => {
    const { idbPaths, stretch, out, directory } = played;
    const broken = directory.at("broken-off.db");
    const begunAt = performance.now();
    await extract(idbPaths, stretch, directory.at("timed.db"));
    const tookMs = performance.now() - begunAt;
    let brokenOff = 0;
    for (let kill = 0; kill < kills; kill++) {
      // A new output is begun with now and then; else the one that is there is gone on with.
      if (kill % 3 === 2)
        for (const suffix of ["", "-wal", "-shm", ".extracting"]) rmSync(`${broken}${suffix}`, { force: true });
      const running = await startCommand([
        ...extractWords(idbPaths, stretch, broken),
        ...(kill % 2 === 0 ? [] : ["--follow"]),
      ]);
      const timer = setTimeout(() => running.kill("SIGKILL"), next() * tookMs);
      const { exitCode } = await running.ended;
      clearTimeout(timer);
      if (exitCode > 128) brokenOff += 1;
    }
    console.log(`${brokenOff} of ${kills} extractions were killed before their end, of about ${Math.round(tookMs)} ms`);
    expect(brokenOff).toBeGreaterThan(0);
    await extract(idbPaths, stretch, broken);
    expect(differences(broken, out)).toEqual([]);
    expect(verdictsOf(broken)).toEqual(verdictsOf(out));
  },
  kills * 20_000 + 60_000,
);

test("an extraction that has followed the pair over all its faults, killed now and then, ends with the same rows and verdicts", () => {
  const { out, followed, followerKills } = played;
  console.log(`followed for ${seconds} s, killed ${followerKills} times: ${rowsOf(followed).length} rows`);
  expect(differences(followed, out)).toEqual([]);
  expect(verdictsOf(followed)).toEqual(verdictsOf(out));
  played.directory[Symbol.dispose]();
});
