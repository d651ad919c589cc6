// The window ledger: per fixed stretch of a source's own time, how many events came, with which sequence numbers, which
// are missing, and what was wrong. Only windows with events or faults get a row; stretches without a session follow
// from G_DSS_GCC_PROVIDER.

import { type SourceInstant, sourceInstant, timestampText } from "../event/instant.ts";
import { writeMark } from "./mark.ts";
import { type SourceState, type StepContext, updateSource } from "./source.ts";
import type { World } from "./world.ts";

export interface WindowState {
  readonly source: string;
  readonly run: string;
  /** UTC seconds of the window's start. */
  readonly startSeconds: number;
  readonly events: number;
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
  /** Ranges of sequence numbers that never came, both ends included. */
  readonly holes: readonly (readonly [from: number, to: number])[];
  readonly faults: readonly WindowFault[];
}

export type WindowFault =
  | "gap reported"
  | "reconciled by snapshot"
  | "queue lost"
  | "damaged record"
  | "later windows not marked" // a hole or damage is in more windows than have rows; ICON_MARK names the stretch
  | "undecodable frame"
  | "projection failed"
  | "cti link down"
  | "link to another server down"
  | "source clock unknown"
  | "late event" // an event, hole or fault of an earlier time that was already left behind
  | "snapshot damaged"
  | "source clock stepped" // its times before and after it cannot be compared
  | "host clock stepped" // arrivals before and after it cannot be compared
  | "history not kept";

// Events may come a little late; this many windows behind the newest are still open for them.
const windowsKept = 3;

export interface WindowEntry {
  /** An event that counts, with its number where the source has numbers. */
  readonly event?: { readonly sequence: number | null };
  readonly hole?: readonly [from: number, to: number];
  readonly fault?: WindowFault;
}

/** Enters something into the window of the source's time `at`. */
export function enterWindow(
  world: World,
  context: StepContext,
  windowSeconds: number,
  at: SourceInstant,
  entry: WindowEntry,
): void {
  const { source } = context;
  const seconds = Math.floor(at / 1000);
  const ownStart = seconds - (seconds % windowSeconds);
  const newest = Math.max(ownStart, world.get("source", source.identity.name)?.newestWindow ?? ownStart);
  const oldestKept = newest - windowsKept * windowSeconds;
  // What a window left behind had is only in its row: whatever is later than that is entered into the oldest one kept.
  const startSeconds = Math.max(ownStart, oldestKept);
  const isLate = startSeconds !== ownStart;
  const run = source.run ?? "";
  const key = `${source.identity.primaryDbid}/${run}/${source.identity.switchDbid}/${startSeconds}`;
  const known = world.get("window", key);
  if (known === undefined) {
    forgetLeftBehind(world, source, oldestKept);
    updateSource(world, source.identity.name, { newestWindow: newest });
  }
  // Where records begin in the middle of a run, they begin in the middle of a window.
  const isBegunInside =
    known === undefined && source.newestWindow === null && source.missedBecause === "history not kept";
  const before = known ?? emptyWindow(source, run, startSeconds, isBegunInside ? ["history not kept"] : []);
  const sequence = entry.event?.sequence ?? null;
  const window: WindowState = {
    ...before,
    events: before.events + (entry.event === undefined ? 0 : 1),
    firstSequence: sequence === null ? before.firstSequence : Math.min(before.firstSequence ?? sequence, sequence),
    lastSequence: sequence === null ? before.lastSequence : Math.max(before.lastSequence ?? sequence, sequence),
    holes: entry.hole === undefined ? before.holes : [...before.holes, entry.hole],
    faults: withFault(withFault(before.faults, entry.fault), isLate ? "late event" : undefined),
  };
  putWindow(world, source, key, window, context.position);
}

/** Something that belongs to any of the windows from one time of the source to another, nobody knows which. */
export interface Stretch {
  readonly from: SourceInstant;
  readonly until: SourceInstant;
  readonly entry: WindowEntry;
}

// So many rows tell of one stretch: at 60 s some 16 hours. A longer one, which only a link that was down makes, has its
// first and its last windows marked, and a mark that names the others.
const windowsPerStretchMax = 1000;

