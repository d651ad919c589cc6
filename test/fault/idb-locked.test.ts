// R9: somebody else holds the IDB locked. Intake and acknowledgements go on; then the IDB catches up.
// ICON_LOCK_SECONDS says for how long.

import { expect, test } from "bun:test";
import { drain, drainRatioMin, drainText, isDrainMeasured } from "../harness/drain.ts";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  fromEnvironment,
  Instance,
  iconBinary,
  idbPathOf,
  promptly,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { IdbLock } from "../harness/processes-idb-lock.ts";

const lockSeconds = fromEnvironment("ICON_LOCK_SECONDS", 5);

test(
  `while the IDB is locked for ${lockSeconds} s events are acknowledged as ever, and afterwards it catches up`,
  async () => {
    await iconBinary();
    const { seed } = seededRandom("locked IDB");
    using directory = new TemporaryDirectory("locked");
    await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 1_000, paddingMax: 300 });
    const setting = {
      directory: directory.path,
      sources: [{ name: "north", address: load.address, dbid: 101 }],
    };
    await using instance = await Instance.start(setting);
    await until("the source serves the instance", 10_000, () => load.isServed);
    load.flow();
    await until(
      "rows are written",
      10_000,
      async () => BigInt((await instance.status()).idb.appliedPosition ?? 0) > 100n,
    );

    const lock = await IdbLock.take(idbPathOf(setting));
    const appliedAtLock = (await instance.status()).idb.appliedPosition;
    let longestWaitMs = 0;
    for (let second = 1; second <= lockSeconds; second++) {
      await Bun.sleep(1_000);
      // What has come to be a moment ago is acknowledged now, although nothing of it can be projected.
      const newest = load.producedSeq;
      const askedAt = performance.now();
      await promptly("the newest event is acknowledged", 2_000, () => load.ackedSeq >= newest);
      longestWaitMs = Math.max(longestWaitMs, performance.now() - askedAt);
    }
    const locked = await instance.status();
    expect(locked.idb.state).toBe("locked");
    expect(locked.queue.recordsNotApplied).toBeGreaterThan(lockSeconds * 500);
    expect(Number(locked.idb.appliedPosition) - Number(appliedAtLock)).toBeLessThan(1_000);
    lock.release();

    const drained = await drain(instance, 20_000);
    load.complete();
    const late = await settle(instance, [load]);
    expect(await instance.stop()).toBe(0);
    expect(instance.log().filter(({ event }) => event === "IDB cannot be written now")).toHaveLength(1);
    const verdict = judge(instance, [load], late);
    announce("R9", verdict);
    expect(verdict).toEqual(kept);
    if (isDrainMeasured) expect(drained.perSecond / load.options.eventsPerSecond).toBeGreaterThanOrEqual(drainRatioMin);
    figure(
      "R9",
      `IDB locked for ${lockSeconds} s: ${load.ackedSeq} events, 0 lost; acknowledged within ${Math.round(longestWaitMs)} ms; ` +
        drainText(drained, load.options.eventsPerSecond),
    );
  },
  lockSeconds * 3_000 + 90_000,
);
