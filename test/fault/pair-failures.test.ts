// The table of failures, a test a row, each with two instances in two network namespaces and one simulated source: what
// the session rows say, what the ledger says, that the pair is whole wherever one of the two heard it, and that what
// neither heard is named, and nothing else. ICON_PAIR_FAILURES=all plays every row, another word those that have it in
// their names; without it those of `inShort` are played.

import { beforeAll, expect, test } from "bun:test";
import { tserverTypes } from "../../src/config/file.ts";
import { whyNoNamespaces } from "../harness/cable.ts";
import { seededRandom } from "../harness/load-verdict.ts";
import { sideNames } from "../harness/pair.ts";
import { iconBinary, TemporaryDirectory } from "../harness/processes.ts";
import { whyNoSmallDisk } from "../harness/small-disk.ts";
import {
  type Ended,
  type ExpectedWords,
  type FailureRow,
  type FailureSource,
  failureRows,
  failureSources,
  forgetful,
  look,
  type Played,
  play,
  type SessionWords,
} from "./pair-failure.ts";

const wanted = process.env["ICON_PAIR_FAILURES"] ?? "";
const isAll = wanted === "all";
const inShort: ReadonlySet<string> = new Set([
  "the connection of one instance falls silent, and the server cannot send again what it missed",
  "the connections of both instances fall silent at once",
  "the persistent queue of one instance is lost",
]);
const isWanted = ({ name }: FailureRow) => isAll || (wanted === "" ? inShort.has(name) : name.includes(wanted));
// Every row with every source; those that cannot be played here are told of, where all are asked for.
const cases = failureSources.flatMap((source) => {
  return failureRows.filter(isWanted).map((row): Case => ({ row, source, whyNot: whyNotPlayed(row, source) }));
});
// Rows are played several at a time: each waits more than it works.
const atOnce = 4;

const whyNot = whyNoNamespaces();
const way = whyNot === null ? "in network namespaces" : `with proxies on loopback, for ${whyNot}`;

interface Case {
  readonly row: FailureRow;
  readonly source: FailureSource;
  /** Null: it is played. */
  readonly whyNot: string | null;
}

const played = new Map<Case, Played | Error>();

beforeAll(async () => {
  console.log(`the table of failures, ${way}`);
  await iconBinary();
  const { seed } = seededRandom("pair failures");
  const waiting = cases.filter((each) => each.whyNot === null);
  using directory = new TemporaryDirectory("pair-failures");
  const ended = new Map<Case, Ended | Error>();
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const place = { directory: directory.at(String(cases.indexOf(next))), isNamespaced: whyNot === null, seed };
      ended.set(next, await play(next.row, next.source, place).catch((error: Error) => error));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  for (const [each, end] of ended) {
    played.set(each, end instanceof Error ? end : await look(end).catch((error: Error) => error));
  }
}, 600_000);

for (const each of cases) {
  const name = each.source === failureSources[0] ? each.row.name : `${each.row.name}, with ${each.source.name}`;
  if (each.whyNot === null) test(name, () => check(each));
  else if (isAll) test.skip(`skipped: ${each.whyNot}: ${name}`, () => check(each));
}

function whyNotPlayed({ hasSmallDisk }: FailureRow, { simulate }: FailureSource): string | null {
  if (simulate === null) return "no such source yet";
  return hasSmallDisk ? whyNoSmallDisk() : null;
}

