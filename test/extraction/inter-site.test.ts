// Two copies of which one did not hear the other site: what both vouch for is equal all the same.

import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { compareCopies } from "../../src/extraction/compare.ts";
import { IdbCopy } from "../../src/extraction/idb-copy.ts";
import type { Judge } from "../../src/extraction/standing.ts";
import { runIcon } from "../commands/run-icon.ts";
import { fromNorth, SitesStory, toSouth } from "../harness/sites-story.ts";
import { at, startMs } from "../harness/story.ts";
import { query, TemporaryDirectory } from "../idb/temporary.ts";
import { storeCopy } from "./stored-copy.ts";

const begin = startMs / 1000;
const stretch = { from: begin, until: begin + 600 };

/** North alone is vouched for, by both. */
const judge: Judge = (_, { from, until }) => ({
  windowSeconds: 60,
  sources: [
    {
      source: { cluster: 101, switchDbid: 1 },
      stretches: [{ from, until, standings: ["whole", "whole"] }],
    },
  ],
});

/** North hands a call on to South, and another one comes back from there. */
function told(isSouthHeard: boolean): SitesStory {
  const story = new SitesStory()
    .whole("north", "N1", 0, 20, toSouth)
    .whole("north", "N2", 41, 90, { ISLinkList: { L2: { location: "South", type: "target" } } });
  if (isSouthHeard) {
    story
      .whole("south", "S1", 16, 60, fromNorth)
      .whole("south", "S2", 40, 50, { ISLinkList: { L2: { location: "North", type: "source" } } })
      .heartbeat("south", 590);
  }
  return story.heartbeat("north", 590);
}

test("calls of a site that both heard are equal, though one copy alone knows where they went and came from", async () => {
  using directory = new TemporaryDirectory();
  for (const name of ["a", "b"]) mkdirSync(`${directory.path}/${name}`);
  const a = await storeCopy({ directory: `${directory.path}/a`, payloads: told(true).payloads });
  const b = await storeCopy({ directory: `${directory.path}/b`, payloads: told(false).payloads });
  const parents = "SELECT ROOTCALLID, PARENTIRID IS NOT NULL FROM G_IR WHERE ROOTCALLID LIKE 'N%' ORDER BY ROOTCALLID";
  expect([query(a, parents), query(b, parents)]).toEqual([
    [
      ["N1", 0],
      ["N2", 1],
    ],
    [
      ["N1", 0],
      ["N2", 0],
    ],
  ]);
  await using one = new IdbCopy(`${directory.path}/a`);
  await using other = new IdbCopy(`${directory.path}/b`);
  const { calls } = await compareCopies([one, other], judge, { stretch, allRows: true, listedMax: 20 });
  expect(calls.listed).toEqual([]);
  expect([calls.compared, calls.different]).toEqual([2, 0]);

  // Both have the calls whole; which of them a call is taken from makes no difference to where it came from.
  for (const [out, ...idbs] of [
    ["ab.db", a, b],
    ["ba.db", b, a],
  ] as const) {
    const words = idbs.flatMap((idb) => ["--idb", idb]);
    const bounds = ["--from", at(0), "--to", at(300), "--out", out];
    const { stderr } = await runIcon(["extract", ...words, ...bounds], directory.path);
    expect(stderr).toBe("");
    const file = `${directory.path}/${out}`;
    expect(query(file, parents)).toEqual(query(a, parents));
    const ways = `SELECT c.CALLID, r.ROOTCALLID, l.MERGESTATE FROM G_CALL c JOIN G_IS_LINK l ON l.CALLID = c.CALLID
      LEFT JOIN G_IR r ON r.IRID = c.ROOTIRID WHERE c.CALLID LIKE 'N%' ORDER BY c.CALLID`;
    // South's calls are in the one copy alone, and are handed out from there.
    expect(query(file, ways)).toEqual([
      ["N1", "N1", 1],
      ["N2", "S2", 1],
    ]);
  }
}, 60_000);
