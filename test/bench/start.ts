// P8: from the start of the process to its word that it is ready, with an empty data directory; and what a persistent queue
// of 10 GB and an IDB of ten million rows add to that (large-data.ts), stopped in order before.

import { spread } from "./figures.ts";
import { largeData } from "./large-data.ts";
import type { Measurement } from "./line.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import { calm, emptyPlace, type Setting } from "./setting.ts";

interface Run {
  readonly emptyMs: number;
  readonly largeMs: number;
  readonly addedMs: number;
  /** From the start until the recorder had opened the large IDB. */
  readonly largeIdbOpenMs: number;
}

export async function measureStart(setting: Setting): Promise<Measurement[]> {
  const { icon, pairs, say } = setting;
  const large = await largeData(setting);
  const place = { icon, directory: large.directory, loadPath: null, idb: large.idbPath, queue: large.queueLines };
  await (await MeasuredInstance.start(place)).end("SIGTERM");
  const runs: Run[] = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    await calm(setting);
    const empty = await MeasuredInstance.start({ icon, directory: emptyPlace(setting), loadPath: null });
    await empty.end("SIGTERM");
    await calm(setting);
    const beganAt = performance.now();
    const full = await MeasuredInstance.start(place);
    await full.until(async () => (await full.report()).idb.appliedPosition !== null);
    const largeIdbOpenMs = performance.now() - beganAt;
    await full.end("SIGTERM");
    const addedMs = full.readyMs - empty.readyMs;
    runs.push({ emptyMs: empty.readyMs, largeMs: full.readyMs, addedMs, largeIdbOpenMs });
    say(`P8 ${pair}/${pairs}: empty ${empty.readyMs.toFixed(0)} ms, large ${full.readyMs.toFixed(0)} ms`);
  }
  const median = (pick: (run: Run) => number) => spread(runs.map(pick)).median.toFixed(0);
  const size = `${(large.queueBytes / 1e9).toFixed(1)} GB and ${(large.rows / 1e6).toFixed(1)} M rows`;
  return [
    {
      promise: "P8",
      what: "start to ready, empty",
      unit: "ms",
      goal: { atMost: 100 },
      figure: spread(runs.map(({ emptyMs }) => emptyMs)),
      note: "files in the page cache",
      runs,
    },
    {
      promise: "P8",
      what: `what ${size} add`,
      unit: "ms",
      goal: { atMost: 500 },
      figure: spread(runs.map(({ addedMs }) => addedMs)),
      note: `${median(({ largeMs }) => largeMs)} − ${median(({ emptyMs }) => emptyMs)} ms; IDB open after ${median((run) => run.largeIdbOpenMs)} ms`,
      runs,
    },
  ];
}
