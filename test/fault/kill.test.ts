// R1 and R8: what was acknowledged survives kill -9, and is in the IDB once. ICON_KILL_CYCLES says how often; the check
// is short, `bun run fault` long.

import { expect, test } from "bun:test";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { auditQueue, flawless } from "../harness/load-audit.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  fromEnvironment,
  Instance,
  type InstanceSetting,
  iconBinary,
  queueDirectoryOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

const cycles = fromEnvironment("ICON_KILL_CYCLES", 12);
// The whole queue is read after each so many kills, and at the end.
const auditEvery = 10;

test(
  `killed ${cycles} times 0.3 to 2 s apart under load, an instance loses and repeats nothing`,
  async () => {
    await iconBinary();
    const { seed, next } = seededRandom("kill");
    using directory = new TemporaryDirectory("kill");
    await using north = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 600, paddingMax: 400 });
    await using south = await Load.start({ name: "south", dbid: 102, seed, eventsPerSecond: 300 });
    const loads = [north, south];
    const setting: InstanceSetting = {
      directory: directory.path,
      sources: loads.map(({ address, options }) => ({ name: options.name, address, dbid: options.dbid })),
    };
    for (const load of loads) load.flow();
    for (let cycle = 1; cycle <= cycles; cycle++) {
      await using instance = await Instance.start(setting);
      // Counted from the start of the process: some kills fall into the recovery of the one before.
      await Bun.sleep(300 + next() * 1_700);
      expect(instance.isOver).toBe(false);
      await instance.kill();
      if (cycle % auditEvery === 0) {
        const { records: _, lastPosition: __, ...halfway } = auditQueue(queueDirectoryOf(setting), loads);
        announce(`R1 after ${cycle} kills`, halfway);
        expect(halfway).toEqual(flawless);
      }
    }
    await using instance = await Instance.start(setting);
    await until("the instance is served by both sources", 10_000, () => loads.every((load) => load.isServed));
    for (const load of loads) load.complete();
    const late = await settle(instance, loads);
    expect(await instance.stop()).toBe(0);

    const verdict = judge(instance, loads, late);
    announce("R1", verdict);
    expect(verdict).toEqual(kept);
    const events = loads.reduce((sum, load) => sum + load.ackedSeq, 0);
    const sessions = loads.reduce((sum, load) => sum + load.connections, 0);
    figure("R1", `${cycles} kills under load, ${events} events acknowledged in ${sessions} sessions: 0 lost, 0 twice`);
    figure("R8", `${events} events over ${cycles} kills: each one's rows once, IDB equal to a rebuild's`);
  },
  cycles * 4_000 + 120_000,
);
