// Calls that go on at another site: their links, and the interaction records that become one hierarchy.

import { describe, expect, test } from "bun:test";
import { batchedRows } from "../harness/batched-rows.ts";
import { fromNorth, goneOn, handedOver, linkTo, SitesStory, toSouth } from "../harness/sites-story.ts";

test("both ends of a link have their rows, and the record of the call that came has the other's as its parent", () => {
  const story = goneOn();
  expect(story.links()).toEqual(["L1 N1 2>South 1 0 15–…", "L1 S1 3>North 1 0 16–…"]);
  // At once: whoever looks while the call goes on sees where it came from.
  expect(story.joined()).toEqual({ N1: { parent: null, root: "N1" }, S1: { parent: "N1", root: "N1" } });
  story.heartbeats(200);
  expect(story.links()).toEqual(["L1 N1 2>South 1 1 15–20", "L1 S1 3>North 1 1 16–60"]);
  expect(story.linkHistory()).toEqual(["L1 1 1 1 N1< 15", "L1 1 1 1 S1< 16", "L1 2 3 2 N1< 20", "L1 2 3 2 S1< 60"]);
  expect(story.joined()).toEqual({ N1: { parent: null, root: "N1" }, S1: { parent: "N1", root: "N1" } });
  const records = story.rows("G_IR", "ID").map(({ ROOTCALLID, STATE }) => [ROOTCALLID, STATE]);
  expect(records).toEqual([
    ["N1", 2],
    ["S1", 2],
  ]);
  expect(story.counters()).toEqual({});
});

test("a link's row says by which event it was told last", () => {
  const [north, south] = goneOn().rows("G_IS_LINK", "ID");
  expect([north?.GSYS_EXT_VCH1, south?.GSYS_EXT_VCH1]).toEqual(["4", "1"]);
  expect(north?.LASTCHANGE).toBe(north?.INITIATED ?? "");
});

test("nothing is remembered once all is settled", () => {
  const { world } = goneOn().heartbeats(200);
  expect([world.count("inter-site link"), world.count("linked call"), world.count("call")]).toEqual([0, 0, 0]);
});

describe("it comes to the same", () => {
  const joined = { N1: { parent: null, root: "N1" }, S1: { parent: "N1", root: "N1" } };

  test("when the partner is told first", () => {
    const story = new SitesStory()
      .whole("south", "S1", 16, 60, fromNorth)
      .whole("north", "N1", 0, 20, toSouth)
      .heartbeats(200);
    expect(story.joined()).toEqual(joined);
    expect(story.links()).toEqual(["L1 S1 3>North 1 1 16–60", "L1 N1 2>South 1 1 0–20"]);
  });

  test("when the call that came has long ended before the other site is heard", () => {
    const story = new SitesStory().whole("south", "S1", 16, 60, fromNorth).heartbeat("south", 300);
    expect(story.links()).toEqual(["L1 S1 3>North 1 0 16–60"]);
    expect(story.joined()).toEqual({ S1: { parent: null, root: "S1" } });
    story.whole("north", "N1", 0, 20, toSouth).heartbeats(400);
    expect(story.joined()).toEqual({ ...joined });
    const [call] = story.rows("G_CALL", "ID");
    expect(call).toMatchObject({ CALLID: "S1", GSYS_DOMAIN: 1002 });
    expect(call?.TERMINATED).not.toBeNull();
  });

  test("when neither end says which of them it is: the one told of first is where it came from", () => {
    for (const type of ["bidirectional", "unidirectional"]) {
      const story = new SitesStory()
        .whole("south", "S1", 16, 60, linkTo("L1", "North", type))
        .whole("north", "N1", 5, 20, linkTo("L1", "South", type))
        .heartbeats(200);
      expect(story.joined()).toEqual(joined);
    }
  });
});

