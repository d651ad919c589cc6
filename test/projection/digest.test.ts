import { expect, test } from "bun:test";
import fc from "fast-check";
import { AmiFields } from "../../src/event/ami-message.ts";
import {
  addDigest,
  type Digest,
  digestText,
  emptyDigest,
  hashEvent,
  hashMessage,
} from "../../src/projection/digest.ts";
import { decodeLine } from "../../src/protocol/tevent/line.ts";

type Members = Readonly<Record<string, unknown>>;

const ringing = {
  id: "EventRinging",
  EventSequenceNumber: 7,
  time: 1795423798.403781,
  ConnID: "006c02462a161006",
  CallID: 16,
  CallType: 2,
  ThisDN: "5001",
  ThisDNRole: 2,
  UserData: { Segment: "gold", Nested: { k: 1 } },
};

function hashLine(text: string, run = "101@run-1"): Digest {
  const line = decodeLine(new TextEncoder().encode(text));
  if (line.kind !== "event") throw new Error(`Expected an event, got ${JSON.stringify(line)}`);
  const { event, members } = line;
  return hashEvent({ run, id: event.id, sequence: event.sequence, at: event.at, members });
}

const digestOf = (members: Members, run?: string) => digestText(hashLine(JSON.stringify(members), run));
const sum = (events: readonly Members[]) =>
  digestText(events.reduce<Digest>((total, each) => addDigest(total, hashLine(JSON.stringify(each))), emptyDigest));

test("the digest of an event is the same in every version of this program", () => {
  expect(digestOf(ringing)).toBe("7155e78201159401ec56518add947b22");
  expect(
    digestText(
      hashMessage(
        "Hangup",
        new AmiFields([
          ["Event", "Hangup"],
          ["Uniqueid", "1.2"],
        ]),
      ),
    ),
  ).toBe("c68980b6413f9c95f7b7c4a36b60c197");
});

// What stands in a line after its id, number and time; and its digest.
const known: readonly (readonly [members: string, digest: string])[] = [
  ['"ThisDN":"5001"', "74ac84d9ec191f72b4f9f8004f608104"],
  ['"ThisDN":""', "7175725c940b147829f2e5e583e89c33"],
  ['"ThisDN":"Grüße"', "fb4f4b1fad4147124660d4e9fe99706f"],
  [String.raw`"ThisDN":"新規 \ud83d\ude00"`, "6f3e6058d146f0816799e23dd535e1eb"],
  [String.raw`"ThisDN":"\ud800"`, "eee7b3c1104f7c34ba393baabe330a10"],
  [String.raw`"ThisDN":"\u0000a\u001f"`, "08c257296ba0d93e309797dea6e1bdd9"],
  [String.raw`"ThisDN":"\u007f\u0080"`, "f10a0d47fbe69ee626cc57df277ea872"],
  [String.raw`"Größe":"m","A\u0001":"b"`, "2dca0e2f232e0c9b263d9cce6eb6106f"],
  [
    '"CallType":"Inbound","ThisDNRole":"RoleDestination","CallState":22,"CallID":"16"',
    "5e763ad22f7c94773af55ad0e3e32550",
  ],
  ['"CallType":-1,"CallID":99', "3115ec9db089b356ca5b7eeba4bc67a5"],
  [
    '"A":0,"B":-0,"C":10,"D":2147483647,"E":2147483648,"F":9007199254740991,"G":-5,"H":0.1,"I":1e21',
    "cb5e70b45d92785c704294aadbd1aae6",
  ],
  ['"A":true,"B":false,"C":null,"D":[],"E":{}', "205355f3387f86fcfb120fd5ae499c65"],
  ['"D":[1,"1",[null,{"b":1,"a":"x"}]],"E":{"b":{},"a":[true]}', "b31a4653f4de34de4ac019bd25dac3dc"],
  [String.raw`"UserData":{"b":"2","a":1,"é":{"k":"\u0001"}},"Reasons":{}`, "c3f3125f2f23fd2024a356dcbe249089"],
  [
    '"UserData":[{"key":"b","type":"str","value":"2"},{"key":"a","type":"int","value":1}]',
    "3ab81fc7beffa4b266c5760691ba1e8b",
  ],
  [
    '"Extensions":[{"key":"a","type":"float","value":1},{"key":"a","type":"list","value":[{"key":"n","value":null}]},{"key":"z"}]',
    "1d53c989b763f484572b60f0f360d7c4",
  ],
  ['"UserData":[{"key":1}],"Reasons":"none","Extensions":null', "22d0a89a39da4490eca6cf7dfc958124"],
];

