// What an extraction says in the end: of every window of the stretch, and of the calls and login sessions in it. Made from the output's book,
// so that it holds for the whole output, also when it was written in several runs.

import type { FamilyName } from "../../schema/life.ts";
import type { ExtractStore } from "../idb/extract-store.ts";
import type { StoredWindows } from "../idb/extract-windows.ts";
import type { CopyIdentity } from "./copy.ts";
import type { Reason, ReasonWord } from "./plan.ts";
import type { Tally } from "./subject-writer.ts";

export interface ExtractReport {
  readonly from: string;
  readonly to: string;
  /** What whoever runs this has to know first; see docs/extraction.md. */
  readonly verdict: "complete" | "incomplete" | "divergent" | "not yet known";
  readonly windowSeconds: number;
  readonly idbs: readonly IdbReport[];
  readonly sources: readonly SourceReport[];
  readonly windows: WindowCounts;
  readonly calls: SubjectCounts;
  /** Calls of which something is said that is wrong, by creation; at most `listedMax`. */
  readonly callsInDoubt: readonly ({ readonly callId: string } & SubjectDoubt)[];
  /** Calls that go on; at most `listedMax`. */
  readonly openCalls: readonly string[];
  /** The same of login sessions. */
  readonly loginSessions: SubjectCounts;
  readonly loginSessionsInDoubt: readonly ({ readonly loginSessionId: string } & SubjectDoubt)[];
  readonly openLoginSessions: readonly string[];
  /** Calls and login sessions. */
  readonly run: Tally;
}

export interface SubjectDoubt {
  readonly verdict: string;
  readonly reasons: readonly Reason[];
}

export interface IdbReport {
  readonly name: string;
  /** Null: it could not be read. */
  readonly idbId: string | null;
  readonly queueId: string | null;
  readonly version: number | null;
  /** Why it could not be read; null: it was. */
  readonly problem: string | null;
  readonly callsTakenWhole: number;
  readonly callsJoinedFrom: number;
  readonly loginSessionsTakenWhole: number;
  readonly loginSessionsJoinedFrom: number;
}

export interface SourceReport {
  readonly cluster: number;
  readonly switchDbid: number;
  /** Windows in a row of which the same is said. */
  readonly stretches: readonly {
    readonly from: string;
    readonly until: string;
    readonly windows: number;
    readonly state: string;
    readonly agreement: string;
    readonly isProven: boolean;
    readonly causes: readonly string[];
  }[];
}

export interface WindowCounts {
  readonly complete: number;
  readonly silent: number;
  readonly incomplete: number;
  readonly unknown: number;
  /** Of those that are complete or silent. */
  readonly divergent: number;
}

export interface SubjectCounts {
  readonly complete: number;
  readonly joined: number;
  readonly incomplete: number;
  readonly notYetKnown: number;
  /** Of those that are complete or joined: their source has no numbers. */
  readonly notProven: number;
  /** Two copies that are whole contradict each other about them. */
  readonly divergent: number;
  readonly open: number;
  readonly withdrawn: number;
}

/** A copy as the extraction found it. */
export interface CopyFound {
  readonly name: string;
  /** Null: it could not be read. */
  readonly identity: CopyIdentity | null;
  readonly problem: string | null;
  /** ICON_EXTRACT_COPY.ID; null: it could not be read. */
  readonly id: number | null;
}

export interface ReportParts {
  readonly store: ExtractStore;
  readonly copies: readonly CopyFound[];
  /** UTC seconds. */
  readonly from: number;
  readonly until: number;
  readonly run: Tally;
}

/** Bound on each list of calls or login sessions. */
export const listedMax = 1000;

const divergentReasons: readonly ReasonWord[] = ["contradicted", "divergent"];

export function extractReport({ store, copies, from, until, run }: ReportParts): ExtractReport {
  const { windowSeconds } = store;
  const stretches = store.windows.all().flatMap((each) => within(each, from, until));
  const windows = countWindows(stretches, windowSeconds);
  const calls = familyReport(store, "call", from, until);
  const sessions = familyReport(store, "login session", from, until);
  return {
    from: textOf(from),
    to: textOf(until),
    verdict: verdictOf(windows, [calls.counts, sessions.counts]),
    windowSeconds,
    idbs: copies.map(({ name, identity, problem, id }) => ({
      ...{ name, problem },
      idbId: identity?.idbId ?? null,
      queueId: identity?.queueId ?? null,
      version: identity?.version ?? null,
      callsTakenWhole: calls.takenWhole(id),
      callsJoinedFrom: calls.joinedFrom(id),
      loginSessionsTakenWhole: sessions.takenWhole(id),
      loginSessionsJoinedFrom: sessions.joinedFrom(id),
    })),
    sources: sourcesOf(stretches, windowSeconds),
    windows,
    calls: calls.counts,
    callsInDoubt: calls.inDoubt.map(({ key, ...doubt }) => ({ callId: key, ...doubt })),
    openCalls: calls.open,
    loginSessions: sessions.counts,
    loginSessionsInDoubt: sessions.inDoubt.map(({ key, ...doubt }) => ({ loginSessionId: key, ...doubt })),
    openLoginSessions: sessions.open,
    run,
  };
}

