// Two observers of one Asterisk, each served to an instance of its own: what both heard is the same in both IDBs, and what
// neither heard is named. The recordings and the server's own queue_log tell what is expected.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Comparison } from "../../src/extraction/comparison.ts";
import { heardSecond, listenings } from "../harness/ami-listening.ts";
import { type LoggedStay, readQueueLog, recordings } from "../harness/ami-recording.ts";
import { askIdb, linkedIdOf, type RecordedStay, staysSql } from "../harness/ami-stays.ts";
import { countByQueue } from "../harness/ami-whole.ts";
import {
  dataDirectoryOf,
  Instance,
  type InstanceSetting,
  iconBinary,
  Simulator,
  TemporaryDirectory,
} from "../harness/processes.ts";

const folder = new TemporaryDirectory("asterisk-pair");
afterAll(() => folder[Symbol.dispose]());

const names = ["a", "b"] as const;

/** Serves an observer's recording to an instance until its end; returns the data directory. */
async function record(name: (typeof names)[number], dbid: number): Promise<string> {
  const words = ["--recording", recordings[name].file, "--pace", "fast", "--once"];
  await using manager = await Simulator.start("ami", words);
  const lines = ['inbound_contexts = ["callers"]', 'internal_contexts = ["internal"]'];
  const setting: InstanceSetting = {
    directory: folder.at(name),
    name: `icon-${name}`,
    dbid,
    callDeletionTimeoutSeconds: 0,
    windowSeconds: 1,
    sources: [{ name: "pbx1", kind: "ami", address: manager.address, dbid: 301, lines }],
  };
  await using icon = await Instance.start(setting);
  await icon.ready();
  expect(await manager.ended()).toBe(0);
  expect(await icon.stop()).toBe(0);
  return dataDirectoryOf(setting);
}

let idbs: readonly string[] = [];
beforeAll(async () => {
  const directories = await Promise.all(names.map((name, index) => record(name, 9001 + index)));
  idbs = directories.flatMap((directory) => ["--idb", directory]);
}, 60_000);

async function icon(...words: readonly string[]): Promise<{ readonly exitCode: number; readonly stdout: string }> {
  const child = Bun.spawn([await iconBinary(), ...words], { stdout: "pipe", stderr: "inherit" });
  const [stdout, exitCode] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  return { exitCode, stdout };
}

const time = (second: number) => new Date(second * 1000).toISOString();

// An observer is believed up to 5 s before its last word.
const ends = Math.min(...names.map((name) => Math.floor(listenings(name).at(-1)?.until ?? 0))) - 6;
const begins = Math.min(...names.map((name) => Math.floor(listenings(name)[0]?.from ?? 0)));
const seconds = Array.from({ length: ends - begins }, (_, index) => begins + index);
const heard = { a: heardSecond("a"), b: heardSecond("b") };

test("in every second that both heard, digests and the rows of calls are equal", async () => {
  const bounds = ["--from", time(begins), "--to", time(ends), "--limit", "1000"];
  const { exitCode, stdout } = await icon("compare", ...idbs, ...bounds, "--rows", "--json");
  const { windows, calls } = JSON.parse(stdout) as Comparison;
  expect({ exitCode, different: windows.listed, calls: calls.listed }).toEqual({
    exitCode: 0,
    different: [],
    calls: [],
  });
  const notCompared = new Set(
    windows.notComparedListed.flatMap(({ from, until }) => seconds.filter((each) => each >= from && each < until)),
  );
  const both = seconds.filter((second) => heard.a(second) && heard.b(second));
  expect(both.length).toBeGreaterThan(100);
  expect(both.filter((second) => notCompared.has(second))).toEqual([]);
  expect(calls.compared).toBeGreaterThan(20);
});

test("availability names to the second what neither heard, and nothing else", async () => {
  const bounds = ["--from", time(begins + 1), "--to", time(ends)];
  const { exitCode, stdout } = await icon("availability", ...idbs, ...bounds, "--windows", "--json");
  const states = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as JudgedWindows);
  const said = new Map(
    states.flatMap(({ from, until, ...each }) => secondsBetween(from, until).map((second) => [second, each] as const)),
  );
  const unheard = seconds.slice(1).filter((second) => !heard.a(second) && !heard.b(second));
  expect([...said].filter(([, { state }]) => state === "incomplete").map(([second]) => time(second))).toEqual(
    unheard.map(time),
  );
  // In the recording both were cut off from 09:10:26.95 to 09:10:31.27.
  expect(unheard.map(time)).toEqual(
    secondsBetween(Date.parse("2026-11-23T09:10:26Z") / 1000, Date.parse("2026-11-23T09:10:32Z") / 1000).map(time),
  );
  expect(exitCode).toBe(3);
  for (const [second, { state, copies, agreement, chosen }] of said) {
    const whole = names.filter((name) => heard[name](second));
    if (whole.length === 0) continue;
    expect([time(second), state]).not.toEqual([time(second), "unknown"]);
    expect([time(second), agreement]).toEqual([time(second), whole.length === 2 ? "confirmed" : "alone"]);
    expect([time(second), heard[names[chosen ?? -1] ?? "a"](second)]).toEqual([time(second), true]);
    // Asterisk numbers nothing: what is said is that somebody listened, not that nothing can be missing.
    expect(copies.every(({ isProven }) => !isProven)).toBeTrue();
  }
}, 20_000);

