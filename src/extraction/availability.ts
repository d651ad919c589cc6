// Which copy to believe, for every window of every source: pure, from the copies' ledgers.
//
//   ledgers ──rows of one source──▶ evidence (all copies) ──▶ coverage (each copy) ──▶ verdicts, stretch by stretch
//
// 1. A copy has a window whole when no doubt about its coverage touches the window and no fault of its row condemns it.
// 2. It is not judged before the copy has heard of the source 5 s past the window's end: an IDB that is merely behind has
//    nothing missing.
// 3. Windows without rows cost nothing: verdicts are made for stretches between the places where something changes, so
//    cost follows rows and spans, not time.

import type { Ledger, Stretch } from "./copy.ts";
import { CopyWindows, type PlacedRows, placedRows } from "./copy-windows.ts";
import { type CopyOfSource, type Coverage, coverageOf } from "./coverage.ts";
import { gatherEvidence, spokenSpan } from "./evidence.ts";
import { instancesOf } from "./same-instance.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** Names a source in every copy. */
export interface SourceKey {
  /** DBID of the pair's primary server. */
  readonly cluster: number;
  readonly switchDbid: number;
}

/** Windows in a row of which the same is said. One with events stands alone. */
export interface JudgedStretch {
  /** UTC seconds by the source's clock; `from` is in it, `until` is not. Whole windows. */
  readonly from: number;
  readonly until: number;
  readonly windowCount: number;
  readonly verdict: Verdict;
}

export interface SourceAvailability {
  readonly source: SourceKey;
  /** As the copies' configurations call it; more than one where they do not agree. */
  readonly names: readonly string[];
  /** From the first to the last window that the asked stretch touches, without gaps, in order. */
  readonly stretches: readonly JudgedStretch[];
  /** What each copy is in doubt about. */
  readonly coverages: readonly Coverage[];
}

export interface Availability {
  readonly windowSeconds: number;
  /** By cluster and switch. */
  readonly sources: readonly SourceAvailability[];
}

/** Copies that cannot be judged together. */
export class LedgersDifferError extends Error {
  override readonly name = "LedgersDifferError";
}

/**
 * Judges every window that the stretch touches. Spans and sessions of the ledgers must reach beyond it as far as `Ledger`
 * says; windows beyond it help to narrow down what is missing near its ends. `read`: of which stretch windows were read, where
 * gaps may be longer than that. Throws LedgersDifferError.
 */
export function judge(ledgers: readonly Ledger[], stretch: Stretch, read?: Stretch): Availability {
  const windowSeconds = commonWindowSeconds(ledgers);
  const bySource = new Map<string, { readonly source: SourceKey; readonly parts: Part[] }>();
  for (const [place, ledger] of ledgers.entries()) {
    const partOf = (cluster: number, switchDbid: number): Part | undefined => {
      const key = `${cluster}/${switchDbid}`;
      let known = bySource.get(key);
      if (known === undefined) {
        known = { source: { cluster, switchDbid }, parts: ledgers.map(() => emptyPart()) };
        bySource.set(key, known);
      }
      return known.parts[place];
    };
    for (const span of ledger.spans) partOf(span.SOURCE_CLUSTER, span.SWITCH_DBID)?.spans.push(span);
    for (const window of ledger.windows) partOf(window.SOURCE_CLUSTER, window.SWITCH_DBID)?.windows.push(window);
    for (const session of ledger.sessions) {
      const cluster = session.DS_DBID_PRIM ?? session.DS_DBID;
      if (cluster !== null && session.DS2_DBID !== null) partOf(cluster, session.DS2_DBID)?.sessions.push(session);
    }
  }
  const sources = [...bySource.values()]
    .toSorted(
      (one, other) => one.source.cluster - other.source.cluster || one.source.switchDbid - other.source.switchDbid,
    )
    .map(({ source, parts }) => judgeSource(source, parts, { ledgers, stretch, read, windowSeconds }));
  return { windowSeconds, sources };
}

interface Part {
  readonly spans: Ledger["spans"][number][];
  readonly windows: Ledger["windows"][number][];
  readonly sessions: Ledger["sessions"][number][];
}

function emptyPart(): Part {
  return { spans: [], windows: [], sessions: [] };
}

