// What is told of a call after its end, when whoever follows has been handed it already: the end of a link between sites, or
// that nobody told of it in time.

import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { runIcon } from "../commands/run-icon.ts";
import { differencesBetween, readDump } from "../harness/dump.ts";
import { linkTo, SitesStory } from "../harness/sites-story.ts";
import { Story, startMs } from "../harness/story.ts";
import { query, TemporaryDirectory } from "../idb/temporary.ts";
import { following, GrowingCopy } from "./followed-copies.ts";

const second = (at: number) => startMs / 1000 + at;
// North's call goes on to South, and another one comes from there.
const toSouth = linkTo("L1", "South", "source");
const atSouth = linkTo("L1", "North", "target");
const fromSouth = linkTo("L2", "South", "target");
const sentNorth = linkTo("L2", "North", "source");

/** Both sites are heard from two minutes before on; then North alone, whose calls are over. */
function untilNorthIsOver(): SitesStory {
  const story = new SitesStory();
  for (const site of ["north", "south"] as const) story.whole(site, `${site}-0`, -120, -118);
  return story.whole("north", "N1", 0, 20, toSouth).whole("north", "N2", 30, 50, fromSouth).heartbeat("north", 300);
}

const sites = "SELECT CALLID, MERGESTATE FROM G_IS_LINK WHERE CALLID LIKE 'N%' ORDER BY CALLID";
const parents = `SELECT c.CALLID, parent.ROOTCALLID FROM G_CALL c JOIN G_IR own ON own.IRID = c.IRID
  LEFT JOIN G_IR parent ON parent.IRID = own.PARENTIRID WHERE c.CALLID LIKE 'N%' ORDER BY c.CALLID`;

/** Each call's last revision in lines that were handed out. */
function revisions(path: string): ReadonlyMap<string, number> {
  const lines = readFileSync(path, "utf8").trim().split("\n");
  return new Map(lines.map((line) => JSON.parse(line)).map(({ call, revision }) => [call, revision] as const));
}

/** Each output by another process, so to speak. */
function catchingUp(copy: GrowingCopy, folder: string, stretch: Parameters<typeof following>[2]) {
  return async (...outs: readonly string[]) => {
    for (const out of outs) {
      using follow = following([copy.directory], `${folder}/${out}`, stretch);
      await follow.catchUp();
    }
  };
}

test.each([
  {
    name: "the other site is heard at last",
    later: (story: SitesStory) =>
      story
        .whole("south", "S2", 28, 55, sentNorth)
        .whole("south", "S1", 18, 60, atSouth)
        .heartbeat("south", 300)
        .heartbeats(4000),
    states: [
      ["N1", 1],
      ["N2", 1],
    ],
    parents: [
      ["N1", null],
      ["N2", "S2"],
    ],
  },
  {
    name: "the other site is not heard in time",
    later: (story: SitesStory) => story.heartbeats(4000),
    states: [
      ["N1", 3],
      ["N2", 3],
    ],
    parents: [
      ["N1", null],
      ["N2", null],
    ],
  },
])(
  "calls that were handed out are handed out anew once $name",
  async ({ later, states, parents: expected }) => {
    using directory = new TemporaryDirectory();
    const place = (name: string) => `${directory.path}/${name}`;
    const early = untilNorthIsOver().payloads.length;
    const { payloads } = later(untilNorthIsOver());
    const copy = new GrowingCopy(place("copy"), payloads);
    const catchUp = catchingUp(copy, directory.path, { from: second(-60), until: second(240) });
    // Half a record more, so that no rounding loses the last one.
    await copy.grow((early + 0.5) / payloads.length);
    await catchUp("out.db", "out.ndjson");
    expect(query(place("out.db"), sites)).toEqual([
      ["N1", 0],
      ["N2", 0],
    ]);
    expect([...revisions(place("out.ndjson"))]).toEqual([
      ["N1", 1],
      ["N2", 1],
    ]);
    // The projector goes on from what the IDB holds, one record at a time.
    for (let count = early + 1; count <= payloads.length; count += 1) await copy.grow((count + 0.5) / payloads.length);
    await catchUp("out.db", "out.ndjson", "fresh.db");
    expect(query(place("out.db"), sites)).toEqual(states as never);
    expect(query(place("out.db"), parents)).toEqual(expected as never);
    expect([...revisions(place("out.ndjson"))].filter(([call]) => call.startsWith("N"))).toEqual([
      ["N1", 2],
      ["N2", 2],
    ]);
    expect(differencesBetween(readDump(place("out.db")), readDump(place("fresh.db")))).toEqual([]);
    // Nothing is left to be said.
    const before = readFileSync(place("out.ndjson"), "utf8");
    await catchUp("out.ndjson");
    expect(readFileSync(place("out.ndjson"), "utf8")).toBe(before);
  },
  30_000,
);

