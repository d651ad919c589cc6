import { expect, test } from "bun:test";
import { virtualQueueCauses, virtualQueueStatuses } from "../../schema/dictionary.ts";
import { stepBegunFromState } from "../../src/projection/projection.ts";
import { Story, startMs } from "../harness/story.ts";

const caller = { ANI: "4155550100", DNIS: "0800123456", CallType: 2 };
const point = { ThisDN: "9001", ThisDNRole: 2, PartyUUID: "R1", ThisQueue: "9001" };
const sales = { ThisDN: "VQ_Sales", ThisQueue: "VQ_Sales", Extensions: { VQID: "N6NKOJ01", NAME: "URS76" } };
const gold = { ThisDN: "VQ_Gold", ThisQueue: "VQ_Gold", Extensions: [{ key: "VQID", type: "str", value: "N6NKOJ02" }] };
const toAnna = { ThirdPartyDN: "6001", ThirdPartyDNRole: 2 };

const arrived = (options = {}, role = ["gcc"]) =>
  new Story({ options, role }).events([0, "EventQueued", { ...caller, ...point }]);

const secondsOf = (text: string | null | undefined) => (text == null ? "…" : (Date.parse(text) - startMs) / 1000);
const causes = new Map<unknown, string>(Object.entries(virtualQueueCauses).map(([word, value]) => [value, word]));

/** Each stay as "DN on CALLID: from – to, cause, distributed as CALLID". */
function stays(story: Story): string[] {
  return story.rows("G_VIRTUAL_QUEUE", "ID").map((row) => {
    expect(row.STATUS).toBe(row.TERMINATED == null ? virtualQueueStatuses.waiting : virtualQueueStatuses.left);
    const to = row.DISTCALLID == null ? "" : `, distributed as ${row.DISTCALLID}`;
    const cause = row.CAUSE == null ? "" : `, ${causes.get(row.CAUSE)}`;
    return `${row.ENDPOINTDN} on ${row.CALLID}: ${secondsOf(row.CREATED)} – ${secondsOf(row.TERMINATED)}${cause}${to}`;
  });
}

test("a call waits in a virtual queue until it is sent to a target out of it; it is no party there", () => {
  const story = arrived().events([1, "EventQueued", sales]);
  expect(stays(story)).toEqual(["VQ_Sales on C1: 1 – …"]);
  story.events([6, "EventDiverted", { ...sales, ...toAnna }]);
  expect(stays(story)).toEqual(["VQ_Sales on C1: 1 – 6, normal, distributed as C1"]);
  expect(story.rows("G_VIRTUAL_QUEUE", "ID")).toMatchObject([{ VQID: "N6NKOJ01", ENDPOINTDN: "VQ_Sales" }]);
  expect(story.parties()).toEqual(["9001: queued 0 | …"]);
});

test("a call that leaves one of several virtual queues without a target was not distributed from it", () => {
  const story = arrived().events(
    [1, "EventQueued", sales],
    [2, "EventQueued", gold],
    [6, "EventDiverted", sales],
    [8, "EventAbandoned", gold],
  );
  expect(stays(story)).toEqual(["VQ_Sales on C1: 1 – 6, normal", "VQ_Gold on C1: 2 – 8, abandoned"]);
});

test("what is said twice, or ends without having begun, changes nothing", () => {
  const story = arrived().events([1, "EventQueued", sales], [2, "EventQueued", sales], [3, "EventDiverted", gold]);
  expect(stays(story)).toEqual(["VQ_Sales on C1: 1 – …"]);
  expect(story.rows("ICON_COUNTER", "NAME")).toContainEqual(
    expect.objectContaining({ NAME: "ending of an unknown stay in a virtual queue", VALUE: 1 }),
  );
});

