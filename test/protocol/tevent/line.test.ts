import { expect, test } from "bun:test";
import { decodeLine, lineBytesMax, noteSequence } from "../../../src/protocol/tevent/line.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const decode = (members: object) => decodeLine(bytes(JSON.stringify(members)));
const ringing = { id: "EventRinging", EventSequenceNumber: 7, time: 1795423798.403781, ConnID: "006c02462a161006" };

function eventOf(members: object) {
  const line = decode({ ...ringing, ...members });
  if (line.kind !== "event") throw new Error(`Expected an event, got ${JSON.stringify(line)}`);
  return line.event;
}

test("one instant is one number, written as number, decimal string or seconds and microseconds", () => {
  const times = [1795423798.403781, "1795423798.403781", { sec: 1795423798, usec: 403781 }];
  expect(times.map((time) => eventOf({ time }).at as number)).toEqual(Array(3).fill(1795423798403.781));
});

test("sequence numbers come as numbers or as 16 hexadecimal digits", () => {
  expect(eventOf({ EventSequenceNumber: 48151 }).sequence).toBe(48151);
  expect(eventOf({ EventSequenceNumber: "000000000000bc17" }).sequence).toBe(48151);
});

test("enumerations come as numbers, decimal strings or T-Lib names", () => {
  for (const [CallType, ThisDNRole, CallState] of [
    [2, 2, 21],
    ["2", "2", "21"],
    ["CallTypeInbound", "RoleDestination", "CallStateAbandoned"],
    ["Inbound", "Destination", "Abandoned"],
  ]) {
    const event = eventOf({ CallType, ThisDNRole, CallState });
    expect([event.callType, event.thisDnRole, event.callState]).toEqual([2, 2, 21]);
  }
  expect(eventOf({ CallState: "CallStateHeld" }).callState).toBe(50);
});

test("a name that is not known costs the attribute and not the event", () => {
  const event = eventOf({ CallType: "CallTypeOdd", ThisDNRole: "RoleOdd", CallState: "CallStateAnswerDetected" });
  expect([event.callType, event.thisDnRole, event.callState]).toEqual([null, null, null]);
});

test("a key-value list is an object or a list of pairs", () => {
  expect(eventOf({ Extensions: { VQID: "1" } }).isVirtualQueue).toBe(true);
  expect(eventOf({ Extensions: [{ key: "VQID", type: "str", value: "1" }] }).isVirtualQueue).toBe(true);
  expect(eventOf({ Extensions: { Other: "VQID" } }).isVirtualQueue).toBe(false);
});

test.each([
  [{ time: "yesterday" }, "time is not seconds since 1970 as number, decimal string or {sec, usec}", 7],
  [{ time: -1 }, "time is not seconds since 1970 as number, decimal string or {sec, usec}", 7],
  [{ time: 1e15 }, "time is not seconds since 1970 as number, decimal string or {sec, usec}", 7],
  [{ CallType: {} }, "CallType is not a TCallType", 7],
  [{ ThisDN: 5001 }, "ThisDN is not a string", 7],
  [{ CallID: 1.5 }, "CallID is not a whole number", 7],
  [
    { EventSequenceNumber: 0 },
    "EventSequenceNumber is missing or is neither a whole number nor 16 hexadecimal digits",
    null,
  ],
  [
    { EventSequenceNumber: undefined },
    "EventSequenceNumber is missing or is neither a whole number nor 16 hexadecimal digits",
    null,
  ],
])(
  "an event with %j says what is wrong with it, and keeps its number if that can be read",
  (members, reason, sequence) => {
    expect(decode({ ...ringing, ...members })).toEqual({ kind: "undecodable", reason, sequence });
  },
);

test("a line of a snapshot has no number, and may say where the thing came from", () => {
  const event = eventOf({
    snapshot: true,
    EventSequenceNumber: undefined,
    origin: { run: "r", seq: 47002, time: 1795423790.1 },
  });
  expect([event.sequence, event.isSnapshot]).toEqual([null, true]);
  expect(event.origin).toMatchObject({ run: "r", sequence: 47002 });
  expect(event.origin?.at as number).toBe(1795423790100);
});

test("control lines are named by their leading member", () => {
  const kinds = [
    { resumed: 48100 },
    { gap: { from: 48101, to: null } },
    { snapshot: "begin" },
    { snapshot: "end", lastSeq: 48150 },
    { heartbeat: 1795423808.0, lastSeq: 48151 },
    { cti: "down", switch: "North", time: 1795423808 },
    { link: "up", to: { type: "TServer", dbid: 101 } },
    { role: "backup", time: 1795423808 },
    { bye: "shutdown" },
    { pong: 1, time: 1795423808 },
    { error: { code: "auth", message: "no" } },
    { novelty: 1, heartbeat: 5 },
    {},
  ].map((members) => decode(members).kind);
  expect(kinds).toEqual([
    "resumed",
    "gap",
    "snapshot begin",
    "snapshot end",
    "heartbeat",
    "cti",
    "link",
    "role",
    "bye",
    "pong",
    "error",
    "unknown control",
    "unknown control",
  ]);
});

test.each([
  ["not json", "line is not JSON"],
  ["[1,2]", "line is not a JSON object"],
  ["null", "line is not a JSON object"],
  ['{"snapshot":"middle"}', 'snapshot is neither "begin" nor "end" with lastSeq'],
  ['{"gap":5}', "gap is not {from, to}"],
  ['{"hello":"tevent/2"}', 'hello is not "tevent/1"'],
  [
    '{"hello":"tevent/1","server":"s","type":"t","dbid":1,"startTime":"r","role":"primary","lastSeq":0,"heartbeatMs":2147483648}',
    "hello without a heartbeatMs from 1 to 2147483647",
  ],
])("%s is undecodable: %s", (text, reason) => {
  expect(decodeLine(bytes(text))).toEqual({ kind: "undecodable", reason, sequence: null });
});

test("bytes that are no UTF-8, and a line that was cut, are undecodable", () => {
  expect(decodeLine(new Uint8Array([0x7b, 0xff, 0x7d]))).toMatchObject({ reason: "line is not UTF-8" });
  expect(decodeLine(bytes("{"), true)).toMatchObject({ reason: `line is longer than ${lineBytesMax} bytes` });
});

test("the short look at a line's number says the same as the whole decoding", () => {
  const lines = [
    '{"id":"EventRinging","EventSequenceNumber":12,"time":1795423798.4,"ThisDN":"1"}',
    '{"EventSequenceNumber":12,"id":"EventRinging","time":1795423798.4}',
    '{"id":"EventRinging","EventSequenceNumber":"000000000000000c","time":1795423798.4}',
    '{"id":"EventRinging","EventSequenceNumber":12,"time":"bad"}',
    '{"id":"EventRinging","snapshot":true,"time":1795423798.4,"UserData":{"EventSequenceNumber":12}}',
    '{"snapshot":"end","lastSeq":12}',
    '{"heartbeat":1795423808.0,"lastSeq":12}',
    "garbage",
  ];
  const notes = lines
    .map((line) => noteSequence(bytes(line)))
    .map((note) => (note.kind === "snapshot end" ? { kind: note.kind, lastSeq: note.lastSeq } : note));
  expect(notes).toEqual([
    { kind: "event", sequence: 12 },
    { kind: "event", sequence: 12 },
    { kind: "event", sequence: 12 },
    { kind: "event", sequence: 12 },
    { kind: "none" },
    { kind: "snapshot end", lastSeq: 12 },
    { kind: "none" },
    { kind: "none" },
  ]);
});
