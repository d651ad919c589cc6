// Calls that a copy found in the middle of their life and could not name: it gave them a key of its own. Another copy may
// have the same call under the source's key, and then it must not come a second time.
//
// 1. A T-Server's ConnID names a call on its switch while the call lives. So calls of one source with one ConnID whose
//    lives overlap are one call; the one under the source's key is taken, and the other left out.
// 2. Without such a call, one under a local key is left out where a copy is whole in all of its life: that copy has every
//    call of that time, so it has this one, under another key.
// 3. What is left was found in the middle of its life by every copy that knows it: the accounts of it are gathered and one
//    of them is taken. They come when nothing that overlaps with them can come any more.
//
// Memory holds the calls that go on at one time.

import type { CallSet } from "./call-merge.ts";
import { type CallVersion, callVersion } from "./call-version.ts";

interface Known {
  readonly fromMs: number;
  readonly untilMs: number;
}

interface Group {
  readonly connId: string | null;
  readonly fromMs: number;
  untilMs: number;
  readonly found: CallSet["found"][number][];
}

// A copy that found a call in a snapshot may be told its origin a little before the others saw it, and two clocks differ.
const toleranceMs = 5_000;

// After so many calls those that have ended are forgotten.
const sweepEvery = 1_000;

export class LocalCalls {
  readonly #known = new Map<string, Known[]>();
  #groups: Group[] = [];
  #notesSinceSweep = 0;

  /** A call under the source's own key, as the copies tell of it. */
  note({ found }: CallSet): void {
    for (const version of versionsOf(found)) {
      const key = keyOf(version);
      if (key === null) continue;
      const { fromMs, untilMs } = lifeOf(version);
      const known = this.#known.get(key);
      if (known === undefined) this.#known.set(key, [{ fromMs, untilMs }]);
      else known.push({ fromMs, untilMs });
    }
    this.#notesSinceSweep += 1;
  }

  /** Whether a call under a local key is one that was noted. */
  isKnown(set: CallSet): boolean {
    return versionsOf(set.found).some((version) => {
      const key = keyOf(version);
      const life = lifeOf(version);
      return key !== null && (this.#known.get(key) ?? []).some((known) => overlap(known, life));
    });
  }

  /** Keeps a call under a local key until nothing that overlaps with it can come. False: it belongs to one that is kept. */
  hold(set: CallSet): boolean {
    const [version] = versionsOf(set.found);
    if (version === undefined) return false;
    const key = keyOf(version);
    const life = lifeOf(version);
    const group = this.#groups.find((each) => key !== null && each.connId === key && overlap(each, life));
    if (group === undefined) {
      this.#groups.push({ connId: key, ...life, found: [...set.found] });
      return true;
    }
    group.untilMs = Math.max(group.untilMs, life.untilMs);
    for (const [copy, call] of set.found.entries()) group.found[copy] ??= call;
    return false;
  }

  /** Those that nothing can be added to any more: calls come in the order of their creation, and are at `positionMs`. */
  *release(positionMs: number): Generator<CallSet> {
    if (this.#notesSinceSweep >= sweepEvery) this.#sweep(positionMs);
    const isOver = (group: Group) => group.untilMs + toleranceMs < positionMs;
    if (!this.#groups.some(isOver)) return;
    const over = this.#groups.filter(isOver);
    this.#groups = this.#groups.filter((group) => !isOver(group));
    for (const group of over) if (!this.#isNoted(group)) yield setOf(group);
  }

  *releaseAll(): Generator<CallSet> {
    const groups = this.#groups;
    this.#groups = [];
    for (const group of groups) if (!this.#isNoted(group)) yield setOf(group);
  }

  #isNoted(group: Group): boolean {
    return group.connId !== null && (this.#known.get(group.connId) ?? []).some((known) => overlap(known, group));
  }

  #sweep(positionMs: number): void {
    this.#notesSinceSweep = 0;
    for (const [key, known] of this.#known) {
      const going = known.filter(({ untilMs }) => untilMs + toleranceMs >= positionMs);
      if (going.length === 0) this.#known.delete(key);
      else this.#known.set(key, going);
    }
  }
}

function setOf({ found }: Group): CallSet {
  return { callId: found.find((call) => call !== undefined)?.callId ?? "", found };
}

function versionsOf(found: CallSet["found"]): CallVersion[] {
  return found.flatMap((call, copy) => (call === undefined ? [] : [callVersion(copy, call)]));
}

/** Null: nothing by which another copy's call could be found. */
function keyOf({ call }: CallVersion): string | null {
  const connId = call.rows.G_CALL.find((row) => row["CONNID"] != null)?.["CONNID"];
  if (connId === undefined || call.sourceCluster === null || call.switchDbid === null) return null;
  return `${call.sourceCluster}/${call.switchDbid}/${connId}`;
}

function lifeOf({ createdMs, endedByMs }: CallVersion): Known {
  return { fromMs: createdMs, untilMs: endedByMs ?? Number.POSITIVE_INFINITY };
}

function overlap(one: Known, other: Known): boolean {
  return one.fromMs <= other.untilMs + toleranceMs && other.fromMs <= one.untilMs + toleranceMs;
}
