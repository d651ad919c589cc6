// The window ledger: per fixed stretch of a source's own time, how many events came, with which sequence numbers and
// which digest, which are missing, and what was wrong. Only windows with events or faults get a row; stretches without
// follow from ICON_COVERAGE.
//
// 1. Time goes on with the source's events alone. What is told of a later time (a fault at the time that we think it is
//    there) has its window, and pushes none out for which events are still to come.
// 2. A window is sealed by a word of the source of 5 s past its end; it is kept for a while longer, and whatever comes for
//    it then opens it again. What comes later than that is entered into the oldest one kept.
// 3. Rows are written once a batch (ledger-rows.ts), and when a window is let go.

import { type SourceInstant, sourceInstant, timestampText } from "../event/instant.ts";
import { sealDelayMs, type WindowFault } from "../event/ledger-word.ts";
import { ledgerRun } from "./coverage.ts";
import { addDigest, type Digest, digestText, emptyDigest } from "./digest.ts";
import { writeMark } from "./mark.ts";
import { type SourceState, type StepContext, updateSource } from "./source.ts";
import type { World } from "./world.ts";

export interface WindowState {
  readonly source: string;
  readonly cluster: number;
  readonly switchDbid: number;
  readonly run: string;
  /** UTC seconds of the window's start. */
  readonly startSeconds: number;
  readonly endsAt: number;
  readonly events: number;
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
  /** Ranges of sequence numbers that never came, both ends included. */
  readonly holes: readonly (readonly [from: number, to: number])[];
  readonly faults: readonly WindowFault[];
  /** Of the events that count. */
  readonly digest: Digest;
  readonly isSealed: boolean;
  /** Queue position of the last change. */
  readonly version: number;
}

// So many windows behind the newest, and so much time, are kept for what comes late.
const windowsKept = 3;
const keptSecondsMin = 10;
// Faults alone push no window out. A source that tells of wild times must not fill the memory: beyond this many, a fault
// is entered into the earliest window.
const windowsMax = 5_000;

export interface WindowEntry {
  /** An event that counts, with its number where the source has numbers, and its hash. */
  readonly event?: { readonly sequence: number | null; readonly hash: Digest };
  readonly hole?: readonly [from: number, to: number];
  readonly fault?: WindowFault;
}

/** Whether what is told of this time of the source finds its own window. */
export function isKept({ newestWindow }: SourceState, windowSeconds: number, at: SourceInstant): boolean {
  return newestWindow === null || at >= oldestKept(newestWindow, windowSeconds) * 1000;
}

function oldestKept(newestWindow: number, windowSeconds: number): number {
  const kept = Math.max(windowsKept, Math.ceil(keptSecondsMin / windowSeconds));
  return newestWindow - kept * windowSeconds;
}

/** Enters something into the window of the source's time `at`. */
export function enterWindow(
  world: World,
  context: StepContext,
  windowSeconds: number,
  at: SourceInstant,
  entry: WindowEntry,
): void {
  const { name, primaryDbid, switchDbid } = context.source.identity;
  const seconds = Math.floor(at / 1000);
  const ownStart = seconds - (seconds % windowSeconds);
  const { newestWindow } = world.get("source", name) ?? context.source;
  const newest = entry.event === undefined ? newestWindow : Math.max(newestWindow ?? ownStart, ownStart);
  if (newest !== null && newest !== newestWindow) moveOn(world, context, windowSeconds, newest);
  // What a window left behind had is only in its row: whatever is later than that is entered into the oldest one kept.
  const oldest = newest === null ? ownStart : oldestKept(newest, windowSeconds);
  const isLate = ownStart < oldest;
  const run = ledgerRun(context.source);
  const place = `${primaryDbid}/${run}/${switchDbid}/`;
  let startSeconds = isLate ? oldest : ownStart;
  let known = world.get("window", place + startSeconds);
  if (known === undefined && entry.event === undefined && world.count("window") >= windowsMax) {
    known = earliestOf(world, name, place) ?? known;
    startSeconds = known?.startSeconds ?? startSeconds;
  }
  const key = place + startSeconds;
  // Where records begin in the middle of a run, they begin in the middle of a window.
  const isBegunInside =
    known === undefined && context.source.newestWindow === null && context.source.missedBecause === "history not kept";
  const before = known ?? emptyWindow(context.source, run, startSeconds, windowSeconds, isBegunInside);
  const sequence = entry.event?.sequence ?? null;
  const window: WindowState = {
    ...before,
    events: before.events + (entry.event === undefined ? 0 : 1),
    firstSequence: sequence === null ? before.firstSequence : Math.min(before.firstSequence ?? sequence, sequence),
    lastSequence: sequence === null ? before.lastSequence : Math.max(before.lastSequence ?? sequence, sequence),
    holes: entry.hole === undefined ? before.holes : [...before.holes, entry.hole],
    faults: withFault(withFault(before.faults, entry.fault), isLate ? "late event" : undefined),
    digest: entry.event === undefined ? before.digest : addDigest(before.digest, entry.event.hash),
    isSealed: false,
    version: Number(context.position),
  };
  world.put("window", key, window);
  if (known === undefined || known.isSealed) noteUnsealed(world, name, window);
}

