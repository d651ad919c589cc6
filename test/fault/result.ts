// Results of slices, kept from run to run in a file of JSON lines, so that a suite of half an hour can be stopped and gone
// on with. A result counts for the commit it was found on and for no other.

import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Figure } from "../harness/figure.ts";
import type { Slice } from "./slice.ts";

export interface SliceResult {
  readonly slice: string;
  /** As it was for this run: a shorter one shows less. */
  readonly environment: Readonly<Record<string, string>>;
  /** With "+ changes" when the checkout was not clean. */
  readonly commit: string;
  readonly outcome: "passed" | "failed";
  readonly seconds: number;
  /** Names of tests that failed, and what else went wrong. */
  readonly failures: readonly string[];
  /** Why tests were skipped, each reason once. */
  readonly skipped: readonly string[];
  readonly testsPassed: number;
  readonly figures: readonly Pick<Figure, "promise" | "text">[];
}

/** The slice's variables, those that somebody has set kept. */
export function environmentOf(slice: Slice, given: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(Object.entries(slice.environment).map(([name, value]) => [name, given[name] || value]));
}

export class ResultFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
  }

  add(result: SliceResult): void {
    appendFileSync(this.#path, `${JSON.stringify(result)}\n`);
  }

  /** A half-written line, of a run that was killed, is no result. */
  read(): SliceResult[] {
    if (!existsSync(this.#path)) return [];
    return readFileSync(this.#path, "utf8")
      .split("\n")
      .flatMap((line) => {
        try {
          return [JSON.parse(line) as SliceResult];
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
          return [];
        }
      });
  }
}

export interface Situation {
  /** With "+ changes" when the checkout is not clean, "unknown" outside of one. */
  readonly commit: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The slice's last result if it still says what a new run would: passed, nothing skipped, same commit, nothing changed. */
export function resultThatStands(
  slice: Slice,
  results: readonly SliceResult[],
  { commit, environment }: Situation,
): SliceResult | null {
  if (!/^[0-9a-f]+$/.test(commit)) return null;
  const wanted = environmentOf(slice, environment);
  const last = results.findLast((each) => each.slice === slice.name && each.commit === commit);
  if (last === undefined || last.outcome !== "passed" || last.skipped.length > 0) return null;
  return Bun.deepEquals(last.environment, wanted) ? last : null;
}

/** What a JUnit report says of single tests, as far as `tests` lets them be run; without a pattern, of all. */
export function readTests(report: string, tests?: RegExp): Pick<SliceResult, "testsPassed" | "failures" | "skipped"> {
  const found = { testsPassed: 0, failures: [] as string[], skipped: new Set<string>() };
  for (const [, attributes = "", , inner = ""] of report.matchAll(
    /<testcase\b([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const name = unescaped(/\bname="([^"]*)"/.exec(attributes)?.[1] ?? "");
    if (tests?.test(name) === false) continue;
    if (/<(failure|error)\b/.test(inner)) found.failures.push(name);
    else if (/<skipped\b/.test(inner)) found.skipped.add(reasonIn(name));
    else found.testsPassed += 1;
  }
  return { ...found, skipped: [...found.skipped] };
}

/** Skipped tests carry their reason in their name: "skipped: reason: what is tested" or "what is tested (skipped: reason)". */
function reasonIn(name: string): string {
  return /\(skipped: (.*)\)$/.exec(name)?.[1] ?? /^skipped: (.*): [^:]+$/.exec(name)?.[1] ?? `no reason given: ${name}`;
}

function unescaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replaceAll(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole);
}
