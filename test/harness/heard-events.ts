// Which events stand in a persistent queue, by server run and number, read from the frames themselves.

import { decodeEnvelope } from "../../src/event/envelope.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { sequenceOf } from "./link-client.ts";

const bounds = { recordsMax: 10_000, bytesMax: 4 * 1024 * 1024 };

/** Of an instance that does not run. By startTime of the server run, the numbers that came. */
export function heardEvents(queueDirectory: string): Map<string, Set<number>> {
  using reader = new QueueReader({ directory: queueDirectory, disk: systemDisk });
  const lastPosition = reader.lastWholePosition();
  reader.seek(reader.describe().firstPosition ?? 1n);
  const runs = new Map<number, string>();
  const heard = new Map<string, Set<number>>();
  for (;;) {
    const outcomes = reader.read(lastPosition, bounds);
    if (outcomes.length === 0) return heard;
    for (const outcome of outcomes) {
      if (outcome.kind === "damaged")
        throw new Error(`Cannot tell what was heard: positions from ${outcome.from} are damaged`);
      const envelope = decodeEnvelope(outcome.payload);
      if (envelope.kind === "mark") {
        if (envelope.mark.mark === "session opened") runs.set(envelope.session, envelope.mark.run ?? "");
        continue;
      }
      const json = JSON.parse(new TextDecoder().decode(envelope.frame)) as Readonly<Record<string, unknown>>;
      const sequence = typeof json["id"] === "string" ? sequenceOf(json) : null;
      const run = runs.get(envelope.session);
      if (sequence === null || run === undefined) continue;
      const numbers = heard.get(run);
      if (numbers === undefined) heard.set(run, new Set([sequence]));
      else numbers.add(sequence);
    }
  }
}
