// R13: a disk that takes 300 ms for each sync costs latency and nothing else, at the usual load and when a flood comes on
// top: acknowledgements wait for it, memory stays bounded, the page answers, and everything is there once in the end.
// ICON_SLOW_SECONDS says for how long.

import { expect, test } from "bun:test";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import { residentBytesMax } from "../harness/memory-bound.ts";
import { PageWatch } from "../harness/page-watch.ts";
import { fromEnvironment, Instance, iconBinary, TemporaryDirectory, until } from "../harness/processes.ts";
import { SlowSyncs } from "../harness/slow-syncs.ts";

const slowSeconds = fromEnvironment("ICON_SLOW_SECONDS", 2);
const syncDelayMs = 300;
const mib = 1024 * 1024;
const residentMibMax = 192;
const answerMsMax = 1_000;
const floodEvents = 1_000 * Math.min(20, slowSeconds * 2);

const name = `while the disk takes ${syncDelayMs} ms for a sync, for ${slowSeconds} s and in a flood, acknowledgements wait and nothing is lost`;

if (SlowSyncs.whyNot !== null) test.skip(`skipped: ${SlowSyncs.whyNot}: ${name}`, () => {});
else
  test(
    name,
    async () => {
      await iconBinary();
      const { seed } = seededRandom("slow disk");
      using directory = new TemporaryDirectory("slow");
      await using north = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 500, paddingMax: 600 });
      await using south = await Load.start({ name: "south", dbid: 102, seed, eventsPerSecond: 200 });
      const loads = [north, south];
      await using instance = await Instance.start({
        directory: directory.path,
        sources: loads.map(({ address, options }) => ({ name: options.name, address, dbid: options.dbid })),
      });
      await until("the sources serve the instance", 10_000, () => loads.every((load) => load.isServed));
      for (const load of loads) load.flow();
      await until("events are acknowledged", 10_000, () => loads.every((load) => load.ackedSeq > 100));
      const usualMs = [await acknowledgementMs(north), await acknowledgementMs(north), await acknowledgementMs(north)];

      using watch = new PageWatch(await instance.ready());
      const slowMs: number[] = [];
      {
        await using _slow = new SlowSyncs(instance.pid, syncDelayMs);
        await until("the disk is slow", 10_000, async () => (await acknowledgementMs(north)) >= syncDelayMs);
        const endsAt = performance.now() + slowSeconds * 1_000;
        while (performance.now() < endsAt) slowMs.push(await acknowledgementMs(north));
        for (const load of loads) load.flood(floodEvents / loads.length);
        const flooded = loads.map((load) => load.producedSeq);
        await until("the flood is acknowledged", 60_000, () =>
          loads.every((load, at) => load.ackedSeq >= (flooded[at] ?? 0)),
        );
      }
      const { answers, failures, longestMs } = await watch.end();
      await until("the IDB has nearly caught up", 60_000, async () => {
        return (await instance.status()).queue.recordsNotApplied < 500;
      });
      for (const load of loads) load.complete();
      const late = await settle(instance, loads);
      const residentMib = Math.round(residentBytesMax(instance.pid) / mib);
      expect(await instance.stop()).toBe(0);

      const verdict = judge(instance, loads, late);
      announce("R13", verdict);
      const events = loads.reduce((sum, load) => sum + load.ackedSeq, 0);
      const text = [
        `syncs of ${syncDelayMs} ms for ${slowSeconds} s and ${floodEvents} events at once: ${events} events, 0 lost, 0 twice`,
        `acknowledged after ${Math.round(median(slowMs))} ms, before within ${Math.max(20, Math.round(median(usualMs)))} ms`,
        `resident set at most ${residentMib} MiB`,
        `${answers} answers of the page, the slowest in ${Math.round(longestMs)} ms`,
      ].join("; ");
      console.log(`slow disk: ${text}`);
      expect(verdict).toEqual(kept);
      expect(loads.map((load) => load.connections)).toEqual([1, 1]);
      // No acknowledgement comes before the sync that covers it has ended.
      expect(slowMs.length).toBeGreaterThan(0);
      expect(Math.min(...slowMs)).toBeGreaterThanOrEqual(syncDelayMs * 0.9);
      expect(residentMib).toBeLessThanOrEqual(residentMibMax);
      expect({ failures, isInTime: longestMs <= answerMsMax }).toEqual({ failures: 0, isInTime: true });
      figure("R13", text);
    },
    180_000 + slowSeconds * 3_000,
  );

/** How long the event that comes next waits for its acknowledgement. */
async function acknowledgementMs(load: Load): Promise<number> {
  const before = load.producedSeq;
  await until("an event comes", 5_000, () => load.producedSeq > before);
  const seq = load.producedSeq;
  const startedAt = performance.now();
  await until("it is acknowledged", 30_000, () => load.ackedSeq >= seq);
  return performance.now() - startedAt;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