test("the extraction has each of the server's calls once, right where one of the two heard it, and marked where neither did", async () => {
  const out = folder.at("calls.db");
  const bounds = ["--from", time(begins - 60), "--to", time(ends + 60)];
  const { exitCode, stdout } = await icon("extract", ...idbs, ...bounds, "--out", out, "--json");
  const { calls } = JSON.parse(stdout) as { readonly calls: Readonly<Record<string, number>> };
  const logged = readQueueLog("a");
  expect(logged.length).toBe(45);
  const kept = await askIdb<ExtractedCall>(out, extractedSql);
  // Each queue_log call is one call of the extraction, and there is no other.
  expect(kept.map(({ callId }) => callId).sort()).toEqual(logged.map(linkedIdOf).sort());
  const known = new Map(kept.map((call) => [call.callId, call]));
  const stays = await askIdb<RecordedStay>(out, staysSql);
  const whole = logged.filter(isHeard);
  for (const stay of whole) {
    const found = stays.filter(({ uniqueId, queue }) => uniqueId === stay.callId && queue === stay.queue);
    expect([stay.callId, found.map(({ outcome }) => outcome)]).toEqual([stay.callId, [stay.outcome]]);
    const [row] = found;
    expect(Math.abs((row?.waitSeconds ?? Number.NaN) - (stay.endedAt - stay.enteredAt))).toBeLessThan(1);
    const talked = stay.talk === null ? null : stay.talk.endedAt - stay.talk.startedAt;
    if (talked === null) expect(row?.talkSeconds).toBeNull();
    else expect(Math.abs((row?.talkSeconds ?? Number.NaN) - talked)).toBeLessThan(1);
    expect([stay.callId, known.get(linkedIdOf(stay))?.verdict]).toEqual([
      stay.callId,
      expect.stringMatching(/^(?:complete|joined)$/),
    ]);
  }
  const countedWhole = countByQueue(stays.filter(({ uniqueId }) => whole.some(({ callId }) => callId === uniqueId)));
  expect(countedWhole).toEqual(countByQueue(whole));

  const partial = logged.filter((stay) => !isHeard(stay));
  expect(whole.length).toBeGreaterThan(35);
  expect(partial.length).toBeGreaterThan(0);
  for (const stay of partial) {
    const call = known.get(linkedIdOf(stay));
    const reasons = JSON.parse(call?.reasons ?? "[]") as readonly { readonly why: string; readonly until: number }[];
    expect([stay.callId, call?.verdict]).toEqual([stay.callId, "incomplete"]);
    expect([stay.callId, reasons.find(({ why }) => why === "missing")?.until]).toEqual([stay.callId, unheardUntil]);
  }
  expect({ exitCode, incomplete: calls["incomplete"] }).toEqual({ exitCode: 3, incomplete: partial.length });
}, 20_000);

const unheardUntil = Date.parse("2026-11-23T09:10:32Z") / 1000;

interface JudgedWindows {
  readonly from: number;
  readonly until: number;
  readonly state: string;
  readonly agreement: string;
  readonly chosen: number | null;
  readonly copies: readonly { readonly isProven: boolean }[];
}

interface ExtractedCall {
  readonly callId: string;
  readonly verdict: string;
  readonly reasons: string;
}

const extractedSql = `SELECT call.CALLID AS callId, said.VERDICT AS verdict, said.REASONS AS reasons
  FROM G_CALL call JOIN ICON_EXTRACT_CALL said ON said.CALLID = call.CALLID`;

/** Every moment of it was heard by one of the two; the log has whole seconds, and the channel is there before its queue. */
function isHeard({ enteredAt, endedAt, talk }: LoggedStay): boolean {
  const end = Math.max(endedAt, talk?.endedAt ?? 0) + 1;
  return secondsBetween(enteredAt - 1, end + 1).every((second) => heard.a(second) || heard.b(second));
}

function secondsBetween(from: number, until: number): number[] {
  return Array.from({ length: until - from }, (_, index) => from + index);
}
