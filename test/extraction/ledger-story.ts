// Ledgers made by hand, in seconds from the story's beginning: what a copy would have written.

import type { Selected } from "../../schema/tables.ts";
import type { Ledger, SessionRow } from "../../src/extraction/copy.ts";

/** The story's second 0. */
export const beginningMs = Date.parse("2026-11-23T09:00:00.000Z");
export const beginningSeconds = beginningMs / 1000;

export const cluster = 101;
export const switchDbid = 1;
export const runA = "101@2026-11-23T08:00:00.000Z";
export const runB = "102@2026-11-23T08:00:00.000Z";

type Span = Selected<"ICON_COVERAGE">;
type Window = Selected<"ICON_WINDOW">;

const text = (seconds: number) => new Date(Math.round(beginningMs + seconds * 1000)).toISOString();

export interface SpanStory {
  readonly run?: string;
  /** Seconds and number; no numbers: null. */
  readonly from: readonly [seconds: number, sequence: number | null];
  readonly until: readonly [seconds: number, sequence: number | null];
  readonly latenessMs?: number;
  readonly began?: string;
  readonly ended?: string;
  /** DSS_ID of the session that it began in. */
  readonly session?: number;
  /** Position of the record that ended it. */
  readonly version?: number;
}

/** Spans in the order in which they were written. */
export function spans(...stories: readonly SpanStory[]): Span[] {
  return stories.map(
    ({ run = runA, from, until, latenessMs = 0, began = "first connection", ended, session = 1, version }, index) => ({
      ID: index + 1,
      SOURCE: "north",
      SOURCE_CLUSTER: cluster,
      SWITCH_DBID: switchDbid,
      RUN: run,
      FROM_TIME: text(from[0]),
      FROM_SEQ: from[1],
      UNTIL_TIME: text(until[0]),
      UNTIL_SEQ: until[1],
      LATENESS_MS: latenessMs,
      BEGAN_BECAUSE: began,
      ENDED_BECAUSE: ended ?? null,
      GSYS_DOMAIN: session,
      VERSION: version ?? index + 1,
    }),
  );
}

export interface WindowStory {
  readonly run?: string;
  /** Seconds of its start. */
  readonly at: number;
  readonly events?: number;
  readonly numbers?: readonly [first: number, last: number];
  readonly holes?: readonly (readonly [number, number])[];
  readonly faults?: readonly string[];
  readonly digest?: string | null;
}

export function windows(...stories: readonly WindowStory[]): Window[] {
  return stories.map(({ run = runA, at, numbers, holes = [], faults = [], digest, ...story }, index) => {
    const events = story.events ?? (numbers === undefined ? 0 : numbers[1] - numbers[0] + 1);
    return {
      SOURCE_CLUSTER: cluster,
      RUN: run,
      SWITCH_DBID: switchDbid,
      WINDOW_TS: beginningSeconds + at,
      EVENTS: events,
      FIRST_SEQ: numbers?.[0] ?? null,
      LAST_SEQ: numbers?.[1] ?? null,
      HOLES: JSON.stringify(holes),
      FAULTS: JSON.stringify(faults),
      VERSION: index + 1,
      DIGEST: digest === undefined ? digestText(events, numbers) : digest,
      IS_SEALED: 1,
    };
  });
}

/** Stands for the events with these numbers. */
function digestText(events: number, numbers: readonly [number, number] | undefined): string {
  return `${events}${numbers?.join("") ?? ""}`.padStart(32, "0");
}

export interface LedgerStory {
  readonly spans?: readonly Span[];
  readonly windows?: readonly Window[];
  readonly sessions?: readonly SessionRow[];
  readonly marks?: readonly Selected<"ICON_MARK">[];
  readonly windowSeconds?: number;
}

/** A mark of ICON_MARK at a position of the persistent queue. */
export function mark(position: number, kind: string, seconds = 0): Selected<"ICON_MARK"> {
  return { ID: position, POSITION: position, ADDED: text(seconds), SOURCE: "north", KIND: kind, DETAIL: null };
}

let ledgerCount = 0;

export function ledger(story: LedgerStory): Ledger {
  ledgerCount += 1;
  return {
    identity: {
      idbId: `idb-${ledgerCount}`,
      queueId: `queue-${ledgerCount}`,
      version: 1,
      schemaVersion: 4,
      windowSeconds: story.windowSeconds ?? 1,
      iconDbids: [9000 + ledgerCount],
    },
    windows: story.windows ?? [],
    spans: story.spans ?? [],
    sessions: story.sessions ?? [],
    marks: story.marks ?? [],
  };
}