function check(each: Case): void {
  const { row, source } = each;
  const outcome = played.get(each);
  if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error("the row was not played");
  const { sessions, marks, judged, audit, lost, while: happened } = outcome;
  const { windows: lostWindows } = lost;
  const incomplete = judged.filter(({ said }) => said === "incomplete" || said === "unknown");
  console.log(`${row.name}: ${audit.windows} windows, ${incomplete.length} incomplete`, sessions);
  for (const { windowTs, causes } of incomplete) console.log(`  ${windowTs}: ${causes.join(" | ")}`);

  const isForgetful = row.options?.simulator?.resendEvents === forgetful.resendEvents;
  const mayBreak = isForgetful ? ["silence", "connection lost"] : ["silence"];
  for (const side of sideNames) {
    const expected = row.sessions[side];
    const actual = withoutBusyHost(sessions[side], expected, mayBreak);
    // Of several causes that may be seen, the one that was.
    const causeOf = (causes: string | readonly string[], seen: string | null | undefined) => {
      return typeof causes === "string" ? causes : (causes.find((each) => each === seen) ?? causes);
    };
    expect<unknown>(actual).toEqual(
      expected.map(([type, dbid, causes], place) => [type, dbid, causeOf(causes, actual[place]?.[2])]),
    );
  }
  expect([...new Set(outcome.dsTypes)]).toEqual([tserverTypes[source.type]]);
  for (const mark of row.marks ?? []) expect(marks).toContain(mark);
  const { falseComplete, notChosen, divergent, neverTold, unsaid } = audit;
  const none = { falseComplete: [], notChosen: [], divergent: [], neverTold: [], unsaid: [] };
  expect({ falseComplete, notChosen, divergent, neverTold, unsaid }).toEqual(none);

  // Nothing stays open that the source no longer has; what ended unseen is between its bounds.
  console.log(`  closed unseen: ${outcome.stuck.map(({ closed }) => closed).join(" and ")} calls and parties`);
  expect(outcome.stuck.map(({ outside, stuck }) => ({ outside, stuck }))).toEqual([
    { outside: [], stuck: [] },
    { outside: [], stuck: [] },
  ]);
  if (row.marks?.includes("gap reported")) expect(outcome.stuck[0]?.closed).toBeGreaterThan(0);

  // The extraction is the truth wherever one of the two saw it.
  const { calls, report } = outcome;
  console.log(`  ${calls.calls} calls, ${calls.saidComplete} complete, ${calls.joined} of them joined`);
  expect(calls.saidComplete).toBeGreaterThan(0);
  expect(calls.falseComplete).toEqual([]);
  expect(calls.falseIncomplete).toEqual([]);
  expect(report.windows.incomplete).toBe(incomplete.length);
  if (row.lost === "nothing" && !row.isBlind) expect(report.verdict).toBe("complete");

  const { explained, lostExplained } = outcome;
  console.log(explained.text);
  const allThere = /\n {2}(complete: \d+ events?|silent: nothing happened); take [ab]/;
  const words = row.explains ?? (allThere.test(explained.text) ? undefined : row.orExplains);
  if (words === undefined) expect(explained.text).toMatch(allThere);
  for (const each of words ?? []) expect(explained.text).toContain(each);
  expect(explained.exitCode).toBe(words === undefined || (row.lost === "nothing" && !row.isBlind) ? 0 : 3);
  // Of both copies the very numbers are said that nobody has.
  if (row.lost === "something") {
    const missing = `events ${lost.longest?.from} to ${lost.longest?.to} are missing`;
    expect(lostExplained?.text.split(missing)).toHaveLength(3);
    expect(lostExplained?.exitCode).toBe(3);
  }

  // What neither copy heard is incomplete, and so is what a blind server told; and nothing else.
  const said = new Set(incomplete.map(({ windowTs }) => windowTs));
  if (row.lost === "something") expect(lostWindows.size).toBeGreaterThan(0);
  if (row.lost === "nothing") expect(lostWindows.size).toBe(0);
  expect([...lostWindows].filter((windowTs) => !said.has(windowTs))).toEqual([]);
  const mayBeDoubtful = row.isBlind || row.lost === "tail";
  const isWithin = (windowTs: number) => windowTs > happened.from - 1 && windowTs < happened.until + 1;
  const unlost = [...said].filter((windowTs) => !lostWindows.has(windowTs));
  // What the source said last before it, and first after it, may be in the next window: nobody can tell that it is not.
  const isAtEdge = (windowTs: number) => lostWindows.has(windowTs - 1) || lostWindows.has(windowTs + 1);
  expect(unlost.filter((windowTs) => !isAtEdge(windowTs) && !(mayBeDoubtful && isWithin(windowTs)))).toEqual([]);
  if (row.isBlind) expect(unlost.length).toBeGreaterThanOrEqual(Math.floor(happened.until - happened.from) - 1);
}

/**
 * What a row tells of, where a host too busy to hear its heartbeats, or to take in what a forgetful server still has, has
 * broken a session in two.
 */
function withoutBusyHost(
  actual: readonly SessionWords[],
  expected: readonly ExpectedWords[],
  mayBreak: readonly string[],
): SessionWords[] {
  const rest = [...actual];
  while (rest.length > expected.length) {
    const brokenBy = (cause: string) => rest.findIndex(([type], place) => type === 2 && rest[place - 1]?.[2] === cause);
    const at = mayBreak.map(brokenBy).find((place) => place !== -1) ?? -1;
    const [before, after] = [rest[at - 1], rest[at]];
    if (before === undefined || after === undefined) break;
    rest.splice(at - 1, 2, [before[0], before[1], after[2]]);
  }
  return rest;
}
