import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { inspectInChild } from "../src/idb/inspect-in-child.ts";
import { checkIdb, type IdbDamage } from "../src/idb-check.ts";
import { silentLog } from "../src/log.ts";
import { FakeClock } from "./harness/fake-clock.ts";
import { until } from "./harness/processes.ts";
import { TemporaryDirectory } from "./idb/temporary.ts";

test("an IDB that cannot be reached for a while ends neither the check nor the instance", async () => {
  const folder = mkdtempSync(join(tmpdir(), "icon-idb-check-"));
  try {
    const path = join(folder, "idb");
    symlinkSync(path, path); // it leads round in a circle
    const clock = new FakeClock();
    const stop = new AbortController();
    const damages: IdbDamage[] = [];
    const onDamage = (damage: IdbDamage) => damages.push(damage);
    const checking = checkIdb(
      { path, everyMs: 1_000, walLimitBytes: 1024, clock, log: silentLog, onDamage },
      stop.signal,
    );
    for (let look = 0; look < 3; look += 1) {
      await clock.advance(1_000);
    }
    stop.abort();
    expect(await checking).toBeUndefined();
    expect(damages).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an inspection whose process cannot be started is told as unavailable", async () => {
  const outcome = await inspectInChild({ path: "no\0name", timeoutMs: 1_000, isGentle: true });
  expect(outcome.kind).toBe("unavailable");
});

test("a look is put off while the WAL has grown, and comes again within the hour", async () => {
  using directory = new TemporaryDirectory();
  const database = new Database(directory.idb);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE big (TEXT)");
  database.exec(`INSERT INTO big VALUES ('${"x".repeat(100_000)}')`);
  const clock = new FakeClock();
  const stop = new AbortController();
  const damages: IdbDamage[] = [];
  const said: string[] = [];
  const log = { ...silentLog, warn: (event: string) => void said.push(event) };
  const options = { path: directory.idb, everyMs: 86_400_000, walLimitBytes: 150_000, clock, log };
  const checking = checkIdb({ ...options, onDamage: (damage) => void damages.push(damage) }, stop.signal);
  await clock.advance(60_000);
  await until("the first look is put off", 10_000, () => said.length === 1);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  await clock.advance(3_600_000);
  await until("the next look is begun", 10_000, () => said.length === 2);
  // No look can come to its end here, for the child that looks is this program, and a test is another.
  expect(said).toEqual(["look through the IDB put off, for its WAL has grown", "IDB could not be looked through"]);
  expect(damages).toEqual([]);
  stop.abort();
  await checking;
}, 40_000);
