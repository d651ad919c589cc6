// Attached data: what events say of a call, and what the histories and the row of the call's columns say of it.

import { expect, test } from "bun:test";
import type { AttachedDataMapping } from "../../src/event/attached-data.ts";
import { at, Story } from "../harness/story.ts";

const none: AttachedDataMapping = { public: [], secure: [], columns: [], otherKeys: "none", valueLengthMax: 255 };
const caller = { ThisDN: "8001", ThisDNRole: 2, PartyUUID: "Q1" };
const agent = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
const changed = "EventAttachedDataChanged";

function story(mapping: Partial<AttachedDataMapping>, given: { readonly role?: readonly string[] } = {}): Story {
  return new Story({ role: ["gcc", "gud"], attachedData: { ...none, ...mapping }, ...given });
}

const types = ["", "added", "deleted", "changed"];
const sources = ["", "userdata", "reasons", "extensions"];

/** "SEQ key type value @seconds by DN, before CSEQ". */
function told(of: Story, table: "G_USERDATA_HISTORY" | "G_SECURE_USERDATA_HISTORY" = "G_USERDATA_HISTORY"): string[] {
  return of.rows(table, "ID").map((row) => {
    const seconds = (Date.parse(row.ADDED ?? "") - Date.parse(at(0))) / 1000;
    return `${row.SEQ} ${row.KEYNAME} ${types[row.CHANGETYPE]} ${row.VALUE} @${seconds} by ${row.ENDPOINTDN}, before ${row.CSEQ}`;
  });
}

test("every change of a key with history all is a row: added, changed, deleted", () => {
  const s = story({ public: [["Segment", "userdata", "all"]] }).events(
    [0, "EventQueued", { ...caller, UserData: { Segment: "silver", Other: 1 } }],
    [2, "EventRinging", { ...agent, UserData: { Segment: "silver" } }],
    [3, "EventEstablished", agent],
    [4, changed, { ...agent, UserData: { Segment: "gold" } }],
    [5, changed, { ...agent, ThirdPartyDN: "9001", UserData: {} }],
    [6, changed, { ...agent, UserData: { Segment: "gold" } }],
  );
  expect(told(s)).toEqual([
    "1 Segment added silver @0 by 8001, before 2",
    "2 Segment changed gold @4 by 5001, before 4",
    "3 Segment deleted null @5 by 9001, before 4",
    "4 Segment added gold @6 by 5001, before 4",
  ]);
  const [first, , third, fourth] = s.rows("G_USERDATA_HISTORY", "ID");
  const party = (dn: string) => s.rows("G_PARTY", "ID").find((row) => row.ENDPOINTDN === dn)?.PARTYID;
  expect([first?.PARTYID, third?.PARTYID, fourth?.PARTYID]).toEqual([party("8001"), null, party("5001")]);
  expect(s.rows("G_SECURE_USERDATA_HISTORY", "ID")).toEqual([]);
});

test("what is missing from an event's UserData was deleted; an event without UserData says nothing", () => {
  const s = story({ otherKeys: "all" }).events(
    [0, "EventRinging", { ...agent, UserData: { a: "1", b: "2" } }],
    [1, "EventEstablished", agent],
    [2, "EventHeld", { ...agent, UserData: { b: "2" } }],
    [3, changed, agent],
  );
  expect(told(s)).toEqual([
    "1 a added 1 @0 by 5001, before 2",
    "2 b added 2 @0 by 5001, before 2",
    "3 a deleted null @2 by 5001, before 4",
    "4 b deleted null @3 by 5001, before 4",
  ]);
});

