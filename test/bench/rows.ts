// P4: events/s from the first byte sent to the last row readable ÷ bare prepared INSERTs of the final rows of the documented
// tables, same indexes, same `synchronous`, as many transactions.

import { rmSync } from "node:fs";
import { join } from "node:path";
import type { BareRows } from "./bare-rows.ts";
import { spread } from "./figures.ts";
import type { Measurement } from "./line.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import { child, emptyPlace, perSecond, type Setting, shown } from "./setting.ts";

export async function measureRows(setting: Setting): Promise<Measurement> {
  const { icon, load, pairs, rowEvents, say } = setting;
  const windowBytes = Math.max(...setting.windows);
  const runs = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    const place = emptyPlace(setting);
    const instance = await MeasuredInstance.start({ icon, directory: place, loadPath: load.path });
    const commitsBefore = (await instance.report()).idb.commits;
    const sent = await instance.send({ events: rowEvents, windowBytes });
    const readableAt = await instance.readable();
    await instance.until(async () => ((await instance.report()).queue.recordsNotApplied ?? Infinity) < 10);
    const transactions = (await instance.report()).idb.commits - commitsBefore;
    await instance.end("SIGTERM");
    const target = join(setting.directory, "floor.db");
    const words = [instance.idbPath, target, String(Math.max(1, transactions))];
    const bare = JSON.parse(await child("bare-rows.ts", words)) as BareRows;
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${target}${suffix}`, { force: true });
    const eventsPerSecond = perSecond(sent.events, readableAt - sent.firstSentAt);
    const bareEventsPerSecond = perSecond(sent.events, bare.ms);
    const ratio = eventsPerSecond / bareEventsPerSecond;
    runs.push({ eventsPerSecond, bareEventsPerSecond, ratio, events: sent.events, rows: bare.rows, transactions });
    say(`P4 ${pair}/${pairs}: ${shown(eventsPerSecond)} ÷ ${shown(bareEventsPerSecond)} = ${ratio.toFixed(2)}`);
  }
  emptyPlace(setting);
  const own = spread(runs.map((each) => each.eventsPerSecond)).median;
  const floor = spread(runs.map((each) => each.bareEventsPerSecond)).median;
  return {
    promise: "P4",
    what: "to the last row ÷ bare INSERTs",
    unit: "",
    goal: { atLeast: 0.5 },
    figure: spread(runs.map(({ ratio }) => ratio)),
    note: `${shown(own)} ÷ ${shown(floor)} events/s`,
    runs,
  };
}
