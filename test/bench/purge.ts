// P5 with a purge: an instance whose IDB holds thirty days (month-data.ts) is asked to delete the first of them, as an
// operator asks, and is flooded while it does. The rate of intake ÷ while the IDB is paused, and ÷ while it is written
// without a purge. Then, beside a load of all that can be recorded, a whole day: how fast it goes, how long the recorder is
// held up by one turn, how large the WAL gets, and whether the rows that come next use the room.

import { walUsualBytes } from "../../src/idb/wal-growth.ts";
import { capacity } from "./capacity.ts";
import { type Spread, spread } from "./figures.ts";
import type { Measurement } from "./line.ts";
import { type MonthData, monthData } from "./month-data.ts";
import { Peer, PurgedInstance, type PurgeEnding, WalWatch } from "./purge-place.ts";
import { calm, emptyPlace, perSecond, type Setting, shown, warmUpEvents } from "./setting.ts";

type State = "paused" | "written" | "purged";

interface Intake {
  readonly eventsPerSecond: number;
  readonly recordedPerSecond: number;
  readonly rowsDeletedPerSecond: number;
  readonly walBytesMax: number;
}

type Triple = Readonly<Record<State, Intake>>;

interface Day extends PurgeEnding {
  readonly walBytesMax: number;
  readonly callsPerSecond: number;
  readonly recordedPerSecond: number;
  /** Of the file, while the purge and the load went on. */
  readonly pagesGrownBeside: number;
  /** When it was over; and behind it, until half of these or the warm-up's number of events were used. */
  readonly pagesFree: number;
  readonly pagesTaken: number;
  readonly pagesGrown: number;
}

const windowBytes = 262_144;
const states = ["paused", "written", "purged"] as const;
// Each takes minutes.
const daysMax = 3;
// A site of 10,000 agents at its peak: a purge that is slower would never have done with what has grown old meanwhile.
const callsPerSecondOfSite = 73;
// A few hundred pages.
const roomEvents = 2000;
const usualWalBytes = walUsualBytes(Number.POSITIVE_INFINITY);

export async function* measurePurge(setting: Setting): AsyncGenerator<Measurement> {
  const data = await monthData(setting);
  const { days, rows, dayCalls, daySessions } = data;
  setting.say(
    `${days} days, ${shown(rows)} rows; on the first ${shown(dayCalls)} calls and ${shown(daySessions)} login sessions ended`,
  );
  await using peer = await Peer.start(setting, data);
  yield* await intakeBeside(setting, data, peer);
  yield* await wholeDays(setting, data, peer);
}

async function intakeBeside(setting: Setting, data: MonthData, peer: Peer): Promise<Measurement[]> {
  const triples: Triple[] = [];
  for (let pair = 1; pair <= setting.pairs; pair += 1) {
    const found: Partial<Record<State, Intake>> = {};
    // Whoever is first may find another disk than who is last: in turn.
    for (let place = 0; place < states.length; place += 1) {
      const state = states[(place + pair) % states.length] ?? "paused";
      found[state] = await intake(setting, { data, peer, state });
    }
    const triple = found as Triple; // each state was measured
    triples.push(triple);
    const rate = (state: State) => shown(triple[state].eventsPerSecond);
    setting.say(
      `P5 purge ${pair}/${setting.pairs}: ${rate("purged")} purged, ${rate("written")} written, ${rate("paused")} paused; ${shown(triple.purged.rowsDeletedPerSecond)} rows/s deleted`,
    );
  }
  emptyPlace(setting);
  const median = (state: State, of: keyof Intake) => spread(triples.map((each) => each[state][of])).median;
  const deleted = `${shown(median("purged", "rowsDeletedPerSecond"))} rows/s deleted meanwhile`;
  const line = (than: "paused" | "written", goal: number): Measurement => ({
    promise: "P5",
    what: `intake, a day of ${inMillions(data.rows)} purged ÷ ${than === "paused" ? "IDB paused" : "written without a purge"}, window ${windowBytes / 1024} KiB`,
    unit: "",
    goal: { atLeast: goal },
    figure: spread(triples.map((each) => each.purged.eventsPerSecond / each[than].eventsPerSecond)),
    note:
      `${shown(median("purged", "eventsPerSecond"))} ÷ ${shown(median(than, "eventsPerSecond"))} events/s; ` +
      `${deleted}, ${shown(median("purged", "recordedPerSecond"))} events/s recorded (${shown(median("written", "recordedPerSecond"))} without)`,
    runs: triples,
  });
  return [line("paused", 0.7), line("written", 0.9)];
}

interface IntakePlan {
  readonly data: MonthData;
  readonly peer: Peer;
  readonly state: State;
}

async function intake(setting: Setting, { data, peer, state }: IntakePlan): Promise<Intake> {
  const { load, seconds } = setting;
  await using purged = await PurgedInstance.start(setting, data, peer);
  const { instance } = purged;
  await calm(setting);
  if (state === "purged") await purged.purge(data.secondDay);
  using _lock = state === "paused" ? instance.lockIdb() : null;
  using wal = new WalWatch(instance.idbPath);
  const look = async () => ({ applied: purged.applied(), ...(await purged.deleted()) });
  const before = await look();
  const sent = await instance.send({ events: load.events, windowBytes, secondsMax: seconds });
  const after = await look();
  if (after.isOver) {
    throw new Error("Cannot measure the intake beside a purge: it was over too soon; expected a larger --purge-rate");
  }
  const ms = sent.lastAckAt - sent.firstSentAt;
  return {
    eventsPerSecond: perSecond(sent.events, ms),
    recordedPerSecond: perSecond(after.applied - before.applied, ms),
    rowsDeletedPerSecond: perSecond(after.rows - before.rows, ms),
    walBytesMax: wal.bytesMax,
  };
}

