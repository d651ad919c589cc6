// The calls, or login sessions, of several copies, side by side: what each has under one key. Each copy hands its subjects
// out in one order (CREATED, then key), so one look at the foremost of each is enough, and memory holds a batch of them,
// however many there are.
//
// Copies may say differently when a subject was created or ended, or whether it lived in a stretch. So whoever has not handed
// it out where the others have is asked for it by name before it is said to lack it.

import type { FamilyName } from "../../schema/life.ts";
import { type Copy, ownRows, type Subject, type SubjectsQuestion } from "./copy.ts";

/** One subject: what each copy says of it, in the order of the copies; undefined: that one has none of that key. */
export interface SubjectSet {
  readonly key: string;
  readonly found: readonly (Subject | undefined)[];
}

/** Subjects that are asked for by name at once, and are in memory together: some thousand rows of each copy. */
export const batchSubjects: Readonly<Record<FamilyName, number>> = { call: 200, "login session": 20 };

/** Every subject of the family that any of the copies hands out for the question, once. Throws CopyError. */
export async function* mergeSubjects(
  copies: readonly Copy[],
  family: FamilyName,
  question: SubjectsQuestion,
): AsyncGenerator<SubjectSet> {
  // Told already although the copy has yet to hand it out, by its own order.
  const told = copies.map(() => new Set<string>());
  let batch: (Subject | undefined)[][] = [];
  for await (const found of zipped(copies, family, question)) {
    const isTold = found.map((subject, index) => subject !== undefined && told[index]?.delete(subject.key) === true);
    if (isTold.includes(true)) continue;
    batch.push([...found]);
    if (batch.length < batchSubjects[family]) continue;
    yield* completed(copies, family, batch, told);
    batch = [];
  }
  yield* completed(copies, family, batch, told);
}

/** The foremost of all, from each copy that hands it out there, until there is none. */
async function* zipped(
  copies: readonly Copy[],
  family: FamilyName,
  question: SubjectsQuestion,
): AsyncGenerator<readonly (Subject | undefined)[]> {
  const streams = copies.map((copy) => copy.subjects(family, question)[Symbol.asyncIterator]());
  try {
    const heads = await Promise.all(streams.map(next));
    for (;;) {
      const foremost = heads.reduce((least, each) => (isBefore(each, least) ? each : least), undefined);
      if (foremost === undefined) return;
      const isHere = heads.map((each) => each !== undefined && !isBefore(foremost, each));
      yield heads.map((each, index) => (isHere[index] ? each : undefined));
      for (const [index, stream] of streams.entries()) if (isHere[index]) heads[index] = await next(stream);
    }
  } finally {
    for (const stream of streams) await stream.return?.();
  }
}

async function* completed(
  copies: readonly Copy[],
  family: FamilyName,
  batch: readonly (Subject | undefined)[][],
  told: readonly Set<string>[],
): AsyncGenerator<SubjectSet> {
  // Two copies may each have handed the same one out in another place.
  const byId = new Map<string, (Subject | undefined)[]>();
  for (const found of batch) {
    const { key } = found.find((each) => each !== undefined) as Subject;
    const known = byId.get(key);
    if (known === undefined) byId.set(key, found);
    else for (const [index, subject] of found.entries()) known[index] ??= subject;
  }
  for (const [index, copy] of copies.entries()) {
    const keys = [...byId].filter(([, found]) => found[index] === undefined).map(([key]) => key);
    if (keys.length === 0) continue;
    for await (const subject of copy.subjects(family, { kind: "named", keys })) {
      const found = byId.get(subject.key);
      if (found === undefined) continue;
      found[index] = subject;
      told[index]?.add(subject.key);
    }
  }
  for (const [key, found] of byId) yield { key, found };
}

async function next(stream: AsyncIterator<Subject>): Promise<Subject | undefined> {
  const { done, value } = await stream.next();
  return done === true ? undefined : value;
}

/** Nothing stands behind everything. */
function isBefore(one: Subject | undefined, other: Subject | undefined): boolean {
  if (one === undefined) return false;
  if (other === undefined) return true;
  const [created, otherCreated] = [createdOf(one), createdOf(other)];
  return created === otherCreated ? one.key < other.key : created < otherCreated;
}

function createdOf(subject: Subject): string {
  return ownRows(subject).reduce((least, row) => {
    const created = String(row["CREATED"] ?? "");
    return least === "" || created < least ? created : least;
  }, "");
}
