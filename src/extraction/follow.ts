// Following: what the copies have learned since the last step goes to the output, and each source is taken on to where all
// of its windows are settled.
//
// 1. How far the output has come with a copy is (IDB id, queue id, version), never a time: an instance that drains a
//    backlog, or reads a queue anew, changes windows of long ago. Windows whose version is higher than the mark, and what
//    spans have come to leave open since, are extracted again, and only calls that came out differently are written. Another IDB in a copy's place is read anew.
// 2. A source is taken on up to the first window that is still to be judged: whole in some copy, or known to be missing in
//    all of them. One source that nobody hears does not hold up the others.
// 3. Calls are handed out when they are over. What goes on is remembered by name: its end may be written long after the
//    windows of that time are settled. Login sessions are so many, and live for so long, that they are looked for by their
//    ends, which are written as they are heard of; one that goes on is remembered when there is no more to come.
// 4. Marks and places are committed after everything that they vouch for. A kill before that costs a repetition, which
//    writes nothing twice.

import { type FamilyName, familyNames } from "../../schema/life.ts";
import type { StoredSource } from "../idb/extract-store.ts";
import type { StoredWindows } from "../idb/extract-windows.ts";
import type { SourceKey } from "./availability.ts";
import { changedSpans } from "./changed-spans.ts";
import type { CopyIdentity, Stretch, SubjectsQuestion } from "./copy.ts";
import { type Extraction, ExtractionStoppedError, findCopies, finish, outputCopies } from "./extract.ts";
import { Judgement, keyOf } from "./judgement.ts";
import type { SubjectPlan } from "./plan.ts";
import { plannedSubjects } from "./planned-subjects.ts";
import { type CopyFound, type ExtractReport, extractReport } from "./report.ts";
import { windowsOf } from "./settled-windows.ts";
import { type Decision, newTally, SubjectWriter, type Tally } from "./subject-writer.ts";
import { readableCopies } from "./unread-copy.ts";
import { withdrawGone } from "./withdrawal.ts";

/** What one step takes on of a source at most: a bound on memory, and on what a kill costs. */
const stepSeconds = 2 * 3600;

// Sources' clocks may be ahead of ours by so much and not be waited for.
const clockToleranceSeconds = 3600;

export interface FollowBounds {
  /** UTC seconds. */
  readonly from: number;
  /** Null: for ever. */
  readonly until: number | null;
}

export interface StepOutcome {
  /** Another step would go on at once. */
  readonly hasMore: boolean;
  /** Every known source is settled up to `until`. */
  readonly isAtEnd: boolean;
  readonly copies: readonly CopyFound[];
  readonly tally: Tally;
}

export class Follower {
  readonly #extraction: Extraction;
  readonly #bounds: FollowBounds;
  readonly #tally = newTally();
  #last: readonly CopyFound[] = [];
  #identitiesDone = "";

  constructor(extraction: Extraction, bounds: FollowBounds) {
    this.#extraction = extraction;
    this.#bounds = bounds;
  }