async function wholeDays(setting: Setting, data: MonthData, peer: Peer): Promise<Measurement[]> {
  const eventsPerSecond = Math.round(await capacity(setting));
  const count = Math.min(daysMax, setting.pairs);
  const days: Day[] = [];
  for (let each = 1; each <= count; each += 1) {
    const day = await wholeDay(setting, { data, peer, eventsPerSecond });
    days.push(day);
    setting.say(
      `P5 purge of a day ${each}/${count}: ${shown(day.rows)} rows in ${shown(day.tookMs)} ms, ${shown(day.recordedPerSecond)} events/s recorded, longest turn ${day.longestTurnMs} ms, WAL ${inMiB(day.walBytesMax)}`,
    );
  }
  emptyPlace(setting);
  const of = (pick: (day: Day) => number): Spread => spread(days.map(pick));
  const median = (pick: (day: Day) => number) => of(pick).median;
  const beside = `beside ${shown(eventsPerSecond)} events/s`;
  const line = (measured: Pick<Measurement, "what" | "unit" | "goal" | "figure" | "note">): Measurement => ({
    ...{ promise: "P5", runs: days },
    ...measured,
  });
  return [
    line({
      what: `calls that a purge deletes beside all that can be recorded ÷ ${callsPerSecondOfSite} a second`,
      unit: "",
      goal: { atLeast: 1 },
      figure: of(({ callsPerSecond }) => callsPerSecond / callsPerSecondOfSite),
      note:
        `a day of ${inMillions(data.rows)}: ${shown(median(({ rows }) => rows))} rows, ${shown(median(({ calls }) => calls))} calls and ` +
        `${shown(median(({ loginSessions }) => loginSessions))} login sessions in ${(median(({ tookMs }) => tookMs) / 1000).toFixed(1)} s ${beside}, ` +
        `of which ${shown(median(({ recordedPerSecond }) => recordedPerSecond))} were recorded`,
    }),
    line({
      what: "longest turn of a purge",
      unit: "ms",
      goal: { atMost: 100 },
      figure: of(({ longestTurnMs }) => longestTurnMs),
      note: `its transaction, with a checkpoint where one is due; ${beside}`,
    }),
    line({
      what: "largest WAL beside a purge ÷ its usual bound",
      unit: "",
      goal: { atMost: 1 },
      figure: of(({ walBytesMax }) => walBytesMax / usualWalBytes),
      note: `${inMiB(median(({ walBytesMax }) => walBytesMax))} ÷ ${inMiB(usualWalBytes)}; [idb] wal_limit is 4096 MiB`,
    }),
    line({
      what: "growth of the IDB's file by rows that come after a purge, of the pages they take",
      unit: "%",
      goal: { atMost: 1 },
      figure: of(({ pagesGrown, pagesTaken }) => (pagesGrown / Math.max(1, pagesTaken)) * 100),
      note:
        `${shown(median(({ pagesFree }) => pagesFree))} pages were free, ${shown(median(({ pagesTaken }) => pagesTaken))} taken by ` +
        `what was recorded next; grown by ${shown(median(({ pagesGrownBeside }) => pagesGrownBeside))} beside the purge`,
    }),
  ];
}

interface DayPlan {
  readonly data: MonthData;
  readonly peer: Peer;
  readonly eventsPerSecond: number;
}

async function wholeDay(setting: Setting, { data, peer, eventsPerSecond }: DayPlan): Promise<Day> {
  const { load } = setting;
  await using purged = await PurgedInstance.start(setting, data, peer);
  const { instance } = purged;
  await calm(setting);
  const before = { pages: purged.pages(), applied: purged.applied(), at: performance.now() };
  using wal = new WalWatch(instance.idbPath);
  let ending: PurgeEnding | null = null;
  const loading = (async () => {
    // A second's events at a time, for as long as it takes; some are kept for the room that becomes free.
    for (let left = load.events - 2 * warmUpEvents; ending === null; left -= eventsPerSecond) {
      if (left <= 0) return setting.say("the load was over before the purge: --seconds makes it longer");
      await instance.send({ events: Math.min(left, eventsPerSecond), windowBytes, eventsPerSecond });
    }
  })();
  await purged.purge(data.secondDay);
  await instance.until(async () => {
    ending = purged.ending();
    return ending !== null;
  });
  const after = { applied: purged.applied(), at: performance.now() };
  await loading;
  const { calls, loginSessions, rows, tookMs, longestTurnMs } = purged.ending() ?? unended();
  await instance.readable();
  const free = purged.pages();
  let then = free;
  // As long as there is room: what else is written needs more of the file.
  for (let sent = 0; sent < warmUpEvents && then.free > free.free / 2; sent += roomEvents) {
    await instance.send({ events: roomEvents, windowBytes });
    await instance.readable();
    then = purged.pages();
  }
  const pagesGrown = then.all - free.all;
  return {
    ...{ calls, loginSessions, rows, tookMs, longestTurnMs },
    walBytesMax: wal.bytesMax,
    callsPerSecond: perSecond(calls, tookMs),
    recordedPerSecond: perSecond(after.applied - before.applied, after.at - before.at),
    pagesGrownBeside: free.all - before.pages.all,
    pagesFree: free.free,
    pagesTaken: free.free - then.free + pagesGrown,
    pagesGrown,
  };
}

function unended(): never {
  throw new Error("Cannot measure a purge: it does not end");
}

function inMiB(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
}

function inMillions(rows: number): string {
  return `${(rows / 1e6).toFixed(1)} M rows`;
}