test("an ending that leaves out VQID ends the stay in that queue; a second stay there is another one", () => {
  const { Extensions: _vqid, ...nameless } = sales;
  const story = arrived({ virtualQueues: ["VQ_*"] }).events(
    [1, "EventQueued", sales],
    [5, "EventDiverted", nameless],
    [7, "EventQueued", nameless],
    [9, "EventDiverted", nameless],
    [10, "EventQueued", sales],
  );
  expect(stays(story)).toEqual([
    "VQ_Sales on C1: 1 – 5, normal",
    "VQ_Sales on C1: 7 – 9, normal",
    "VQ_Sales on C1: 10 – …",
  ]);
  const keys = story.rows("G_VIRTUAL_QUEUE", "ID").map(({ VQUEUEID }) => VQUEUEID);
  expect(new Set(keys).size).toBe(3);
});

test("DNs that the configuration names are virtual queues; their other events are nobody's", () => {
  const named = { ThisDN: "Rückruf (Nord)", ThisQueue: "Rückruf (Nord)" };
  const story = arrived({ virtualQueues: ["VQ_*", "*(Nord)"] }).events(
    [1, "EventQueued", named],
    [3, "EventEstablished", named],
    [4, "EventDiverted", { ...named, ...toAnna }],
  );
  expect(stays(story)).toEqual(["Rückruf (Nord) on C1: 1 – 4, normal, distributed as C1"]);
  expect(story.parties()).toEqual(["9001: queued 0 | …"]);
  const other = arrived({ virtualQueues: ["VQ_*", "*(Nord)"] }).events([1, "EventQueued", { ThisDN: "xVQ_1" }]);
  expect(stays(other)).toEqual([]);
  expect(other.parties()).toEqual(["9001: queued 0 | …", "xVQ_1: queued 1 | …"]);
});

test("an agent's phone that rings with VQID rings all the same", () => {
  const anna = { ThisDN: "6001", ThisDNRole: 2, PartyUUID: "A1", Extensions: { VQID: "N6NKOJ01" } };
  expect(arrived().events([4, "EventRinging", anna]).parties()).toContain("6001: alerting 4 | …");
});

test("a stay may end after its call, until the call's ending is written; then it ended with the call", () => {
  const over = () => arrived().events([1, "EventQueued", sales], [9, "EventAbandoned", point]);
  expect(stays(over().events([12, "EventAbandoned", sales]))).toEqual(["VQ_Sales on C1: 1 – 12, abandoned"]);
  const story = over().heartbeat(60);
  expect(stays(story)).toEqual(["VQ_Sales on C1: 1 – 9, notSeen"]);
  expect(story.doubts()).toEqual([]);
  expect(story.world.all("virtual queue")).toEqual([]);
});

test("a stay on a switch that knows nothing else of the call is kept, and makes no call", () => {
  const story = new Story().events([1, "EventQueued", { ...sales, CallUUID: "C9", ConnID: "09" }]);
  expect(stays(story)).toEqual(["VQ_Sales on C9: 1 – …"]);
  story.events([6, "EventDiverted", { ...sales, CallUUID: "C9", ConnID: "09" }]);
  expect(stays(story)).toEqual(["VQ_Sales on C9: 1 – 6, normal"]);
  expect(story.rows("G_CALL", "ID")).toEqual([]);
  expect(story.world.all("virtual queue")).toEqual([]);
});

test("a consultation that waits in a virtual queue goes on waiting as the caller's call, once it is that", () => {
  const consultation = { ConnID: "02", CallUUID: "C2", CallType: 4, PreviousConnID: "01" };
  const anna = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
  const asked = { ...consultation, ThisDN: "9001", ThisDNRole: 2, PartyUUID: "R2" };
  const story = new Story().events(
    [0, "EventRinging", { ...caller, ...anna }],
    [1, "EventEstablished", anna],
    [5, "EventHeld", anna],
    [5, "EventQueued", asked],
    [6, "EventQueued", { ...consultation, ...sales }],
    [8, "EventReleased", { ...anna, CallState: 1 }],
    [8, "EventPartyChanged", { ...asked, ConnID: "01", CallUUID: "C1", PreviousConnID: "02", CallState: 1 }],
    [20, "EventDiverted", { ...sales, ...toAnna }],
  );
  expect(stays(story)).toEqual(["VQ_Sales on C2: 6 – 20, normal, distributed as C1"]);
});

