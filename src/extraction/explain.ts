// Why things stand as they do at one moment of a source: what each copy has of it, and what had happened around it, as the
// ledgers tell. Pure: values first; explanation-text.ts says them in words.

import { type JudgedStretch, judge, type SourceAvailability, type SourceKey } from "./availability.ts";
import type { Ledger, SessionRow, Stretch } from "./copy.ts";
import type { Doubt } from "./coverage.ts";
import { furthestPurge } from "./purge.ts";
import type { ReadLedgers } from "./read-ledgers.ts";
import type { CopyVerdict, Verdict } from "./verdict.ts";

export interface Explanation {
  readonly source: SourceKey;
  readonly names: readonly string[];
  /** Milliseconds by the source's clock. */
  readonly atMs: number;
  /** The window that holds it, UTC seconds. */
  readonly window: Stretch;
  readonly verdict: Verdict;
  /** In the order of the ledgers. */
  readonly copies: readonly CopyExplanation[];
}

export interface CopyExplanation {
  readonly verdict: CopyVerdict;
  /** Neighbouring windows in which the copy is whole, or is not, as it is in this one; as far as was judged. UTC seconds. */
  readonly stretch: Stretch;
  /** What happened to it there, by time. */
  readonly chain: readonly Link[];
}

/**
 * One thing that happened. `clock` says whose time it is: the source's, or ours, which may be apart by what the status page
 * says. Both as milliseconds.
 */
export type Link = { readonly atMs: number; readonly clock: "source" | "ours" } & (
  | { readonly kind: "last word" | "first word"; readonly doubt: Doubt }
  | {
      readonly kind: "session opened";
      readonly session: number;
      readonly type: number | null;
      readonly address: string | null;
    }
  | {
      readonly kind: "session ended";
      readonly session: number;
      readonly cause: string | null;
      readonly detail: string | null;
      /** False: found at a later start. */
      readonly isSeen: boolean;
    }
  | { readonly kind: "instance down"; readonly untilMs: number; readonly isCrash: boolean }
  | { readonly kind: "mark"; readonly word: string; readonly detail: string | null }
);

// What led to a gap lies about its beginning, and what ended it about its end; clocks are a little apart.
const aroundMs = 5_000;
// How far around the moment stretches are followed.
const windowsAround = 1500;

/** What a question about this moment needs of ledgers, whole seconds. */
export function stretchAround(atMs: number, windowSeconds: number): Stretch {
  const window = Math.floor(atMs / 1000 / windowSeconds) * windowSeconds;
  const around = windowsAround * windowSeconds;
  return { from: Math.max(0, window - around), until: window + around };
}

/** Of each source that the ledgers tell of, as they are read for stretchAround. Throws LedgersDifferError. */
export function explain({ ledgers, read }: ReadLedgers, atMs: number): Explanation[] {
  const windowSeconds = ledgers[0]?.identity.windowSeconds ?? 1;
  const { sources } = judge(ledgers, stretchAround(atMs, windowSeconds), read);
  const start = Math.floor(atMs / 1000 / windowSeconds) * windowSeconds;
  const window = { from: start, until: start + windowSeconds };
  return sources.flatMap((each) => {
    const place = each.stretches.findIndex(({ from, until }) => from <= start && start < until);
    const verdict = each.stretches[place]?.verdict;
    if (verdict === undefined) return [];
    const copies = ledgers.flatMap((ledger, copy): CopyExplanation[] => {
      const own = verdict.copies[copy];
      if (own === undefined) return [];
      const stretch = stretchOf(each.stretches, place, copy);
      const doubts = each.coverages[copy]?.doubts ?? [];
      return [{ verdict: own, stretch, chain: chainOf(ledger, each, doubts, stretch, window) }];
    });
    return [{ source: each.source, names: each.names, atMs, window, verdict, copies }];
  });
}

/** Neighbours in which the copy is in the same standing. */
function stretchOf(stretches: readonly JudgedStretch[], place: number, copy: number): Stretch {
  const standing = (each: JudgedStretch | undefined) => {
    const state = each?.verdict.copies[copy]?.state;
    return state === "silent" ? "complete" : state;
  };
  const wanted = standing(stretches[place]);
  let [first, last] = [place, place];
  while (first > 0 && standing(stretches[first - 1]) === wanted) first -= 1;
  while (last + 1 < stretches.length && standing(stretches[last + 1]) === wanted) last += 1;
  return { from: stretches[first]?.from ?? 0, until: stretches[last]?.until ?? 0 };
}

function chainOf(
  ledger: Ledger,
  { source, names }: SourceAvailability,
  doubts: readonly Doubt[],
  stretch: Stretch,
  window: Stretch,
): readonly Link[] {
  const touching = doubts.filter(
    ({ fromMs, untilMs }) => fromMs < window.until * 1000 && untilMs >= window.from * 1000,
  );
  const links: Link[] = [];
  for (const doubt of touching) {
    if (doubt.word === "purged") continue; // nothing was missed there: the purge itself is told below
    if (Number.isFinite(doubt.fromMs)) links.push({ kind: "last word", atMs: doubt.fromMs, clock: "source", doubt });
    if (Number.isFinite(doubt.untilMs)) links.push({ kind: "first word", atMs: doubt.untilMs, clock: "source", doubt });
  }
  const gap = gapOf(ledger, source, stretch, window);
  // A whole stretch may be years long: of it, only what is near the moment.
  const near = [gap.from * 1000 - aroundMs, gap.until * 1000 + aroundMs] as const;
  const isNear = (ms: number) => ms >= near[0] && ms <= near[1];
  const sessions = ledger.sessions
    .filter((row) => (row.DS_DBID_PRIM ?? row.DS_DBID) === source.cluster && row.DS2_DBID === source.switchDbid)
    .toSorted((one, other) => one.DSS_ID - other.DSS_ID);
  for (const [index, row] of sessions.entries()) {
    links.push(...linksOf(row, isNear), ...downsOf(row, sessions[index + 1], ledger.marks, isNear));
  }
  const purge = touching.some(({ word }) => word === "purged") ? furthestPurge(ledger.marks) : null;
  const lasting = [...idbLossOver(ledger.marks, near[0]), ...(purge === null ? [] : [purge.mark])];
  for (const mark of ledger.marks) {
    const { ADDED, KIND, DETAIL, SOURCE } = mark;
    const atMs = Date.parse(ADDED);
    const isMeant = (SOURCE === null || names.includes(SOURCE)) && !saidElsewhere.has(KIND);
    if (!isMeant || !(isNear(atMs) || lasting.includes(mark))) continue;
    links.push({ kind: "mark", atMs, clock: "ours", word: KIND, detail: DETAIL });
  }
  return distinct(links).toSorted((one, other) => one.atMs - other.atMs);
}

