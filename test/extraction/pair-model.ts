// A source and the copies that listened to it, made up from a few choices: what truly happened, and the ledger that each
// copy would have written of what it heard. The ledger's rules are said here a second time, as docs/availability.md has
// them, so that judging is held against the truth and not against itself.

import fc from "fast-check";
import type { Ledger } from "../../src/extraction/copy.ts";
import { beginningSeconds, ledger, mark, type SpanStory, spans, type WindowStory, windows } from "./ledger-story.ts";

/** One stay of one server in the role of the primary. */
interface Turn {
  readonly server: 0 | 1;
  /** The server has been started anew since it last had the role. */
  readonly isNewStart: boolean;
  readonly pauseMs: number;
  readonly lengthMs: number;
  readonly isOrderly: boolean;
  /** Parts of 1000 of the turn's length. */
  readonly events: readonly number[];
  readonly blind: readonly [from: number, length: number] | null;
}

interface Listener {
  readonly delayMs: number;
  readonly cuts: readonly { readonly atMs: number; readonly lengthMs: number; readonly isResumed: boolean }[];
  /** Records of the persistent queue that arrived then are lost. */
  readonly damage: readonly { readonly atMs: number; readonly lengthMs: number }[];
  /** What arrived so shortly before a server died was lost with it. */
  readonly lostTailMs: number;
  /** Up to here the copy has got, in parts of 1000 of all. */
  readonly reached: number;
}

export interface Story {
  readonly turns: readonly Turn[];
  readonly listeners: readonly Listener[];
  readonly heartbeatMs: number;
}

const turn: fc.Arbitrary<Turn> = fc.record({
  server: fc.constantFrom(0, 1),
  isNewStart: fc.boolean(),
  pauseMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4000 })),
  lengthMs: fc.integer({ min: 500, max: 25_000 }),
  isOrderly: fc.boolean(),
  events: fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 14 }),
  blind: fc.option(fc.tuple(fc.integer({ min: 50, max: 800 }), fc.integer({ min: 5, max: 400 })), { freq: 3 }),
});

const listener: fc.Arbitrary<Listener> = fc.record({
  delayMs: fc.integer({ min: 0, max: 900 }),
  cuts: fc.array(
    fc.record({
      atMs: fc.integer({ min: 0, max: 90_000 }),
      lengthMs: fc.integer({ min: 100, max: 30_000 }),
      isResumed: fc.boolean(),
    }),
    { maxLength: 4 },
  ),
  damage: fc.array(
    fc.record({ atMs: fc.integer({ min: 0, max: 90_000 }), lengthMs: fc.integer({ min: 1, max: 1500 }) }),
    {
      maxLength: 1,
    },
  ),
  lostTailMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1500 })),
  reached: fc.oneof({ weight: 3, arbitrary: fc.constant(1000) }, fc.integer({ min: 300, max: 1000 })),
});

export const story: fc.Arbitrary<Story> = fc.record({
  turns: fc.array(turn, { minLength: 1, maxLength: 5 }),
  listeners: fc.array(listener, { minLength: 1, maxLength: 3 }),
  heartbeatMs: fc.constantFrom(700, 1000, 2500),
});

interface TrueEvent {
  readonly atMs: number;
  readonly run: string;
  readonly sequence: number;
}

export type Stretch = readonly [fromMs: number, untilMs: number];

export interface Truth {
  readonly lengthMs: number;
  readonly events: readonly TrueEvent[];
  /** The server had no link to the switch, and some copy heard when it lost it. */
  readonly blind: readonly Stretch[];
  /** Nobody could have told: a turn that no copy heard of, or a blindness whose beginning none heard. */
  readonly untold: readonly Stretch[];
  readonly ledgers: readonly Ledger[];
  /** Numbers that each copy has, as `run/number`. */
  readonly has: readonly ReadonlySet<string>[];
  /** Stretches in which each copy heard its server without interruption, from word to word, and lost nothing. */
  readonly heard: readonly (readonly Stretch[])[];
}

type Message =
  | { readonly kind: "event"; readonly atMs: number; readonly sequence: number }
  | { readonly kind: "heartbeat"; readonly atMs: number; readonly last: number }
  | { readonly kind: "cti"; readonly atMs: number; readonly isUp: boolean }
  | { readonly kind: "over"; readonly atMs: number };

