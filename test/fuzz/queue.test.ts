import { expect, test } from "bun:test";
import { QueueCorruptError, QueueFormatError } from "../../src/queue/error.ts";
import { FakeDisk } from "../harness/fake-disk.ts";
import { open, payload, readAll, text } from "../queue/setting.ts";
import { inputsInAll, Mutator } from "./mutator.ts";

const directory = "/queue";
const records = Array.from({ length: 12 }, (_, at) => `record ${String(at + 1).padStart(3, "0")}`);

test("a queue of mutated segments opens or says why not, and holds no record that was not written", async () => {
  const mutator = new Mutator("segments");
  const verdicts = new Set<string>();
  for (let input = 0; input < inputsInAll * 0.01; input += 1) {
    const disk = new FakeDisk(1);
    const made = await open(directory, { disk, segmentBytes: 104 });
    for (const each of records) made.append(payload(each));
    await made.durable(BigInt(records.length));
    if (mutator.below(2) === 0) await made.close();
    disk.kill();
    const files = disk.list(directory).filter((name) => name !== "lock");
    const path = `${directory}/${mutator.pick(files)}`;
    const file = disk.open(path);
    const content = new Uint8Array(file.size());
    file.read(content, 0);
    // Half of the mutations in what is not zero behind the header, where the records are.
    const from = mutator.below(2) === 0 ? 0 : Math.min(4096, content.length);
    const to = Math.min(content.length, from + 300);
    const mutated = Buffer.concat([
      content.subarray(0, from),
      mutator.mutate(content.subarray(from, to)),
      content.subarray(to),
    ]);
    await file.truncate(0);
    await file.write(mutated, 0);
    await file.sync();
    try {
      const queue = await open(directory, { disk, segmentBytes: 104 });
      verdicts.add(queue.state);
      for (const each of readAll(directory, queue.durablePosition, disk)) {
        if (each.kind !== "record") continue;
        if (text(each.payload) !== records[Number(each.position) - 1]) {
          throw new Error(`Input ${input}: record ${each.position} is "${text(each.payload)}"`);
        }
      }
    } catch (error) {
      if (!(error instanceof QueueCorruptError || error instanceof QueueFormatError)) {
        throw new Error(`Input ${input}, ${path}: ${error}`, { cause: error });
      }
      verdicts.add(error.name);
    }
    disk.kill();
  }
  expect([...verdicts]).toContain("recovered");
}, 900_000);