test("first keeps the first value, last the one that stands in the end, and each comes once", () => {
  const s = story({
    public: [
      ["f", "userdata", "first"],
      ["l", "userdata", "last"],
      ["gone", "userdata", "last"],
      ["no", "userdata", "none"],
    ],
    otherKeys: "all",
  }).events(
    [0, "EventRinging", { ...agent, UserData: { f: "1", l: "1", gone: "was here", no: "x" } }],
    [1, "EventEstablished", agent],
    [2, changed, { ...agent, UserData: { f: "2", l: "2", no: "y" } }],
    [3, changed, { ...agent, UserData: { l: "3" } }],
    [4, changed, { ...agent, UserData: { f: "4", l: "3" } }],
    [9, "EventReleased", agent],
  );
  expect(told(s)).toEqual(["1 f added 1 @0 by 5001, before 2"]);
  s.heartbeat(39);
  expect(told(s)).toEqual([
    "1 f added 1 @0 by 5001, before 2",
    "2 l changed 3 @3 by 5001, before 3",
    "3 gone added was here @0 by 5001, before 2",
  ]);
  expect(s.world.count("call data")).toBe(0);
});

test("what comes with a party's end is the party's, and stands before it", () => {
  const s = story({ public: [["k", "userdata", "all"]] }).events(
    [0, "EventRinging", agent],
    [5, "EventReleased", { ...agent, UserData: { k: "late" } }],
  );
  expect(told(s)).toEqual(["1 k added late @5 by 5001, before 2"]);
  const end = s.rows("G_PARTY_HISTORY", "PHID").at(-1);
  expect(end?.CSEQ).toBe(2);
});

test("with call-deletion-timeout 0 the last value is that of the call's last event", () => {
  const s = new Story({
    role: ["gud"],
    callDeletionTimeoutSeconds: 0,
    attachedData: { ...none, public: [["k", "userdata", "last"]] },
  }).events(
    [0, "EventRinging", { ...agent, UserData: { k: "1" } }],
    [5, "EventReleased", { ...agent, UserData: { k: "2" } }],
  );
  expect(told(s)).toEqual(["1 k changed 2 @5 by 5001, before 2"]);
});

test("Reasons and Extensions are an event's own: a key that the next event lacks was not deleted", () => {
  const s = story({
    public: [
      ["why", "reasons", "all"],
      ["trunk", "extensions", "all"],
      ["why", "userdata", "all"],
    ],
  }).events(
    [0, "EventRinging", { ...agent, Reasons: { why: "callback" }, Extensions: [{ key: "trunk", value: 7 }] }],
    [1, "EventEstablished", agent],
    [2, "EventHeld", { ...agent, Reasons: { why: "asks" }, Extensions: { trunk: "7" }, UserData: { why: "data" } }],
  );
  const rows = s.rows("G_USERDATA_HISTORY", "ID");
  expect(rows.map((row) => [row.KEYNAME, sources[row.KEYTYPE], types[row.CHANGETYPE], row.VALUE])).toEqual([
    ["why", "reasons", "added", "callback"],
    ["trunk", "extensions", "added", "7"],
    ["why", "userdata", "added", "data"],
    ["why", "reasons", "changed", "asks"],
  ]);
});

test("secure keys stand in the table of their own, counted by themselves, and in the other only if they are mapped there", () => {
  const s = story({
    public: [["both", "userdata", "first"]],
    secure: [
      ["pin", "userdata", "all"],
      ["both", "userdata", "all"],
    ],
  }).events(
    [0, "EventRinging", { ...agent, UserData: { pin: "1234", both: "x" } }],
    [1, changed, { ...agent, UserData: { pin: "5678", both: "y" } }],
  );
  expect(told(s)).toEqual(["1 both added x @0 by 5001, before 2"]);
  expect(told(s, "G_SECURE_USERDATA_HISTORY").map((each) => each.slice(0, 22))).toEqual([
    "1 pin added 1234 @0 by",
    "2 both added x @0 by 5",
    "3 pin changed 5678 @1 ",
    "4 both changed y @1 by",
  ]);
});

