// R11: a copy that is whole by its own account and wrong all the same is found by the other. One instance of a pair is told
// lies by its connection, or has a fault planted into its build, about one event; its numbers leave no gap, so it vouches
// for everything. ICON_PAIR_LIES=all tries planted builds too.

import { beforeAll, expect, test } from "bun:test";
import { whyNoNamespaces } from "../harness/cable.ts";
import { EventLog } from "../harness/event-log.ts";
import { figure } from "../harness/figure.ts";
import { seededRandom } from "../harness/load-verdict.ts";
import { type Lie, LyingFront } from "../harness/lying-front.ts";
import { Pair } from "../harness/pair.ts";
import { buildBinary, iconBinary, TemporaryDirectory, until } from "../harness/processes.ts";
import { runCommand } from "../harness/run-command.ts";
import type { JudgedWindow } from "./pair-audit.ts";
import { readJudgedWindows } from "./pair-judged.ts";

const isAll = process.env["ICON_PAIR_LIES"] === "all";
// Planted faults are about this event: both listen long before it.
const plantedSeq = 900;
const eventsPerSecond = 100;
const isNamespaced = whyNoNamespaces() === null;

interface Liar {
  readonly name: string;
  readonly lie?: Lie;
  readonly plant?: string;
}

const liars: readonly Liar[] = [
  { name: "neither" },
  { name: "an event left out", lie: "an event left out" },
  { name: "an attribute changed", lie: "an attribute changed" },
  { name: "two numbers exchanged", lie: "two numbers exchanged" },
  ...(isAll
    ? [
        { name: "a build that forgets an event", plant: "forgets-event" },
        { name: "a build that makes wrong rows", plant: "misreads-event" },
      ]
    : []),
];

/** What `icon compare --json` says, as far as it is looked at. */
interface Compared {
  readonly exitCode: number;
  readonly result: string;
  /** Starts of the windows that differ. */
  readonly windows: readonly number[];
  readonly callsDifferent: number;
}

interface Outcome {
  readonly judged: readonly JudgedWindow[];
  /** Windows in which the event, or one that has its number, happened. */
  readonly liedAbout: readonly number[];
  readonly compared: Compared;
  readonly comparedByRows: Compared;
}

const outcomes = new Map<string, Outcome | Error>();

beforeAll(async () => {
  await iconBinary();
  const { seed } = seededRandom("pair lies");
  const playOne = async (liar: Liar) => {
    using directory = new TemporaryDirectory("pair-lies");
    outcomes.set(liar.name, await play(liar, directory.at("pair"), seed).catch((error: Error) => error));
  };
  await Promise.all(liars.map(playOne));
}, 300_000);

async function play({ lie, plant }: Liar, directory: string, seed: number): Promise<Outcome> {
  let front: LyingFront | null = null;
  const host = isNamespaced ? "0.0.0.0" : "127.0.0.1";
  await using pair = await Pair.start({
    directory,
    isNamespaced,
    simulator: { seed, rate: eventsPerSecond, talkSeconds: 1, heartbeatMs: 500, lingerSeconds: 7, plain: true },
    ...(lie !== undefined && {
      frontOfB: async (serverPort) => {
        front = await LyingFront.start(lie, serverPort, host);
        return front.port;
      },
    }),
    ...(plant !== undefined && { bySide: { b: { binary: await buildBinary(plant) } } }),
  });
  let seq = plantedSeq;
  try {
    if (plant === undefined) seq = pair.simulator.progress().events + 2 * eventsPerSecond;
    if (front !== null) (front as LyingFront).seq = seq;
    await until("the event is told", 60_000, () => pair.simulator.progress().events > seq + 1);
    // A server that was late tells many at once: that they are many does not say that their window has ended.
    await pair.pass(2500);
    await pair.end();
  } finally {
    await (front as LyingFront | null)?.[Symbol.asyncDispose]();
  }
  const log = EventLog.read(pair.truthPath);
  const [events = []] = log.runs.values();
  if ((events[seq - 1]?.at ?? 0) / 1000 < pair.listeningFrom) throw new Error("the event came before both listened");
  const windowOf = (number: number) => Math.floor((events[number - 1]?.at ?? 0) / 1000);
  return {
    judged: await readJudgedWindows(pair.idbPaths, { from: pair.listeningFrom, until: log.untilSeconds }),
    liedAbout: [...new Set([windowOf(seq), windowOf(seq + 1)])],
    compared: await compare(pair.idbPaths, []),
    comparedByRows: await compare(pair.idbPaths, ["--rows"]),
  };
}

