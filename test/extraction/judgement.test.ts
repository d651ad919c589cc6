// What is asked of a copy hour by hour must not make it look whole where it is not.

import { expect, test } from "bun:test";
import { type JudgedStretch, judge } from "../../src/extraction/availability.ts";
import { explain, stretchAround } from "../../src/extraction/explain.ts";
import { IdbCopy } from "../../src/extraction/idb-copy.ts";
import { Judgement } from "../../src/extraction/judgement.ts";
import { readLedgers } from "../../src/extraction/read-ledgers.ts";
import { judgeByLedger, judgeStretch } from "../../src/extraction/standing.ts";
import { judgeLedgers } from "../../src/handing-out/ledgers.ts";
import { Story, startMs } from "../harness/story.ts";
import { TemporaryDirectory } from "../idb/temporary.ts";
import { beginningSeconds, ledger, mark, runB, spans, windows } from "./ledger-story.ts";
import { storeCopy } from "./stored-copy.ts";

const north = { cluster: 101, switchDbid: 1 };
const time = (seconds: number) => startMs / 1000 + seconds;

test("a CTI link that was down for longer than what is read at once was down for all of it", async () => {
  const ringing = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
  const story = new Story().events([1, "EventRinging", ringing]).heartbeat(590);
  // From 08:10 to 09:50.
  story.line({ cti: "down", time: time(600) }).line({ cti: "up", time: time(6600) });
  story.heartbeat(6610).heartbeat(7300);
  using directory = new TemporaryDirectory();
  const path = await storeCopy({ directory: directory.path, payloads: story.payloads });
  const copy = new IdbCopy(path);
  const judgement = new Judgement([copy], [await copy.identity()]);
  const [from, until] = [time(-600), time(7199)];
  await judgement.findFirstWord({ from, until });
  await judgement.cover(from, until);
  // Each window of the outage, the ones with its ends among them.
  expect(judgement.doubted(0, north, time(600), time(6659))).toEqual([
    { from: time(600), until: time(6660), isKnown: true, causes: ["cti link down"] },
  ]);
  expect(judgement.doubted(0, north, time(60), time(599))).toEqual([]);
  expect(judgement.doubted(0, north, time(6660), time(7199))).toEqual([]);
});

const nineDays = 9 * 86_400;

/** A copy that heard of an outage of nine days from its beginning to its end. */
async function afterLongOutage(directory: TemporaryDirectory): Promise<IdbCopy> {
  const story = new Story().events([1, "EventRinging", { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" }]);
  story.heartbeat(590).line({ cti: "down", time: time(600) });
  story.line({ cti: "up", time: time(600 + nineDays) });
  story.heartbeat(610 + nineDays).heartbeat(2000 + nineDays);
  return new IdbCopy(await storeCopy({ directory: directory.path, payloads: story.payloads }));
}

test("a CTI link that was down for longer than windows are looked for was down until it came back", async () => {
  using directory = new TemporaryDirectory();
  const copy = await afterLongOutage(directory);
  const end = time(600 + nineDays);
  const part = { from: end - 3600, until: end + 600 };
  const { ledgers, read } = await readLedgers([copy], part);
  // The window in which the loss was told lies before what is read.
  expect(read.from).toBeGreaterThan(time(660));
  expect(statesOf(judge(ledgers, part, read).sources[0]?.stretches)).toEqual([
    { from: end - 3600, until: end, state: "incomplete", causes: ["cti link down"] },
    // The window in which the server said so.
    { from: end, until: end + 60, state: "incomplete", causes: ["cti link down"] },
    { from: end + 60, until: end + 600, state: "silent", causes: [] },
  ]);

  const moment = (end - 1800) * 1000;
  const [explained] = explain(await readLedgers([copy], stretchAround(moment, 60)), moment);
  expect(explained?.copies[0]?.verdict).toMatchObject({ state: "incomplete", causes: ["cti link down"] });

  const { judgement } = await judgeStretch([copy], judgeByLedger, part);
  expect(judgement.sources[0]?.stretches.map(({ standings }) => standings)).toEqual([
    ["incomplete"],
    ["incomplete"],
    ["whole"],
  ]);

  const { availability } = await judgeLedgers({ idbPath: copy.path, peer: null }, part, 200_000);
  expect(statesOf(availability.sources[0]?.stretches)[0]?.state).toBe("incomplete");
});

function statesOf(stretches: readonly JudgedStretch[] = []) {
  return stretches.map(({ from, until, verdict }) => {
    const { state = null, causes = [] } = verdict.copies[0] ?? {};
    return { from, until, state, causes };
  });
}

test("of a server that begins without its CTI link and has it much later, the window of its return is not the loss", () => {
  const all = ledger({
    spans: spans(
      { from: [0, 0], until: [10, 5], ended: "new run" },
      { run: runB, from: [900, 0], until: [990, 0], began: "new run" },
    ),
    windows: windows(
      { at: 12, run: runB, faults: ["cti link down"] },
      { at: 899, run: runB, faults: ["cti link down"] },
    ),
    marks: [mark(1, "CTI link down", 12), mark(2, "CTI link up", 899.5)],
  });
  const other = ledger({
    spans: spans(
      { from: [0, 0], until: [10, 5], ended: "new run" },
      { run: runB, from: [11, 0], until: [11, 0], began: "new run" },
    ),
  });
  const read = { from: beginningSeconds + 800, until: beginningSeconds + 1000 };
  const near = { ...all, windows: all.windows.filter(({ WINDOW_TS }) => WINDOW_TS >= read.from) };
  const { sources } = judge([near, other], { from: beginningSeconds + 850, until: beginningSeconds + 890 }, read);
  expect(sources[0]?.stretches.map(({ verdict }) => [verdict.copies[0]?.state, verdict.copies[0]?.causes])).toEqual([
    ["incomplete", ["cti link down"]],
  ]);
});
