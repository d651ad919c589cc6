import { expect, test } from "bun:test";
import { decodeLine, noteSequence } from "../../../src/protocol/tevent/line.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("the quick look at a line finds the sequence number that decoding finds, however the line is written", () => {
  const rest = '"time":1795423798.4,"ThisDN":"5001"}';
  const lines = [
    `{"id":"EventRinging","EventSequenceNumber":48151,${rest}`,
    `{"id":"EventRinging","EventSequenceNumber":1,${rest}`,
    `{"id":"EventRinging","EventSequenceNumber":999999999999999,${rest}`,
    `{"id":"EventRinging","EventSequenceNumber":9007199254740991,${rest}`,
    `{"id":"EventRinging","EventSequenceNumber":"000000000000bc17",${rest}`,
    `{"id":"EventRinging","EventSequenceNumber":48151.5,${rest}`,
    `{"id":"EventRinging","EventSequenceNumber":-3,${rest}`,
    `{"id":"EventRinging","EventSequenceNumber": 48151,${rest}`,
    `{ "id":"EventRinging","EventSequenceNumber":48151,${rest}`,
    `{"EventSequenceNumber":48151,"id":"EventRinging",${rest}`,
    `{"id":"Event Ringing","EventSequenceNumber":48151,${rest}`,
    `{"id":"","EventSequenceNumber":48151,${rest}`,
    `{"id":"${"E".repeat(100)}","EventSequenceNumber":48151,${rest}`,
    `{"id":"EventRinging","EventSequenceNumber":48151}`,
    `{"id":"EventRinging","snapshot":true,${rest}`,
    '{"snapshot":"end","lastSeq":48150}',
    '{"heartbeat":1795423808.0,"lastSeq":48151}',
    "{}",
    "",
    '{"id":"',
  ];
  for (const line of lines) {
    const full = decodeLine(bytes(line));
    const sequence = full.kind === "event" ? full.event.sequence : full.kind === "undecodable" ? full.sequence : null;
    const note = noteSequence(bytes(line));
    if (full.kind === "snapshot end") expect({ line, note }).toEqual({ line, note: full });
    else {
      const expected = sequence === null ? { kind: "none" } : { kind: "event", sequence };
      expect({ line, note }).toEqual({ line, note: expected } as never);
    }
  }
});

test("a line that is all there and does not end like an object is not judged by its beginning", () => {
  const whole = '{"id":"EventRinging","EventSequenceNumber":48151,"time":1795423798.4}';
  expect(noteSequence(bytes(whole.slice(0, -1)))).toEqual({ kind: "none" });
});

test("a line that is too long has the number that it begins with: without it nothing after it could be acknowledged", () => {
  const cut = bytes('{"id":"EventRinging","EventSequenceNumber":48151,"UserData":{"k":"vvvv');
  expect(noteSequence(cut, true)).toEqual({ kind: "event", sequence: 48151 });
  expect(decodeLine(cut, true)).toMatchObject({ kind: "undecodable", sequence: 48151 });
  const later = bytes('{"id":"EventRinging","UserData":{"k":"vvvv","EventSequenceNumber":48151');
  expect(noteSequence(later, true)).toEqual({ kind: "none" });
  expect(decodeLine(later, true)).toMatchObject({ kind: "undecodable", sequence: null });
});

test.each([
  ['{"id":"EventRinging","EventSequenceNumber":4,"time":1,"EventSequenceNumber":4711}', 4],
  ['{"id":"EventRinging","EventSequenceNumber":4,"snapshot":true,"time":1}', 4],
  ['{"id":"EventRinging","EventSequenceNumber":4,"no JSON}', 4],
])(
  "a line that contradicts itself is undecodable, under the number that the intake has noted: %s",
  (text, sequence) => {
    const frame = new TextEncoder().encode(text);
    expect(noteSequence(frame)).toEqual({ kind: "event", sequence });
    expect(decodeLine(frame)).toMatchObject({ kind: "undecodable", sequence });
  },
);

test("number 0 is no sequence number, for the intake as little as for the decoder", () => {
  const frame = new TextEncoder().encode('{"id":"EventRinging","EventSequenceNumber":0,"time":1}');
  expect(noteSequence(frame)).toEqual({ kind: "none" });
  expect(decodeLine(frame)).toMatchObject({ kind: "undecodable", sequence: null });
});