describe("over three sites", () => {
  const sites = ["north", "south", "west"] as const;
  const toWest = {
    ISLinkList: { L1: { location: "North", type: "target" }, L2: { location: "West", type: "source" } },
  };
  const fromSouth = linkTo("L2", "South", "target");

  const told = {
    north: (story: SitesStory) => story.whole("north", "N1", 0, 20, toSouth),
    south: (story: SitesStory) =>
      story
        .call("south", "S1", [16, "EventCallCreated", fromNorth], [16, "EventRinging"])
        .call("south", "S1", [40, "EventCallDataChanged", toWest], [50, "EventReleased"], [50, "EventCallDeleted"]),
    west: (story: SitesStory) => story.whole("west", "W1", 41, 90, fromSouth),
  };
  const orders = sites.flatMap((one) =>
    sites
      .filter((other) => other !== one)
      .map((other) => [one, other, sites.find((each) => each !== one && each !== other) ?? one] as const),
  );

  test.each(orders)("the way of a call is one hierarchy, told in the order %s, %s, %s", (first, second, third) => {
    const story = new SitesStory({ sites });
    for (const site of [first, second, third]) told[site](story).heartbeat(site, 130);
    story.heartbeats(200);
    expect(story.joined()).toMatchObject({
      N1: { parent: null, root: "N1" },
      S1: { parent: "N1", root: "N1" },
      W1: { parent: "S1", root: "N1" },
    });
    expect(story.rows("G_IS_LINK", "ID").map(({ MERGESTATE }) => MERGESTATE)).toEqual([1, 1, 1, 1]);
    expect(story.world.count("inter-site link")).toBe(0);
  });

  test("a call that comes back to the first site is a third call there", () => {
    const back = {
      ISLinkList: { L1: { location: "North", type: "target" }, L2: { location: "North", type: "source" } },
    };
    const story = new SitesStory()
      .whole("north", "N1", 0, 20, toSouth)
      .call("south", "S1", [16, "EventRinging", fromNorth], [40, "EventEstablished", back], [50, "EventReleased"])
      .whole("north", "N2", 41, 90, fromSouth)
      .heartbeats(200);
    expect(story.joined()).toEqual({
      N1: { parent: null, root: "N1" },
      S1: { parent: "N1", root: "N1" },
      N2: { parent: "S1", root: "N1" },
    });
  });

  test("links in a circle leave the record that was first without a parent", () => {
    const circle = (from: string, to: string) => ({
      ISLinkList: { [from]: { type: "source" }, [to]: { type: "target" } },
    });
    const story = new SitesStory()
      .whole("north", "N1", 0, 20, circle("L1", "L2"))
      .whole("south", "S1", 16, 60, circle("L2", "L1"))
      .heartbeats(200);
    const parents = Object.values(story.joined()).map(({ parent }) => parent);
    expect(parents.filter((parent) => parent === null)).toHaveLength(1);
    expect(story.world.count("inter-site link")).toBe(0);
  });
});

describe("a partner that does not come", () => {
  test("is waited for so long, by the clock of the end that waits", () => {
    const story = new SitesStory({ linkTimeoutSeconds: 100 }).whole("north", "N1", 0, 20, toSouth);
    story.heartbeat("south", 500).heartbeat("north", 99);
    expect(story.links()).toEqual(["L1 N1 2>South 1 0 0–20"]);
    story.heartbeat("north", 100);
    expect(story.links()).toEqual(["L1 N1 2>South 1 3 0–20"]);
    expect(story.world.count("inter-site link")).toBe(0);
  });

  test("is taken after all while the call goes on", () => {
    const story = new SitesStory({ linkTimeoutSeconds: 100 })
      .call("north", "N1", [0, "EventRinging", toSouth], [2, "EventEstablished"])
      .heartbeats(150);
    expect(story.links()).toEqual(["L1 N1 2>South 1 3 0–…"]);
    story.whole("south", "S1", 160, 170, fromNorth).call("north", "N1", [180, "EventReleased"]).heartbeats(300);
    expect(story.links()).toEqual(["L1 N1 2>South 1 1 0–180", "L1 S1 3>North 1 1 160–170"]);
    expect(story.joined()["S1"]).toEqual({ parent: "N1", root: "N1" });
  });

  test("is not waited for at a switch that remote-locations names", () => {
    const story = new SitesStory({ remoteLocations: ["East"] })
      .whole("north", "N1", 0, 20, linkTo("L9", "East", "source"))
      .heartbeats(60);
    expect(story.links()).toEqual(["L9 N1 2>East 3 2 0–20"]);
    expect(story.linkHistory()[0]).toBe("L9 1 1 3 N1< 0");
    expect(story.world.count("inter-site link")).toBe(0);
    expect(story.rows("GSYS_DNPREMOTELOCATION", "ID")).toEqual([{ ID: 1, REMOTELOCATION: "East" }]);
  });

  test("is no longer waited for once the configuration names its switch, and the table is what the configuration says", () => {
    const story = new SitesStory({ remoteLocations: ["East", "Far"] })
      .whole("north", "N1", 0, 20, toSouth)
      .heartbeats(60);
    story.reload({ remoteLocations: ["South"] });
    expect(story.links()).toEqual(["L1 N1 2>South 3 2 0–20"]);
    expect(story.rows("GSYS_DNPREMOTELOCATION", "ID")[0]).toEqual({ ID: 1, REMOTELOCATION: "South" });
    expect(story.world.erased).toContainEqual({ table: "GSYS_DNPREMOTELOCATION", id: 2 });
  });

  test("is waited for another while when the configuration says so", () => {
    const story = new SitesStory({ linkTimeoutSeconds: 1000 }).whole("north", "N1", 0, 20, toSouth).heartbeats(60);
    story.reload({ linkTimeoutSeconds: 70 }).heartbeats(69);
    expect(story.links()).toEqual(["L1 N1 2>South 1 0 0–20"]);
    expect(story.heartbeats(70).links()).toEqual(["L1 N1 2>South 1 3 0–20"]);
  });
});