async function compare(idbPaths: readonly string[], words: readonly string[]): Promise<Compared> {
  const idbs = idbPaths.flatMap((path) => ["--idb", path]);
  const { exitCode, stdout, stderr } = await runCommand(["compare", ...idbs, "--json", "--limit", "1000", ...words]);
  if (stdout === "") throw new Error(`icon compare ended with ${exitCode}: ${stderr}`);
  const { result, windows, calls } = JSON.parse(stdout);
  return {
    exitCode,
    result,
    windows: windows.listed.map(({ windowTs }: { readonly windowTs: number }) => windowTs),
    callsDifferent: calls.different,
  };
}

function outcomeOf(name: string): Outcome {
  const outcome = outcomes.get(name);
  if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error(`"${name}" was not played`);
  return outcome;
}

const divergent = ({ judged }: Outcome) => judged.filter((each) => each.isDivergent).map(({ windowTs }) => windowTs);

test("a pair to which the truth was told has equal digests, and compare says so", () => {
  const honest = outcomeOf("neither");
  expect(divergent(honest)).toEqual([]);
  expect(honest.compared).toEqual({ exitCode: 0, result: "equal", windows: [], callsDifferent: 0 });
  expect(honest.comparedByRows).toEqual({ exitCode: 0, result: "equal", windows: [], callsDifferent: 0 });
});

test("an event left out, with the numbers behind it closed up, is found in its window, and in all that follow", () => {
  const found = outcomeOf("an event left out");
  const [first = 0] = found.liedAbout;
  const after = found.judged.filter(({ windowTs, said }) => windowTs >= first && said === "complete");
  expect(divergent(found)).toContain(first);
  // In the last one, a whole copy has a number that the other has never heard of: there it is no longer whole.
  const missed = after.filter(({ isDivergent, copies }) => !isDivergent && copies[1] === "complete");
  expect(missed).toEqual([]);
  expect(divergent(found).length).toBeGreaterThanOrEqual(after.length - 1);
  expect(found.compared).toMatchObject({ exitCode: 4, result: "different", windows: divergent(found) });
});

test("a changed attribute is found in its window, and in no other", () => {
  const found = outcomeOf("an attribute changed");
  expect(divergent(found)).toEqual(found.liedAbout.slice(0, 1));
  expect(found.compared).toMatchObject({ exitCode: 4, result: "different", windows: divergent(found) });
});

test("two events that have each other's number are found in their windows, and in no other", () => {
  const found = outcomeOf("two numbers exchanged");
  expect(divergent(found)).toEqual([...found.liedAbout]);
  expect(found.compared).toMatchObject({ exitCode: 4, result: "different", windows: divergent(found) });
  figure(
    "R11",
    "three lies about one event to one copy of a pair (left out, changed, misnumbered): all found by digest",
  );
});

if (isAll) {
  test("a build that forgets an event is found in its window, and in no other", () => {
    const found = outcomeOf("a build that forgets an event");
    expect(divergent(found)).toEqual(found.liedAbout.slice(0, 1));
    expect(found.compared).toMatchObject({ exitCode: 4, result: "different", windows: divergent(found) });
  });

  test("a build that makes wrong rows of an event has equal digests, and is found where rows are compared", () => {
    const found = outcomeOf("a build that makes wrong rows");
    expect(divergent(found)).toEqual([]);
    expect(found.compared).toMatchObject({ exitCode: 0, result: "equal" });
    expect(found.comparedByRows).toMatchObject({ exitCode: 4, result: "different" });
    expect(found.comparedByRows.callsDifferent).toBeGreaterThan(0);
  });
}
