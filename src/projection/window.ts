// The window ledger: per fixed stretch of a source's own time, how many events came, with which sequence numbers, which
// are missing, and what was wrong. Only windows with events or faults get a row; stretches without a session follow
// from G_DSS_GCC_PROVIDER.

import { type SourceInstant, sourceInstant } from "../event/instant.ts";
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

// A source that was silent for longer has its first and its last windows marked.
const windowsBetweenMax = 1000;

/**
 * The source's clock is about to be moved to `at`: what was lost of it since it last spoke belongs to any of the windows
 * between, which therefore all say so. An event there may be the only one of its window.
 */
export function faultSinceDamage(world: World, context: StepContext, windowSeconds: number, at: SourceInstant): void {
  const { name } = context.source.identity;
  const since = world.get("source", name)?.damagedSince ?? null;
  if (since === null) return;
  updateSource(world, name, { damagedSince: null });
  const windowMs = windowSeconds * 1000;
  const first = Math.min(at, Math.max(since, at - windowsBetweenMax * windowMs));
  for (let start = first - (first % windowMs); start <= at; start += windowMs) {
    enterWindow(world, context, windowSeconds, sourceInstant(start), { fault: "damaged record" });
  }
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