  /** One step. `nowSeconds`: UTC by our clock. Throws as `extract` does. */
  async step(nowSeconds: number): Promise<StepOutcome> {
    const { output } = this.#extraction;
    const { store } = output;
    const { from, until } = this.#bounds;
    const found = await findCopies(this.#extraction.copies, output);
    this.#last = found;
    const identities = found.map(({ identity }) => identity);
    const text = JSON.stringify(identities);
    if (text === this.#identitiesDone) return this.#outcome(false, store.sources());

    const copies = readableCopies(this.#extraction.copies, identities);
    const judgement = new Judgement(copies, identities);
    const end = until ?? nowSeconds + clockToleranceSeconds;
    await judgement.findFirstWord({ from, until: end });
    const sources = await this.#takeOn(judgement, store.sources(), end);
    const before = new Map(store.sources().map((each) => [keyOf(each), each.settledUntil]));
    const settledUntil = new Map(sources.map((each) => [keyOf(each), each.settledUntil]));
    const news = sources.flatMap((each) => {
      const stretch = { from: before.get(keyOf(each)) ?? each.from, until: each.settledUntil };
      return stretch.from < stretch.until ? [{ source: each, stretch }] : [];
    });
    const changed = await this.#changedBefore(copies, identities, before);

    const writer = new SubjectWriter({
      output,
      copies: outputCopies(found),
      decide: (plan) => this.#decide(plan, settledUntil),
      notesSeen: changed.length > 0,
    });
    if (changed.length > 0) store.trackSeen();
    const stretches = merged([...news.map(({ stretch }) => stretch), ...changed]);
    const ask = (kind: "alive" | "ended", each: readonly Stretch[]) =>
      each.map((stretch): SubjectsQuestion => ({ kind, stretch }));
    const isAtEnd = news.length > 0 && until !== null && sources.every((each) => each.settledUntil >= until);
    const questions: Readonly<Record<FamilyName, readonly SubjectsQuestion[]>> = {
      call: ask("alive", stretches),
      "login session": this.#extraction.withOpen
        ? ask("alive", stretches)
        : [
            ...ask("alive", changed),
            ...ask("ended", merged(news.map(({ stretch }) => stretch))),
            ...ask("alive", isAtEnd ? [{ from: until - 1, until }] : []),
          ],
    };
    const knownUntil = (source: SourceKey) => settledUntil.get(keyOf(source)) ?? from;
    for (const family of familyNames) {
      const waiting = store.waiting(family);
      const named: readonly SubjectsQuestion[] = waiting.length > 0 ? [{ kind: "named", keys: waiting }] : [];
      for (const question of [...questions[family], ...named]) {
        for await (const batch of plannedSubjects({ family, copies, judgement, question, knownUntil })) {
          writer.write(batch);
          if (this.#extraction.stop?.aborted)
            throw new ExtractionStoppedError("Stopped: another run goes on from here");
          await this.#extraction.afterBatch?.();
        }
      }
    }
    for (const stretch of changed) await withdrawGone({ copies, judgement, writer, store }, stretch);

    const windows: StoredWindows[] = [];
    for (const { source, stretch } of news) windows.push(...(await windowsOf(judgement, source, stretch)));
    for (const stretch of changed) {
      for (const { cluster, switchDbid } of sources) {
        windows.push(...(await windowsOf(judgement, { cluster, switchDbid }, stretch)));
      }
    }
    finish(output, judgement, () => {
      store.windows.put(windows);
      for (const source of sources) store.putSource(source);
      for (const identity of identities) {
        if (identity !== null) store.putMark(identity.idbId, identity.queueId, identity.version);
      }
    });
    for (const key of Object.keys(this.#tally) as (keyof Tally)[]) this.#tally[key] += writer.tally[key];
    const reached = Math.max(from, ...settledUntil.values());
    this.#extraction.onProgress?.({ done: reached - from, all: end - from });
    const hasMore = news.length > 0;
    // Until nothing is left to be taken on, the same identities are asked again.
    this.#identitiesDone = hasMore ? "" : text;
    return this.#outcome(hasMore, sources);
  }

  /** Of everything that this output holds; without an end, up to where the source is that has come farthest. */
  report(): ExtractReport {
    const { store } = this.#extraction.output;
    const { from } = this.#bounds;
    const until = this.#bounds.until ?? Math.max(from, ...store.sources().map(({ settledUntil }) => settledUntil));
    return extractReport({ store, copies: this.#last, from, until, run: this.#tally });
  }

  #outcome(hasMore: boolean, sources: readonly StoredSource[]): StepOutcome {
    const { until } = this.#bounds;
    const isAtEnd = until !== null && sources.length > 0 && sources.every((each) => each.settledUntil >= until);
    return { hasMore, isAtEnd, copies: this.#last, tally: this.#tally };
  }

  /** Each source as far as it is settled, in this step. */
  async #takeOn(judgement: Judgement, stored: readonly StoredSource[], end: number): Promise<StoredSource[]> {
    const { from } = this.#bounds;
    const spoken = judgement.spoken({ from, until: end });
    const known = new Map(stored.map((each) => [keyOf(each), each]));
    await judgement.cover(spoken.from, spoken.from);
    for (const source of judgement.sources({ from: spoken.from, until: spoken.from + 1 })) {
      if (!known.has(keyOf(source))) known.set(keyOf(source), { ...source, from, settledUntil: from });
    }
    const isBeforeFirstWord = spoken.from >= spoken.until;
    for (const source of isBeforeFirstWord ? judgement.heard() : []) {
      if (!known.has(keyOf(source))) known.set(keyOf(source), { ...source, from, settledUntil: from });
    }
    const taken: StoredSource[] = [];
    for (const source of known.values()) {
      if (isBeforeFirstWord && !judgement.isAnyAway) {
        taken.push({ ...source, settledUntil: Math.max(source.settledUntil, end) });
        continue;
      }
      // A copy that cannot be read may begin earlier than those that can.
      const start = judgement.isAnyAway ? source.settledUntil : Math.max(source.settledUntil, spoken.from);
      const until = Math.min(end, start + stepSeconds);
      if (start >= until) {
        taken.push(source);
        continue;
      }
      await judgement.cover(start, until - 1);
      const settled = judgement.settledUntil(source, start, until);
      taken.push({ ...source, settledUntil: settled > start ? settled : source.settledUntil });
    }
    return taken;
  }

  /** Where a copy has changed since the output's mark of it, within what was taken on before; whole windows, merged. */
  async #changedBefore(
    copies: Extraction["copies"],
    identities: readonly (CopyIdentity | null)[],
    before: ReadonlyMap<string, number>,
  ): Promise<Stretch[]> {
    const { store } = this.#extraction.output;
    const { from } = this.#bounds;
    const reached = Math.max(from, ...before.values());
    if (reached <= from) return [];
    const changed: Stretch[] = [];
    for (const [index, identity] of identities.entries()) {
      if (identity === null) continue;
      const mark = store.mark(identity.idbId);
      if (mark === null || mark.queueId !== identity.queueId || mark.version > identity.version) {
        changed.push({ from, until: reached });
        continue;
      }
      if (mark.version === identity.version) continue;
      const question = { stretch: { from, until: reached }, changedAfter: mark.version };
      const ledger = await copies[index]?.ledger(question);
      const windows = (ledger?.windows ?? []).map(
        ({ SOURCE_CLUSTER: cluster, SWITCH_DBID: switchDbid, WINDOW_TS }): SourceKey & Stretch => {
          return { cluster, switchDbid, from: WINDOW_TS, until: WINDOW_TS + identity.windowSeconds };
        },
      );
      for (const each of [...windows, ...changedSpans(ledger?.spans ?? [], mark.version)]) {
        const begin = Math.max(from, Math.floor(each.from / identity.windowSeconds) * identity.windowSeconds);
        const end = Math.ceil(each.until / identity.windowSeconds) * identity.windowSeconds;
        const until = Math.min(before.get(keyOf(each)) ?? from, end);
        if (begin < until) changed.push({ from: begin, until });
      }
    }
    return merged(changed);
  }

  #decide(plan: SubjectPlan, settledUntil: ReadonlyMap<string, number>): Decision {
    const { from, until } = this.#bounds;
    const { source, createdMs, endedMs, verdict } = plan;
    if (createdMs < from * 1000) return "leave";
    // Nobody can say when it is settled.
    if (source === null) return endedMs === null ? "wait" : "hand out";
    const reachedMs = (settledUntil.get(keyOf(source)) ?? from) * 1000;
    if (createdMs >= reachedMs) return "leave";
    // What lives on beyond the end is judged by windows that are not taken on.
    const isReached = endedMs !== null && (endedMs < reachedMs || (until !== null && reachedMs >= until * 1000));
    if (isReached && verdict !== "not yet known") return "hand out";
    return this.#extraction.withOpen ? "hand out and wait" : "wait";
  }
}

function merged(stretches: readonly Stretch[]): Stretch[] {
  const joined: Stretch[] = [];
  for (const each of stretches.toSorted((one, other) => one.from - other.from)) {
    const last = joined.at(-1);
    if (last !== undefined && each.from <= last.until) {
      joined[joined.length - 1] = { from: last.from, until: Math.max(last.until, each.until) };
    } else {
      joined.push(each);
    }
  }
  return joined;
}
