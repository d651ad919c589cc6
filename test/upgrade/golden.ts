// Makes the golden data directories of the present version: `bun test/upgrade/golden.ts`. Every later version must open
// them and go on. Run it again only while the version that is named in package.json has not been shipped.
//
//   stopped    ended in order in the middle of calls
//   killed     kill -9 in the middle of a segment, under load
//   backlog    kill -9 with the IDB behind the queue
//
// Each has calls that are alerting, connected, held and queued, and more than one segment. What each source had sent is
// in story.json, so that its test can go on with the same server run.

import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Load } from "../harness/load.ts";
import { Instance, type InstanceSetting, iconBinary, TemporaryDirectory, until } from "../harness/processes.ts";
import { type GoldenName, type GoldenStory, goldenDirectory, goldenNames, goldenSeed } from "./golden-story.ts";

const eventsPerSecond = 1_500;
const enoughEvents = 6_300; // more than one segment of 2 MiB

async function make(name: GoldenName): Promise<void> {
  using directory = new TemporaryDirectory("golden");
  await using load = await Load.start({ name: "north", dbid: 101, seed: goldenSeed, eventsPerSecond, paddingMax: 200 });
  const setting: InstanceSetting = {
    directory: directory.path,
    sources: [{ name: "north", address: load.address, dbid: 101 }],
  };
  await using instance = await Instance.start(setting);
  await until("the source serves", 10_000, () => load.isServed);
  load.flow();
  await until("enough is acknowledged", 60_000, () => load.ackedSeq > enoughEvents);
  const idb = directory.at("data", "idb.db");
  if (name === "backlog") {
    // An IDB as it was a while ago beside the queue as it is now is what a stop of the recorder leaves.
    expectRunning(await instance.stop());
    cpSync(idb, directory.at("earlier.db"));
    await using second = await Instance.start(setting);
    const before = load.ackedSeq;
    await until("the queue goes on", 10_000, () => load.ackedSeq > before + 1_500);
    await second.kill();
    for (const suffix of ["-wal", "-shm"]) rmSync(`${idb}${suffix}`, { force: true });
    cpSync(directory.at("earlier.db"), idb);
  } else if (name === "killed") {
    await instance.kill();
  } else {
    // In the middle of a round: its calls are under way.
    load.pause();
    expectRunning(await instance.stop());
  }
  const story: GoldenStory = { run: load.run, producedSeq: load.producedSeq, ackedSeq: load.ackedSeq };
  writeFileSync(directory.at("story.json"), `${JSON.stringify(story)}\n`);
  for (const passing of ["idb.db-shm", "idb.db.lock", "queue/lock"]) {
    rmSync(directory.at("data", passing), { force: true });
  }
  mkdirSync(goldenDirectory, { recursive: true });
  const archive = join(goldenDirectory, `${name}.tar.zst`);
  const packed = Bun.spawnSync(["tar", "--sort=name", "-cf", "-", "-C", directory.path, "data", "story.json"]);
  if (packed.exitCode !== 0) throw new Error(`Cannot pack "${name}": ${packed.stderr.toString()}`);
  writeFileSync(archive, Bun.zstdCompressSync(packed.stdout, { level: 19 }));
  console.log(`${archive}: ${story.producedSeq} events, ${story.ackedSeq} acknowledged`);
}

function expectRunning(exitCode: number): void {
  if (exitCode !== 0) throw new Error(`Cannot make a golden directory: the instance ended with ${exitCode}`);
}

await iconBinary();
for (const name of goldenNames) await make(name);
process.exit(0);
