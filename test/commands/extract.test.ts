// icon extract as an operator runs it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { getPriority } from "node:os";
import { fileURLToPath } from "node:url";
import type { ExtractReport } from "../../src/extraction/report.ts";
import { lockIdb } from "../../src/idb-lock.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { ExtractionSetting } from "../extraction/extraction-setting.ts";
import { ScriptedServer, scriptDefault, secondOf } from "../extraction/scripted-server.ts";
import { ServedIdb } from "../handing-out/served-idb.ts";
import { runIcon } from "./run-icon.ts";

const setting = new ExtractionSetting(new ScriptedServer({ ...scriptDefault, calls: 20 }));
afterAll(() => setting[Symbol.dispose]());
beforeAll(async () => {
  const end = setting.server.endSeconds;
  await setting.copy("a", [0, 18.5], [24.2, end]);
  await setting.copy("b", [15.3, end]);
});

const time = (seconds: number) => new Date(secondOf(seconds) * 1000).toISOString();
const from = ["--from", time(10)];
const to = ["--to", time(setting.server.endSeconds - 8)];

function extract(...words: readonly string[]) {
  return runIcon(["extract", ...words], setting.at("."));
}

test("both IDBs of a pair give everything, one of them does not, and the exit code says so", async () => {
  const pair = await extract(
    "--idb",
    "a",
    "--idb",
    "b/idb.db",
    ...from,
    ...to,
    "--out",
    "pair.db",
    "--report",
    "pair.json",
  );
  expect([pair.exitCode, pair.stderr]).toEqual([0, ""]);
  expect(pair.stdout.split("\n")[0]).toEndWith(": complete");
  const report = JSON.parse(readFileSync(setting.at("pair.json"), "utf8")) as ExtractReport;
  expect(report.calls.complete + report.calls.joined).toBe(20);

  const alone = await extract("--idb", "a", ...from, ...to, "--out", "alone.ndjson", "--json");
  expect([alone.exitCode, alone.stderr]).toEqual([3, ""]);
  expect(JSON.parse(alone.stdout)).toMatchObject({ verdict: "incomplete" });

  const early = await extract("--idb", "a", "--idb", "b", ...from, "--to", time(200), "--out", "early.csv");
  expect(early.exitCode).toBe(5);
  expect(early.stdout).toContain("not yet known (not heard yet)");
});

test("an instance's address takes the place of its file, and one that does not answer is done without", async () => {
  await using served = await ServedIdb.start({ idbPath: setting.idb("b") });
  writeFileSync(setting.at("b.token"), `${served.tokens.personal}\n`, { mode: 0o600 });
  const token = ["--token-file", "b.token"];
  const both = await extract("--idb", "a", "--idb", served.origin, ...token, ...from, ...to, "--out", "served.db");
  expect([both.exitCode, both.stderr]).toEqual([0, ""]);

  const away = await extract("--idb", "a", "--idb", "http://127.0.0.1:1", ...from, ...to, "--out", "away.db");
  expect(away.exitCode).toBe(5);
  expect(away.stderr).toStartWith('Done without "http://127.0.0.1:1"');
  const none = await extract("--idb", "http://127.0.0.1:1", ...from, ...to, "--out", "none.db");
  expect([none.exitCode, existsSync(setting.at("none.db"))]).toEqual([75, false]);
});

test("of a time long before anybody listened nothing is complete, neither once nor followed", async () => {
  const longAgo = ["--idb", "a", "--idb", "b", "--from", "2020-01-01", "--to", "2020-01-02"];
  const once = await extract(...longAgo, "--out", "ago.db", "--json");
  expect([once.exitCode, once.stderr]).toEqual([3, ""]);
  expect(JSON.parse(once.stdout)).toMatchObject({
    verdict: "incomplete",
    windows: { complete: 0, silent: 0, incomplete: 86_400, unknown: 0 },
    sources: [{ stretches: [{ state: "incomplete", causes: ["never listened"] }] }],
  });
  const followed = await extract(...longAgo, "--follow", "--out", "ago.ndjson", "--json");
  expect([followed.exitCode, JSON.parse(followed.stdout).verdict]).toEqual([3, "incomplete"]);
});

