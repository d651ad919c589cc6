// How fast an IDB that was held up catches up while events go on: P7 and R9 ask for five times the rate they come at.

import { type Instance, until } from "./processes.ts";

/** What may wait in the middle of a load without being a backlog: some commits' worth. */
const waitingMax = 200;

export interface Drain {
  /** Records that waited at the beginning. */
  readonly waiting: number;
  readonly seconds: number;
  /** Records applied meanwhile, per second. */
  readonly perSecond: number;
}

/** Begins now and resolves when the backlog is worked off. */
export async function drain(instance: Instance, withinMs: number): Promise<Drain> {
  const begun = await instance.status();
  const begunAt = performance.now();
  let ended = begun;
  await until("the backlog is worked off while events go on", withinMs, async () => {
    ended = await instance.status();
    return ended.queue.recordsNotApplied < waitingMax;
  });
  const seconds = (performance.now() - begunAt) / 1000;
  const applied = Number(ended.idb.appliedPosition) - Number(begun.idb.appliedPosition);
  return { waiting: begun.queue.recordsNotApplied, seconds, perSecond: applied / seconds };
}

export function drainText({ waiting, seconds, perSecond }: Drain, livePerSecond: number): string {
  const ratio = (perSecond / livePerSecond).toFixed(1);
  return `${waiting} records waited and were worked off in ${seconds.toFixed(1)} s, ${ratio} times the live rate`;
}
