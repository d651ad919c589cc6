// What the three kinds of output look like to whoever loads them, and what an extraction refuses to write over.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { agentTableNames, callTableNames } from "../../schema/life.ts";
import { openIdb } from "../../src/idb/open.ts";
import { silentLog } from "../../src/log.ts";
import { query } from "../idb/temporary.ts";
import { ExtractionSetting } from "./extraction-setting.ts";
import { ScriptedServer, scriptDefault } from "./scripted-server.ts";

const setting = new ExtractionSetting(new ScriptedServer({ ...scriptDefault, calls: 20 }));
afterAll(() => setting[Symbol.dispose]());
beforeAll(async () => {
  const end = setting.server.endSeconds;
  await setting.copy("a", [0, 18.5], [24.2, end]);
  await setting.copy("b", [15.3, end]);
});

interface Line {
  readonly call: string;
  readonly revision: number;
  readonly verdict: string;
  readonly withdrawn?: string;
  readonly idbIds: readonly string[];
  readonly rows: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
}

const lines = (out: string): Line[] =>
  readFileSync(setting.at(out), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

describe("NDJSON", () => {
  test("has a line a call, with all of its rows and where they are from", async () => {
    await setting.extract(["a", "b"], "calls.ndjson");
    await setting.extract(["a", "b"], "calls.db");
    const told = lines("calls.ndjson");
    const rows = query(setting.at("calls.db"), "SELECT CALLID, VERDICT FROM ICON_EXTRACT_CALL ORDER BY CALLID");
    expect(told.map(({ call, verdict }) => [call, verdict]).toSorted()).toEqual(rows as string[][]);
    const idbIds = ["a", "b"].map((name) => query(setting.idb(name), "SELECT IDB_ID FROM ICON_APPLIED")[0]?.[0]);
    for (const { revision, idbIds: from, rows } of told) {
      expect(revision).toBe(1);
      for (const row of Object.values(rows).flat()) expect(from).toContain(String(row["ORIGIN_IDB_ID"]));
    }
    expect(new Set(told.flatMap(({ idbIds }) => idbIds))).toEqual(new Set(idbIds as string[]));
    const first = told[0]?.rows ?? {};
    const changes = first["G_PARTY_HISTORY"]?.map(({ CSEQ }) => Number(CSEQ)) ?? [];
    expect(changes.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(first["G_PARTY"]?.every(({ ORIGIN_ROW_ID }) => typeof ORIGIN_ROW_ID === "number")).toBeTrue();
  });

  test("says a call anew in a later line with a higher revision, and withdraws it in another", async () => {
    await setting.extract(["a"], "again.ndjson");
    const before = lines("again.ndjson");
    const { run } = await setting.extract(["a", "b"], "again.ndjson");
    const after = lines("again.ndjson");
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.length).toBe(before.length + run.written);
    const last = new Map(after.map((line) => [line.call, line]));
    expect([...last.values()].every(({ verdict }) => verdict === "complete" || verdict === "joined")).toBeTrue();
    const revisions = after.filter(({ revision }) => revision === 2);
    expect(revisions.length).toBeGreaterThan(2);
    expect(last.size).toBe(20);
  });
});

describe("CSV", () => {
  test("is a directory with a file a table, as RFC 4180 has it", async () => {
    await setting.extract(["a", "b"], "calls.csv");
    const directory = setting.at("calls.csv");
    const others = [
      "G_CALL_ACTIVE",
      "G_IR_ACTIVE",
      ...["G_DSS_GCC_PROVIDER", "G_DSS_GLS_PROVIDER", "G_DSS_GUD_PROVIDER"],
      "ICON_DSS",
      "ICON_EXTRACT_CALL",
      "ICON_EXTRACT_LOGIN_SESSION",
      "ICON_ROW_QUALITY",
    ];
    const files = [...callTableNames, ...agentTableNames, ...others].map((name) => `${name}.csv`);
    expect(readdirSync(directory).toSorted()).toEqual([...files, "extract.state"].toSorted());
    const table = csv("calls.csv/G_PARTY.csv");
    const [header = [], ...rows] = table;
    expect(header.slice(-5)).toEqual([
      ...["ORIGIN_CALLID", "ORIGIN_REVISION", "ORIGIN_VERDICT", "ORIGIN_IDB_ID", "ORIGIN_ROW_ID"],
    ]);
    expect(new Set(table.map((row) => row.length))).toEqual(new Set([header.length]));
    const dns = rows.map((row) => row[header.indexOf("ENDPOINTDN")]).toSorted();
    expect(dns).toEqual(query(setting.at("calls.db"), "SELECT ENDPOINTDN FROM G_PARTY ORDER BY 1").flat() as string[]);
    const [callHeader = [], ...calls] = csv("calls.csv/ICON_EXTRACT_CALL.csv");
    expect(calls.length).toBe(20);
    expect(calls.every((row) => JSON.parse(row[callHeader.indexOf("REASONS")] ?? "").length === 0)).toBeTrue();
  });

  test("says sessions and calls once, however often it is extracted", async () => {
    await setting.extract(["a", "b"], "once.csv");
    const before = readdirSync(setting.at("once.csv")).map((name) => [
      name,
      statSync(setting.at(`once.csv/${name}`)).size,
    ]);
    await setting.extract(["b", "a"], "once.csv");
    for (const [name, size] of before) {
      if (String(name).endsWith(".csv"))
        expect([name, statSync(setting.at(`once.csv/${name}`)).size]).toEqual([name, size]);
    }
  });
});

describe("an output", () => {
  test("is its owner's alone, and nothing of its making is left", async () => {
    await setting.extract(["a", "b"], "mode.db");
    await setting.extract(["a", "b"], "mode.ndjson");
    await setting.extract(["a", "b"], "mode.csv");
    for (const name of [
      "mode.db",
      "mode.ndjson",
      "mode.ndjson.state",
      "mode.csv/G_CALL.csv",
      "mode.csv/extract.state",
    ]) {
      expect([name, statSync(setting.at(name)).mode & 0o777]).toEqual([name, 0o600]);
    }
    expect(statSync(setting.at("mode.csv")).mode & 0o777).toBe(0o700);
    expect(readdirSync(setting.at(".")).filter((name) => /extracting|wal|journal/.test(name))).toEqual([]);
  });

  test("has the dictionary and the steps of time that its rows refer to", async () => {
    await setting.extract(["a", "b"], "self.db");
    const out = setting.at("self.db");
    expect(query(out, "SELECT count(*) > 50 FROM G_DICTIONARY")).toEqual([[1]]);
    expect(query(out, "SELECT count(*) FROM G_CALL WHERE CREATED_TCODE NOT IN (SELECT ID FROM G_TIMECODE)")).toEqual([
      [0],
    ]);
    const sessions = query(
      out,
      `SELECT count(*) FROM G_CALL c JOIN ICON_EXTRACT_ROW o ON o.TABLE_NAME = 'G_CALL' AND o.ROW_ID = c.ID
       JOIN ICON_EXTRACT_COPY p ON p.ID = o.COPY_ID
       JOIN G_DSS_GCC_PROVIDER s ON s.DSS_ID = c.GSYS_DOMAIN AND s.ICON_DBID IN (SELECT value FROM json_each(p.ICON_DBIDS))`,
    );
    expect(sessions).toEqual([[20]]);
  });

  test("is no IDB to record into, and no copy to extract from", async () => {
    await setting.extract(["a"], "output.db");
    expect(() => openIdb({ path: setting.at("output.db"), log: silentLog, windowSeconds: 1 })).toThrow(
      "another program",
    );
    await expect(setting.extract(["output.db"], "second.db")).rejects.toThrow("it is an output of icon extract");
  });

  test("never takes the place of what icon extract did not make", async () => {
    writeFileSync(setting.at("mine.db"), "my notes");
    await expect(setting.extract(["a"], "mine.db")).rejects.toThrow("expected another name, or --force");
    mkdirSync(setting.at("mine.csv"));
    writeFileSync(setting.at("mine.csv/notes.txt"), "my notes");
    await expect(setting.extract(["a"], "mine.csv")).rejects.toThrow("expected another name, or --force");
    await expect(setting.extract(["a"], "mine.csv", { isForced: true })).rejects.toThrow("nothing but CSV files in it");
    expect(readFileSync(setting.at("mine.db"), "utf8")).toBe("my notes");
    await setting.extract(["a"], "mine.db", { isForced: true });
    expect(query(setting.at("mine.db"), "SELECT count(*) > 0 FROM G_CALL")).toEqual([[1]]);
    await setting.extract(["a"], "kind.ndjson");
    await expect(setting.extract(["a"], "kind.ndjson.state")).rejects.toThrow();
  });

  test("is never one of the IDBs that are read, under whatever name", async () => {
    linkSync(setting.idb("a"), setting.at("hard.db"));
    symlinkSync(setting.idb("a"), setting.at("soft.db"));
    const before = readFileSync(setting.idb("a"));
    for (const out of ["a/idb.db", "hard.db", "soft.db"]) {
      await expect(setting.extract(["a", "b"], out, { isForced: true })).rejects.toThrow(
        "that is read; expected another name",
      );
    }
    expect(readFileSync(setting.idb("a")).equals(before)).toBeTrue();
  });

  test("that was cut short by somebody is not gone on with", async () => {
    await setting.extract(["a"], "cut.ndjson");
    writeFileSync(setting.at("cut.ndjson"), readFileSync(setting.at("cut.ndjson")).subarray(0, 100));
    await expect(setting.extract(["a", "b"], "cut.ndjson")).rejects.toThrow("Use --force to begin anew");
  });
});

/** RFC 4180 as a loader reads it. */
function csv(out: string): string[][] {
  const text = readFileSync(setting.at(out), "utf8");
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}