function commonWindowSeconds(ledgers: readonly Ledger[]): number {
  const [first, ...others] = ledgers;
  if (first === undefined) throw new LedgersDifferError("Cannot judge copies: none was given, expected at least one");
  const { windowSeconds } = first.identity;
  const other = others.find(({ identity }) => identity.windowSeconds !== windowSeconds);
  if (other !== undefined) {
    throw new LedgersDifferError(
      `Cannot compare copies whose ledgers have windows of ${windowSeconds} s and of ${other.identity.windowSeconds} s: ` +
        "expected the same length, which is chosen when an IDB is made",
    );
  }
  const twin = ledgers.find(({ identity }, place) =>
    ledgers.slice(0, place).some((each) => each.identity.idbId === identity.idbId),
  );
  if (twin !== undefined) {
    throw new LedgersDifferError(
      `Cannot compare an IDB with itself: two copies have the IDB id ${twin.identity.idbId}; expected each copy once`,
    );
  }
  return windowSeconds;
}

interface Asked {
  readonly ledgers: readonly Ledger[];
  readonly stretch: Stretch;
  readonly read: Stretch | undefined;
  readonly windowSeconds: number;
}

function judgeSource(
  source: SourceKey,
  parts: readonly Part[],
  { ledgers, stretch, read, windowSeconds }: Asked,
): SourceAvailability {
  const evidence = gatherEvidence(parts, windowSeconds);
  const instances = instancesOf(ledgers.map(({ identity }) => identity));
  const copies: CopyOfSource[] = parts.map(({ spans, windows, sessions }, place) => ({
    spans: spans
      .toSorted((one, other) => one.ID - other.ID)
      .map(spokenSpan)
      .filter((each) => each !== null),
    windows,
    windowsFromMs: read === undefined ? Number.NEGATIVE_INFINITY : read.from * 1000,
    sessions,
    marks: ledgers[place]?.marks ?? [],
  }));
  const coverages = copies.map((copy) => coverageOf(copy, copies, evidence, windowSeconds));
  const first = Math.floor(stretch.from / windowSeconds);
  const end = Math.max(Math.ceil(stretch.until / windowSeconds), first + 1);
  const rows = copies.map(({ windows }) => placedRows(windows, windowSeconds, { first, end }));
  const judged = copies.map(
    (copy, place) =>
      new CopyWindows({
        copy,
        rows: rows[place] as PlacedRows,
        othersRows: rows.filter((_, other) => other !== place),
        evidence,
        coverage: coverages[place] as Coverage,
        windowSeconds,
        range: { first, end },
      }),
  );
  const names = [
    ...new Set(parts.flatMap(({ spans, sessions }) => [...spans, ...sessions].map(({ SOURCE }) => SOURCE))),
  ];
  return {
    source,
    names: names.filter((name): name is string => name != null).toSorted(),
    stretches: sweep(judged, instances, { first, end, windowSeconds }),
    coverages,
  };
}

/** From change to change. */
function sweep(
  copies: readonly CopyWindows[],
  instances: readonly number[],
  { first, end, windowSeconds }: { readonly first: number; readonly end: number; readonly windowSeconds: number },
): JudgedStretch[] {
  const places = new Set([first, end]);
  for (const copy of copies) for (const place of copy.changes()) if (place > first && place < end) places.add(place);
  const changes = Float64Array.from(places).sort();
  const stretches: JudgedStretch[] = [];
  for (let index = 0; index + 1 < changes.length; index++) {
    const [from, until] = [changes[index] ?? first, changes[index + 1] ?? end];
    const each = {
      from: from * windowSeconds,
      until: until * windowSeconds,
      windowCount: until - from,
      verdict: verdictOf(
        copies.map((copy) => copy.at(from)),
        instances,
      ),
    };
    const last = stretches.at(-1);
    if (last !== undefined && isSame(last.verdict, each.verdict)) stretches[stretches.length - 1] = joined(last, each);
    else stretches.push(each);
  }
  return stretches;
}

function joined(one: JudgedStretch, other: JudgedStretch): JudgedStretch {
  return { ...one, until: other.until, windowCount: one.windowCount + other.windowCount };
}

function isSame(one: Verdict, other: Verdict): boolean {
  if (one.state !== other.state || one.agreement !== other.agreement || one.chosen !== other.chosen) return false;
  return one.copies.every((verdict, place) => {
    const against = other.copies[place];
    if (against === verdict) return true;
    if (against === undefined || verdict.events > 0 || against.events > 0 || verdict.state !== against.state)
      return false;
    return (
      verdict.causes.join("\n") === against.causes.join("\n") &&
      verdict.faults.join("\n") === against.faults.join("\n") &&
      JSON.stringify(verdict.missing) === JSON.stringify(against.missing)
    );
  });
}
