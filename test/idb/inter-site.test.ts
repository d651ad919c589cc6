// Links between sites in a real IDB: rows that change after their calls have ended, made anew and purged.

import { expect, test } from "bun:test";
import { differencesBetween, readWhole } from "../harness/dump.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { fromNorth, goneOn, handedOver, linkTo, SitesStory, toSouth } from "../harness/sites-story.ts";
import { store } from "../harness/stored-story.ts";
import { startMs } from "../harness/story.ts";
import { led, purgeAll, query, rebuildInto } from "./purged.ts";

interface LinkRow {
  readonly LINKID: string;
  readonly CALLID: string;
  readonly MERGESTATE: number;
}

const linksIn = (idb: string) =>
  query<LinkRow>(idb, "SELECT LINKID, CALLID, MERGESTATE FROM G_IS_LINK ORDER BY ID").map(
    ({ LINKID, CALLID, MERGESTATE }) => `${LINKID} ${CALLID} ${MERGESTATE}`,
  );

/** South is heard long after North. */
function heardLate(): SitesStory {
  return new SitesStory({ callDeletionTimeoutSeconds: 1, remoteLocations: ["East", "West"] })
    .whole("north", "N1", 0, 20, toSouth)
    .whole("north", "N9", 5, 20, linkTo("L9", "West", "source"))
    .heartbeat("north", 400)
    .reload({ callDeletionTimeoutSeconds: 1, remoteLocations: ["West"] })
    .whole("south", "S1", 16, 60, fromNorth)
    .heartbeats(500);
}

test("a link's end moves to the call into which its call is merged, and the way over the sites is one question", async () => {
  using directory = new TemporaryDirectory("links");
  const queue = directory.at("queue");
  const { payloads } = handedOver().heartbeats(200);
  await store(queue, payloads, 64 * 1024 * 1024);
  const idb = directory.at("idb.db");
  led({ queue, idb }, (_idb, upTo, end) => {
    for (let position = 1n; position <= end; position++) upTo(position);
  });
  expect(linksIn(idb)).toEqual(["L1 N1 1", "L1 S1 1"]);
  const way = query<{ CALLID: string; DEPTH: number }>(
    idb,
    `WITH RECURSIVE way(IRID, DEPTH) AS (
       SELECT IRID, 0 FROM G_CALL WHERE CALLID = 'N1'
       UNION ALL SELECT ir.IRID, DEPTH + 1 FROM G_IR AS ir JOIN way ON ir.PARENTIRID = way.IRID)
     SELECT CALLID, DEPTH FROM way JOIN G_CALL USING (IRID) ORDER BY CALLID`,
  );
  expect(way).toEqual([
    { CALLID: "N1", DEPTH: 0 },
    { CALLID: "N2", DEPTH: 1 },
    { CALLID: "S1", DEPTH: 1 },
  ]);
});

test("an IDB that is made anew has the same rows, also of what was told late", async () => {
  using directory = new TemporaryDirectory("links");
  const queue = directory.at("queue");
  const story = goneOn(heardLate());
  await store(queue, story.payloads, 64 * 1024 * 1024);
  const [one, other] = [directory.at("one.db"), directory.at("other.db")];
  led({ queue, idb: one }, (_idb, upTo, end) => {
    for (let position = 1n; position <= end; position += 3n) upTo(position);
    upTo(end);
  });
  await rebuildInto({ queue, idb: other }, story);
  expect(differencesBetween(readWhole(one), readWhole(other))).toEqual([]);
  expect(linksIn(one).slice(0, 3)).toEqual(["L1 N1 1", "L9 N9 2", "L1 S1 1"]);
  expect(query<object>(one, "SELECT * FROM GSYS_DNPREMOTELOCATION")).toEqual([{ ID: 1, REMOTELOCATION: "West" }]);
});

test("a purge leaves the same rows whether the other site is heard before or after it is carried out", async () => {
  using directory = new TemporaryDirectory("links");
  const queue = directory.at("queue");
  const story = new SitesStory({ callDeletionTimeoutSeconds: 1 })
    .whole("south", "S1", 16, 60, fromNorth)
    // It ended long ago, and is not here.
    .call("south", "S0", [70, "EventTransactionStatus", { ...linkTo("L0", "North", "target"), ...created }])
    .whole("south", "S2", 300, 340, linkTo("L2", "North", "target"))
    .heartbeat("south", 400);
  story.mark({ mark: "purge", before: startMs + 200_000, by: "command", isUnconfirmed: true });
  const marked = BigInt(story.payloads.length);
  story
    .whole("north", "N1", 0, 20, toSouth)
    .whole("north", "N0", 1, 20, linkTo("L0", "South", "source"))
    .whole("north", "N2", 2, 20, linkTo("L2", "South", "source"))
    .heartbeats(500);
  await store(queue, story.payloads, 64 * 1024 * 1024);
  const [atOnce, later] = [directory.at("one.db"), directory.at("other.db")];
  led({ queue, idb: atOnce }, (idb, upTo, end) => {
    upTo(marked);
    purgeAll(idb);
    upTo(end);
    purgeAll(idb);
  });
  led({ queue, idb: later }, (idb, upTo, end) => {
    upTo(end);
    purgeAll(idb);
  });
  expect(differencesBetween(readWhole(atOnce), readWhole(later))).toEqual([]);
  expect(linksIn(later)).toEqual(["L2 S2 1", "L1 N1 1", "L0 N0 1", "L2 N2 1"]);
  expect(query<object>(later, "SELECT CALLID FROM G_IS_LINK_HISTORY WHERE CALLID IN ('S0', 'S1')")).toEqual([]);
});

const created = { Extensions: { "iscc.is-link-creation": "completed" } };