test("calls whose attached data was rebuilt by another specification are handed out anew, and those of before are not", async () => {
  using directory = new TemporaryDirectory();
  const place = (name: string) => `${directory.path}/${name}`;
  const ring = (call: number) => ({ ConnID: `0${call}`, CallUUID: `C${call}`, ThisDN: "5001", PartyUUID: `P${call}` });
  const UserData = { a: "a1", b: "b1" };
  const story = new Story({
    ...{ role: ["gcc", "gud"], callDeletionTimeoutSeconds: 1 },
    attachedData: {
      public: [["a", "userdata", "all"]],
      secure: [],
      columns: [],
      otherKeys: "none",
      valueLengthMax: 255,
    },
  }).events(
    [0, "EventRinging", ring(0)],
    [5, "EventReleased", ring(0)],
    [20, "EventRinging", { ...ring(1), UserData }],
    [30, "EventReleased", ring(1)],
    [120, "EventRinging", { ...ring(2), UserData }],
    [130, "EventReleased", ring(2)],
  );
  const early = story.heartbeat(300).payloads.length;
  // What comes with the instance's next start.
  const { payloads } = story.heartbeat(310);
  const copy = new GrowingCopy(place("copy"), payloads);
  const catchUp = catchingUp(copy, directory.path, { from: second(10), until: second(240) });
  await copy.grow((early + 0.5) / payloads.length);
  await catchUp("out.db", "out.ndjson");
  writeFileSync(place("spec.toml"), '[[public]]\nname = "b"\nhistory = "all"\n');
  writeFileSync(
    place("icon.toml"),
    `[instance]\nname = "icon-a"\ndbid = 9001\ndata_dir = "copy"\n[callconcentrator]\nrole = "gcc,gud"\nadata-spec-name = "spec.toml"\n` +
      '[http]\nlisten = "off"\n[[source]]\nname = "north"\nkind = "tevent"\naddresses = ["127.0.0.1:7001"]\ndbid = 101\nswitch_dbid = 1\n' +
      "[source.gts]\ncall-deletion-timeout = 1\n",
  );
  const words = ["rebuild", copy.directory, "--config", place("icon.toml"), "--tables", "userdata", "--from"];
  const { exitCode, stderr } = await runIcon([...words, new Date(second(100) * 1000).toISOString()], directory.path);
  expect([exitCode, stderr]).toEqual([0, ""]);
  await copy.grow(1);
  await catchUp("out.db", "out.ndjson", "fresh.db");
  const keys = "SELECT CALLID, KEYNAME FROM G_USERDATA_HISTORY ORDER BY CALLID, KEYNAME";
  expect(query(place("out.db"), keys)).toEqual([
    ["C1", "a"],
    ["C2", "b"],
  ]);
  expect([...revisions(place("out.ndjson"))]).toEqual([
    ["C1", 1],
    ["C2", 2],
  ]);
  expect(differencesBetween(readDump(place("out.db")), readDump(place("fresh.db")))).toEqual([]);
}, 60_000);
