// `bun run seeds`: lives through one history after another and says which of them broke a promise.
//
//   bun run seeds                          2,000 histories from seed 1
//   bun run seeds --from 2001 --count 500  others; where one run ended, the next can begin
//   bun run seeds --minutes 30             as many as that
//   bun run seeds --seed 4711 --trace      one of them again, exactly, step by step
//
// Ends with 1 when a promise was broken.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { figure } from "../harness/figure.ts";
import { liveThrough } from "./history.ts";

export interface Broken {
  readonly seed: number;
  readonly what: string;
}

export interface SeedsReport {
  readonly histories: number;
  readonly lives: number;
  readonly records: number;
  readonly events: number;
  readonly messages: number;
  /** Windows vouched for; windows with events, and how many of those were vouched for. */
  readonly vouched: number;
  readonly eventful: number;
  readonly eventfulVouched: number;
  readonly broken: readonly Broken[];
  /** Where the next run goes on. */
  readonly next: number;
}

export interface SeedsRange {
  readonly from: number;
  readonly count: number;
  /** Milliseconds of `performance.now` after which no further history is begun. */
  readonly untilMs?: number;
  /** Without what came to the histories later: see history.ts. */
  readonly isPlain?: boolean;
  /** Ends with the first broken promise. */
  readonly isFirstEnough?: boolean;
  readonly onBroken?: (broken: Broken) => void;
}

export async function runSeeds({
  from,
  count,
  untilMs,
  isPlain = false,
  isFirstEnough,
  onBroken,
}: SeedsRange): Promise<SeedsReport> {
  const directory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "icon-seeds-"));
  const sum = { histories: 0, lives: 0, records: 0, events: 0, messages: 0, ...nothingVouched };
  const broken: Broken[] = [];
  let stray: unknown = null;
  const onStray = (error: unknown) => {
    stray = error;
  };
  process.on("unhandledRejection", onStray);
  let seed = from;
  try {
    for (; seed < from + count && performance.now() < (untilMs ?? Number.POSITIVE_INFINITY); seed++) {
      stray = null;
      try {
        const { lives, records, events, messages, vouched } = await liveThrough(seed, directory, { isPlain });
        if (stray !== null) throw stray;
        sum.lives += lives;
        sum.records += records;
        sum.events += events;
        sum.messages += messages;
        sum.vouched += vouched.windows;
        sum.eventful += vouched.eventful;
        sum.eventfulVouched += vouched.eventfulVouched;
      } catch (error) {
        const found = { seed, what: inWords(error) };
        broken.push(found);
        onBroken?.(found);
        if (isFirstEnough === true) break;
      }
      sum.histories += 1;
      // libSQL lets go of a file only when its statements are collected.
      if (sum.histories % 50 === 0) Bun.gc(true);
    }
  } finally {
    process.off("unhandledRejection", onStray);
    rmSync(directory, { recursive: true, force: true });
  }
  return { ...sum, broken, next: seed };
}

const nothingVouched = { vouched: 0, eventful: 0, eventfulVouched: 0 };

function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "Finding" ? error.message : (error.stack ?? error.message);
}

async function traceOne(seed: number, isTraced: boolean, isPlain: boolean): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "icon-seeds-"));
  const trace: string[] = [];
  try {
    await liveThrough(seed, directory, { trace, isPlain });
    return 0;
  } catch (error) {
    console.error(`seed ${seed}: ${inWords(error)}`);
    return 1;
  } finally {
    if (isTraced) console.log(trace.join("\n"));
    rmSync(directory, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      trace: { type: "boolean", default: false },
      plain: { type: "boolean", default: false },
      from: { type: "string", default: "1" },
      count: { type: "string" },
      minutes: { type: "string" },
      "first-only": { type: "boolean", default: false },
    },
  });
  if (values.seed !== undefined) return traceOne(Number(values.seed), values.trace, values.plain);
  const startedAt = performance.now();
  const count = Number(values.count ?? (values.minutes === undefined ? 2_000 : Number.POSITIVE_INFINITY));
  const minutes = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes);
  const report = await runSeeds({
    from: Number(values.from),
    count,
    isPlain: values.plain,
    untilMs: startedAt + minutes * 60_000,
    isFirstEnough: values["first-only"],
    onBroken: ({ seed, what }) => console.log(`seed ${seed}: ${what}\n  again: bun run seeds --seed ${seed} --trace`),
  });
  const tookMs = performance.now() - startedAt;
  const perMinute = Math.round((report.histories * 60_000) / tookMs);
  console.log(
    `${report.histories} histories (seeds ${values.from} to ${report.next - 1}), ${report.lives} lives of the process, ` +
      `${report.records} records, ${report.events} events and ${report.messages} manager messages in ${(tookMs / 1000).toFixed(0)} s (${perMinute} a minute): ` +
      `${report.vouched} windows vouched for, ${report.eventfulVouched} of ${report.eventful} with events; ` +
      `${report.broken.length} broke a promise; go on with --from ${report.next}`,
  );
  if (report.broken.length > 0) return 1;
  figure(
    "R20",
    `${report.histories} histories, ${report.lives} lives, ${report.events} events, ${report.messages} manager messages: 0 promises broken`,
  );
  return 0;
}

if (import.meta.main) process.exit(await main());