/** Enters each stretch into all of its windows. An event there may be the only one of its window. */
export function enterStretches(
  world: World,
  context: StepContext,
  windowSeconds: number,
  stretches: readonly Stretch[],
): void {
  const windowMs = windowSeconds * 1000;
  const startOf = (at: number) => at - (at % windowMs);
  const entries = new Map<number, WindowEntry[]>();
  for (const { from, until, entry } of stretches) {
    const [first, last] = [startOf(Math.min(from, until)), startOf(Math.max(from, until))];
    const firstOfLast = Math.max(first, last - (windowsPerStretchMax - 1) * windowMs);
    for (let start = firstOfLast; start <= last; start += windowMs) push(entries, start, entry);
    if (firstOfLast === first) continue;
    push(entries, first, entry);
    push(entries, first, { fault: "later windows not marked" });
    noteUnmarked(world, context, entry, [first + windowMs, firstOfLast]);
  }
  // As time goes on: an older window is left behind by a newer one.
  for (const [start, each] of [...entries].sort(([a], [b]) => a - b)) {
    for (const entry of each) enterWindow(world, context, windowSeconds, sourceInstant(start), entry);
  }
}

function push(entries: Map<number, WindowEntry[]>, start: number, entry: WindowEntry): void {
  const known = entries.get(start);
  if (known === undefined) entries.set(start, [entry]);
  else known.push(entry);
}

function noteUnmarked(
  world: World,
  context: StepContext,
  { hole, fault }: WindowEntry,
  [from, to]: readonly [from: number, to: number],
): void {
  const what = hole === undefined ? fault : `events ${hole[0]} to ${hole[1]} missing`;
  const when = `${timestampText(sourceInstant(from))} to ${timestampText(sourceInstant(to))}`;
  writeMark(world, context, to - context.source.clockDifferenceMs, "windows not marked", `${when}: ${what}`);
}

/**
 * What was lost of the source since it last spoke: its word of `at`, which is about to be taken in, ends the stretch. Null
 * when nothing was.
 */
export function takeDamage(world: World, { source }: StepContext, at: SourceInstant): Stretch | null {
  const { name } = source.identity;
  const from = world.get("source", name)?.damagedSince ?? null;
  if (from === null) return null;
  updateSource(world, name, { damagedSince: null });
  return { from, until: at, entry: { fault: "damaged record" } };
}

/** Damage alone, before a word of the source that has no number. */
export function faultSinceDamage(world: World, context: StepContext, windowSeconds: number, at: SourceInstant): void {
  const damage = takeDamage(world, context, at);
  if (damage !== null) enterStretches(world, context, windowSeconds, [damage]);
}

/** Enters a fault into every window of the source that is not yet left behind, of earlier runs too, and writes its row. */
export function faultKeptWindows(world: World, source: SourceState, position: bigint, fault: WindowFault): void {
  for (const [key, window] of world.all("window")) {
    if (window.source !== source.identity.name) continue;
    putWindow(world, source, key, { ...window, faults: withFault(window.faults, fault) }, position);
  }
}

function putWindow(world: World, { identity }: SourceState, key: string, window: WindowState, position: bigint): void {
  world.put("window", key, window);
  world.write("ICON_WINDOW", {
    SOURCE_CLUSTER: identity.primaryDbid,
    RUN: window.run,
    SWITCH_DBID: identity.switchDbid,
    WINDOW_TS: window.startSeconds,
    EVENTS: window.events,
    FIRST_SEQ: window.firstSequence,
    LAST_SEQ: window.lastSequence,
    HOLES: JSON.stringify(window.holes),
    FAULTS: JSON.stringify(window.faults),
    VERSION: Number(position),
  });
}

function emptyWindow(
  source: SourceState,
  run: string,
  startSeconds: number,
  faults: readonly WindowFault[],
): WindowState {
  return {
    source: source.identity.name,
    run,
    startSeconds,
    events: 0,
    firstSequence: null,
    lastSequence: null,
    holes: [],
    faults,
  };
}

function withFault(faults: readonly WindowFault[], fault: WindowFault | undefined): readonly WindowFault[] {
  return fault === undefined || faults.includes(fault) ? faults : [...faults, fault];
}

function forgetLeftBehind(world: World, source: SourceState, oldestKept: number): void {
  for (const [key, window] of [...world.all("window")]) {
    const isOfSource = window.source === source.identity.name;
    if (isOfSource && window.startSeconds < oldestKept) world.remove("window", key);
  }
}