test("keys with columns of their own are one row a call, under the id of the call's own row", () => {
  const s = story({
    columns: [
      ["Segment", "userdata", "first", "G_CALL_USERDATA", "G_CUSTOMER_SEGMENT"],
      ["Segment", "userdata", "last", "G_CALL_USERDATA_CUST1", "CUST_DATA_16"],
      ["Id", "extensions", "last", "G_CALL_USERDATA", "CUSTOMER_ID"],
    ],
  }).events(
    [0, "EventRinging", { ...agent, UserData: { Segment: "silver" } }],
    [1, changed, { ...agent, UserData: { Segment: "gold" }, Extensions: { Id: "4711" } }],
    [2, changed, { ...agent, UserData: {} }],
  );
  const [call] = s.rows("G_CALL", "ID");
  expect(s.rows("G_CALL_USERDATA", "ID")).toMatchObject([
    { ID: call?.ID, CALLID: "C1", G_CUSTOMER_SEGMENT: "silver", CUSTOMER_ID: "4711" },
  ]);
  expect(s.rows("G_CALL_USERDATA_CUST1", "ID")).toMatchObject([{ ID: call?.ID, CALLID: "C1", CUST_DATA_16: "gold" }]);
  expect(s.rows("G_USERDATA_HISTORY", "ID")).toEqual([]);
});

test("a value is cut to the length at a character's border; a change beyond the cut is none", () => {
  const s = story({ otherKeys: "all", valueLengthMax: 3 }).events(
    [0, "EventRinging", { ...agent, UserData: { a: "😀😀😀😀", b: "abc" } }],
    [1, changed, { ...agent, UserData: { a: "😀😀😀!", b: "abcd" } }],
  );
  expect(told(s)).toEqual(["1 a added 😀😀😀 @0 by 5001, before 2", "2 b added abc @0 by 5001, before 2"]);
  expect(s.rows("ICON_COUNTER", "NAME")).toMatchObject([{ NAME: "value of attached data cut", VALUE: 1 }]);
});

test("a number is stored in digits, a list in the list as a JSON object, however the server writes it", () => {
  const s = story({ otherKeys: "all" }).events(
    [0, "EventRinging", { ...agent, UserData: { n: 7, t: true, list: { b: { c: 1 }, a: "ä" } } }],
    [
      1,
      changed,
      {
        ...agent,
        UserData: [
          { key: "n", type: "int", value: 7 },
          { key: "t", value: "true" },
          {
            key: "list",
            type: "list",
            value: [
              { key: "a", value: "ä" },
              { key: "b", value: [{ key: "c", value: 1 }] },
            ],
          },
          { key: "n", type: "int", value: 8 },
        ],
      },
    ],
  );
  expect(s.rows("G_USERDATA_HISTORY", "ID").map((row) => [row.KEYNAME, row.VALUE])).toEqual([
    ["n", "7"],
    ["t", "true"],
    ["list", '{"a":"ä","b":{"c":1}}'],
  ]);
  expect(s.rows("ICON_COUNTER", "NAME")).toMatchObject([
    { NAME: "key of attached data that is there twice", VALUE: 1 },
  ]);
});

test("keys that every object has are keys like any other, and a list that goes very deep is cut off", () => {
  let deep: unknown = "x";
  for (let depth = 0; depth < 500; depth++) deep = { deep };
  const s = story({ otherKeys: "all", valueLengthMax: 1000 });
  s.line(
    `{"id":"EventRinging","EventSequenceNumber":1,"time":${Date.parse(at(0)) / 1000},"ConnID":"01","CallUUID":"C1","ThisDN":"5001","ThisDNRole":2,` +
      `"UserData":{"__proto__":"p","constructor":"c","deep":${JSON.stringify(deep)}}}`,
  );
  expect(s.rows("G_USERDATA_HISTORY", "ID").map((row) => [row.KEYNAME, row.VALUE?.slice(-20)])).toEqual([
    ["__proto__", "p"],
    ["constructor", "c"],
    ["deep", `${'"…"'}${"}".repeat(16)}`.padStart(20, ":").slice(-20)],
  ]);
});

test("what is no list of pairs, and what is of no call that is known, is counted and left out", () => {
  const s = story({ otherKeys: "all" }).events(
    [0, changed, { ...agent, UserData: { a: "1" } }],
    [1, "EventRinging", { ...agent, UserData: "a=1" }],
    [2, "EventUserEvent", { ...agent, UserData: { mine: "1" } }],
  );
  expect(s.rows("G_USERDATA_HISTORY", "ID")).toEqual([]);
  expect(s.rows("ICON_COUNTER", "NAME")).toMatchObject([
    { NAME: "attached data of an unknown call", VALUE: 1 },
    { NAME: "attached data that is no list of pairs", VALUE: 1 },
  ]);
});