describe("a link", () => {
  test("goes on with the call into which its call is merged", () => {
    const story = handedOver().heartbeats(200);
    expect(story.links()).toEqual(["L1 N1 2>South 1 1 10–60", "L1 S1 3>North 1 1 11–60"]);
    expect(story.linkHistory().filter((each) => !each.includes(" S1<"))).toEqual([
      "L1 1 1 1 N2< 10",
      "L1 2 2 1 N1<N2 20",
      "L1 3 3 2 N1< 60",
    ]);
    expect(story.joined()).toEqual({
      N1: { parent: null, root: "N1" },
      N2: { parent: "N1", root: "N1" },
      S1: { parent: "N1", root: "N1" },
    });
    expect(story.rows("G_CALL", "ID").find(({ CALLID }) => CALLID === "N2")).toMatchObject({
      MERGECALLID: "N1",
      MERGETYPE: 1,
    });
  });

  test("is not taken back by what is still said of a call that was merged", () => {
    const story = new SitesStory()
      .call("north", "N1", [0, "EventCallCreated"], [0, "EventRinging"], [2, "EventEstablished"])
      .call("north", "N2", [10, "EventCallCreated", { CallType: 4, PreviousConnID: "0N1" }])
      .call("north", "N2", [10, "EventDialing", { PartyUUID: "A2", ...toSouth }])
      .call("north", "N2", [20, "EventCallDeleted", { RefCallUUID: "N1", ...toSouth }]);
    expect(story.links()).toEqual(["L1 N1 2>South 1 0 10–…"]);
    story.call("north", "N2", [
      21,
      "EventTransactionStatus",
      { Extensions: { "iscc.is-link-creation": 1 }, ...toSouth },
    ]);
    expect(story.links()).toEqual(["L1 N1 2>South 1 0 10–…"]);
  });

  test("that arrives at a consultation leads to the call with which that is merged", () => {
    const moved = { ThisDN: "5002", PartyUUID: "B", PreviousConnID: "0S1", CallState: 1 };
    const story = new SitesStory()
      .whole("north", "N1", 0, 20, toSouth)
      .call("south", "S2", [5, "EventRinging"], [6, "EventEstablished"])
      .call(
        "south",
        "S1",
        [16, "EventCallCreated", fromNorth],
        [16, "EventRinging", { ThisDN: "5002", PartyUUID: "B" }],
      )
      .call("south", "S2", [30, "EventPartyChanged", moved])
      .call("south", "S1", [31, "EventCallDeleted"])
      .call("south", "S2", [50, "EventReleased"], [50, "EventReleased", { ThisDN: "5002", PartyUUID: "B" }])
      .heartbeats(200);
    expect(story.joined()).toMatchObject({
      S1: { parent: "S2", root: "S2" },
      S2: { parent: "N1", root: "N1" },
    });
    expect(story.links().at(-1)).toBe("L1 S2 3>North 1 1 16–50");
  });

  test("that its call's list no longer has is deleted; without a list nothing is said", () => {
    const story = new SitesStory().call(
      ...(["north", "N1"] as const),
      [0, "EventRinging", toSouth],
      [1, "EventEstablished"],
      [5, "EventCallDataChanged", { ISLinkList: {} }],
    );
    expect(story.links()).toEqual(["L1 N1 2>South 1 0 0–5"]);
    story.call("north", "N1", [8, "EventCallDataChanged", toSouth]);
    expect(story.linkHistory()).toEqual(["L1 1 1 1 N1< 0", "L1 2 3 2 N1< 5", "L1 3 1 1 N1< 8"]);
    expect(story.links()).toEqual(["L1 N1 2>South 1 0 0–…"]);
  });

  test("between two calls of one switch joins them too", () => {
    const story = new SitesStory()
      .whole("north", "N1", 0, 20, linkTo("L1", "North", "source"))
      .whole("north", "N2", 15, 40, linkTo("L1", "North", "target"))
      .heartbeats(200);
    expect(story.joined()["N2"]).toEqual({ parent: "N1", root: "N1" });
    expect(story.world.count("inter-site link")).toBe(0);
  });

  test("has two ends: a third is counted and left out", () => {
    const story = new SitesStory({ sites: ["north", "south", "west"] })
      .whole("north", "N1", 0, 20, toSouth)
      .whole("south", "S1", 16, 60, fromNorth)
      .whole("west", "W1", 17, 60, fromNorth);
    expect(story.links()).toHaveLength(2);
    expect(story.counters()).toEqual({ "west: link with more than two ends": 1 });
  });

  test("is at a call that took another's place at the same end, though nobody told that they were merged", () => {
    const story = new SitesStory()
      .call("north", "N1", [0, "EventRinging", toSouth])
      .call("north", "N3", [5, "EventRinging", toSouth]);
    expect(story.links()).toEqual(["L1 N3 2>South 1 0 0–…"]);
    expect(story.linkHistory()).toEqual(["L1 1 1 1 N1< 0", "L1 2 2 1 N3<N1 5"]);
  });
});

