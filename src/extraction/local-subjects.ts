// Calls and login sessions that a copy found in the middle of their life and could not name: it gave them a key of its own.
// Another copy may have the same one under the source's key, and then it must not come a second time.
//
// 1. A T-Server's ConnID names a call on its switch while the call lives; a login names an agent, who has one session at a
//    time. So calls of one source with one ConnID whose lives overlap are one call, and sessions of one login one session;
//    the one under the source's key is taken, and the other left out.
// 2. Without such a call, one under a local key is left out where a copy is whole in all of its life: that copy has every
//    call of that time, so it has this one, under another key.
// 3. What is left was found in the middle of its life by every copy that knows it: the accounts of it are gathered and one
//    of them is taken. They come when nothing that overlaps with them can come any more.
//
// Memory holds what goes on at one time.

import type { FamilyName } from "../../schema/life.ts";
import { ownRows } from "./copy.ts";
import type { SubjectSet } from "./subject-merge.ts";
import { type SubjectVersion, subjectVersion } from "./subject-version.ts";

interface Known {
  readonly fromMs: number;
  readonly untilMs: number;
}

interface Group {
  readonly name: string | null;
  readonly fromMs: number;
  untilMs: number;
  readonly found: SubjectSet["found"][number][];
}

// A copy that found a call in a snapshot may be told its origin a little before the others saw it, and two clocks differ.
// An agent who logs in again does so within less: his sessions are held apart to the millisecond.
const tolerancesMs: Readonly<Record<FamilyName, number>> = { call: 5_000, "login session": 0 };

// After so many those that have ended are forgotten.
const sweepEvery = 1_000;

export class LocalSubjects {
  readonly #toleranceMs: number;
  readonly #known = new Map<string, Known[]>();
  #groups: Group[] = [];
  #notesSinceSweep = 0;

  constructor(family: FamilyName) {
    this.#toleranceMs = tolerancesMs[family];
  }

  /** One under the source's own key, as the copies tell of it. */
  note({ found }: SubjectSet): void {
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

  /** Whether one under a local key is one that was noted. */
  isKnown(set: SubjectSet): boolean {
    return versionsOf(set.found).some((version) => {
      const key = keyOf(version);
      const life = lifeOf(version);
      return key !== null && (this.#known.get(key) ?? []).some((known) => this.#overlap(known, life));
    });
  }

  /** Keeps one under a local key until nothing that overlaps with it can come. False: it belongs to one that is kept. */
  hold(set: SubjectSet): boolean {
    const [version] = versionsOf(set.found);
    if (version === undefined) return false;
    const key = keyOf(version);
    const life = lifeOf(version);
    const group = this.#groups.find((each) => key !== null && each.name === key && this.#overlap(each, life));
    if (group === undefined) {
      this.#groups.push({ name: key, ...life, found: [...set.found] });
      return true;
    }
    group.untilMs = Math.max(group.untilMs, life.untilMs);
    for (const [copy, subject] of set.found.entries()) group.found[copy] ??= subject;
    return false;
  }

  /** Those that nothing can be added to any more: subjects come in the order of their creation, and are at `positionMs`. */
  *release(positionMs: number): Generator<SubjectSet> {
    if (this.#notesSinceSweep >= sweepEvery) this.#sweep(positionMs);
    const isOver = (group: Group) => group.untilMs + this.#toleranceMs < positionMs;
    if (!this.#groups.some(isOver)) return;
    const over = this.#groups.filter(isOver);
    this.#groups = this.#groups.filter((group) => !isOver(group));
    for (const group of over) if (!this.#isNoted(group)) yield setOf(group);
  }

  *releaseAll(): Generator<SubjectSet> {
    const groups = this.#groups;
    this.#groups = [];
    for (const group of groups) if (!this.#isNoted(group)) yield setOf(group);
  }

  #isNoted(group: Group): boolean {
    return group.name !== null && (this.#known.get(group.name) ?? []).some((known) => this.#overlap(known, group));
  }

  #overlap(one: Known, other: Known): boolean {
    return one.fromMs <= other.untilMs + this.#toleranceMs && other.fromMs <= one.untilMs + this.#toleranceMs;
  }

  #sweep(positionMs: number): void {
    this.#notesSinceSweep = 0;
    for (const [key, known] of this.#known) {
      const going = known.filter(({ untilMs }) => untilMs + this.#toleranceMs >= positionMs);
      if (going.length === 0) this.#known.delete(key);
      else this.#known.set(key, going);
    }
  }
}

function setOf({ found }: Group): SubjectSet {
  return { key: found.find((subject) => subject !== undefined)?.key ?? "", found };
}

function versionsOf(found: SubjectSet["found"]): SubjectVersion[] {
  return found.flatMap((each, copy) => (each === undefined ? [] : [subjectVersion(copy, each)]));
}

/** What the source calls it while it lives: the first that is known. An agent has one session, on whatever DNs. */
const sourceNames: Readonly<Record<FamilyName, readonly string[]>> = {
  call: ["CONNID"],
  "login session": ["AGENTLOGIN", "PRIMARYDN"],
};

/** Null: nothing by which another copy's could be found. */
function keyOf({ subject }: SubjectVersion): string | null {
  const { family, sourceCluster, switchDbid } = subject;
  if (sourceCluster === null || switchDbid === null) return null;
  for (const column of sourceNames[family]) {
    const row = ownRows(subject).find((each) => each[column] != null);
    if (row !== undefined) return JSON.stringify([sourceCluster, switchDbid, column, row[column]]);
  }
  return null;
}

function lifeOf({ createdMs, endedByMs }: SubjectVersion): Known {
  return { fromMs: createdMs, untilMs: endedByMs ?? Number.POSITIVE_INFINITY };
}
