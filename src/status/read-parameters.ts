// The parameters of the read API, each judged by itself: what is wrong is named with what would be right, and a parameter
// that a page does not have is wrong too, for a misspelt bound would otherwise ask for everything.

import { readTimeText } from "../time-text.ts";
import type { AskedPlace, AskedStretch, AskedSubjects, ReadQuestion } from "./read-api.ts";

/** Something of the address is wrong. The message is a sentence, without the value. */
export class ParameterError extends Error {
  override readonly name = "ParameterError";
}

const pages = {
  availability: ["from", "to", "source"],
  windows: ["from", "to", "source"],
  explain: ["at"],
  extract: ["what", "from", "to", "changed_after", "calls", "call", "login_sessions", "login_session", "after"],
} as const;

/** What names the whole calls, or login sessions, that are asked for: the parameters' names and those of the keys. */
const families = {
  calls: { family: "call", one: "call", keys: "CALLIDs" },
  login_sessions: { family: "login session", one: "login_session", keys: "LOGINSESSIONIDs" },
} as const;
const ofFamilies = Object.entries(families).flatMap(([all, { one: each }]) => [all, each]);

export type ReadPage = keyof typeof pages;
export const readPages = Object.keys(pages) as readonly ReadPage[];

// The year 9999; what is beyond has no date.
const secondsMax = 253_402_300_799;
const timeExpected = "a UTC time such as 2026-11-30T10:00:00Z, a date, or seconds since 1970";
// A request's line has room for about as many.
const keysMax = 200;
const keyLengthMax = 255;
const nameLengthMax = 64;

/** Throws ParameterError. */
export function readQuestion(page: ReadPage, query: URLSearchParams): ReadQuestion {
  const known: readonly string[] = pages[page];
  for (const name of query.keys()) {
    if (!known.includes(name)) {
      throw new ParameterError(`Cannot use a parameter of this address: expected only ${known.join(", ")}`);
    }
  }
  switch (page) {
    case "availability":
    case "windows":
      return { what: page, stretch: stretchOf(query), source: sourceOf(query) };
    case "explain":
      return { what: "explain", at: timeOf(query, "at") };
    case "extract":
      return extractOf(query);
  }
}

function extractOf(query: URLSearchParams): ReadQuestion {
  const what = one(query, "what");
  switch (what) {
    case "identity":
      none(query, ["from", "to", "changed_after", ...ofFamilies, "after"], "what=identity");
      return { what };
    case "ledger":
      none(query, [...ofFamilies, "after"], "what=ledger");
      return { what, ledger: { stretch: stretchOf(query), changedAfter: versionOf(query) } };
    case "calls":
    case "login_sessions": {
      const { family, one: each } = families[what];
      const others = ofFamilies.filter((name) => name !== what && name !== each);
      none(query, ["changed_after", ...others], `what=${what}`);
      return { what: "subjects", family, question: subjectsOf(query, what), after: placeOf(query) };
    }
    default:
      throw wrong("what", "identity, ledger, calls or login_sessions");
  }
}

function subjectsOf(query: URLSearchParams, all: keyof typeof families): AskedSubjects {
  const { one: each, keys: expected } = families[all];
  const kind = one(query, all);
  switch (kind) {
    case "created":
    case "ended":
    case "alive":
      none(query, [each], `${all}=${kind}`);
      return { kind, stretch: stretchOf(query) };
    case "named": {
      none(query, ["from", "to"], `${all}=named`);
      const keys = query.getAll(each);
      const isRight = keys.length > 0 && keys.length <= keysMax;
      if (!isRight || keys.some((key) => key === "" || key.length > keyLengthMax)) {
        throw wrong(each, `1 to ${keysMax} ${expected}, each as ${each}=…`);
      }
      return { kind, keys };
    }
    default:
      throw wrong(all, "created, ended, alive or named");
  }
}

function stretchOf(query: URLSearchParams): AskedStretch {
  const [from, until] = [timeOf(query, "from"), timeOf(query, "to")];
  if (from >= until) throw wrong("to", "a time after that of from");
  return { from, until };
}

function timeOf(query: URLSearchParams, name: string): number {
  const text = one(query, name);
  if (text === null) throw wrong(name, timeExpected);
  if (/^\d{1,12}$/.test(text) && Number(text) <= secondsMax) return Number(text);
  const read = readTimeText(text);
  if (read.kind !== "time") throw wrong(name, timeExpected);
  return read.ms / 1000;
}

function versionOf(query: URLSearchParams): number | null {
  const text = one(query, "changed_after");
  if (text === null) return null;
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw wrong("changed_after", "a version, a whole number as an identity tells it");
  return Number(text);
}

function sourceOf(query: URLSearchParams): string | null {
  const name = one(query, "source");
  if (name !== null && (name === "" || name.length > nameLengthMax)) {
    throw wrong("source", "the name of a data source in the configuration");
  }
  return name;
}

function placeOf(query: URLSearchParams): AskedPlace | null {
  const text = one(query, "after");
  if (text === null) return null;
  try {
    const { seconds, created, key, id } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const isRight =
      isWhole(seconds) &&
      isWhole(id) &&
      typeof created === "string" &&
      created.length <= nameLengthMax &&
      typeof key === "string" &&
      key.length <= keyLengthMax;
    if (isRight) return { seconds, created, key, id };
  } catch {
    // Said below.
  }
  throw wrong("after", "what the last line of the answer before says");
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** Null: it is not there. */
function one(query: URLSearchParams, name: string): string | null {
  const values = query.getAll(name);
  if (values.length > 1) throw wrong(name, "it once");
  return values[0] ?? null;
}

function none(query: URLSearchParams, names: readonly string[], beside: string): void {
  const found = names.find((name) => query.has(name));
  if (found !== undefined) throw new ParameterError(`Cannot use the parameter ${found}: not beside ${beside}`);
}

function wrong(name: string, expected: string): ParameterError {
  return new ParameterError(`Cannot use the parameter ${name}: expected ${expected}`);
}