test("a snapshot names the stays that go on; what it does not name ended meanwhile, within bounds and marked", () => {
  const story = arrived().events([1, "EventQueued", sales], [2, "EventQueued", gold]).heartbeat(5);
  const origin = { run: "run-1", seq: 9, time: startMs / 1000 + 7 };
  story
    .close("connection lost")
    .open()
    .snapshot(
      20,
      [0, "EventQueued", { ...caller, ...point }],
      [2, "EventQueued", gold],
      [7, "EventQueued", { ...sales, ThisDN: "VQ_New", Extensions: { VQID: "N6NKOJ03" }, origin }],
    );
  expect(stays(story)).toEqual(["VQ_Sales on C1: 1 – 5, notSeen", "VQ_Gold on C1: 2 – …", "VQ_New on C1: 7 – …"]);
  expect(story.doubts()).toEqual([
    "G_VIRTUAL_QUEUE: beginning not seen, found in snapshot, 7–7",
    "G_VIRTUAL_QUEUE: end not seen, link down, 5–7",
  ]);
});

test("both instances of a pair give a stay the same key, also when one found it in a snapshot", () => {
  const { Extensions: _vqid, ...nameless } = sales;
  const options = { virtualQueues: ["VQ_*"] };
  const heard = arrived(options).events([1, "EventQueued", sales], [2, "EventQueued", { ...nameless, ThisDN: "VQ_2" }]);
  const origin = { run: "run-1", seq: 3, time: startMs / 1000 + 2 };
  const found = new Story({ options }).snapshot(
    3,
    [0, "EventQueued", { ...caller, ...point }],
    [1, "EventQueued", sales],
    [2, "EventQueued", { ...nameless, ThisDN: "VQ_2", origin }],
  );
  const keys = (story: Story) => story.rows("G_VIRTUAL_QUEUE", "ID").map(({ VQUEUEID }) => VQUEUEID);
  expect(keys(found)).toEqual(keys(heard));
  const unknown = new Story({ options }).snapshot(3, [2, "EventQueued", { ...nameless, ThisDN: "VQ_2" }]);
  expect(unknown.doubts()).toContain("G_VIRTUAL_QUEUE: key is local, null, ?–?");
});

test("a call of a missed end takes its stays along, within the same bounds", () => {
  const story = arrived().events([1, "EventQueued", sales]).heartbeat(5);
  story.close("connection lost").open().snapshot(20);
  expect(stays(story)).toEqual(["VQ_Sales on C1: 1 – 5, notSeen"]);
  expect(story.doubts().filter((doubt) => doubt.startsWith("G_VIRTUAL_QUEUE"))).toHaveLength(1);
});

test("a server that never ends stays fills no memory", () => {
  const story = arrived();
  for (let stay = 0; stay < 70; stay += 1) {
    story.events([stay, "EventQueued", { ...sales, Extensions: { VQID: `V${stay}` }, ThisDN: `VQ_${stay}` }]);
  }
  expect(stays(story)).toHaveLength(64);
});

test("in an IDB that begins in the middle, a stay that goes on has its row", () => {
  const story = arrived().events([1, "EventQueued", sales], [2, "EventQueued", gold], [3, "EventDiverted", gold]);
  const before = story.world.written.length;
  stepBegunFromState(story.world, { windowSeconds: 60 }, 9n);
  const again = story.world.written.slice(before).filter(({ table }) => table === "G_VIRTUAL_QUEUE");
  expect(again).toMatchObject([{ row: { ENDPOINTDN: "VQ_Sales", TERMINATED: null, STATUS: 1 } }]);
});