test("a column holds 255 characters of a value that the histories have in full, and that is counted", () => {
  const s = story({
    valueLengthMax: 1000,
    public: [["Segment", "userdata", "all"]],
    columns: [["Segment", "userdata", "last", "G_CALL_USERDATA", "G_CUSTOMER_SEGMENT"]],
  }).events([0, "EventRinging", { ...agent, UserData: { Segment: "x".repeat(300) } }]);
  expect(s.rows("G_USERDATA_HISTORY", "ID").map(({ VALUE }) => VALUE?.length)).toEqual([300]);
  expect(s.rows("G_CALL_USERDATA", "ID").map((row) => row.G_CUSTOMER_SEGMENT?.length)).toEqual([255]);
  expect(s.rows("ICON_COUNTER", "NAME")).toMatchObject([{ NAME: "column of attached data cut", VALUE: 1 }]);
});

test("a call has 1000 keys at most; what is beyond is counted, and what is known goes on", () => {
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`k${index}`, "1"]));
  const s = story({ otherKeys: "all" }).events(
    [0, "EventRinging", { ...agent, UserData: many }],
    [1, changed, { ...agent, UserData: { ...many, k0: "2" } }],
  );
  expect(s.rows("G_USERDATA_HISTORY", "ID").length).toBe(1001);
  expect(s.rows("ICON_COUNTER", "NAME")).toMatchObject([{ NAME: "key of attached data beyond the bound", VALUE: 2 }]);
});

test("a changed mapping holds from its mark on; what was stored stays", () => {
  const s = story({ public: [["a", "userdata", "all"]] }).events([
    0,
    "EventRinging",
    { ...agent, UserData: { a: "1", b: "1" } },
  ]);
  s.reload({ role: ["gcc", "gud"], attachedData: { ...none, public: [["b", "userdata", "all"]] } });
  s.events([1, changed, { ...agent, UserData: { a: "2", b: "1" } }]);
  expect(told(s)).toEqual(["1 a added 1 @0 by 5001, before 2", "2 b added 1 @1 by 5001, before 2"]);
  s.reload({ role: ["gcc", "gud"] });
  s.events([2, changed, { ...agent, UserData: { a: "3", b: "3" } }]);
  expect(told(s).length).toBe(2);
});

test("a snapshot tells what is attached now, and not who attached it", () => {
  const s = story({ otherKeys: "all" }).events([0, "EventRinging", { ...agent, UserData: { a: "1", b: "1" } }]);
  s.close("connection lost").wait(20).open();
  s.snapshot(9, [5, "EventEstablished", { ...agent, UserData: { a: "2" } }]);
  expect(told(s).slice(2)).toEqual(["3 b deleted null @20 by null, before 3", "4 a changed 2 @20 by null, before 3"]);
});

test("data of a call that has a CallUUID is found by its ConnID alone", () => {
  const s = story({ otherKeys: "all" }).events(
    [0, "EventRinging", agent],
    [1, changed, { ...agent, CallUUID: undefined, UserData: { a: "1" } }],
  );
  expect(told(s)).toEqual(["1 a added 1 @1 by 5001, before 2"]);
});

test("without role gud nothing of it is stored; with it alone, nothing else", () => {
  const mapping = { otherKeys: "all", columns: [["a", "userdata", "last", "G_CALL_USERDATA", "ACCOUNT_ID"]] } as const;
  const events = (s: Story) => s.events([0, "EventRinging", { ...agent, UserData: { a: "1", b: "2" } }]);
  const without = events(story(mapping, { role: ["gcc"] }));
  expect(without.rows("G_USERDATA_HISTORY", "ID")).toEqual([]);
  const alone = events(story(mapping, { role: ["gud"] }));
  expect(told(alone)).toEqual(["1 b added 2 @0 by 5001, before 2"]);
  expect(alone.rows("G_CALL_USERDATA", "ID")).toMatchObject([{ CALLID: "C1", ACCOUNT_ID: "1" }]);
  expect(alone.rows("G_CALL", "ID")).toEqual([]);
});
