// Two instances that heard one Asterisk's transfers, conferences and the like, each cut off at another time: their IDBs
// agree, and the extraction of both is what was true.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import type { RowOf, TableName } from "../../schema/tables.ts";
import type { Comparison } from "../../src/extraction/comparison.ts";
import { storeCopy } from "../extraction/stored-copy.ts";
import { type Cut, recordsOf, toldCalls, toldParties, trueCalls, trueParties } from "../harness/ami-pbx-rows.ts";
import { playedTraffic } from "../harness/ami-pbx-traffic.ts";
import { askIdb } from "../harness/ami-stays.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { runCommand } from "../harness/run-command.ts";

const folder = new TemporaryDirectory("asterisk-transfers");
afterAll(() => folder[Symbol.dispose]());

const { pbx, truth } = playedTraffic(51, 40);
const first = pbx.said[0]?.at ?? 0;
const last = pbx.said.at(-1)?.at ?? 0;
// The manager says something now and then after the last call.
for (let second = 1; second <= 20; second += 1) {
  pbx.now = last + second * 1000;
  pbx.say("SuccessfulAuth", { Service: "AMI" });
}
const cutOf = (from: number): Cut => ({ from: first + from, until: first + from + 4000 });
const time = (ms: number) => new Date(ms).toISOString();
const bounds = ["--from", time(first - 60_000), "--to", time(last + 10_000)];

let idbs: readonly string[] = [];
beforeAll(async () => {
  const cuts = { a: cutOf(15_000), b: cutOf(40_000) };
  const paths = await Promise.all(
    (["a", "b"] as const).map((name, index) => {
      const directory = folder.at(name);
      mkdirSync(directory);
      const instance = { name: `icon-${name}`, dbid: 9001 + index };
      const payloads = recordsOf(pbx.said, { cut: cuts[name], instance });
      return storeCopy({ directory, payloads, windowSeconds: 1 });
    }),
  );
  idbs = paths.flatMap((path) => ["--idb", path]);
}, 60_000);

test("what both heard whole is equal, row by row", async () => {
  const { stdout } = await runCommand(["compare", ...idbs, ...bounds, "--rows", "--json"]);
  const { windows, calls } = JSON.parse(stdout) as Comparison;
  expect({ windows: windows.listed, calls: calls.listed }).toEqual({ windows: [], calls: [] });
  expect(calls.compared).toBeGreaterThan(10);
}, 60_000);

test("each call that one of the two heard whole is in the extraction as it was", async () => {
  const out = folder.at("calls.db");
  await runCommand(["extract", ...idbs, ...bounds, "--out", out, "--json"]);
  const said = await askIdb<{ callId: string; verdict: string }>(
    out,
    "SELECT CALLID AS callId, VERDICT AS verdict FROM ICON_EXTRACT_CALL",
  );
  expect(said.map(({ callId }) => callId).toSorted()).toEqual([...truth.calls.keys()].toSorted());
  const tables = new Map<string, unknown[]>();
  for (const table of ["G_PARTY", "G_PARTY_HISTORY", "G_CALL", "G_CALL_STAT"]) {
    tables.set(table, await askIdb(out, `SELECT * FROM ${table}`));
  }
  const rows = { of: <T extends TableName>(table: T) => tables.get(table) as RowOf<T>[] };
  const complete = new Set(said.filter(({ verdict }) => verdict === "complete").map(({ callId }) => callId));
  const ofComplete = (line: string) => complete.has(line.split(" ")[0] ?? "");
  const told = toldParties(rows).map(({ line }) => line);
  expect(told.filter(ofComplete).toSorted()).toEqual(
    trueParties(truth)
      .map(({ line }) => line)
      .filter(ofComplete)
      .toSorted(),
  );
  expect(toldCalls(rows).filter(ofComplete).toSorted()).toEqual(trueCalls(truth).filter(ofComplete).toSorted());
  expect(complete.size).toBeGreaterThan(truth.calls.size * 0.9);
}, 60_000);