test("what is wrong is said before anything is written", async () => {
  writeFileSync(setting.at("text.db"), "no database, though long enough to be looked at as one. ".repeat(4));
  const bounds = [...from, ...to];
  const cases: readonly (readonly [number, string, readonly string[]])[] = [
    [64, "expected --to TIME, or --follow", ["--idb", "a", ...from, "--out", "x.db"]],
    [64, "expected --from before --to", ["--idb", "a", "--from", time(20), "--to", time(10), "--out", "x.db"]],
    [64, "expected .db, .ndjson or .csv, or --format", ["--idb", "a", ...bounds, "--out", "x.txt"]],
    [66, 'Cannot read IDB "nowhere"', ["--idb", "nowhere", ...bounds, "--out", "x.db"]],
    [65, "it is no SQLite file", ["--idb", "text.db", ...bounds, "--out", "x.db"]],
    [73, "that is read; expected another name", ["--idb", "a", ...bounds, "--out", "a/idb.db", "--force"]],
    [65, "Cannot compare an IDB with itself", ["--idb", "a", "--idb", "a/idb.db", ...bounds, "--out", "x.db"]],
  ];
  // As an instance that runs holds it: that is not what the message is about.
  using _held = await lockIdb(systemDisk, setting.idb("a"));
  for (const [exitCode, words, given] of cases) {
    const ending = await extract(...given);
    expect([given.join(" "), ending.exitCode]).toEqual([given.join(" "), exitCode]);
    expect(ending.stderr).toContain(words);
  }
  expect(existsSync(setting.at("x.db"))).toBeFalse();
});

test("a follow ends in order at a signal, and says what it has; run again it goes on", async () => {
  const entry = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
  const words = [
    "extract",
    "--idb",
    "a",
    "--idb",
    "b",
    ...from,
    "--out",
    "follow.ndjson",
    "--follow",
    "--every",
    "100ms",
  ];
  const child = Bun.spawn([process.execPath, entry, ...words, "--report", "follow.json"], {
    cwd: setting.at("."),
    stdout: "pipe",
    stderr: "pipe",
  });
  while (!existsSync(setting.at("follow.json"))) await Bun.sleep(20);
  // An instance on this host comes first.
  expect(getPriority(child.pid)).toBeGreaterThanOrEqual(15);
  child.kill("SIGTERM");
  expect([await child.exited, await new Response(child.stderr).text()]).toEqual([0, ""]);
  const before = readFileSync(setting.at("follow.ndjson"), "utf8");
  expect(before.trimEnd().split("\n").length).toBe(20);

  const ended = await extract("--idb", "a", "--idb", "b", ...from, ...to, "--out", "follow.ndjson", "--follow");
  expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
  expect(readFileSync(setting.at("follow.ndjson"), "utf8")).toBe(before);
}, 30_000);

test("a report takes the place of no IDB, no output and nothing that is no file", async () => {
  const idb = setting.idb("a");
  const before = readFileSync(idb);
  symlinkSync(idb, setting.at("link.json"));
  for (const [report, reason] of [
    [idb, "it is the IDB"],
    ["link.json", "it is the IDB"],
    ["both.ndjson", "it is the output"],
    [".", "it is there, and is no file"],
  ] as const) {
    const ended = await extract("--idb", "a", ...from, ...to, "--out", "both.ndjson", "--report", report);
    expect([ended.exitCode, ended.stdout]).toEqual([73, ""]);
    expect(ended.stderr).toContain(`Cannot write the report to "${report}": ${reason}`);
  }
  expect(readFileSync(idb).equals(before)).toBe(true);
  expect(existsSync(setting.at("both.ndjson"))).toBe(false);
});
