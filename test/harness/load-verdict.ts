// What every fault test says in the end, the same on a healthy build and on one with a planted fault: one line that
// `bun run planted` reads, and the checks that a healthy build must pass.

import { differencesBetween, foldQueue, readDump } from "./dump.ts";
import type { Load } from "./load.ts";
import { auditIdb, auditQueue, flawless, flawlessIdb } from "./load-audit.ts";
import { type Instance, idbPathOf, isWithin, queueDirectoryOf } from "./processes.ts";

/** Counts of broken promises by their name; none: the promise was kept. */
export type Verdict = Readonly<Record<string, number | readonly string[]>>;

/** Printed before the checks, so that it is there when they fail. */
export function announce(promise: string, verdict: Verdict): void {
  const broken = Object.entries(verdict).filter(([, value]) => (typeof value === "number" ? value : value.length) > 0);
  console.log(`verdict ${JSON.stringify({ promise, broken: Object.fromEntries(broken) })}`);
}

const freshMsMax = 5_000;
// Beyond the call-deletion-timeout of every test's configuration.
const lingerMs = 10_000;

/**
 * The backlog of the fault is worked off; then a fresh event is acknowledged, and its row is in the IDB, within 5 s, and
 * every call gets its ending. Returns what did not happen in time, for the verdict.
 */
export async function settle(instance: Instance, loads: readonly Load[]): Promise<string[]> {
  await instance.ready();
  const late: string[] = [];
  const isCaughtUp = async () => {
    const { queue, idb } = await instance.status();
    return queue.recordsNotApplied === 0 && BigInt(idb.appliedPosition ?? 0) === BigInt(queue.durablePosition);
  };
  const inTime = async (what: string, withinMs: number, condition: () => boolean | Promise<boolean>) => {
    if (!(await isWithin(withinMs, condition))) late.push(what);
  };
  await inTime("everything sent is acknowledged", 60_000, () => loads.every(isAcknowledged));
  await inTime("everything acknowledged is in the IDB", 60_000, isCaughtUp);
  for (const load of loads) load.fresh();
  await inTime("a fresh event is acknowledged", freshMsMax, () => loads.every(isAcknowledged));
  await inTime("a fresh event is in the IDB", freshMsMax, isCaughtUp);
  for (const load of loads) load.linger(lingerMs);
  await inTime("every call has got its ending", freshMsMax, async () => (await instance.status()).openCalls === 0);
  return late;
}

function isAcknowledged(load: Load): boolean {
  return load.ackedSeq === load.producedSeq;
}

/** The verdict on an instance that has stopped, after its loads came to the end of a round. */
export function judge(instance: Pick<Instance, "setting">, loads: readonly Load[], late: readonly string[]): Verdict {
  const queueDirectory = queueDirectoryOf(instance.setting);
  const idbPath = idbPathOf(instance.setting);
  const { records: _, lastPosition: __, ...queue } = auditQueue(queueDirectory, loads);
  const idb = auditIdb(idbPath, loads);
  const expected = flawlessIdb(loads);
  return {
    ...queue,
    "not in time": late,
    "acknowledged events asked for again": loads.reduce((sum, load) => sum + load.lostAcknowledged, 0),
    violations: loads.flatMap((load) => load.violations),
    "differences from the truth": idb.differenceCount,
    "first differences from the truth": idb.differences,
    "events counted in windows, off by": Math.abs(idb.windowEvents - expected.windowEvents),
    "faulty windows": idb.faultyWindows,
    "marks of loss": idb.marksOfLoss,
    "duplicates dropped": idb.duplicatesDropped,
    "differences from an undisturbed rebuild": differencesBetween(readDump(idbPath), foldQueue(queueDirectory)).slice(
      0,
      5,
    ),
  };
}

/** What `judge` gives when every promise was kept. */
export const kept: Verdict = {
  ...flawless,
  "not in time": [],
  "acknowledged events asked for again": 0,
  violations: [],
  "differences from the truth": 0,
  "first differences from the truth": [],
  "events counted in windows, off by": 0,
  "faulty windows": [],
  "marks of loss": [],
  "duplicates dropped": 0,
  "differences from an undisturbed rebuild": [],
};

/** Numbers from 0 up to 1 from a seed that is printed, so that a run can be repeated as far as the machine lets. */
export function seededRandom(label: string): { readonly seed: number; readonly next: () => number } {
  const given = process.env["ICON_SEED"];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  console.log(`${label}: seed ${seed} (ICON_SEED=${seed} repeats it)`);
  let count = 0;
  return { seed, next: () => Bun.hash.xxHash32(`${seed}/${count++}`) / 2 ** 32 };
}
