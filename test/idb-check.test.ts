import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspectInChild } from "../src/idb/inspect-in-child.ts";
import { checkIdb, type IdbDamage } from "../src/idb-check.ts";
import { silentLog } from "../src/log.ts";
import { FakeClock } from "./harness/fake-clock.ts";

test("an IDB that cannot be reached for a while ends neither the check nor the instance", async () => {
  const folder = mkdtempSync(join(tmpdir(), "icon-idb-check-"));
  try {
    const path = join(folder, "idb");
    symlinkSync(path, path); // it leads round in a circle
    const clock = new FakeClock();
    const stop = new AbortController();
    const damages: IdbDamage[] = [];
    const onDamage = (damage: IdbDamage) => damages.push(damage);
    const checking = checkIdb({ path, everyMs: 1_000, clock, log: silentLog, onDamage }, stop.signal);
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