test("texts of any language, numbers of any size and lists of any kind have the digests that they had before", () => {
  const lines = known.map(
    ([members]) => `{"id":"EventRinging","EventSequenceNumber":7,"time":1795423798.403781,${members}}`,
  );
  expect(lines.map((line) => digestText(hashLine(line)))).toEqual(known.map(([, digest]) => digest));
});

test("so have any number, time, run and length of an event", () => {
  const bare = { id: "EventRinging", EventSequenceNumber: 7, time: 1795423798.403781 };
  const long = { ...bare, A: "é".repeat(20_000), B: "b".repeat(20_000) };
  expect({
    bare: digestOf(bare),
    "no number": digestOf({ ...bare, EventSequenceNumber: undefined, snapshot: true }),
    "large number": digestOf({ ...bare, EventSequenceNumber: 9007199254740991 }),
    "1970": digestOf({ ...bare, time: 0 }),
    "2100": digestOf({ ...bare, time: 4102444800.000999 }),
    "odd id": digestOf({ ...bare, id: "E\u0002ü" }),
    "no run": digestOf(bare, ""),
    "odd run": digestOf(bare, "101@\u0001é"),
    "long run": digestOf(bare, "r".repeat(20_000)),
    long: digestOf(long),
    "bare again": digestOf(bare),
  }).toEqual({
    bare: "1da9c02d1a14bc8f432bd4d2bdfabdb2",
    "no number": "f568aec833d330407ca47a119a89123a",
    "large number": "c8acaf9d7081611df86ed331999140b1",
    "1970": "b459c73e51fba50aa64749c9ad286b0d",
    "2100": "d3e858f5800d85faccc29969f7e12571",
    "odd id": "c9e6c120412d54b17d2e402312666a9a",
    "no run": "344d7c96d37b54cb8189337887158a6e",
    "odd run": "643c54e591e0c7f6ce5bac3b18d14041",
    "long run": "2064b3ad1501c43fcc1c395abbc5c567",
    long: "dce4c31efa881a0c925bbd84707e356a",
    "bare again": "1da9c02d1a14bc8f432bd4d2bdfabdb2",
  });
});

test("what means the same on the link has the same digest, however it is written", () => {
  const same: readonly Members[] = [
    { ...ringing, EventSequenceNumber: "0000000000000007" },
    { ...ringing, time: "1795423798.403781" },
    { ...ringing, time: { sec: 1795423798, usec: 403781 } },
    { ...ringing, CallType: "CallTypeInbound", ThisDNRole: "RoleDestination" },
    { ...ringing, CallType: "Inbound", ThisDNRole: "2", CallID: "16" },
    { ...ringing, UserData: { Nested: { k: 1 }, Segment: "gold" } },
    {
      ...ringing,
      UserData: [
        { key: "Nested", type: "list", value: [{ key: "k", type: "int", value: 1 }] },
        { key: "Segment", type: "string", value: "gold" },
      ],
    },
    { ...ringing, ANI: null },
  ];
  expect(same.map((each) => digestOf(each))).toEqual(same.map(() => digestOf(ringing)));
  const escaped = JSON.stringify(ringing).replace('"gold"', '"\\u0067old"');
  expect(digestText(hashLine(escaped))).toBe(digestOf(ringing));
});