interface FamilyReport {
  readonly counts: SubjectCounts;
  readonly inDoubt: readonly ({ readonly key: string } & SubjectDoubt)[];
  readonly open: readonly string[];
  /** How many are of this copy alone, or of it and others; null: it could not be read. */
  readonly takenWhole: (copyId: number | null) => number;
  readonly joinedFrom: (copyId: number | null) => number;
}

function familyReport(store: ExtractStore, family: FamilyName, from: number, until: number): FamilyReport {
  const counts = store.counts(family, from, until);
  const sum = (isCounted: (each: (typeof counts)[number]) => boolean) =>
    counts.filter(isCounted).reduce((total, { count }) => total + count, 0);
  const waiting = store.waiting(family, from, until);
  return {
    counts: {
      complete: sum(({ verdict }) => verdict === "complete"),
      joined: sum(({ verdict }) => verdict === "joined"),
      incomplete: sum(({ verdict }) => verdict === "incomplete"),
      notYetKnown: sum(({ verdict }) => verdict === "not yet known"),
      notProven: sum(({ verdict, isProven }) => !isProven && (verdict === "complete" || verdict === "joined")),
      divergent: store.countWithReason(family, from, until, divergentReasons),
      open: waiting.length,
      withdrawn: store.countWithdrawn(family, from, until),
    },
    inDoubt: store.inDoubt(family, from, until, listedMax).map(({ key, verdict, reasons }) => ({
      ...{ key, verdict },
      reasons: JSON.parse(reasons) as Reason[], // Written by SubjectWriter.
    })),
    open: waiting.slice(0, listedMax),
    takenWhole: (id) => sum(({ copyIds }) => id !== null && copyIds.length === 1 && copyIds.includes(id)),
    joinedFrom: (id) => sum(({ copyIds }) => id !== null && copyIds.length > 1 && copyIds.includes(id)),
  };
}

function within(windows: StoredWindows, from: number, until: number): StoredWindows[] {
  const cut = { ...windows, from: Math.max(windows.from, from), until: Math.min(windows.until, until) };
  return cut.from < cut.until ? [cut] : [];
}

/** How many windows a stretch touches; the report's own bounds may lie within one. */
function windowsIn({ from, until }: { readonly from: number; readonly until: number }, windowSeconds: number): number {
  return Math.ceil(until / windowSeconds) - Math.floor(from / windowSeconds);
}

function countWindows(stretches: readonly StoredWindows[], windowSeconds: number): WindowCounts {
  const count = (isCounted: (each: StoredWindows) => boolean) =>
    stretches.filter(isCounted).reduce((total, each) => total + windowsIn(each, windowSeconds), 0);
  return {
    complete: count(({ state }) => state === "complete"),
    silent: count(({ state }) => state === "silent"),
    incomplete: count(({ state }) => state === "incomplete"),
    unknown: count(({ state }) => state === "unknown"),
    divergent: count(({ agreement }) => agreement === "divergent"),
  };
}

// A contradiction is worst, for then a word that was trusted is false; then what is missing for good.
function verdictOf(windows: WindowCounts, subjects: readonly SubjectCounts[]): ExtractReport["verdict"] {
  const sum = (count: (each: SubjectCounts) => number) => subjects.reduce((total, each) => total + count(each), 0);
  if (windows.divergent + sum(({ divergent }) => divergent) > 0) return "divergent";
  if (windows.incomplete + sum(({ incomplete }) => incomplete) > 0) return "incomplete";
  // Where no IDB has heard of any source, nothing vouches for the stretch.
  const isJudged = windows.complete + windows.silent > 0;
  return windows.unknown + sum(({ notYetKnown }) => notYetKnown) > 0 || !isJudged ? "not yet known" : "complete";
}

function sourcesOf(stretches: readonly StoredWindows[], windowSeconds: number): SourceReport[] {
  return [...Map.groupBy(stretches, ({ cluster, switchDbid }) => `${cluster}/${switchDbid}`).values()].map((own) => {
    const [{ cluster, switchDbid }] = own as [StoredWindows];
    return {
      ...{ cluster, switchDbid },
      stretches: own.map(({ from, until, state, agreement, isProven, causes }) => ({
        from: textOf(from),
        until: textOf(until),
        windows: windowsIn({ from, until }, windowSeconds),
        ...{ state, agreement, isProven, causes },
      })),
    };
  });
}

function textOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
