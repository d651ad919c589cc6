import { expect, test } from "bun:test";
import { LineFramer } from "../../src/protocol/tevent/framer.ts";
import { decodeLine, lineBytesMax, noteSequence } from "../../src/protocol/tevent/line.ts";
import { inputsInAll, Mutator } from "./mutator.ts";

const event = {
  id: "EventRinging",
  EventSequenceNumber: 4711,
  time: { sec: 1700000000, usec: 250000 },
  ConnID: "0067028f3e5c1001",
  CallUUID: "00VR1KQ2H8A4P6QH",
  CallType: "Inbound",
  ThisDN: "7001",
  ThisDNRole: "Destination",
  ANI: "+4930123",
};
const lines = [
  event,
  { ...event, EventSequenceNumber: "0000000000001267" },
  { ...event, Extensions: { VQID: "x" }, origin: { run: "r", seq: 3, time: 1700000000.5 } },
  { id: "EventReleased", time: "1700000000.5", snapshot: true, ThisDN: "7002" },
  {
    hello: "tevent/1",
    server: "s",
    type: "TServer",
    dbid: 1,
    startTime: "1",
    role: "primary",
    lastSeq: 9,
    heartbeatMs: 1000,
  },
  { gap: { from: 3, to: 7 } },
  { snapshot: "end", lastSeq: 12 },
  { heartbeat: 1700000000.25, lastSeq: 12 },
  { error: { code: "c", message: "m" } },
].map((each) => Buffer.from(JSON.stringify(each)));

// Lines that say a second time, behind what the intake looks at, what their number is or that they have none.
const doubled = ['"EventSequenceNumber":4712', '"EventSequenceNumber":"none"', '"snapshot":true'].map((each) =>
  Buffer.from(`${JSON.stringify(event).slice(0, -1)},${each}}`),
);

test("a mutated link line is decoded or said to be undecodable, and the intake notes the sequence that is decoded", () => {
  const mutator = new Mutator("link lines");
  const accepted = new Set<string>();
  for (let input = 0; input < inputsInAll * 0.5; input += 1) {
    const bytes = mutator.mutate(mutator.below(4) === 0 ? mutator.pick(doubled) : mutator.pick(lines));
    const line = decodeLine(bytes);
    const note = noteSequence(bytes);
    accepted.add(line.kind);
    const decoded = line.kind === "event" ? line.event.sequence : line.kind === "undecodable" ? line.sequence : null;
    const noted = note.kind === "event" ? note.sequence : null;
    if (noted !== decoded) throw new Error(`${Buffer.from(bytes)}: noted ${noted}, decoded ${decoded}`);
  }
  expect([...accepted]).toEqual(expect.arrayContaining(["event", "undecodable", "hello", "gap", "snapshot end"]));
});

test("however a mutated link stream is split, the lines are the same", () => {
  const mutator = new Mutator("link chunks");
  for (let input = 0; input < inputsInAll * 0.1; input += 1) {
    const stream = mutator.mutate(
      Buffer.concat([...lines.slice(0, 4), ...lines.slice(5)].flatMap((each) => [each, Buffer.from("\r\n")])),
    );
    const framer = new LineFramer();
    const split = mutator
      .chunks(stream)
      .flatMap((chunk) =>
        [...framer.push(chunk)].map(({ bytes, isCut }) => [Buffer.from(bytes).toString("latin1"), isCut]),
      );
    const whole = [...new LineFramer().push(stream)].map(({ bytes, isCut }) => [
      Buffer.from(bytes).toString("latin1"),
      isCut,
    ]);
    expect(split).toEqual(whole);
  }
});

test("a line about the bound is flagged when it is over it, kept up to it, and the next one is whole", () => {
  const mutator = new Mutator("long link lines");
  for (let input = 0; input < 40; input += 1) {
    const length = lineBytesMax - 2 + mutator.below(5);
    const stream = Buffer.concat([Buffer.alloc(length, "x"), Buffer.from('\n{"pong":1}\n')]);
    const framer = new LineFramer();
    const at = mutator.below(stream.length);
    const found = [...framer.push(stream.subarray(0, at))];
    expect(framer.pendingBytes).toBeLessThanOrEqual(lineBytesMax);
    found.push(...framer.push(stream.subarray(at)));
    expect(found.map(({ bytes, isCut }) => [bytes.length, isCut])).toEqual([
      [Math.min(length, lineBytesMax), length > lineBytesMax],
      [10, false],
    ]);
  }
});