test("what a server says to one client alone does not count", () => {
  expect(digestOf({ ...ringing, ReferenceID: 4711 })).toBe(digestOf(ringing));
});

test("whatever else differs has another digest", () => {
  const others: readonly Members[] = [
    ringing,
    { ...ringing, EventSequenceNumber: 8 },
    { ...ringing, time: 1795423798.403782 },
    { ...ringing, id: "EventQueued" },
    { ...ringing, ThisDN: "5002" },
    { ...ringing, ThisDN: null },
    { ...ringing, ThisDNRole: 1 },
    { ...ringing, CallType: 3 },
    { ...ringing, UserData: { Segment: "silver", Nested: { k: 1 } } },
    { ...ringing, UserData: { Segment: "gold", Nested: { k: "1" } } },
    { ...ringing, UserData: { Segment: "gold", Nested: { k: 2 } } },
    { ...ringing, UserData: { Segment: "gold" } },
    { ...ringing, UserData: {} },
    { ...ringing, Extensions: { Segment: "gold", Nested: { k: 1 } } },
    { ...ringing, Unheard: [1, [2]] },
    { ...ringing, Unheard: [[1], 2] },
    { ...ringing, Unheard: true },
    { ...ringing, Unheard: "true" },
    { ...ringing, Unheard: "" },
    { ...ringing, Unheard: 1 },
    { ...ringing, Unheard: "1" },
  ];
  const digests = others.map((each) => digestOf(each));
  expect(new Set(digests).size).toBe(others.length);
  expect(digests).not.toContain(digestOf(ringing, "102@run-1"));
});

test("keys that come twice in a list stand in their order, others do not", () => {
  const pair = (key: string, value: unknown) => ({ key, type: "string", value });
  const of = (...pairs: readonly object[]) => digestOf({ ...ringing, UserData: pairs });
  expect(of(pair("a", "1"), pair("b", "2"))).toBe(of(pair("b", "2"), pair("a", "1")));
  expect(of(pair("a", "1"), pair("a", "2"))).not.toBe(of(pair("a", "2"), pair("a", "1")));
  expect(of(pair("a", "1"), pair("a", "1"))).not.toBe(of(pair("a", "1")));
});

test("no text passes for two members, or for another kind of value", () => {
  const texts = [
    "\u0001ThisDN\u00025001",
    "\u00031",
    "\u0004t",
    "\u0007\u0006",
    "\u000fA",
    "\u000f",
    "A\u0001",
    "\\u0001",
  ];
  const digests = texts.map((text) => digestOf({ ...ringing, Unheard: text }));
  const plain = [1, true, {}, "A", "\\u0001"].map((value) => digestOf({ ...ringing, Unheard: value }));
  const nested = texts.map((text) => digestOf({ ...ringing, UserData: { [text]: text } }));
  expect(new Set([...digests, ...plain, ...nested]).size).toBe(texts.length * 2 + 4);
});

test("a value that nests without end is no reason to fail", () => {
  const deep = (depth: number, inner: string) =>
    `{"id":"EventRinging","EventSequenceNumber":7,"time":1,"UserData":${"[".repeat(depth)}${inner}${"]".repeat(depth)}}`;
  expect(digestText(hashLine(deep(100, "1")))).not.toBe(digestText(hashLine(deep(100, "2"))));
  expect(digestText(hashLine(deep(3000, "1")))).toHaveLength(32);
});

const value = fc.oneof(fc.string(), fc.integer(), fc.boolean());
const attached = fc.dictionary(fc.string({ minLength: 1 }), fc.oneof(value, fc.dictionary(fc.string(), value)));
const anEvent = fc.record({
  id: fc.constantFrom("EventRinging", "EventEstablished", "EventReleased"),
  time: fc.integer({ min: 1, max: 2_000_000_000_000 }).map((ms) => ms / 1000),
  ThisDN: fc.string(),
  OtherDN: fc.string(),
  CallType: fc.integer({ min: 0, max: 4 }),
  UserData: attached,
});
const someEvents = fc
  .array(anEvent, { minLength: 1, maxLength: 20 })
  .map((events) => events.map((event, at) => ({ ...event, EventSequenceNumber: at + 1 })));