interface PlayedTurn {
  readonly run: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly isOrderly: boolean;
  readonly messages: readonly Message[];
  readonly lastBefore: number;
  readonly blind: Stretch | null;
}

export function tell({ turns, listeners, heartbeatMs }: Story): Truth {
  const played = play(turns, heartbeatMs);
  const lengthMs = (played.at(-1)?.untilMs ?? 0) + 20_000;
  const events = played.flatMap(({ run, messages }) =>
    messages.flatMap((each) => (each.kind === "event" ? [{ atMs: each.atMs, run, sequence: each.sequence }] : [])),
  );
  const copies = listeners.map(
    (each) => new ListeningCopy(each, each.reached === 1000 ? lengthMs : (lengthMs * each.reached) / 1000),
  );
  for (const each of played) for (const copy of copies) copy.hearTurn(each);
  const blind: Stretch[] = [];
  const untold: Stretch[] = [];
  for (const each of played) {
    if (!copies.some((copy) => copy.turnsHeard.has(each))) untold.push([each.fromMs, each.untilMs]);
    if (each.blind === null) continue;
    (copies.some((copy) => copy.blindHeard.has(each)) ? blind : untold).push(each.blind);
  }
  return {
    lengthMs,
    events,
    blind,
    untold,
    ledgers: copies.map((copy) => copy.ledger()),
    has: copies.map(({ has }) => has),
    heard: copies.map(({ heard }) => heard),
  };
}

function play(turns: readonly Turn[], heartbeatMs: number): PlayedTurn[] {
  const played: PlayedTurn[] = [];
  const starts = [0, 0];
  const numbers = new Map<string, number>();
  let nowMs = 300;
  for (const { server, isNewStart, pauseMs, lengthMs, isOrderly, events, blind } of turns) {
    // A server that died comes back as another run.
    const wasDead = played.findLast(({ run }) => run.startsWith(`${101 + server}@`))?.isOrderly === false;
    if (isNewStart || wasDead) starts[server] = (starts[server] ?? 0) + 1;
    const run = `${101 + server}@${starts[server]}`;
    const lastBefore = numbers.get(run) ?? 0;
    const fromMs = nowMs + pauseMs;
    const untilMs = fromMs + lengthMs;
    const place = (part: number) => fromMs + Math.floor((part * lengthMs) / 1000);
    const blindMs: Stretch | null = blind && [place(blind[0]), Math.min(untilMs - 1, place(blind[0] + blind[1]))];
    const isSeeing = (atMs: number) => blindMs === null || atMs < blindMs[0] || atMs > blindMs[1];
    const times = events
      .map(place)
      .filter(isSeeing)
      .toSorted((one, other) => one - other);
    const messages: Message[] = times.map((atMs, index) => ({ kind: "event", atMs, sequence: lastBefore + index + 1 }));
    for (let atMs = fromMs; atMs < untilMs; atMs += heartbeatMs) {
      messages.push({ kind: "heartbeat", atMs, last: lastBefore + times.filter((each) => each <= atMs).length });
    }
    if (blindMs !== null) {
      messages.push({ kind: "cti", atMs: blindMs[0], isUp: false }, { kind: "cti", atMs: blindMs[1], isUp: true });
    }
    if (isOrderly) messages.push({ kind: "over", atMs: untilMs });
    // Stable: an event stands before the heartbeat of its instant, which counts it.
    messages.sort((one, other) => one.atMs - other.atMs);
    numbers.set(run, lastBefore + times.length);
    played.push({ run, fromMs, untilMs, isOrderly, messages, lastBefore, blind: blindMs });
    nowMs = untilMs;
  }
  return played;
}

interface OpenSpan extends Pick<SpanStory, "run" | "began" | "session"> {
  readonly fromMs: number;
  readonly fromSequence: number;
  wordMs: number;
  sequence: number;
}

/** What one copy hears, and writes of it. */
class ListeningCopy {
  readonly has = new Set<string>();
  readonly heard: Stretch[] = [];
  readonly turnsHeard = new Set<PlayedTurn>();
  readonly blindHeard = new Set<PlayedTurn>();
  readonly #spans: SpanStory[] = [];
  readonly #windows = new Map<string, { run: string; at: number; numbers: number[]; faults: Set<string> }>();
  readonly #sessions: { readonly openedMs: number; readonly run: string }[] = [];
  #span: OpenSpan | null = null;
  #because = "first connection";
  #run: string | null = null;
  #applied: number | null = null;
  #isLost = false;
  #isUnsure = false;
  #isOver = false;
  #wordBeforeMs: number | null = null;
  #latestWordMs = Number.NEGATIVE_INFINITY;
  #damagedSinceMs: number | null = null;
  #position = 0;
  #turn: PlayedTurn | null = null;
  readonly #marks: ReturnType<typeof mark>[] = [];

