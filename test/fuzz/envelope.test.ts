import { expect, test } from "bun:test";
import { decodeEnvelope, EnvelopeError, encodeEnvelope, type SessionId } from "../../src/event/envelope.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import { inputsInAll, Mutator } from "./mutator.ts";

const arrivedAt = arrivalInstant(1_700_000_000_000);
const session = 7 as SessionId;
const frame = Buffer.from('{"id":"EventRinging","EventSequenceNumber":5,"time":1}');
const originals = [encodeEnvelope({ kind: "frame", session, arrivedAt, arrivalNumber: 3, isCut: false, frame })];
// A mark as it lies in the queue: the header of a mark, and its text.
const mark = Buffer.concat([
  originals[0]?.subarray(0, -frame.length) ?? frame,
  Buffer.from('{"mark":"session opened"}'),
]);
mark[0] = 2;
originals.push(mark);

test("a mutated envelope is an envelope or an EnvelopeError", () => {
  const mutator = new Mutator("envelopes");
  const verdicts = new Set<string>();
  for (let input = 0; input < inputsInAll * 0.19; input += 1) {
    const bytes = mutator.mutate(mutator.pick(originals));
    try {
      verdicts.add(decodeEnvelope(bytes).kind);
    } catch (error) {
      if (!(error instanceof EnvelopeError))
        throw new Error(`Not an EnvelopeError: ${Buffer.from(bytes)}`, { cause: error });
      verdicts.add("error");
    }
  }
  expect([...verdicts].sort()).toEqual(["error", "frame", "mark"]);
});
