// R14: sources that have more than the instance can take in are held back by their sockets: its memory stays within its
// bound, nothing is lost, no source starves, and the page answers. All events are there at once, so that each source sends
// as fast as it is let; one of them has a huge window, one sends small lines. ICON_FLOOD_EVENTS says how many.

import { expect, test } from "bun:test";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import { MemoryBound, residentBytesMax, whyNoMemoryBound } from "../harness/memory-bound.ts";
import { PageWatch } from "../harness/page-watch.ts";
import {
  fromEnvironment,
  Instance,
  type InstanceSetting,
  iconBinary,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

const floodEvents = fromEnvironment("ICON_FLOOD_EVENTS", 18_000);
const mib = 1024 * 1024;
const residentMibMax = 192;
const answerMsMax = 1_000;
// A source that gets less than half of what the usual one gets, in events and in bytes, is starved; one that gets more
// than double in both is favoured. The figure says how much they differ.
const shareRatioMax = 2;
// In a shorter flood what lies in the sockets is more than what is still to be shared out.
const sharesFromEvents = 200_000;

const whyUnbounded = whyNoMemoryBound();
const name = `flooded with ${floodEvents} events at once an instance keeps to ${residentMibMax} MiB of memory, loses nothing and answers`;

test(
  whyUnbounded === null ? `${name}, the memory bounded by a control group` : name,
  async () => {
    const binary = await iconBinary();
    const { seed } = seededRandom("flood");
    using directory = new TemporaryDirectory("flood");
    using group = whyUnbounded === null ? new MemoryBound(residentMibMax * mib) : null;
    const common = { seed, eventsPerSecond: 0 };
    await using usual = await Load.start({ ...common, name: "usual", dbid: 101, paddingMax: 600 });
    const unsentBytesMax = 32 * mib;
    await using wide = await Load.start({ ...common, name: "wide", dbid: 102, paddingMax: 600, unsentBytesMax });
    await using small = await Load.start({ ...common, name: "small", dbid: 103 });
    const loads = [usual, wide, small];
    const setting: InstanceSetting = {
      directory: directory.path,
      binary: group?.wrap(binary, directory.at("bounded")) ?? binary,
      sources: loads.map(({ address, options }) => ({ name: options.name, address, dbid: options.dbid })),
    };
    await using instance = await Instance.start(setting);
    await until("all sources serve the instance", 10_000, () => loads.every((load) => load.isServed));
    using watch = new PageWatch(await instance.ready());

    const startedAt = performance.now();
    for (const load of loads) load.flood(Math.ceil(floodEvents / loads.length));
    await until("a source has everything", 20_000 + floodEvents, () => loads.some(isAcknowledged));
    // Of small lines more come, and fewer bytes.
    const shares = [wide, small].map((load) => {
      const events = load.ackedSeq / usual.ackedSeq;
      return { name: load.options.name, events, bytes: (events * lineBytes(load)) / lineBytes(usual) };
    });
    await until("all is acknowledged", 20_000 + floodEvents, () => loads.every(isAcknowledged));
    const tookMs = performance.now() - startedAt;
    await until("the IDB has nearly caught up", 60_000 + floodEvents, async () => {
      return (await instance.status()).queue.recordsNotApplied < 500;
    });

    for (const load of loads) load.complete();
    const late = await settle(instance, loads);
    const residentMib = Math.round(residentBytesMax(instance.pid) / mib);
    const { answers, failures, longestMs } = await watch.end();
    expect(await instance.stop()).toBe(0);
    const verdict = judge(instance, loads, late);
    announce("R14", verdict);
    const isShared = floodEvents >= sharesFromEvents;
    const text = [
      `${floodEvents} events at once from ${loads.length} sources, all acknowledged after ${Math.round(tookMs)} ms: 0 lost, 0 twice`,
      `resident set at most ${residentMib} MiB ${group === null ? `(not bounded: ${whyUnbounded})` : `in a group of ${residentMibMax} MiB`}`,
      ...(isShared
        ? [
            `of the usual source's share ${shares.map(({ name, events, bytes }) => `${name} had ${events.toFixed(2)} in events and ${bytes.toFixed(2)} in bytes`).join(", ")}`,
          ]
        : []),
      `${answers} answers of the page, the slowest in ${Math.round(longestMs)} ms`,
    ].join("; ");
    console.log(`flood: ${text}`);
    expect(verdict).toEqual(kept);
    expect(residentMib).toBeLessThanOrEqual(residentMibMax);
    expect({ failures, isInTime: longestMs <= answerMsMax }).toEqual({ failures: 0, isInTime: true });
    if (isShared) {
      for (const { events, bytes } of shares) {
        expect(Math.max(events, bytes)).toBeGreaterThanOrEqual(1 / shareRatioMax);
        expect(Math.min(events, bytes)).toBeLessThanOrEqual(shareRatioMax);
      }
    }
    figure("R14", text);
  },
  180_000 + floodEvents * 3,
);

function isAcknowledged(load: Load): boolean {
  return load.ackedSeq === load.producedSeq;
}

/** On average. */
function lineBytes(load: Load): number {
  const lines = Math.min(load.producedSeq, 2_000);
  let bytes = 0;
  for (let seq = 1; seq <= lines; seq++) bytes += load.line(seq).length + 1;
  return bytes / lines;
}