  constructor(
    readonly listener: Listener,
    readonly reachedMs: number,
  ) {}

  hearTurn(turn: PlayedTurn): void {
    const { cuts, delayMs, lostTailMs } = this.listener;
    const endMs = Math.min(turn.untilMs - (turn.isOrderly ? 0 : lostTailMs), this.reachedMs);
    let fromMs = turn.fromMs + delayMs;
    let isResumed = true;
    for (const cut of cuts.toSorted((one, other) => one.atMs - other.atMs)) {
      const backMs = cut.atMs + cut.lengthMs;
      if (cut.atMs > endMs || backMs <= fromMs) continue;
      if (cut.atMs > fromMs) this.#listen(turn, fromMs, cut.atMs, isResumed);
      fromMs = backMs;
      isResumed = cut.isResumed;
    }
    if (fromMs <= endMs) this.#listen(turn, fromMs, endMs, isResumed);
  }

  #listen(turn: PlayedTurn, fromMs: number, untilMs: number, isResumed: boolean): void {
    const { run, messages, lastBefore } = turn;
    const isPast = ({ atMs }: Message) => atMs < fromMs;
    // A run that is new shows in the sessions, though not a word of it came; one that goes on does not.
    if (this.#run !== run) this.turnsHeard.add(turn);
    this.#turn = turn;
    this.#sessions.push({ openedMs: fromMs, run });
    if (this.#run !== null && this.#run !== run) this.#changeRun();
    this.#isUnsure ||= this.#isLost;
    this.#isLost = false;
    this.#isOver = false;
    this.#wordBeforeMs = this.#span?.wordMs ?? null;
    const current = messages.findLast((each) => each.kind === "event" && isPast(each));
    const last = current?.kind === "event" ? current.sequence : lastBefore;
    if (this.#run === run && isResumed) {
      for (const each of messages) if (each.kind === "event" && isPast(each)) this.#hear(turn, each);
      // What an earlier turn of the run had, and we never heard of, is among what is sent again; or gone.
      if (this.#applied !== null && this.#applied < last) this.#snapshot(last);
    } else this.#snapshot(last);
    this.#run = run;
    let previousMs: number | null = null;
    for (const each of messages) {
      if (isPast(each) || each.atMs > untilMs) continue;
      const isLost = this.listener.damage.some(
        ({ atMs, lengthMs }) => each.atMs >= atMs && each.atMs < atMs + lengthMs,
      );
      if (isLost) {
        this.#loseRecord(each.atMs);
        previousMs = null;
        continue;
      }
      this.#hear(turn, each);
      if (this.#isLost || this.#isUnsure || this.#span === null) previousMs = null;
      else {
        if (previousMs !== null) this.heard.push([previousMs, each.atMs]);
        previousMs = each.atMs;
      }
    }
  }

  #changeRun(): void {
    this.#end(this.#isOver ? "orderly end" : "new run");
    this.#because = "new run";
    this.#applied = null;
    this.#isLost = false;
    this.#isUnsure = false;
    this.#latestWordMs = Number.NEGATIVE_INFINITY;
  }

  #snapshot(last: number): void {
    if (this.#applied !== null && last > this.#applied) this.#break("hole");
    this.#applied = last;
  }

  #hear({ run }: PlayedTurn, message: Message): void {
    const { atMs } = message;
    switch (message.kind) {
      case "event": {
        const { sequence } = message;
        if (this.#applied !== null && sequence <= this.#applied) return;
        if (this.#applied !== null && sequence > this.#applied + 1) this.#break("hole");
        this.#applied = sequence;
        this.has.add(`${run}/${sequence}`);
        this.#windowAt(run, atMs).numbers.push(sequence);
        this.#isUnsure = false;
        this.#word(run, atMs, sequence, sequence - 1);
        return;
      }
      case "heartbeat":
        if (message.last === this.#applied && !this.#isUnsure) this.#word(run, atMs, message.last, message.last);
        return;
      case "cti":
        this.#position += 1;
        this.#marks.push(mark(this.#position, message.isUp ? "CTI link up" : "CTI link down", atMs / 1000));
        this.#windowAt(run, atMs).faults.add("cti link down");
        if (!message.isUp) {
          this.#break("cti link down");
          this.#isLost = true;
          if (this.#turn !== null) this.blindHeard.add(this.#turn);
          return;
        }
        if (!this.#isLost && this.#span !== null) {
          this.#span.wordMs = Math.max(this.#wordBeforeMs ?? this.#span.fromMs, this.#span.fromMs);
          this.#break("cti link down");
        }
        this.#isLost = false;
        this.#isUnsure = false;
        return;
      case "over":
        if (this.#applied === null || this.#span === null) return;
        this.#word(run, atMs, this.#applied, this.#applied);
        this.#isOver = true;
        return;
    }
  }

  #loseRecord(atMs: number): void {
    this.#damagedSinceMs ??= this.#span?.wordMs ?? atMs;
    this.#break("damaged record");
    this.#isUnsure = true;
  }

  #word(run: string, atMs: number, sequence: number, below: number): void {
    if (this.#damagedSinceMs !== null) {
      for (let ms = this.#damagedSinceMs; ms <= atMs; ms += 1000) this.#windowAt(run, ms).faults.add("damaged record");
      this.#windowAt(run, atMs).faults.add("damaged record");
      this.#damagedSinceMs = null;
    }
    if (this.#isLost) return;
    if (this.#turn !== null && atMs >= this.#turn.fromMs) this.turnsHeard.add(this.#turn);
    this.#isOver = false;
    if (this.#span === null) {
      const fromMs = Math.max(atMs, this.#latestWordMs);
      this.#span = {
        run,
        began: this.#because,
        fromMs,
        fromSequence: below,
        wordMs: atMs,
        sequence,
        session: this.#sessions.length,
      };
    } else {
      this.#span.wordMs = Math.max(this.#span.wordMs, atMs);
      this.#span.sequence = sequence;
    }
    this.#latestWordMs = Math.max(this.#latestWordMs, atMs);
  }

  #break(because: string): void {
    if (this.#span !== null) this.#end(because);
    else if (this.#because === "first connection") this.#because = because;
  }

  #end(ended: string): void {
    if (this.#span === null) return;
    this.#spans.push({ ...storyOf(this.#span, ended), version: this.#position });
    this.#span = null;
    this.#because = ended;
  }

  #windowAt(run: string, ms: number) {
    const at = Math.floor(ms / 1000);
    const key = `${run}/${at}`;
    let window = this.#windows.get(key);
    if (window === undefined) {
      window = { run, at, numbers: [], faults: new Set() };
      this.#windows.set(key, window);
    }
    return window;
  }

  ledger(): Ledger {
    const open = this.#span === null ? [] : [storyOf(this.#span, undefined)];
    return ledger({
      spans: spans(...this.#spans, ...open),
      windows: windows(
        ...[...this.#windows.values()].map(({ run, at, numbers, faults }): WindowStory => {
          const [first, last] = [numbers[0], numbers.at(-1)];
          const range = first === undefined || last === undefined ? {} : { numbers: [first, last] as const };
          return { run, at, events: numbers.length, ...range, faults: [...faults], digest: digestOf(run, numbers) };
        }),
      ),
      marks: this.#marks,
      sessions: this.#sessions.map(({ openedMs, run }, index) => sessionAt(index + 1, openedMs, run)),
    });
  }
}

function storyOf(span: OpenSpan, ended: string | undefined): SpanStory {
  const { run, began, session, fromMs, fromSequence, wordMs, sequence } = span;
  const until = [Math.max(wordMs, fromMs) / 1000, sequence] as const;
  return {
    from: [fromMs / 1000, fromSequence],
    until,
    ...(run && { run }),
    ...(began && { began }),
    ...(session && { session }),
    ...(ended && { ended }),
  };
}

function digestOf(run: string, numbers: readonly number[]): string {
  let sum = 0n;
  for (const number of numbers) sum += BigInt(Bun.hash(`${run}/${number}`));
  return sum.toString(16).padStart(32, "0");
}

function sessionAt(id: number, openedMs: number, run: string) {
  return {
    DSS_ID: id,
    DS_DBID_PRIM: 101,
    DS2_DBID: 1,
    DSCONN_SDSTS: beginningSeconds + Math.floor(openedMs / 1000),
    RUN: run,
  } as never;
}
