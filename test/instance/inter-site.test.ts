// Calls between two sites, on the whole way of the data: a pair of instances, each with both sites' T-Servers as its sources,
// records which call came from which, while one site's connection is cut again and again.

import { expect, test } from "bun:test";
import { linkMergeStates } from "../../schema/dictionary.ts";
import { openReading } from "../../src/idb/reading.ts";
import { runIcon } from "../commands/run-icon.ts";
import { differencesBetween, foldQueue, readDump } from "../harness/dump.ts";
import { readSitesTruth, type SitesTruth, sitesRecorded } from "../harness/inter-site-oracle.ts";
import { seededRandom } from "../harness/load-verdict.ts";
import {
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  queueDirectoryOf,
  Simulator,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

const seconds = 6;
const startTime = "2026-11-23T08:00:00.000Z";
const after = (s: number) => new Date(Date.parse(startTime) + s * 1000).toISOString();
const { notExpected, timedOut } = linkMergeStates;

function recordedIn(path: string): SitesTruth {
  const reading = openReading(path);
  const { database } = reading;
  try {
    const rows = <T>(table: string) => database.prepare(`SELECT * FROM ${table}`).all() as T[];
    return sitesRecorded(rows("G_IS_LINK"), rows("G_IR"), rows("G_CALL"));
  } finally {
    reading.close();
  }
}

function expectTruth(path: string, truth: SitesTruth): void {
  const { ends, ways } = recordedIn(path);
  expect(ends).toEqual(truth.ends);
  const known = Object.entries(truth.ways).filter(([callId]) => callId in ways);
  expect(ways).toEqual(Object.fromEntries(known));
  expect(Object.values(ways).filter(([from]) => from !== null).length).toBeGreaterThan(15);
}

test("links and hierarchy in both instances, in an IDB made anew and in the pair's extraction are what really was", async () => {
  await iconBinary();
  const { seed } = seededRandom("between sites");
  using directory = new TemporaryDirectory("sites");
  const common = [
    ...["--start-time", startTime, "--seconds", `${seconds}`, "--talk-seconds", "1", "--linger", "9"],
    ...["--rate", "100", "--clients-min", "2", "--heartbeat-ms", "500", "--sites-seed", `${seed}`],
  ];
  const paths = [directory.at("north.ndjson"), directory.at("south.ndjson")] as const;
  await using north = await Simulator.start("tserver", [
    ...[...common, "--seed", `${seed}`, "--sites", "North,South,West", "--truth", paths[0]],
    ...["--dbid", "101", "--switch-dbid", "1"],
  ]);
  await using south = await Simulator.start("tserver", [
    ...[...common, "--seed", `${seed + 1}`, "--sites", "South,North,West", "--truth", paths[1]],
    ...["--dbid", "102", "--switch-dbid", "2", "--cut-every", "1-2", "--cut-for", "0.2-0.6"],
  ]);
  const settings = ["icon-a", "icon-b"].map(
    (name, index): InstanceSetting => ({
      directory: directory.at(name),
      name,
      dbid: 9001 + index,
      windowSeconds: 1,
      callDeletionTimeoutSeconds: 1,
      callconcentrator: ['role = "gcc"', 'remote-locations = ["West"]', 'is-link-timeout = "4s"'],
      sources: [
        { name: "north", address: north.address, dbid: 101, switchDbid: 1 },
        { name: "south", address: south.address, dbid: 102, switchDbid: 2 },
      ],
    }),
  );
  const instances = await Promise.all(settings.map((setting) => Instance.start(setting)));
  await Promise.all([north.finished(), south.finished()]);
  for (const instance of instances) {
    await until("everything is applied", 30_000, async () => (await instance.status()).queue.recordsNotApplied === 0);
  }
  expect(await Promise.all(instances.map((instance) => instance.stop()))).toEqual([0, 0]);

  const truth = readSitesTruth(paths, {
    without: (location) => (location === "West" ? notExpected : timedOut),
  });
  console.log(
    `between sites: ${Object.keys(truth.ways).length} calls, ${Object.keys(truth.ends).length} ends of links`,
  );
  for (const setting of settings) {
    expectTruth(idbPathOf(setting), truth);
    const remade = foldQueue(queueDirectoryOf(setting));
    expect(differencesBetween(readDump(idbPathOf(setting)), remade).slice(0, 10)).toEqual([]);
  }
  const [one = "", other = ""] = settings.map((setting) => idbPathOf(setting));
  expect(differencesBetween(readDump(one), readDump(other)).slice(0, 10)).toEqual([]);

  const out = directory.at("extracted.db");
  const words = ["--from", startTime, "--to", after(seconds + 4), "--out", out];
  const extracted = await runIcon(["extract", "--idb", one, "--idb", other, ...words], directory.path);
  // In the first second nobody had listened yet; what began there is written as incomplete.
  expect([extracted.exitCode, extracted.stderr]).toEqual([3, ""]);
  expect(extracted.stdout).toMatch(/^windows of 1 s: \d+ complete, \d+ silent, 2 incomplete$/m);
  expectTruth(out, truth);
}, 120_000);