/** The source's time has come to `newest`: what is older than what is kept is left behind. */
function moveOn(world: World, { source, position }: StepContext, windowSeconds: number, newest: number): void {
  const { name } = source.identity;
  updateSource(world, name, { newestWindow: newest });
  const oldest = oldestKept(newest, windowSeconds);
  for (const [key, window] of world.all("window")) {
    if (window.source !== name || window.startSeconds >= oldest) continue;
    // Nothing will be entered into it any more.
    writeWindowRow(world, window.isSealed ? window : { ...window, isSealed: true, version: Number(position) });
    world.remove("window", key);
  }
}

function earliestOf(world: World, name: string, place: string): WindowState | undefined {
  const all = world
    .all("window")
    .flatMap(([key, each]) => (each.source === name && key.startsWith(place) ? [each] : []));
  return all.reduce<WindowState | undefined>(
    (first, each) => (first === undefined || each.startSeconds < first.startSeconds ? each : first),
    undefined,
  );
}

function noteUnsealed(world: World, name: string, { endsAt }: WindowState): void {
  const dueAt = endsAt + sealDelayMs;
  const { sealDueAt } = world.get("source", name) ?? { sealDueAt: null };
  if (sealDueAt === null || dueAt < sealDueAt) updateSource(world, name, { sealDueAt: dueAt });
}

/** A word of the source: up to here nothing is missing that is still to come. Windows that it is well past are sealed. */
export function sealWindows(world: World, { source, position }: StepContext, word: SourceInstant): void {
  const { name } = source.identity;
  const dueAt = world.get("source", name)?.sealDueAt ?? null;
  if (dueAt === null || word < dueAt) return;
  let nextDueAt: number | null = null;
  for (const [key, window] of world.all("window")) {
    if (window.source !== name || window.isSealed) continue;
    const sealsAt = window.endsAt + sealDelayMs;
    if (sealsAt <= word) world.put("window", key, { ...window, isSealed: true, version: Number(position) });
    else nextDueAt = Math.min(nextDueAt ?? sealsAt, sealsAt);
  }
  updateSource(world, name, { sealDueAt: nextDueAt });
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

/** Enters a fault into every window of the source that is not yet left behind, of earlier runs too. */
export function faultKeptWindows(world: World, source: SourceState, position: bigint, fault: WindowFault): void {
  for (const [key, window] of world.all("window")) {
    if (window.source !== source.identity.name) continue;
    world.put("window", key, { ...window, faults: withFault(window.faults, fault), version: Number(position) });
  }
}

/** The row of a window as it stands. */
export function writeWindowRow(world: World, window: WindowState): void {
  world.write("ICON_WINDOW", {
    SOURCE_CLUSTER: window.cluster,
    RUN: window.run,
    SWITCH_DBID: window.switchDbid,
    WINDOW_TS: window.startSeconds,
    EVENTS: window.events,
    FIRST_SEQ: window.firstSequence,
    LAST_SEQ: window.lastSequence,
    HOLES: JSON.stringify(window.holes),
    FAULTS: JSON.stringify(window.faults),
    VERSION: window.version,
    DIGEST: digestText(window.digest),
    IS_SEALED: window.isSealed ? 1 : 0,
  });
}

function emptyWindow(
  { identity }: SourceState,
  run: string,
  startSeconds: number,
  windowSeconds: number,
  isBegunInside: boolean,
): WindowState {
  return {
    source: identity.name,
    cluster: identity.primaryDbid,
    switchDbid: identity.switchDbid,
    run,
    startSeconds,
    endsAt: (startSeconds + windowSeconds) * 1000,
    events: 0,
    firstSequence: null,
    lastSequence: null,
    holes: [],
    faults: isBegunInside ? ["history not kept"] : [],
    digest: emptyDigest,
    isSealed: false,
    version: 0,
  };
}

function withFault(faults: readonly WindowFault[], fault: WindowFault | undefined): readonly WindowFault[] {
  return fault === undefined || faults.includes(fault) ? faults : [...faults, fault];
}
