// What readers are told of an IDB that was purged, alone and beside one that was not: real files, all by the same rules.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { encodeEnvelope, type SessionId } from "../../src/event/envelope.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import { judge } from "../../src/extraction/availability.ts";
import { compareCopies } from "../../src/extraction/compare.ts";
import { explain, stretchAround } from "../../src/extraction/explain.ts";
import { explanationLines } from "../../src/extraction/explanation-text.ts";
import { IdbCopy } from "../../src/extraction/idb-copy.ts";
import { readLedgers } from "../../src/extraction/read-ledgers.ts";
import { sourceExtents } from "../../src/extraction/source-extent.ts";
import { judgeByLedger } from "../../src/extraction/standing.ts";
import { openIdb } from "../../src/idb/open.ts";
import { silentLog } from "../../src/log.ts";
import { Projector } from "../../src/projector.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { differencesBetween, readDump } from "../harness/dump.ts";
import { openStored } from "../harness/stored-story.ts";
import { query } from "../idb/temporary.ts";
import { ExtractionSetting, windowSeconds } from "./extraction-setting.ts";
import { ScriptedServer, scriptDefault, secondOf } from "./scripted-server.ts";

// Every batch is synced, on a disk that others use.
setDefaultTimeout(60_000);

const setting = new ExtractionSetting(new ScriptedServer({ ...scriptDefault, lifeSeconds: 6 }));
afterAll(() => setting[Symbol.dispose]());

const border = 40;
const end = setting.server.endSeconds;

async function purged(name: string, seconds = border): Promise<void> {
  const queue = setting.at(`${name}/queue`);
  {
    await using opened = await openStored(queue, 1024 * 1024);
    const before = secondOf(seconds) * 1000;
    const mark = { mark: "purge", before, by: "command", isUnconfirmed: false } as const;
    const arrivedAt = arrivalInstant(secondOf(end) * 1000);
    await opened.durable(opened.append(encodeEnvelope({ kind: "mark", session: 0 as SessionId, arrivedAt, mark })));
  }
  using idb = openIdb({ path: setting.idb(name), log: silentLog, windowSeconds });
  using reader = new QueueReader({ disk: systemDisk, directory: queue });
  const projector = new Projector({ reader, idb, log: silentLog });
  while (projector.advance(reader.lastWholePosition())) {} // batch after batch
  while (!idb.purge(7).isDone) {} // a transaction each
}

const copiesOf = (...names: readonly string[]) => names.map((name) => new IdbCopy(setting.at(name)));

const callsIn = (path: string, where: string) =>
  query(path, `SELECT count(*) FROM G_CALL WHERE ${where}`).map(([count]) => Number(count))[0] ?? 0;

beforeAll(async () => {
  await setting.truth();
  // Each heard everything; `half` and `other` are purged, `kept` is not.
  for (const name of ["half", "kept", "other"]) await setting.copy(name, [0, end]);
  await purged("half");
  await purged("other", 30);
});

test("windows before the day count as incomplete in the copy that purged them, with a cause of their own", async () => {
  const { ledgers, read } = await readLedgers(copiesOf("half", "kept"), setting.stretch);
  const [source] = judge(ledgers, setting.stretch, read).sources;
  const stretches = source?.stretches ?? [];
  for (const { from, until, verdict } of stretches) {
    const [half, kept] = verdict.copies;
    expect([from, kept?.state]).toEqual([from, kept?.events === 0 ? "silent" : "complete"]);
    if (until <= secondOf(border)) {
      expect([from, half?.state, half?.causes, half?.missing]).toEqual([from, "incomplete", ["purged"], []]);
      expect([from, verdict.agreement, verdict.chosen]).toEqual([from, "alone", 1]);
    } else {
      expect([from, half?.state, verdict.agreement]).toEqual([from, kept?.state, "confirmed"]);
    }
  }
  expect(stretches.some(({ until }) => until <= secondOf(border))).toBe(true);
  expect(stretches.some(({ from }) => from >= secondOf(border))).toBe(true);
});

test("a moment before the day is explained by the purge", async () => {
  const atMs = (secondOf(20) + 0.5) * 1000;
  const [explained] = explain(await readLedgers(copiesOf("half"), stretchAround(atMs, windowSeconds)), atMs);
  if (explained === undefined) throw new Error("The source is known");
  const [copy] = explained.copies;
  expect(copy?.verdict).toMatchObject({ state: "incomplete", causes: ["purged"] });
  const { mark } = { mark: copy?.chain.find((link) => link.kind === "mark" && link.word === "purge") };
  expect(mark).toMatchObject({ detail: `before ${new Date(secondOf(border) * 1000).toISOString()}, by command` });
  const text = JSON.stringify(explanationLines(explained, ["half"]));
  expect(text).toContain("because its calls were purged from this copy");
});

test("without a stretch that was asked for, what all copies have purged is not judged", async () => {
  const from = async (...names: readonly string[]) =>
    (await sourceExtents(copiesOf(...names))).map(({ known }) => known.from - secondOf(0))[0];
  expect(await from("half")).toBe(border + 1);
  expect(await from("half", "other")).toBe(31);
  expect(await from("half", "kept")).toBeLessThan(5);
});

test("purged and unpurged copies do not contradict each other: what is compared is equal", async () => {
  const comparison = await compareCopies(copiesOf("half", "kept"), judgeByLedger, {
    stretch: setting.stretch,
    allRows: true,
    listedMax: 20,
  });
  expect({
    result: comparison.result,
    windows: comparison.windows.different,
    calls: comparison.calls.different,
  }).toEqual({ result: "equal", windows: 0, calls: 0 });
  expect(comparison.windows.compared).toBeGreaterThan(20);
  expect(comparison.calls.compared).toBeGreaterThan(10);
});

test("an extraction takes from the other copy what one has purged, and the record is the truth", async () => {
  expect(callsIn(setting.idb("half"), `TERMINATED_TS < ${secondOf(border)}`)).toBe(0);
  expect(callsIn(setting.idb("kept"), `TERMINATED_TS < ${secondOf(border)}`)).toBeGreaterThan(10);
  const report = await setting.extract(["half", "kept"], "one.db");
  expect(report).toMatchObject({
    verdict: "complete",
    calls: { incomplete: 0, notYetKnown: 0, divergent: 0 },
    windows: { incomplete: 0, divergent: 0 },
  });
  expect(differencesBetween(readDump(setting.at("one.db")), readDump(setting.idb("truth")))).toEqual([]);
});

test("from the purged copy alone, time before the day is not said to be whole", async () => {
  const report = await setting.extract(["half"], "alone.db");
  expect(report.verdict).toBe("incomplete");
  expect(report.windows.incomplete).toBeGreaterThan(20);
  expect(callsIn(setting.at("alone.db"), "1")).toBe(callsIn(setting.idb("half"), "1"));
});

test("what was handed out before a purge is neither withdrawn nor made worse by it", async () => {
  await setting.copy("later", [0, end]);
  await setting.extract(["later"], "kept-on.db");
  const before = readDump(setting.at("kept-on.db"));
  await purged("later");
  const report = await setting.extract(["later"], "kept-on.db");
  expect(report.run).toMatchObject({ written: 0, withdrawn: 0 });
  expect(differencesBetween(before, readDump(setting.at("kept-on.db")))).toEqual([]);
  const verdicts = query(
    setting.at("kept-on.db"),
    "SELECT DISTINCT VERDICT, REVISION, WITHDRAWN FROM ICON_EXTRACT_CALL",
  );
  expect(verdicts).toEqual([["complete", 1, null]]);
});
