// ICON_COVERAGE: the spans of a source's time in which this IDB has every event of one server run.
//
// 1. A word is what tells a time and that nothing is missing up to it: an event whose number follows, a heartbeat that
//    names the last number applied, an orderly end. A span reaches from its first word to its last, and lives on from
//    session to session while the numbers go on. Without numbers it is one session's, from timed message to timed message.
// 2. What leaves a gap ends the span. The next one begins at the next word, and says below which number it knows nothing.
// 3. Within a run times rise with numbers; a word that is a little older than one before it is noted as lateness. One that
//    is much older means that the source's clock was set back: from there on numbers say nothing of the times before.
//    Nothing is ever vouched for a second time of a stretch in which something may be missing (`doubtUntil`).
// 4. While the server has no link to the switch, or to a server that it depends on, its words vouch for nothing. Nobody
//    tells a new session that this has ended meanwhile: there an event does, a heartbeat does not.

import { type SourceInstant, sourceInstant, timestampText } from "../event/instant.ts";
import type { CoverageBeginning, CoverageBreak, CoverageEnding } from "../event/ledger-word.ts";
import type { SourceState, StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** The open span of a source. */
export interface Span {
  readonly id: number;
  readonly cluster: number;
  readonly switchDbid: number;
  readonly run: string;
  /** Session that it began in. */
  readonly session: number;
  readonly beganBecause: CoverageBeginning;
  readonly from: SourceInstant;
  readonly fromSequence: number | null;
  /** The latest word; before `from` where the source's clock was set back. */
  readonly word: SourceInstant;
  readonly sequence: number | null;
  readonly latenessMs: number;
  readonly version: number;
}

/** What is remembered of a source's coverage besides the span that may be open. */
export interface Coverage {
  /** Why there is no span, while there is none. */
  readonly because: CoverageBeginning;
  /** The latest word of the run before the open span, or at all while there is none; null: there was none. */
  readonly latestWord: SourceInstant | null;
  /** The latest beginning of a span of the run: older events of it may be missing. */
  readonly doubtUntil: SourceInstant | null;
  /** The highest number that the server said it had given out, in this session. */
  readonly announced: number;
  /** The server has answered what it was asked to resume after: what comes is new, and in order. */
  readonly isAnswered: boolean;
  /** Links that the server said, in this session, to have lost and not to have back; and those that it said to have. */
  readonly lostLinks: readonly string[];
  readonly knownLinks: readonly string[];
  /** A link was lost in an earlier session, or may have been said to be, and nobody knows whether it is back. */
  readonly isLinkUnsure: boolean;
  /** The latest word when the session began; null: there was no span then. */
  readonly wordBefore: SourceInstant | null;
  /** The last word was that the server ends in order. */
  readonly isOver: boolean;
}

const nothingKnown: Coverage = {
  because: "first connection",
  latestWord: null,
  doubtUntil: null,
  announced: 0,
  isAnswered: false,
  lostLinks: [],
  knownLinks: [],
  isLinkUnsure: false,
  wordBefore: null,
  isOver: false,
};

// Servers tell of simultaneous things a moment apart; nothing but a clock that was set back makes them disagree by more.
const latenessMsMax = 5_000;

/** The server run as the ledger names it: two servers of a pair may have been started in the same instant. */
export function ledgerRun({ run, lastDbid }: Pick<SourceState, "run" | "lastDbid">): string {
  return run === null ? "" : `${lastDbid}@${run}`;
}

/**
 * An event of the source was applied, whose number follows the one before it, or comes after a break was noted.
 * `isKept`: it finds its own window, however late it is.
 */
export function coverEvent(
  world: World,
  context: StepContext,
  at: SourceInstant,
  sequence: number | null,
  isKept: boolean,
): void {
  const { name } = context.source.identity;
  const span = world.get("span", name);
  if (span !== undefined) {
    moveSpan(world, context, span, at, sequence, isKept);
    return;
  }
  const known = world.get("coverage", name) ?? nothingKnown;
  if (known.lostLinks.length > 0) return;
  beginSpan(world, context, { ...known, isLinkUnsure: false }, at, sequence === null ? null : sequence - 1, sequence);
}

/** A word without a number of its own that vouches for everything up to `applied`; without numbers, that is null. */
export function coverTime(world: World, context: StepContext, at: SourceInstant, applied: number | null): void {
  const { name } = context.source.identity;
  const span = world.get("span", name);
  if (span !== undefined) {
    moveSpan(world, context, span, at, applied, false);
    return;
  }
  const known = world.get("coverage", name) ?? nothingKnown;
  if (known.lostLinks.length > 0 || known.isLinkUnsure) return;
  beginSpan(world, context, known, at, applied, applied);
}

/** A heartbeat. It is a word when it names the last number applied: below that it is of the past, above it more is coming. */
export function coverHeartbeat(
  world: World,
  context: StepContext,
  at: SourceInstant,
  lastSeq: number | null,
  applied: number | null,
): void {
  if (lastSeq === null) return;
  noteAnnounced(world, context.source, lastSeq);
  if (lastSeq === applied) coverTime(world, context, at, applied);
}

/** The server said that it ends, or is no longer primary, after everything it had to tell. */
export function coverOrderlyEnd(
  world: World,
  context: StepContext,
  at: SourceInstant | null,
  applied: number | null,
): void {
  const { name } = context.source.identity;
  const known = world.get("coverage", name) ?? nothingKnown;
  if (at === null || applied === null || !known.isAnswered || applied < known.announced) return;
  coverTime(world, context, at, applied);
  if (world.get("span", name) === undefined) return;
  put(world, name, { isOver: true });
}

/**
 * A number came that was applied before. Within a run times rise with numbers, so one that is told of a later time than the
 * last word is another event: the server has begun to count anew and kept the run's name. What it numbers up to the one
 * applied is not taken in.
 */
export function coverDuplicate(world: World, { source, position }: StepContext, at: SourceInstant | null): void {
  const span = world.get("span", source.identity.name);
  if (span !== undefined && at !== null && at > span.word) breakCoverage(world, source, position, "numbers went back");
}

/** The server's hello: what it has given out. Less than was applied means that it counts anew, though it kept the run's name. */
export function coverHello(world: World, { source, position }: StepContext, lastSeq: number): void {
  noteAnnounced(world, source, lastSeq);
  if (source.appliedSequence !== null && lastSeq < source.appliedSequence) {
    breakCoverage(world, source, position, "numbers went back");
  }
}

/** What the server has given out, by its own word: what it says in order does not vouch for less. */
function noteAnnounced(world: World, { identity }: SourceState, lastSeq: number): void {
  const known = world.get("coverage", identity.name) ?? nothingKnown;
  if (lastSeq > known.announced) put(world, identity.name, { announced: lastSeq });
}

/** The server has answered our `open`: after this nothing is under way but what is new. */
export function noteAnswered(world: World, { identity }: SourceState): void {
  const known = world.get("coverage", identity.name) ?? nothingKnown;
  if (!known.isAnswered) put(world, identity.name, { isAnswered: true });
}

/** Something may be missing from here on, until the next word. */
export function breakCoverage(world: World, source: SourceState, position: bigint, because: CoverageBreak): void {
  const { name } = source.identity;
  const known = world.get("coverage", name) ?? nothingKnown;
  const span = world.get("span", name);
  if (span !== undefined) endSpan(world, name, known, span, position, because);
  // The first reason stands: what came after it is within the same gap.
  else if (known.because === "first connection") put(world, name, { because });
  if (mayHideLostLink.has(because)) put(world, name, { isLinkUnsure: true });
}

/** What was lost there may have been the server's word that it lost a link. */
const mayHideLostLink: ReadonlySet<CoverageBreak> = new Set([
  "damaged record",
  "undecodable frame",
  "projection failed",
  "queue lost",
  "history not kept",
]);

/** `link` names what the server lost its connection to. */
export function loseLink(world: World, context: StepContext, link: string, because: CoverageBreak): void {
  const { source, position } = context;
  breakCoverage(world, source, position, because);
  const { lostLinks, knownLinks } = world.get("coverage", source.identity.name) ?? nothingKnown;
  if (lostLinks.includes(link)) return;
  put(world, source.identity.name, { lostLinks: [...lostLinks, link], knownLinks: without(knownLinks, link) });
}

/** What was lost is back: the next word may begin a span. */
export function regainLink(
  world: World,
  { source, position }: StepContext,
  link: string,
  because: CoverageBreak,
): void {
  const { name } = source.identity;
  const known = world.get("coverage", name) ?? nothingKnown;
  const { lostLinks, knownLinks, wordBefore } = known;
  if (knownLinks.includes(link)) return;
  const span = world.get("span", name);
  // That it was lost was not heard, so it was lost before this session: the words since then vouched for nothing.
  if (span !== undefined && !lostLinks.includes(link)) {
    endSpan(world, name, known, { ...span, word: wordBefore ?? span.from }, position, because);
    put(world, name, { latestWord: untilOf(span) });
  }
  const change = { lostLinks: without(lostLinks, link), knownLinks: [...knownLinks, link], isLinkUnsure: false };
  put(world, name, change);
}

function without(links: readonly string[], link: string): readonly string[] {
  return links.filter((each) => each !== link);
}

/** A session was opened; `isSameConnection`: the connection, and what is under way on it, is the earlier session's. */
export function coverSession(
  world: World,
  before: SourceState,
  position: bigint,
  { isNewRun, isSameConnection }: { readonly isNewRun: boolean; readonly isSameConnection: boolean },
): void {
  const { name } = before.identity;
  const known = world.get("coverage", name);
  const span = world.get("span", name);
  if (isNewRun && known !== undefined) {
    if (span !== undefined) endSpan(world, name, known, span, position, known.isOver ? "orderly end" : "new run");
    world.put("coverage", name, { ...nothingKnown, because: "new run" });
    return;
  }
  if (known === undefined || isSameConnection) return;
  world.put("coverage", name, {
    ...known,
    announced: 0,
    isAnswered: false,
    lostLinks: [],
    knownLinks: [],
    isLinkUnsure: known.isLinkUnsure || known.lostLinks.length > 0,
    wordBefore: span?.word ?? null,
    // It did not end, after all.
    isOver: false,
  });
}

/** The source's clock went to `at`, which is before its words, as a comparison with ours has shown. */
export function setCoverageBack(world: World, source: SourceState, position: bigint, at: SourceInstant): void {
  const { name } = source.identity;
  const span = world.get("span", name);
  if (span === undefined || at >= span.word) return;
  const known = world.get("coverage", name) ?? nothingKnown;
  endSpan(world, name, known, { ...span, word: at }, position, "source clock stepped");
  put(world, name, { latestWord: at });
}

/** The IDB begins here, in the middle of what is covered: what is before is not in it. */
export function coverFromHere(world: World, source: SourceState, position: bigint): void {
  const { name } = source.identity;
  const span = world.get("span", name);
  if (span === undefined) return;
  const from = untilOf(span);
  const begun: Span = {
    ...span,
    id: world.nextRowId(),
    beganBecause: "history not kept",
    from,
    fromSequence: span.sequence,
    version: Number(position),
  };
  world.put("span", name, begun);
  put(world, name, { doubtUntil: from });
}

function moveSpan(
  world: World,
  context: StepContext,
  span: Span,
  at: SourceInstant,
  sequence: number | null,
  isKept: boolean,
): void {
  const { name } = context.source.identity;
  const lateMs = span.word - at;
  if (lateMs > latenessMsMax) return stepBack(world, context, span, at, sequence, isKept);
  const next: Span = {
    ...span,
    word: lateMs > 0 ? span.word : at,
    sequence,
    latenessMs: lateMs > span.latenessMs ? Math.ceil(lateMs) : span.latenessMs,
    version: Number(context.position),
  };
  world.put("span", name, next);
  if (world.get("coverage", name)?.isOver === true) put(world, name, { isOver: false });
}

/** The source's clock was set back between two words, with nothing missing between them. */
function stepBack(
  world: World,
  context: StepContext,
  span: Span,
  at: SourceInstant,
  sequence: number | null,
  isKept: boolean,
): void {
  const { name } = context.source.identity;
  const known = world.get("coverage", name) ?? nothingKnown;
  endSpan(world, name, known, { ...span, word: at }, context.position, "source clock stepped");
  const ended = world.get("coverage", name) ?? nothingKnown;
  // What has happened since `doubtUntil` by either clock is here. But where windows were left behind already, what comes
  // for them is not in them: nothing is vouched for until the clock is past them.
  const latestWord = isKept ? null : untilOf(span);
  beginSpan(world, context, { ...ended, latestWord }, at, span.sequence, sequence);
}

function beginSpan(
  world: World,
  context: StepContext,
  known: Coverage,
  at: SourceInstant,
  fromSequence: number | null,
  sequence: number | null,
): void {
  const { source, session, position } = context;
  const { name, primaryDbid, switchDbid } = source.identity;
  const from = sourceInstant(Math.max(at, known.latestWord ?? at, known.doubtUntil ?? at));
  const span: Span = {
    id: world.nextRowId(),
    cluster: primaryDbid,
    switchDbid,
    run: ledgerRun(source),
    session,
    beganBecause: known.because,
    from,
    fromSequence,
    word: at,
    sequence,
    latenessMs: 0,
    version: Number(position),
  };
  world.put("span", name, span);
  world.put("coverage", name, { ...known, latestWord: from, doubtUntil: from, isOver: false });
}

function endSpan(
  world: World,
  name: string,
  known: Coverage,
  span: Span,
  position: bigint,
  because: CoverageEnding,
): void {
  writeSpanRow(world, name, { ...span, version: Number(position) }, because);
  world.remove("span", name);
  const latestWord = untilOf(span);
  world.put("coverage", name, {
    ...known,
    because: because === "orderly end" ? "new run" : because,
    latestWord,
    isOver: false,
  });
}

/** No word before `from` moves the span: there, something may be missing that an earlier clock told. */
function untilOf({ from, word }: Span): SourceInstant {
  return word < from ? from : word;
}

function put(world: World, name: string, change: Partial<Coverage>): void {
  world.put("coverage", name, { ...(world.get("coverage", name) ?? nothingKnown), ...change });
}

/** The row of a span as it stands; null: it goes on. */
export function writeSpanRow(world: World, name: string, span: Span, endedBecause: CoverageEnding | null): void {
  world.write("ICON_COVERAGE", {
    ID: span.id,
    SOURCE: name,
    SOURCE_CLUSTER: span.cluster,
    SWITCH_DBID: span.switchDbid,
    RUN: span.run,
    // To the next millisecond, for times are cut to one: of the rest of it something may be missing.
    FROM_TIME: timestampText(sourceInstant(Math.ceil(span.from))),
    FROM_SEQ: span.fromSequence,
    UNTIL_TIME: timestampText(untilOf(span)),
    UNTIL_SEQ: span.sequence,
    LATENESS_MS: span.latenessMs,
    BEGAN_BECAUSE: span.beganBecause,
    ENDED_BECAUSE: endedBecause,
    GSYS_DOMAIN: span.session,
    VERSION: span.version,
  });
}
