// P10 and P11, of the same runs at a tenth of the capacity: how long until an event is acknowledged, over what an
// fdatasync costs on the same disk at the same time (bare-sync.ts), and how long until a reader finds its rows.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { QueueReader } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { AppliedTrail } from "./applied-trail.ts";
import type { BareSync } from "./bare-sync.ts";
import { capacity } from "./capacity.ts";
import { spread } from "./figures.ts";
import type { Measurement } from "./line.ts";
import type { Sent } from "./load-generator.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import { calm, child, emptyPlace, type Setting, shown, warmUpEvents } from "./setting.ts";

interface Run {
  readonly acknowledged: NonNullable<Sent["acknowledgedMs"]>;
  readonly sync: BareSync;
  readonly ratio: number;
  readonly readableMs: { readonly p50: number; readonly p99: number };
}

const runSeconds = 5;
const pollMs = 1;
const loadShare = 0.1;

export async function measureLatency(setting: Setting): Promise<Measurement[]> {
  const { icon, load, pairs, say } = setting;
  const eventsPerSecond = Math.round((await capacity(setting)) * loadShare);
  const windowBytes = Math.max(...setting.windows);
  const instantsPath = join(setting.directory, "instants");
  await using instance = await MeasuredInstance.start({ icon, directory: emptyPlace(setting), loadPath: load.path });
  await instance.send({ events: warmUpEvents, windowBytes });
  await instance.readable();
  const runs: Run[] = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    await calm(setting);
    await using trail = new AppliedTrail(instance.idbPath, pollMs);
    const syncing = child("bare-sync.ts", [join(setting.directory, "target"), String(runSeconds)]);
    const events = eventsPerSecond * runSeconds;
    const sent = await instance.send({ events, windowBytes, eventsPerSecond, instantsPath });
    const sync = JSON.parse(await syncing) as BareSync;
    await instance.readable();
    await Bun.sleep(2 * pollMs);
    const acknowledged = sent.acknowledgedMs;
    if (acknowledged === null) throw new Error("Cannot measure P10: the load was sent without a pace");
    const readableMs = quantiles(untilReadable(sent, instantsPath, instance.queueDirectory, trail));
    runs.push({ acknowledged, sync, ratio: acknowledged.p99 / sync.p99, readableMs });
    say(
      `P10 P11 ${pair}/${pairs}: acknowledged ${ms(acknowledged.p99)} ÷ fdatasync ${ms(sync.p99)}, readable ${ms(readableMs.p99)} ms`,
    );
  }
  const median = (pick: (run: Run) => number) => spread(runs.map(pick)).median;
  const at = `at ${shown(eventsPerSecond)} events/s`;
  return [
    {
      promise: "P10",
      what: "p99 acknowledged ÷ p99 fdatasync, 10 % load",
      unit: "",
      goal: { atMost: 2.5 },
      figure: spread(runs.map(({ ratio }) => ratio)),
      note:
        `${ms(median(({ acknowledged }) => acknowledged.p99))} ÷ ${ms(median(({ sync }) => sync.p99))} ms ${at}; ` +
        `p50 ${ms(median(({ acknowledged }) => acknowledged.p50))} and ${ms(median(({ sync }) => sync.p50))} ms`,
      runs,
    },
    {
      promise: "P11",
      what: "p99 sent → row readable, 10 % load",
      unit: "ms",
      goal: { atMost: 100 },
      figure: spread(runs.map(({ readableMs }) => readableMs.p99)),
      note: `${at}; p50 ${ms(median(({ readableMs }) => readableMs.p50))} ms`,
      runs,
    },
  ];
}

/** Of each event of this sending, milliseconds from its way into the socket until a reader found its rows. */
function untilReadable(sent: Sent, instantsPath: string, queueDirectory: string, trail: AppliedTrail): number[] {
  const sentAt = new Float64Array(readFileSync(instantsPath).buffer);
  const taken: number[] = [];
  for (const { sequence, position } of eventPositions(queueDirectory, sent)) {
    const at = trail.readableAt(position);
    if (at === undefined) throw new Error(`Cannot measure P11: position ${position} was not seen to be applied`);
    taken.push(at - (sentAt[sequence - sent.first] ?? 0));
  }
  if (taken.length !== sent.events) throw new Error("Cannot measure P11: an event sent is not in the queue once");
  return taken;
}

const eventLine = /"EventSequenceNumber":(\d+),/;

function* eventPositions(directory: string, { first, events }: Sent) {
  using reader = new QueueReader({ disk: systemDisk, directory });
  const upTo = reader.lastWholePosition();
  const decoder = new TextDecoder("latin1");
  for (;;) {
    const outcomes = reader.read(upTo, { recordsMax: 10_000, bytesMax: 1024 * 1024 });
    if (outcomes.length === 0) return;
    for (const outcome of outcomes) {
      if (outcome.kind !== "record") continue;
      const sequence = Number(eventLine.exec(decoder.decode(outcome.payload.subarray(0, 160)))?.[1] ?? 0);
      if (sequence >= first && sequence < first + events) yield { sequence, position: Number(outcome.position) };
    }
  }
}

function quantiles(taken: number[]): Run["readableMs"] {
  taken.sort((one, other) => one - other);
  const at = (share: number) => taken[Math.floor(taken.length * share)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

function ms(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1);
}