/** From the copy's last word before the window to its first one after: what others know may place its gap far from both. */
function gapOf({ spans }: Ledger, source: SourceKey, stretch: Stretch, window: Stretch): Stretch {
  let [from, until] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const { SOURCE_CLUSTER, SWITCH_DBID, FROM_TIME, UNTIL_TIME } of spans) {
    if (SOURCE_CLUSTER !== source.cluster || SWITCH_DBID !== source.switchDbid) continue;
    const [begun, ended] = [Date.parse(FROM_TIME ?? "") / 1000, Date.parse(UNTIL_TIME ?? "") / 1000];
    if (begun < window.from && ended >= window.until) return window;
    if (ended < window.until) from = Math.max(from, ended);
    if (begun >= window.from) until = Math.min(until, begun);
  }
  return {
    from: Number.isFinite(from) ? from : Math.max(stretch.from, window.from),
    until: Number.isFinite(until) ? until : Math.min(stretch.until, window.until),
  };
}

/** The marks of an IDB that was lost before this instant and came back after it, or has not come back. */
function idbLossOver(marks: Ledger["marks"], atMs: number): Ledger["marks"] {
  const lost = marks.findLast(({ KIND, ADDED }) => KIND === "idb lost" && Date.parse(ADDED) < atMs);
  if (lost === undefined) return [];
  const back = marks.find(({ KIND, ID }) => KIND === "idb back" && ID > lost.ID);
  if (back === undefined) return [lost];
  return Date.parse(back.ADDED) < atMs ? [] : [lost, back];
}

// By sessions, or of no weight here.
const saidElsewhere: ReadonlySet<string> = new Set(["session opened", "session closed", "clock difference"]);

function linksOf(row: SessionRow, isNear: (ms: number) => boolean): readonly Link[] {
  const links: Link[] = [];
  const openedMs = Date.parse(row.DSCONN_STIME ?? "");
  const endedMs = Date.parse(row.DSCONN_ETIME ?? "");
  const { DSS_ID: session, DSCONN_TYPE: type, ADDRESS: address = null } = row;
  if (isNear(openedMs)) links.push({ kind: "session opened", atMs: openedMs, clock: "ours", session, type, address });
  if (isNear(endedMs)) {
    const { END_CAUSE: cause = null, END_DETAIL: detail = null, IS_END_SEEN } = row;
    const isSeen = IS_END_SEEN !== 0;
    links.push({ kind: "session ended", atMs: endedMs, clock: "ours", session, cause, detail, isSeen });
  }
  return links;
}

/**
 * When the instance was down between two sessions. A session may have ended long before: the instance went on without a
 * connection, and only its own mark says until when. Where there is none, nothing is said.
 */
function downsOf(
  { DSCONN_ETIME, END_CAUSE }: SessionRow,
  next: SessionRow | undefined,
  marks: Ledger["marks"],
  isNear: (ms: number) => boolean,
): readonly Link[] {
  const endedMs = Date.parse(DSCONN_ETIME ?? "");
  const lastStartMs = Date.parse(next?.ICON_STIME ?? "");
  if (!(lastStartMs > endedMs)) return [];
  const timesOf = (word: string) =>
    marks.filter(({ KIND, SOURCE }) => KIND === word && SOURCE === null).map(({ ADDED }) => Date.parse(ADDED));
  const stops = timesOf("instance stopped");
  // It may have been started more than once before it could connect again.
  const starts = timesOf("instance started").filter((ms) => ms > endedMs && ms < lastStartMs);
  starts.push(lastStartMs);
  starts.sort((one, other) => one - other);
  return starts.flatMap((untilMs, index): Link[] => {
    const beforeMs = starts[index - 1];
    const isCrash = beforeMs === undefined && END_CAUSE === "our crash";
    const stoppedMs = stops.findLast((ms) => ms >= (beforeMs ?? endedMs) && ms <= untilMs);
    const endsIt = beforeMs === undefined && (isCrash || END_CAUSE === "our stop");
    const atMs = isCrash ? endedMs : (stoppedMs ?? (endsIt ? endedMs : null));
    if (atMs === null || !(isNear(atMs) || isNear(untilMs))) return [];
    return [{ kind: "instance down", atMs, clock: "ours", untilMs, isCrash }];
  });
}

function distinct(links: readonly Link[]): readonly Link[] {
  const seen = new Map<string, Link>();
  for (const link of links) seen.set(`${link.kind} ${link.atMs} ${"word" in link ? link.word : ""}`, link);
  return [...seen.values()];
}
