// P12: events/s to the last row of the last million ÷ of the first, into one IDB that has all its indexes from the
// beginning and grows from one to the other.
//
// Each million is another history of the simulated contact centre, later than the one before, and its file is gone before
// the next is made: ten of them in one would not fit into the generator's memory. Each is sent by a server that was
// started anew to an instance that was too, and is measured behind a warm-up, so that all begin alike.

import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { spread } from "./figures.ts";
import type { Measurement } from "./line.ts";
import { loadEventsPerSecond, recordLoad } from "./load-file.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import { calm, emptyPlace, perSecond, type Setting, shown, warmUpEvents } from "./setting.ts";

interface Step {
  readonly events: number;
  readonly ms: number;
  readonly eventsPerSecond: number;
  /** Of the IDB, behind this step. */
  readonly idbBytes: number;
}

interface Place {
  readonly directory: string;
  /** 1 is the first. */
  readonly number: number;
  /** Where the first history begins, milliseconds since 1970. */
  readonly beganAt: number;
}

// What lies between two histories, in the source's time: longer than a call is waited for.
const pauseSeconds = 600;

export async function measureGrowth(setting: Setting): Promise<Measurement> {
  const { growth, say } = setting;
  const directory = emptyPlace(setting);
  // The generator's heartbeats are of now: a history of long ago would end with an empty stretch up to today.
  const beganAt = Date.now();
  const steps: Step[] = [];
  try {
    for (let number = 1; number <= growth.steps; number += 1) {
      const step = await measureStep(setting, { directory, number, beganAt });
      steps.push(step);
      const size = (step.idbBytes / 1e9).toFixed(2);
      say(`P12 ${number}/${growth.steps}: ${shown(step.eventsPerSecond)} events/s, then the IDB has ${size} GB`);
    }
  } finally {
    emptyPlace(setting);
  }
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) throw new Error("Cannot measure P12 in no steps");
  return {
    promise: "P12",
    what: `to the last row, ${ordinal(growth.steps)} ÷ 1st ${inWords(growth.events)} events`,
    unit: "",
    goal: { atLeast: 0.85 },
    figure: spread([last.eventsPerSecond / first.eventsPerSecond]),
    note: `${shown(last.eventsPerSecond)} ÷ ${shown(first.eventsPerSecond)} events/s, IDB of ${(last.idbBytes / 1e9).toFixed(1)} GB`,
    runs: steps,
  };
}

async function measureStep(setting: Setting, { directory, number, beganAt }: Place): Promise<Step> {
  const { icon, growth, windows } = setting;
  const windowBytes = Math.max(...windows);
  const warmUp = Math.min(warmUpEvents, Math.floor(growth.events / 2));
  const path = join(setting.directory, "load-of-step");
  const secondsEach = Math.ceil(growth.events / loadEventsPerSecond) + pauseSeconds;
  const startTime = new Date(beganAt + (number - 1) * secondsEach * 1000).toISOString();
  const load = await recordLoad({ icon, path, events: growth.events, seed: number, startTime });
  try {
    await calm(setting);
    const instance = await MeasuredInstance.start({ icon, directory, loadPath: load.path });
    await instance.send({ events: warmUp, windowBytes });
    await instance.readable();
    const sent = await instance.send({ events: load.events - warmUp, windowBytes });
    const ms = (await instance.readable()) - sent.firstSentAt;
    await instance.end("SIGTERM");
    const idbBytes = statSync(instance.idbPath).size;
    return { events: sent.events, ms, eventsPerSecond: perSecond(sent.events, ms), idbBytes };
  } finally {
    rmSync(path, { force: true });
  }
}

function ordinal(number: number): string {
  return number === 2 ? "2nd" : number === 3 ? "3rd" : `${number}th`;
}

function inWords(events: number): string {
  return events === 1_000_000 ? "million" : shown(events);
}
