// The calls of several copies, side by side: what each has under one CALLID. Each copy hands its calls out in one order
// (CREATED, then CALLID), so one look at the foremost of each is enough, and memory holds a batch of them, however many
// calls there are.
//
// Copies may say differently when a call was created, or whether it lived in a stretch. So whoever has not handed a call
// out where the others have is asked for it by name before it is said to lack it.

import type { CallsQuestion, Copy, WholeCall } from "./copy.ts";

/** One call: what each copy says of it, in the order of the copies; undefined: that one has no such call. */
export interface CallSet {
  readonly callId: string;
  readonly found: readonly (WholeCall | undefined)[];
}

// Calls that are asked for by name at once.
const batchCalls = 200;

/** Every call that any of the copies hands out for the question, once. Throws CopyError. */
export async function* mergeCalls(copies: readonly Copy[], question: CallsQuestion): AsyncGenerator<CallSet> {
  // Told already although the copy has yet to hand it out, by its own order.
  const told = copies.map(() => new Set<string>());
  let batch: (WholeCall | undefined)[][] = [];
  for await (const found of zipped(copies, question)) {
    const isTold = found.map((call, index) => call !== undefined && told[index]?.delete(call.callId) === true);
    if (isTold.includes(true)) continue;
    batch.push([...found]);
    if (batch.length < batchCalls) continue;
    yield* completed(copies, batch, told);
    batch = [];
  }
  yield* completed(copies, batch, told);
}

/** The foremost call of all, from each copy that hands it out there, until there is none. */
async function* zipped(
  copies: readonly Copy[],
  question: CallsQuestion,
): AsyncGenerator<readonly (WholeCall | undefined)[]> {
  const streams = copies.map((copy) => copy.calls(question)[Symbol.asyncIterator]());
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
  batch: readonly (WholeCall | undefined)[][],
  told: readonly Set<string>[],
): AsyncGenerator<CallSet> {
  // Two copies may each have handed the same call out in another place.
  const byId = new Map<string, (WholeCall | undefined)[]>();
  for (const found of batch) {
    const { callId } = found.find((each) => each !== undefined) as WholeCall;
    const known = byId.get(callId);
    if (known === undefined) byId.set(callId, found);
    else for (const [index, call] of found.entries()) known[index] ??= call;
  }
  for (const [index, copy] of copies.entries()) {
    const callIds = [...byId].filter(([, found]) => found[index] === undefined).map(([callId]) => callId);
    if (callIds.length === 0) continue;
    for await (const call of copy.calls({ kind: "named", callIds })) {
      const found = byId.get(call.callId);
      if (found === undefined) continue;
      found[index] = call;
      told[index]?.add(call.callId);
    }
  }
  for (const [callId, found] of byId) yield { callId, found };
}

async function next(stream: AsyncIterator<WholeCall>): Promise<WholeCall | undefined> {
  const { done, value } = await stream.next();
  return done === true ? undefined : value;
}

/** Nothing stands behind everything. */
function isBefore(one: WholeCall | undefined, other: WholeCall | undefined): boolean {
  if (one === undefined) return false;
  if (other === undefined) return true;
  const [created, otherCreated] = [createdOf(one), createdOf(other)];
  return created === otherCreated ? one.callId < other.callId : created < otherCreated;
}

function createdOf({ rows }: WholeCall): string {
  return rows.G_CALL.reduce((least, { CREATED }) => {
    const created = String(CREATED ?? "");
    return least === "" || created < least ? created : least;
  }, "");
}
