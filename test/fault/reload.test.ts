// SIGHUP under load: what can change does from the mark on, what cannot is named, a wrong file changes nothing, and no
// event is lost or recorded twice on the way.

import { expect, test } from "bun:test";
import { openReading } from "../../src/idb/reading.ts";
import { Load } from "../harness/load.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  readLog,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

test("a reload under load adds, removes and changes sources, loses nothing, and the IDB equals its rebuild", async () => {
  await iconBinary();
  const { seed } = seededRandom("reload");
  using directory = new TemporaryDirectory("reload");
  await using north = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 600 });
  await using south = await Load.start({ name: "south", dbid: 102, seed, eventsPerSecond: 300 });
  const sourceOf = ({ address, options }: Load) => ({ name: options.name, address, dbid: options.dbid });
  const first: InstanceSetting = { directory: directory.path, sources: [sourceOf(north)] };
  await using instance = await Instance.start(first);
  await until("north serves the instance", 10_000, () => north.isServed);
  north.flow();
  south.flow();
  const reloads = () => readLog(first).filter(({ event }) => event === "configuration in force");
  const reload = async (next: string | InstanceSetting) => {
    const before = reloads().length;
    instance.reload(next);
    await until("the reload is over", 10_000, () => reloads().length > before);
  };

  // A source comes, one keeps its session though its options change.
  const both: InstanceSetting = {
    ...first,
    callDeletionTimeoutSeconds: 1,
    sources: [sourceOf(north), sourceOf(south)],
  };
  await reload(both);
  await until("the new source is acknowledged", 10_000, () => south.ackedSeq > 100);
  expect(north.connections).toBe(1);

  // A wrong file: everything goes on as it was.
  instance.reload('[instance]\nname = "icon-a"\ndbid = "x"\n');
  await until("the problem is logged", 10_000, () =>
    readLog(first).some(({ event, key }) => event.includes("wrong") && key === "instance.dbid"),
  );
  const acked = north.ackedSeq;
  await until("events go on", 10_000, () => north.ackedSeq > acked + 100);
  expect(reloads().length).toBe(1);

  // A connection changes: its session is closed in order and opened anew. What cannot change is said by name.
  const slower = both.sources.map((source) => ({
    ...source,
    lines: source.name === "north" ? ['silence = "9s"'] : [],
  }));
  await reload({ ...both, segmentBytes: "4MiB", dbid: 9002, sources: slower });
  await until("north is connected again", 10_000, () => north.connections === 2 && north.isServed);
  expect(south.connections).toBe(1);
  const waiting = reloads().at(-1)?.["waiting"];
  expect(String(waiting).split(", ").sort()).toEqual(["instance.dbid", "queue.segment_bytes"]);
  const { trouble } = await instance.status();
  expect(trouble.map(({ sentence }) => sentence)).toContain("configuration key changes at the next start only");

  // A source goes, and comes back to what it left.
  await reload({ ...both, sources: [sourceOf(north)] });
  await until("south has been left", 10_000, () => !south.isServed);
  await reload(both);
  await until("both serve", 10_000, () => north.isServed && south.isServed);

  for (const load of [north, south]) load.complete();
  const late = await settle(instance, [north, south]);
  expect(await instance.stop()).toBe(0);
  const verdict = judge(instance, [north, south], late);
  announce("reload", verdict);
  expect(verdict).toEqual(kept);
  expect(causesIn(idbPathOf(first))).toEqual(["start", "reload", "reload", "reload", "reload"]);
}, 90_000);

function causesIn(idbPath: string): unknown[] {
  const reading = openReading(idbPath);
  try {
    const rows = reading.database.prepare("SELECT CAUSE, CONFIGURATION FROM ICON_CONFIGURATION ORDER BY ID").all() as {
      CAUSE: string;
      CONFIGURATION: string;
    }[];
    for (const { CONFIGURATION } of rows) expect(CONFIGURATION).not.toContain("secret");
    return rows.map(({ CAUSE }) => CAUSE);
  } finally {
    reading.close();
  }
}
