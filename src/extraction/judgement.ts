// Availability of the copies' windows, asked for as plans need it: calls live beyond the stretch that is extracted, some
// of them for days. Ledgers are read in blocks of about an hour; the blocks that are used together are kept.
//
// A copy that cannot be read counts as one that may still tell everything.

import { type JudgedStretch, judge, type SourceAvailability, type SourceKey } from "./availability.ts";
import { type Copy, CopyError, type CopyIdentity, type Ledger, type SessionRow, type Stretch } from "./copy.ts";
import type { Doubted, SourceCoverage } from "./source-coverage.ts";
import { isWhole, type WindowState } from "./verdict.ts";

const blockSecondsAbout = 3600;
// Windows beyond a block help to narrow down what is missing near its ends.
const marginSeconds = 600;
// Some hundred bytes each, for every copy.
const windowsMax = 200_000;
// Nobody is heard so much before the first word that the ledger has of him.
const beforeFirstWordSeconds = 86_400;

interface Block {
  readonly sources: ReadonlyMap<string, SourceAvailability>;
}

export class Judgement implements SourceCoverage {
  readonly windowSeconds: number;
  readonly #copies: readonly Copy[];
  readonly #identities: readonly (CopyIdentity | null)[];
  readonly #blockSeconds: number;
  readonly #blocksMax: number;
  /** No copy has a word of any source before it. UTC seconds. */
  #firstWord = Number.NEGATIVE_INFINITY;
  /** Of which some copy had a word when the first one was looked for. */
  readonly #heard = new Map<string, SourceKey>();
  #blocks = new Map<number, Block>();
  readonly #sessions = new Map<string, SessionRow>();

  /** `identities`: of each copy as it was when the extraction began; null: it cannot be read. At least one can. */
  constructor(copies: readonly Copy[], identities: readonly (CopyIdentity | null)[]) {
    const known = identities.find((each) => each !== null);
    if (known == null) throw new CopyError("passing", "Cannot judge copies: none of them can be read");
    this.#copies = copies;
    this.#identities = identities;
    this.windowSeconds = known.windowSeconds;
    const windowsInBlock = Math.ceil(blockSecondsAbout / this.windowSeconds);
    this.#blockSeconds = this.windowSeconds * windowsInBlock;
    this.#blocksMax = Math.ceil(windowsMax / windowsInBlock);
  }

  /** Finds out where the copies begin, so that a stretch may begin long before. Throws CopyError. */
  async findFirstWord(stretch: Stretch): Promise<void> {
    let first = Number.POSITIVE_INFINITY;
    for (const [index, copy] of this.#copies.entries()) {
      const identity = this.#identities[index];
      if (identity == null) continue;
      // Of its windows none but those that it has just changed.
      const { spans, sessions } = await copy.ledger({ stretch, changedAfter: identity.version });
      const times = [
        ...spans.map(({ FROM_TIME }) => FROM_TIME),
        ...sessions.flatMap(({ FEVENT_DSTIME, DSCONN_STIME }) => [FEVENT_DSTIME, DSCONN_STIME]),
      ];
      for (const { SOURCE_CLUSTER: cluster, SWITCH_DBID: switchDbid } of spans) {
        this.#heard.set(`${cluster}/${switchDbid}`, { cluster, switchDbid });
      }
      for (const time of times) if (time !== null) first = Math.min(first, Date.parse(time) / 1000);
    }
    this.#firstWord = first - beforeFirstWordSeconds;
  }

