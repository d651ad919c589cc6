// R12: the host's wall clock steps forward and back while the instance runs, while its sources break off, and while it is
// down after a kill: nothing is reordered, repeated or lost, sessions get rising ids and the time that the clock showed,
// and each step that the instance lived through is on record. ICON_CLOCK_STEPS says how many steps.

import { expect, test } from "bun:test";
import { openReading } from "../../src/idb/reading.ts";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  fromEnvironment,
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  readLog,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { SteppedClock, whyNoSteppedClock } from "../harness/stepped-clock.ts";

const steps = fromEnvironment("ICON_CLOCK_STEPS", 6);
// Together less than what retention keeps by age: here nothing may be trimmed.
const stepSecondsMax = 86_400;
const stepSecondsMin = 2;

const why = whyNoSteppedClock();
const name = `while its clock steps ${steps} times an instance loses, repeats and reorders nothing, and records each step`;

if (why !== null) test.skip(`skipped: ${why}: ${name}`, () => {});
else
  test(
    name,
    async () => {
      const { seed, next } = seededRandom("clock");
      using directory = new TemporaryDirectory("clock");
      const clock = new SteppedClock(directory.at("offset"));
      await using north = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 500, paddingMax: 300 });
      await using south = await Load.start({ name: "south", dbid: 102, seed, eventsPerSecond: 200 });
      const loads = [north, south];
      const setting: InstanceSetting = {
        directory: directory.path,
        binary: clock.wrap(await iconBinary(), directory.at("stepped")),
        sources: loads.map(({ address, options }) => ({ name: options.name, address, dbid: options.dbid })),
      };
      const goesOn = async () => {
        await until("the sources serve the instance", 10_000, () => loads.every((load) => load.isServed));
        const seen = loads.map((load) => load.producedSeq);
        await until("new events are acknowledged", 10_000, () =>
          loads.every((load, at) => load.ackedSeq > (seen[at] ?? 0)),
        );
      };
      const recorded: number[] = [];
      let offset = 0;
      let cuts = 0;
      let kills = 0;
      for (const load of loads) load.flow();
      let instance = await Instance.start(setting);
      try {
        await goesOn();
        for (let step = 1; step <= steps; step++) {
          // Back and forth, by seconds or by a day.
          const size = stepSecondsMin + Math.floor(next() ** 3 * (stepSecondsMax - stepSecondsMin));
          const seconds = offset > 0 ? -size : size;
          offset += seconds;
          const isDown = step % 3 === 0;
          if (isDown) {
            await instance.kill();
            kills += 1;
          }
          clock.stepSeconds(seconds);
          if (isDown) instance = await Instance.start(setting);
          else {
            recorded.push(seconds);
            await until("the step is noted", 5_000, () => stepsLogged(setting).length === recorded.length);
          }
          if (step % 2 === 0) {
            for (const load of loads) load.cut();
            cuts += 1;
          }
          await goesOn();
        }
        for (const load of loads) load.complete();
        const late = await settle(instance, loads);
        expect(await instance.stop()).toBe(0);

        const { "faulty windows": faulty, ...verdict } = judge(instance, loads, late);
        const { "faulty windows": _, ...flawless } = kept;
        announce("R12", verdict);
        expect(verdict).toEqual(flawless);
        // The windows say so, and nothing else of themselves.
        expect(faulty).not.toBeEmpty();
        expect(
          (faulty as readonly string[]).filter((window) => !/ \[\] \["host clock stepped"\]$/.test(window)),
        ).toEqual([]);
        expect(stepsLogged(setting).map((ms) => Math.round(ms / 1_000))).toEqual(recorded);
        expect(readRecorded(idbPathOf(setting))).toMatchObject({ steps: recorded.length });
        const { sessions, openings } = readRecorded(idbPathOf(setting));
        expect(sessions).toHaveLength(loads.reduce((sum, load) => sum + load.connections, 0));
        // Whatever the clock showed: a session that was opened later has the higher id.
        expect(sessions.map(({ openedMs }) => openedMs)).toEqual(openings);
        expect(sessions.filter(({ openedMs }) => !clock.hasShown(openedMs))).toEqual([]);
        const events = loads.reduce((sum, load) => sum + load.ackedSeq, 0);
        figure(
          "R12",
          `${steps} steps of up to a day, ${cuts} cuts and ${kills} kills among them: ${events} events, 0 lost, 0 twice, 0 out of order; ` +
            `${recorded.length} of ${recorded.length} steps lived through are recorded; ${sessions.length} sessions in order`,
        );
      } finally {
        await instance.kill();
      }
    },
    120_000 + steps * 20_000,
  );

/** Milliseconds of each step that was logged, in order. */
function stepsLogged(setting: InstanceSetting): number[] {
  return readLog(setting)
    .filter(({ event }) => event === "this host's clock stepped")
    .map(({ stepMs }) => Number(stepMs));
}

/**
 * Of an instance that does not run: how many steps are on record, when its sessions were opened by their ids, and by the
 * order in which the persistent queue has their openings.
 */
function readRecorded(idbPath: string) {
  const reading = openReading(idbPath);
  try {
    const rows = <T>(sql: string) => reading.database.prepare(sql).all() as T[];
    return {
      steps: rows("SELECT ID FROM ICON_MARK WHERE KIND = 'host clock stepped'").length,
      sessions: rows<{ DSCONN_STIME: string }>("SELECT DSCONN_STIME FROM G_DSS_GCC_PROVIDER ORDER BY DSS_ID").map(
        (row) => ({ openedMs: Date.parse(row.DSCONN_STIME) }),
      ),
      openings: rows<{ ADDED: string }>("SELECT ADDED FROM ICON_MARK WHERE KIND = 'session opened' ORDER BY ID").map(
        (row) => Date.parse(row.ADDED),
      ),
    };
  } finally {
    reading.close();
  }
}
