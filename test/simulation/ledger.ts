// The ledger against the truth: what an IDB vouches for must be there. Truth is what the servers told, with times and
// numbers, and what Asterisk's manager sent, whether or not anybody listened.

import Database from "libsql";
import type { Selected, TableName } from "../../schema/tables.ts";
import { windowFaults } from "../../src/event/ledger-word.ts";
import type { SimulatedAsterisk } from "./asterisk.ts";
import { promise } from "./finding.ts";
import { referenceHash, sumText, type TrueEvent } from "./reference-digest.ts";
import type { SimulatedServer } from "./server.ts";

export interface Vouched {
  /** Windows that the IDB vouches for, with or without events; all of them agreed with the truth. */
  readonly windows: number;
  /** Windows in which something happened. */
  readonly eventful: number;
  /** Of those, the ones that the IDB vouches for. */
  readonly eventfulVouched: number;
}

interface Truth {
  readonly cluster: number;
  readonly run: string;
  /** Times in ms; numbers null where the source has none. */
  readonly events: readonly { readonly at: number; readonly seq: number | null; readonly hash: bigint | null }[];
}

/** Throws what is vouched for and is not so. Windows are `windowSeconds` long. */
export function checkLedger(
  idbPath: string,
  windowSeconds: number,
  servers: ReadonlyMap<number, SimulatedServer>,
  asterisk: { readonly dbid: number; readonly manager: SimulatedAsterisk } | null,
): Vouched {
  const { spans, windows } = read(idbPath);
  const condemned = new Set<string>();
  const rows = new Map<string, Selected<"ICON_WINDOW">>();
  for (const row of windows) {
    const key = `${row.SOURCE_CLUSTER}/${row.RUN}/${row.WINDOW_TS}`;
    rows.set(key, row);
    const faults = JSON.parse(row.FAULTS ?? "[]") as (keyof typeof windowFaults)[];
    if (faults.some((fault) => windowFaults[fault].condemns)) condemned.add(key);
  }
  let eventful = 0;
  const vouched = new Map<string, boolean>();
  for (const truth of [...truthOfServers(servers), ...truthOfManager(asterisk)]) {
    const { cluster, run } = truth;
    const inWindows = new Map<number, Truth["events"][number][]>();
    for (const event of truth.events) {
      const start = Math.floor(event.at / (windowSeconds * 1000)) * windowSeconds;
      inWindows.set(start, [...(inWindows.get(start) ?? []), event]);
    }
    eventful += inWindows.size;
    for (const span of spans.filter((each) => each.SOURCE_CLUSTER === cluster && each.RUN === run)) {
      checkNumbers(truth, span);
      for (const start of windowsInside(span, windowSeconds)) {
        const key = `${cluster}/${run}/${start}`;
        if (condemned.has(key)) continue;
        const events = inWindows.get(start) ?? [];
        checkWindow(`window ${start} of ${cluster} ${run}, within ${inWords(span)}`, events, rows.get(key));
        vouched.set(key, events.length > 0);
      }
    }
  }
  return { windows: vouched.size, eventful, eventfulVouched: [...vouched.values()].filter(Boolean).length };
}

/** Whoever is strictly within the times has a number that is. */
function checkNumbers({ events }: Truth, span: Selected<"ICON_COVERAGE">): void {
  const [from, until] = [Date.parse(span.FROM_TIME ?? ""), Date.parse(span.UNTIL_TIME ?? "")];
  for (const { at, seq } of events) {
    if (seq === null || at <= from || at >= until) continue;
    const isWithin = seq > (span.FROM_SEQ ?? 0) && seq <= (span.UNTIL_SEQ ?? 0);
    promise(isWithin, () => `event ${seq} happened within ${inWords(span)}`);
  }
}

function checkWindow(where: string, events: Truth["events"], row: Selected<"ICON_WINDOW"> | undefined): void {
  const count = row?.EVENTS ?? 0;
  promise(count === events.length, () => `${where}: ${events.length} events happened, ${count} are here`);
  const hashes = events.flatMap(({ hash }) => (hash === null ? [] : [hash]));
  if (row === undefined || hashes.length < events.length) return;
  promise(row.DIGEST === sumText(hashes), () => `${where}: the digest is not that of its events`);
  const numbers = events.map(({ seq }) => seq ?? 0);
  if (numbers.length === 0) return;
  const [first, last] = [Math.min(...numbers), Math.max(...numbers)];
  promise(row.FIRST_SEQ === first && row.LAST_SEQ === last, () => `${where}: its numbers are ${first} to ${last}`);
}

function* windowsInside(span: Selected<"ICON_COVERAGE">, windowSeconds: number): Generator<number> {
  const from = Date.parse(span.FROM_TIME ?? "") + span.LATENESS_MS;
  const until = Date.parse(span.UNTIL_TIME ?? "") - span.LATENESS_MS;
  const length = windowSeconds * 1000;
  // What happened in the very instant in which the span begins may be missing.
  for (let start = (Math.floor(from / length) + 1) * length; start + length <= until; start += length) {
    yield start / 1000;
  }
}

function inWords(span: Selected<"ICON_COVERAGE">): string {
  const ends = `${span.FROM_TIME} (${span.FROM_SEQ}) to ${span.UNTIL_TIME} (${span.UNTIL_SEQ})`;
  return `the span from ${ends}, ${span.BEGAN_BECAUSE} … ${span.ENDED_BECAUSE ?? "goes on"}`;
}

function truthOfServers(servers: ReadonlyMap<number, SimulatedServer>): Truth[] {
  return [...servers].flatMap(([cluster, { events }]) => {
    const byRun = Map.groupBy(events, ({ run }) => run);
    return [...byRun].map(([run, told]) => {
      const name = `${cluster}@${run}`;
      return { cluster, run: name, events: told.map((event) => ofServer(name, event)) };
    });
  });
}

// A line is hashed once, however often the ledger is looked at.
const hashes = new WeakMap<TrueEvent, bigint>();

function ofServer(run: string, event: TrueEvent): Truth["events"][number] {
  let hash = hashes.get(event);
  if (hash === undefined) {
    hash = referenceHash(run, event);
    hashes.set(event, hash);
  }
  return { at: event.atUs / 1000, seq: event.seq, hash };
}

function truthOfManager(asterisk: { readonly dbid: number; readonly manager: SimulatedAsterisk } | null): Truth[] {
  if (asterisk === null) return [];
  const events = asterisk.manager.told.map((at) => ({ at, seq: null, hash: null }));
  return [{ cluster: asterisk.dbid, run: "", events }];
}

function read(idbPath: string): {
  readonly spans: Selected<"ICON_COVERAGE">[];
  readonly windows: Selected<"ICON_WINDOW">[];
} {
  const database = new Database(idbPath, { readonly: true });
  try {
    // A life may end before it has made its tables.
    const made = database
      .prepare("SELECT name FROM sqlite_schema WHERE name IN ('ICON_COVERAGE', 'ICON_WINDOW')")
      .all();
    if (made.length < 2) return { spans: [], windows: [] };
    const all = <T extends TableName>(table: T) => database.prepare(`SELECT * FROM ${table}`).all() as Selected<T>[];
    return { spans: all("ICON_COVERAGE"), windows: all("ICON_WINDOW") };
  } finally {
    database.close();
  }
}