  /** The part of a stretch that any copy has a word of: it is empty or begins later. */
  spoken({ from, until }: Stretch): Stretch {
    const first = Math.min(until, Math.max(from, this.#windowOf(Math.min(this.#firstWord, until))));
    return { from: first, until };
  }

  /** After this the stretch can be asked about, both ends included. Throws CopyError, LedgersDifferError. */
  cover(from: number, until: number): Promise<void> {
    return this.coverAll([{ from, until }]);
  }

  /**
   * After this each of the stretches can be asked about, both ends included; what was covered before need not be any more.
   * Throws CopyError, LedgersDifferError.
   */
  async coverAll(stretches: readonly Stretch[]): Promise<void> {
    const needed = new Set<number>();
    for (const { from, until } of stretches) {
      const first = Math.max(Math.floor(from / this.#blockSeconds), Math.floor(this.#firstWord / this.#blockSeconds));
      for (let number = first; number * this.#blockSeconds <= until; number += 1) needed.add(number);
    }
    const missing = [...needed].filter((number) => !this.#blocks.has(number));
    if (missing.length > 0 && this.#blocks.size + missing.length > this.#blocksMax) {
      this.#blocks = new Map([...this.#blocks].filter(([number]) => needed.has(number)));
    }
    for (const number of missing) this.#blocks.set(number, await this.#read(number));
  }

  /** Every source that any copy knows in the stretch; it must be covered. By cluster and switch. */
  sources(stretch: Stretch): readonly SourceKey[] {
    const found = new Map<string, SourceKey>();
    for (const { sources } of this.#over(stretch.from, stretch.until - 1)) {
      for (const [key, { source }] of sources) found.set(key, source);
    }
    return [...found.values()].toSorted((a, b) => a.cluster - b.cluster || a.switchDbid - b.switchDbid);
  }

  /** Every source that any copy has a word of, in the stretch that findFirstWord was given or next to it. By cluster and switch. */
  heard(): readonly SourceKey[] {
    return [...this.#heard.values()].toSorted((a, b) => a.cluster - b.cluster || a.switchDbid - b.switchDbid);
  }

  /** The judged stretches of a source, cut to whole windows of the asked stretch; it must be covered. */
  *stretches(source: SourceKey, from: number, until: number): Generator<JudgedStretch> {
    const [start, end] = [this.#windowOf(from), this.#windowOf(until) + this.windowSeconds];
    for (const { sources } of this.#over(from, until)) {
      const { stretches = [] } = sources.get(keyOf(source)) ?? {};
      // The first that reaches into it, by halving: a block may hold a stretch for each of its windows.
      let [low, high] = [0, stretches.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((stretches[middle]?.until ?? 0) > start) high = middle;
        else low = middle + 1;
      }
      for (let place = low; place < stretches.length; place += 1) {
        const each = stretches[place];
        if (each === undefined || each.from >= end) break;
        const cut = { from: Math.max(each.from, start), until: Math.min(each.until, end) };
        yield { ...each, ...cut, windowCount: (cut.until - cut.from) / this.windowSeconds };
      }
    }
  }

  /** As the copies' configurations call the source. */
  names(source: SourceKey): readonly string[] {
    const names = [...this.#blocks.values()].flatMap(({ sources }) => sources.get(keyOf(source))?.names ?? []);
    return [...new Set(names)].toSorted();
  }

  /** Data source sessions of all copies near to what was covered. */
  sessions(): readonly SessionRow[] {
    return [...this.#sessions.values()].toSorted((a, b) => a.DSS_ID - b.DSS_ID || a.ICON_DBID - b.ICON_DBID);
  }

  doubted(copy: number, source: SourceKey, from: number, until: number): readonly Doubted[] {
    const place = this.#placeOf(copy);
    const whole = { from: this.#windowOf(from), until: this.#windowOf(until) + this.windowSeconds };
    if (place === null) return [{ ...whole, isKnown: false, causes: ["copy cannot be read"] }];
    const doubts: Doubted[] = [];
    let reached = whole.from;
    const isOfNone = { isKnown: true, causes: ["never listened"] };
    for (const stretch of this.stretches(source, from, until)) {
      if (stretch.from > reached) doubts.push({ from: reached, until: stretch.from, ...isOfNone });
      reached = stretch.until;
      const verdict = stretch.verdict.copies[place];
      if (verdict === undefined || isWhole(verdict)) continue;
      const { state, causes } = verdict;
      doubts.push({ from: stretch.from, until: stretch.until, isKnown: state !== "unknown", causes });
    }
    if (reached < whole.until) doubts.push({ from: reached, until: whole.until, ...isOfNone });
    return merged(doubts);
  }

  isProven(source: SourceKey, from: number, until: number): boolean {
    for (const { verdict } of this.stretches(source, from, until)) {
      if (verdict.copies.some((each) => isWhole(each) && !each.isProven)) return false;
    }
    return true;
  }

  isDivergent(source: SourceKey, from: number, until: number): boolean {
    for (const { verdict } of this.stretches(source, from, until)) {
      if (verdict.agreement === "divergent") return true;
    }
    return false;
  }

  /** UTC seconds: no window of the source before it is still to be judged, from `from` on, up to `until`. */
  settledUntil(source: SourceKey, from: number, until: number): number {
    for (const stretch of this.stretches(source, from, until - 1)) {
      if (this.stateOf(stretch) === "unknown") return Math.max(from, stretch.from);
    }
    return until;
  }

  /** What is said of all copies: where none is whole, a copy that cannot be read may still tell. */
  stateOf({ verdict: { state } }: JudgedStretch): WindowState {
    return state === "incomplete" && this.isAnyAway ? "unknown" : state;
  }

  /** A copy's place in the ledgers that are judged; null: it cannot be read. */
  #placeOf(copy: number): number | null {
    if (this.#identities[copy] == null) return null;
    return this.#identities.slice(0, copy).filter((each) => each !== null).length;
  }

  /** Some copy cannot be read. */
  get isAnyAway(): boolean {
    return this.#identities.includes(null);
  }

  #windowOf(seconds: number): number {
    return Math.floor(seconds / this.windowSeconds) * this.windowSeconds;
  }

  /** In order. */
  #over(from: number, until: number): Block[] {
    const blocks: Block[] = [];
    const first = Math.max(Math.floor(from / this.#blockSeconds), Math.floor(this.#firstWord / this.#blockSeconds));
    for (let number = first; number * this.#blockSeconds <= until; number += 1) {
      const block = this.#blocks.get(number);
      if (block === undefined) throw new Error("Cannot judge a stretch that was not covered");
      blocks.push(block);
    }
    return blocks;
  }

  async #read(number: number): Promise<Block> {
    const stretch = { from: number * this.#blockSeconds, until: (number + 1) * this.#blockSeconds };
    const question = {
      stretch: { from: stretch.from - marginSeconds, until: stretch.until + marginSeconds },
      changedAfter: null,
    };
    const ledgers: Ledger[] = [];
    for (const [index, copy] of this.#copies.entries()) {
      const identity = this.#identities[index];
      if (identity == null) continue;
      const ledger = await copy.ledger(question);
      if (ledger.identity.idbId !== identity.idbId || ledger.identity.queueId !== identity.queueId) {
        throw new CopyError("passing", `Cannot go on reading "${copy.name}": another IDB has come in its place`);
      }
      ledgers.push(ledger);
      for (const session of ledger.sessions) this.#sessions.set(`${session.DSS_ID}/${session.ICON_DBID}`, session);
    }
    const { sources } = judge(ledgers, stretch, question.stretch);
    return { sources: new Map(sources.map((each) => [keyOf(each.source), each])) };
  }
}

export function keyOf({ cluster, switchDbid }: SourceKey): string {
  return `${cluster}/${switchDbid}`;
}

/** Neighbours of which the same is said are one. */
function merged(doubts: readonly Doubted[]): Doubted[] {
  const joined: Doubted[] = [];
  for (const each of doubts) {
    const last = joined.at(-1);
    const isSame =
      last?.until === each.from && last.isKnown === each.isKnown && last.causes.join("\n") === each.causes.join("\n");
    if (last !== undefined && isSame) joined[joined.length - 1] = { ...last, until: each.until };
    else joined.push(each);
  }
  return joined;
}
