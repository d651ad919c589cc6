// A backup made while the instance works at full load, restored to a clean directory: whole, equal to what its queue
// tells, and gone on with as if nothing had been in between. ICON_BACKUPS says how often; the check is short.

import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import type { BackupReport } from "../../src/maintenance/backup.ts";
import { differencesBetween, foldQueue, rowCount } from "../harness/dump.ts";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { auditQueue, flawless } from "../harness/load-audit.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  fromEnvironment,
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  queueDirectoryOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { mustRun } from "../harness/run-command.ts";

const backups = fromEnvironment("ICON_BACKUPS", 2);
const eventsPerSecond = 3_000;

test(
  `${backups} times, a backup under load is restored, sound, equal to a rebuild, and gone on with without a loss`,
  async () => {
    await iconBinary();
    const { seed, next } = seededRandom("backup");
    using directory = new TemporaryDirectory("backup");
    await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond, paddingMax: 300 });
    const setting = { directory: directory.path, sources: [sourceAt(load.address)] };
    await using instance = await Instance.start(setting);
    await until("the source serves the instance", 10_000, () => load.isServed);
    const heldMs: number[] = [];
    let events = 0;
    for (let round = 1; round <= backups; round++) {
      load.flow();
      await Bun.sleep(500 + next() * 1_000);
      const backup = directory.at(`backup-${round}`);
      const { manifest, ...report } = JSON.parse(
        await mustRun(["backup", backup, "--config", directory.at("icon-a.toml"), "--json"]),
      ) as BackupReport;
      // What is looked at in this process would hold the load up, and let it come in one piece afterwards.
      load.pause();
      heldMs.push(report.heldMs);
      expect(manifest.queue.damage).toEqual([]);
      await mustRun(["verify", backup]);

      const dataDirectory = directory.at(`restored-${round}`);
      const restored = { directory: directory.at(`run-${round}`), dataDirectory };
      await mustRun(["restore", backup, "--data-dir", dataDirectory]);
      await mustRun(["verify", dataDirectory]);
      // All that was acknowledged before `takenAt` is there, and nothing that was not sent.
      const acked = ackedBefore(load, Date.parse(manifest.takenAt));
      const {
        records,
        lastPosition: _,
        ...audit
      } = auditQueue(queueDirectoryOf({ ...restored, sources: [] }), [load], new Map([["north", acked]]));
      expect({ round, ...audit }).toEqual({ round, ...flawless });
      // The IDB, led on to the end of the queue, is what a rebuild from the queue gives.
      const rebuilt = foldQueue(queueDirectoryOf({ ...restored, sources: [] }));
      const ledOn = foldQueue(queueDirectoryOf({ ...restored, sources: [] }), {
        from: idbPathOf({ ...restored, sources: [] }),
      });
      expect(rowCount(rebuilt, "G_CALL")).toBeGreaterThan(0);
      expect(differencesBetween(ledOn, rebuilt).slice(0, 5)).toEqual([]);
      events = records;

      await goOn(restored, load, acked);
      for (const each of [backup, dataDirectory]) rmSync(each, { recursive: true });
    }
    // And the one that it was made of has noticed nothing.
    await caughtUp(instance, load);
    const late = await settle(instance, [load]);
    expect(await instance.stop()).toBe(0);
    const verdict = judge(instance, [load], late);
    announce("Backup", verdict);
    expect(verdict).toEqual(kept);
    heldMs.sort((a, b) => a - b);
    figure(
      "Backup",
      `${backups} backups at ${eventsPerSecond} events/s, the last of ${events} records: restored, sound, dump equal to a rebuild, ` +
        `0 lost, 0 twice; IDB held for ${heldMs[Math.floor(heldMs.length / 2)]} ms (median), ${heldMs.at(-1)} ms at most`,
    );
  },
  backups * 120_000 + 120_000,
);

function sourceAt(address: string) {
  return { name: "north", address, dbid: 101 };
}

/** Highest number that had been acknowledged at a time, milliseconds since 1970. */
function ackedBefore(load: Load, time: number): number {
  return load.acknowledgements.findLast(({ at }) => performance.timeOrigin + at < time)?.seq ?? 0;
}

/** Everything that was sent has arrived, and its rows are there: what comes then is not behind a backlog. */
async function caughtUp(instance: Instance, load: Load): Promise<void> {
  await until("everything is acknowledged", 120_000, () => load.ackedSeq === load.producedSeq);
  await until("it has caught up", 120_000, async () => (await instance.status()).queue.recordsNotApplied === 0);
}

/** Starts what was restored against a source that is as the one before, and lets it catch up. */
async function goOn(restored: Omit<InstanceSetting, "sources">, before: Load, ackedSeq: number): Promise<void> {
  await using load = await Load.start(before.options, {
    run: before.run,
    producedSeq: before.producedSeq,
    // To ask for less than that would be a loss.
    ackedSeq,
  });
  await using instance = await Instance.start({ ...restored, sources: [sourceAt(load.address)] });
  await until("the source serves the restored instance", 10_000, () => load.isServed);
  await caughtUp(instance, load);
  const late = await settle(instance, [load]);
  expect(await instance.stop()).toBe(0);
  const verdict = judge(instance, [load], late);
  announce("Backup, restored", verdict);
  expect(verdict).toEqual(kept);
}