test("neither the order of events nor that of their members changes the sum", () => {
  fc.assert(
    fc.property(someEvents, fc.infiniteStream(fc.integer({ min: 0, max: 1000 })), (events, order) => {
      const shuffled = <T>(list: readonly T[]) =>
        list
          .map((each) => ({ each, at: order.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ each }) => each);
      const turned = shuffled(events).map((event) => Object.fromEntries(shuffled(Object.entries(event))));
      expect(sum(turned)).toBe(sum(events));
    }),
  );
});

test("an event less, a changed attribute or two numbers that changed places change the sum", () => {
  fc.assert(
    fc.property(someEvents, fc.nat(), value, (events, at, other) => {
      const whole = sum(events);
      const place = at % events.length;
      const chosen = events[place];
      if (chosen === undefined) return;
      expect(sum(events.filter((event) => event !== chosen))).not.toBe(whole);
      const without = (change: Members) =>
        sum(events.map((event) => (event === chosen ? { ...event, ...change } : event)));
      if (other !== chosen.ThisDN && typeof other === "string") expect(without({ ThisDN: other })).not.toBe(whole);
      expect(without({ UserData: { ...chosen.UserData, Added: other } })).not.toBe(whole);
      expect(without({ OtherQueue: other })).not.toBe(whole);
      const next = events[(place + 1) % events.length];
      const { EventSequenceNumber: one, ...rest } = chosen;
      if (next === undefined || next === chosen) return;
      const { EventSequenceNumber: two, ...nextRest } = next;
      if (JSON.stringify(rest) === JSON.stringify(nextRest)) return;
      const swapped = events.map((event) =>
        event === chosen
          ? { ...event, EventSequenceNumber: two }
          : event === next
            ? { ...event, EventSequenceNumber: one }
            : event,
      );
      expect(sum(swapped)).not.toBe(whole);
    }),
  );
});

test("a manager's message counts without the id of an action, in whatever order its lines stand", () => {
  const hash = (...lines: readonly (readonly [string, string])[]) =>
    digestText(hashMessage("Hangup", new AmiFields(lines)));
  const whole = hash(["Event", "Hangup"], ["Uniqueid", "1.2"], ["Cause", "16"]);
  expect(hash(["Cause", "16"], ["Event", "Hangup"], ["Uniqueid", "1.2"], ["ActionID", "icon-7"])).toBe(whole);
  expect(hash(["Event", "Hangup"], ["Uniqueid", "1.2"], ["Cause", "17"])).not.toBe(whole);
  expect(hash(["Event", "Hangup"], ["Uniqueid", "1.2"])).not.toBe(whole);
});

test("sums are modulo 2^128", () => {
  const most: Digest = [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff];
  expect(digestText(addDigest(most, [1, 0, 0, 0]))).toBe("0".repeat(32));
  expect(digestText(addDigest(most, most))).toBe(`${"f".repeat(31)}e`);
  expect(digestText(addDigest([0xffffffff, 0, 0, 0], [2, 3, 0, 0]))).toBe("00000000000000000000000400000001");
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 128n - 1n), fc.bigInt(0n, 2n ** 128n - 1n), (one, other) => {
      const lanes = (all: bigint): Digest => {
        const lane = (at: bigint) => Number((all >> (32n * at)) & 0xffffffffn);
        return [lane(0n), lane(1n), lane(2n), lane(3n)];
      };
      const expected = ((one + other) % 2n ** 128n).toString(16).padStart(32, "0");
      expect(digestText(addDigest(lanes(one), lanes(other)))).toBe(expected);
    }),
  );
});