describe("news of a link after its call has ended", () => {
  const created = { Extensions: { "iscc.is-link-creation": "completed" }, ...toSouth };

  test("is stored, and joins what goes on elsewhere", () => {
    const story = new SitesStory()
      .whole("north", "N1", 0, 20)
      .heartbeat("north", 100)
      .call("north", "N1", [101, "EventTransactionStatus", created]);
    expect(story.world.get("call", "N1")).toBeUndefined();
    story.whole("south", "S1", 102, 130, fromNorth).heartbeats(300);
    expect(story.links()).toEqual(["L1 N1 2>South 1 1 101–101", "L1 S1 3>North 1 1 102–130"]);
    expect(story.joined()).toEqual({ N1: { parent: null, root: "N1" }, S1: { parent: "N1", root: "N1" } });
  });

  test("finds the call by its ConnID while that is remembered", () => {
    const story = new SitesStory()
      .whole("north", "N1", 0, 20)
      .call("north", "N1", [21, "EventTransactionStatus", { ...created, CallUUID: null }]);
    expect(story.links()).toEqual(["L1 N1 2>South 1 0 21–…"]);
  });

  test("adds to the links that there are, and says nothing when no link was made", () => {
    const failed = {
      Extensions: [{ key: "iscc.is-link-creation", value: "terminated" }],
      ...linkTo("L3", "West", "source"),
    };
    const other = { Extensions: { "iscc.transaction": "completed" }, ...linkTo("L4", "West", "source") };
    const story = new SitesStory().call(
      ...(["north", "N1"] as const),
      [0, "EventRinging", toSouth],
      [1, "EventTransactionStatus", failed],
      [1, "EventTransactionStatus", other],
      [2, "EventTransactionStatus", { Extensions: { ...created.Extensions, ISLinkList: { L2: "West" } } }],
      [3, "EventTransactionStatus", { Extensions: created.Extensions }],
    );
    expect(story.links()).toEqual(["L1 N1 2>South 1 0 0–…", "L2 N1 0>West 1 0 2–…"]);
    expect(story.counters()).toEqual({ "north: link without an id": 1 });
  });
});

