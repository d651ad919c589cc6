// R6: a neighbour fills the disk. Nothing is acknowledged into the reserve, nothing is lost, the IDB drains what is there,
// and intake goes on by itself once there is room. On a tmpfs of its own, which only root can mount.

import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { openReading } from "../../src/idb/reading.ts";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { auditIdb, flawlessIdb } from "../harness/load-audit.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  dataDirectoryOf,
  Instance,
  iconBinary,
  idbPathOf,
  promptly,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { SmallDisk, whyNoSmallDisk } from "../harness/small-disk.ts";

const mib = 1024 * 1024;
// The program's default: room for the write-ahead log to grow up to its checkpoint, and for the rows behind it.
const reserveBytes = 64 * mib;
const diskBytes = 192 * mib;
const name = "a full disk holds the sources back, loses nothing, and intake goes on within 5 s after there is room";

const why = whyNoSmallDisk();
if (why !== null) test.skip(`skipped: ${why}: ${name}`, () => {});
else {
  test(name, async () => {
    await iconBinary();
    const { seed } = seededRandom("full disk");
    using directory = new TemporaryDirectory("full");
    using disk = new SmallDisk(directory.at("disk"), diskBytes);
    await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 2_000, paddingMax: 300 });
    const setting = settingOn(directory, load);
    await using instance = await Instance.start(setting);
    await until("the source serves the instance", 10_000, () => load.isServed);
    load.flow();
    await until("events are acknowledged", 10_000, () => load.ackedSeq > 500);

    // The neighbour takes whatever trimming applied segments gives back, until there is nothing left to trim.
    const neighbours: string[] = [];
    let ackedWhenFull = 0;
    await until("nothing is acknowledged any more", 60_000, async () => {
      const excess = disk.freeBytes() - reserveBytes + mib / 2;
      if (excess > 0) {
        neighbours.push(directory.at("disk", `neighbour-${neighbours.length}`));
        writeFileSync(neighbours.at(-1) ?? "", new Uint8Array(excess));
      }
      ackedWhenFull = load.ackedSeq;
      await Bun.sleep(2_500);
      return load.ackedSeq === ackedWhenFull;
    });
    expect((await instance.status()).queue.state).toBe("full");
    expect((await fetch(new URL("/readyz", await instance.ready()))).status).toBe(503);
    await until("the IDB drains what is there", 20_000, async () => {
      return (await instance.status()).queue.recordsNotApplied === 0;
    });
    expect(load.ackedSeq).toBe(ackedWhenFull);
    expect(load.producedSeq).toBeGreaterThan(ackedWhenFull + 2_000);
    const freeWhenFull = disk.freeBytes();
    expect(freeWhenFull).toBeGreaterThan(reserveBytes / 2);

    for (const each of neighbours) rmSync(each);
    const freedAt = performance.now();
    await promptly("intake goes on", 5_000, () => load.ackedSeq > ackedWhenFull);
    const resumedAfterMs = Math.round(performance.now() - freedAt);
    await until("the queue is open", 5_000, async () => (await instance.status()).queue.state === "open");
    load.complete();
    const late = await settle(instance, [load]);
    expect(await instance.stop()).toBe(0);
    expect(instance.log().filter(({ event }) => event.startsWith("persistent queue is full"))).not.toBeEmpty();
    expect(dataDirectoryOf(setting)).toStartWith(disk.path);
    const verdict = judge(instance, [load], late);
    announce("R6", verdict);
    expect(verdict).toEqual(kept);
    const free = `${(freeWhenFull / mib).toFixed(1)} of ${reserveBytes / mib} MiB of reserve free when full`;
    figure("R6", `${load.ackedSeq} events, 0 lost; ${free}; intake went on ${resumedAfterMs} ms after space came back`);
  }, 120_000);

  test("what a full disk has the queue delete before its time is marked in the queue, in the IDB and on the page", async () => {
    await iconBinary();
    const { seed } = seededRandom("trimmed early");
    using directory = new TemporaryDirectory("trimmed");
    using disk = new SmallDisk(directory.at("disk"), diskBytes);
    await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 4_000, paddingMax: 2_000 });
    const setting = { ...settingOn(directory, load), reserve: "16MiB" };
    await using instance = await Instance.start(setting);
    await until("the source serves the instance", 10_000, () => load.isServed);
    load.flow();
    await until("there is history to delete", 30_000, async () => (await instance.status()).queue.segments > 5);
    fillUpTo(disk, directory.at("disk", "neighbour"), 16 * mib);
    await until("history is deleted", 30_000, async () => (await instance.status()).queue.trimmedEarly !== null);
    rmSync(directory.at("disk", "neighbour"));
    const acked = load.ackedSeq;
    await promptly("intake goes on", 10_000, () => load.ackedSeq > acked);
    load.complete();
    const late = await settle(instance, [load]);
    const { queue } = await instance.status();
    const page = await (await fetch(new URL("/", await instance.ready()))).text();
    expect(await instance.stop()).toBe(0);
    expect(late).toEqual([]);
    expect(BigInt(queue.firstPosition ?? 0)).toBe(BigInt(queue.trimmedEarly?.lastPosition ?? 0) + 1n);
    expect(page).toContain("the disk was full");
    // The rows have all of it; the mark says from where on rows made anew would.
    const { calls: _, ...rows } = auditIdb(idbPathOf(setting), [load]);
    expect(rows).toEqual(flawlessIdb([load]));
    const marks = marksIn(idbPathOf(setting));
    expect(marks.at(0)).toStartWith(`records ${queue.trimmedEarly?.firstPosition} to `);
    expect(marks.at(-1)).toContain(` to ${queue.trimmedEarly?.lastPosition}, written until 20`);
  }, 120_000);

  test("an instance that finds the disk full at its start says so on its page and takes in once there is room", async () => {
    await iconBinary();
    const { seed } = seededRandom("full at the start");
    using directory = new TemporaryDirectory("full-start");
    using disk = new SmallDisk(directory.at("disk"), diskBytes);
    await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 500 });
    fillUpTo(disk, directory.at("disk", "neighbour"), reserveBytes);
    await using instance = await Instance.start(settingOn(directory, load));
    const readiness = async () => await fetch(new URL("/readyz", await instance.ready()));
    await until("it says that it is full", 10_000, async () => (await instance.status()).queue.state === "full");
    expect((await readiness()).status).toBe(503);
    expect(await (await readiness()).text()).toContain("full");
    expect((await instance.status()).instance.state).toBe("starting");
    expect(load.connections).toBe(0);
    rmSync(directory.at("disk", "neighbour"));
    await until("it is ready", 5_000, async () => (await readiness()).status === 200);
    load.flow();
    await until("events are acknowledged", 5_000, () => load.ackedSeq > 100);
    load.complete();
    const late = await settle(instance, [load]);
    expect(await instance.stop()).toBe(0);
    expect(judge(instance, [load], late)).toEqual(kept);
  }, 120_000);
}

function settingOn(directory: TemporaryDirectory, load: Load) {
  return {
    directory: directory.path,
    dataDirectory: directory.at("disk", "data"),
    reserve: `${reserveBytes / mib}MiB`,
    sources: [{ name: "north", address: load.address, dbid: 101 }],
  };
}

/** A neighbour leaves so much free. */
function fillUpTo(disk: SmallDisk, path: string, freeBytes: number): void {
  writeFileSync(path, new Uint8Array(Math.max(0, disk.freeBytes() - freeBytes)));
}

function marksIn(idbPath: string): string[] {
  const reading = openReading(idbPath);
  try {
    const rows = reading.database
      .prepare("SELECT DETAIL FROM ICON_MARK WHERE KIND = 'history trimmed early' ORDER BY ID")
      .all() as { DETAIL: string }[];
    return rows.map(({ DETAIL }) => DETAIL);
  } finally {
    reading.close();
  }
}
