// How fast an IDB that was held up catches up while events go on: P7 and R9 ask for five times the rate they come at.

import { fromEnvironment, type Instance, until } from "./processes.ts";

/** What may wait in the middle of a load without being a backlog: some commits' worth. */
const waitingMax = 200;

/** Times the rate at which events come: held only in the long run, where enough waits to be measured. */
export const drainRatioMin = 5;
export const isDrainMeasured = fromEnvironment("ICON_LOCK_SECONDS", 0) >= 30;

export interface Drain {
  /** Records that waited at the beginning. */
  readonly waiting: number;
  /** Until the first of them was applied: for so long it was not noticed that the way is free. */
  readonly unnoticedSeconds: number;
  /** From there until none waited. */
  readonly seconds: number;
  /** Records applied in those seconds, per second. */
  readonly perSecond: number;
}

/** Begins now and resolves when the backlog is worked off. */
export async function drain(instance: Instance, withinMs: number): Promise<Drain> {
  const begun = await instance.status();
  const begunAt = performance.now();
  const hasWaiting = begun.queue.recordsNotApplied >= waitingMax;
  const position = async () => Number((await instance.status()).idb.appliedPosition);
  const applied = Number(begun.idb.appliedPosition);
  // When it was last seen that nothing had happened yet: the drain began no earlier.
  let noticedAt = begunAt;
  await until("the IDB is written again", withinMs, async () => {
    const askedAt = performance.now();
    if (!hasWaiting || (await position()) > applied) return true;
    noticedAt = askedAt;
    return false;
  });
  let ended = begun;
  await until("the backlog is worked off while events go on", withinMs, async () => {
    ended = await instance.status();
    return ended.queue.recordsNotApplied < waitingMax;
  });
  const seconds = (performance.now() - noticedAt) / 1000;
  return {
    waiting: begun.queue.recordsNotApplied,
    unnoticedSeconds: (noticedAt - begunAt) / 1000,
    seconds,
    perSecond: (Number(ended.idb.appliedPosition) - applied) / seconds,
  };
}

export function drainText(drained: Drain, livePerSecond: number): string {
  const { waiting, unnoticedSeconds, seconds, perSecond } = drained;
  const begun = `${waiting} records waited, were begun with after ${unnoticedSeconds.toFixed(1)} s and worked off`;
  // The recorder reports four times a second: of less than some reports no rate can be told.
  if (seconds < 1) return `${begun} within a second`;
  return `${begun} in ${seconds.toFixed(1)} s, ${(perSecond / livePerSecond).toFixed(1)} times the live rate`;
}