test("what a list holds that is no link is counted, and costs the event nothing else", () => {
  const odd = { ISLinkList: [{ linkId: "L1", type: "sideways", location: 7 }, { location: "South" }, 5, ""] };
  const story = new SitesStory().call("north", "N1", [0, "EventRinging", toSouth], [1, "EventEstablished", odd]);
  expect(story.rows("G_PARTY", "ID")).toMatchObject([{ STATE: 3 }]);
  expect(story.links()).toEqual(["L1 N1 2>South 1 0 0–…"]);
  expect(story.counters()).toEqual({ "north: link of an unknown type": 1, "north: link without an id": 3 });
});

describe("a site that was away", () => {
  test("tells its links in the snapshot", () => {
    const story = new SitesStory()
      .whole("north", "N1", 0, 20, toSouth)
      .line("south", { snapshot: "begin" })
      .line("south", {
        ...{ id: "EventEstablished", snapshot: true, time: 1795420816, ConnID: "0S1", CallUUID: "S1" },
        ...{ ThisDN: "5001", ThisDNRole: 2, PartyUUID: "P", ...fromNorth },
      })
      .line("south", { snapshot: "end", lastSeq: 0 });
    expect(story.links().at(-1)).toMatch(/^L1 S1 3>North 1 0 /);
    expect(story.joined()["S1"]).toEqual({ parent: "N1", root: "N1" });
  });
});

test("a purge lets go of what it deletes: nothing is written of it any more", () => {
  const story = new SitesStory().whole("south", "S1", 16, 60, fromNorth).heartbeats(200);
  const before = Date.parse("2026-11-23T09:00:00.000Z");
  story.mark({ mark: "purge", before, by: "command", isUnconfirmed: true });
  const written = story.world.written.length;
  story.whole("north", "N1", 100, 120, toSouth).heartbeats(300);
  const since = story.world.written.slice(written).map(({ row }) => JSON.stringify(row));
  expect(since.filter((row) => row.includes('"S1"'))).toEqual([]);
  expect(story.links()).toEqual(["L1 S1 3>North 1 0 16–60", "L1 N1 2>South 1 1 100–120"]);
  expect(story.world.count("inter-site link")).toBe(0);
});

test("the rows are the same however often the instance is restarted in between", () => {
  const story = goneOn(new SitesStory({ linkTimeoutSeconds: 100 }))
    .whole("north", "N5", 30, 35, linkTo("L5", "South", "source"))
    .whole("north", "N6", 31, 36, linkTo("L6", "West", "source"))
    .heartbeats(90)
    .whole("south", "S6", 91, 95, linkTo("L6", "North", "target"))
    .heartbeats(500);
  const rows = batchedRows(story.payloads, 10_000);
  for (const batch of [1, 2, 7]) expect(batchedRows(story.payloads, batch)).toEqual(rows);
  expect(story.links().map((each) => each.split(" ").slice(0, 5).join(" "))).toContain("L5 N5 2>South 1 3");
});

describe("what changes of a call after its end is told", () => {
  const lateOf = (story: SitesStory) => new Set(story.world.late.map(({ callId }) => callId as string));

  test("when its partner is heard afterwards", () => {
    const story = new SitesStory().whole("south", "S1", 16, 60, fromNorth).heartbeat("south", 100);
    expect(lateOf(story)).toEqual(new Set());
    const before = story.payloads.length;
    story.whole("north", "N1", 0, 20, toSouth).heartbeats(200);
    expect(lateOf(story)).toContain("S1");
    expect(story.world.late.every(({ version }) => version > before)).toBe(true);
  });

  test("when its link has waited in vain", () => {
    const story = new SitesStory().whole("south", "S1", 16, 60, fromNorth).heartbeat("south", 100);
    story.heartbeat("south", 100_000);
    expect(lateOf(story)).toEqual(new Set(["S1"]));
  });
});
