// The page says what schema/ says, and each of its statements answers its question: run as it stands there, on a morning
// whose every call was planned, and held against a count over the plan. Not by the means of `icon sql`: what that bounds is
// the memory of its own process, and this one has other tests.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { storeCopy } from "../extraction/stored-copy.ts";
import { busyAt, plannedSessions, secondsOf } from "../harness/reporting-agents.ts";
import {
  daySeconds,
  dayStartTs,
  type Fate,
  isForgotten,
  isRouted,
  type PlannedStay,
  plan,
  plannedStays,
  reportingDay,
  segmentOf,
  toldOfDay,
  virtualQueuesOf,
} from "../harness/reporting-day.ts";
import { goneOn, SitesStory } from "../harness/sites-story.ts";
import { query, TemporaryDirectory } from "../idb/temporary.ts";
import { generated, line, page } from "./reading-the-data.ts";

const text = readFileSync(page, "utf8");

test("what the page says of views, tables and values is what schema/ says; else `bun test/docs/reading-the-data.ts`", () => {
  const [, below, ...more] = text.split(line);
  expect(more).toEqual([]);
  expect(below === `\n${generated()}`).toBe(true);
});

const statements = [...text.matchAll(/^### (\d+)\. .*$|^```sql\n([\s\S]*?)\n```$/gm)];

/** The statements of one question, as they stand in the page. */
function statementsOf(question: number): readonly string[] {
  let current = 0;
  const found: string[] = [];
  for (const [, heading, sql] of statements) {
    if (heading !== undefined) current = Number(heading);
    else if (current === question && sql !== undefined) found.push(sql);
  }
  return found;
}

/** By PartyUUID: the seconds of after-call work that come after the party's part in a call, the last one at that DN. */
function afterCallSeconds(told: ReturnType<typeof toldOfDay>): ReadonlyMap<unknown, number> {
  const seconds = new Map<unknown, number>();
  for (const { dn, from, until, changes } of plannedSessions) {
    const calls = busyAt(dn, told);
    const ends = told.filter(([at, id, { ThisDN }]) => ThisDN === dn && id === "EventReleased" && at > from);
    for (const [index, { at: begins, state }] of changes.entries()) {
      if (state !== "after-call work") continue;
      const over = changes[index + 1]?.at ?? until ?? begins;
      const cuts = [begins, over, ...calls.flat().filter((cut) => cut > begins && cut < over)].sort((a, b) => a - b);
      for (const [place, cut] of cuts.slice(0, -1).entries()) {
        const next = cuts[place + 1] ?? cut;
        if (calls.some(([first, last]) => first < (cut + next) / 2 && (cut + next) / 2 < last)) continue;
        const [end = 0, , { PartyUUID: party } = {}] = ends.findLast(([at]) => at <= cut) ?? [];
        // Whoever was ready or paused in between works for no call any more.
        if (changes.some(({ at }) => at > end && at < begins)) continue;
        seconds.set(party, (seconds.get(party) ?? 0) + next - cut);
      }
    }
  }
  return seconds;
}

describe("on a morning that was planned", () => {
  const directory = new TemporaryDirectory();
  const asked = new Set<string>();
  let idb = "";

  beforeAll(async () => {
    mkdirSync(`${directory.path}/day`);
    idb = await storeCopy({ directory: `${directory.path}/day`, payloads: reportingDay() });
  });
  afterAll(() => directory[Symbol.dispose]());

  function answerTo(question: number, place = 0): readonly (readonly unknown[])[] {
    const sql = statementsOf(question)[place] ?? "";
    asked.add(sql);
    return query(idb, sql);
  }

  /** Without the first column, which is the one switch's. */
  function answerOfSwitch(question: number, place = 0): readonly (readonly unknown[])[] {
    const rows = answerTo(question, place);
    expect(new Set(rows.map(([dbid]) => dbid))).toEqual(new Set([1]));
    return rows.map(([, ...rest]) => rest);
  }

  const stays = plannedStays();
  const queues = ["8001", "8002", "8009"];
  const round = (value: number, digits = 3) => Number(value.toFixed(digits));
  const at = (seconds: number) => new Date((dayStartTs + seconds) * 1000).toISOString();
  const start = (seconds: number) => at(seconds).replace(".000Z", "Z");
  const isIn = (stay: PlannedStay, queue: string, from: number, until: number) =>
    stay.queue === queue && stay.enteredAt >= from && stay.enteredAt < until;
  const answer = ({ fate }: PlannedStay) => (fate.kind === "answered" ? fate : null);
  const waited = (stay: PlannedStay) => stay.queueSeconds + (answer(stay)?.ringSeconds ?? Number.POSITIVE_INFINITY);
  const kinds = (of: readonly PlannedStay[], ...which: readonly Fate["kind"][]) =>
    of.filter(({ fate }) => which.includes(fate.kind)).length;
  const unknown = (queue: string, from: number): string | null => {
    if (from === 0) return "not listened yet";
    if (from === 3600) return "gap reported";
    if (from === 6300) return "not heard yet";
    return from === 2700 && queue === "8001" ? "call not seen" : null;
  };

  test("1: calls and service level per queue and quarter of an hour", () => {
    const expected = queues.flatMap((queue) =>
      Array.from({ length: 8 }, (_, index) => {
        const from = index * 900;
        const why = unknown(queue, from);
        const here = stays.filter((each) => isIn(each, queue, from, from + 900));
        if (why !== null) return [queue, start(from), null, null, null, null, why];
        const inTime = here.filter((each) => waited(each) <= 20).length;
        const level = here.length === 0 ? null : round(inTime / here.length, 4);
        const givenUp = kinds(here, "abandoned", "abandoned ringing");
        return [queue, start(from), here.length, kinds(here, "answered"), givenUp, level, null];
      }),
    );
    expect(answerOfSwitch(1)).toEqual(expected);
  });

  test("2: service level of the day at 15 s", () => {
    const expected = queues.map((queue) => {
      const here = stays.filter((each) => each.queue === queue);
      return [queue, here.length, round((100 * here.filter((each) => waited(each) <= 15).length) / here.length, 1), 0];
    });
    expect(answerOfSwitch(2)).toEqual(expected);
  });

  test("3: after how long callers give up", () => {
    const counts = new Map<string, number>();
    for (const { queue, queueSeconds, fate } of stays) {
      if (fate.kind !== "abandoned") continue;
      const key = JSON.stringify([queue, Math.floor(queueSeconds / 10) * 10]);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const expected = [...counts].map(([key, count]) => [...(JSON.parse(key) as [string, number]), count] as const);
    expected.sort(([one, first], [other, second]) => (one === other ? first - second : one < other ? -1 : 1));
    expect(answerOfSwitch(3)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(3);
  });

  test("4: who waited longest", () => {
    const left = stays.filter(({ fate }) => fate.kind !== "waiting" && fate.kind !== "not seen");
    const longest = left
      .toSorted((one, other) => other.queueSeconds - one.queueSeconds || one.enteredAt - other.enteredAt)
      .slice(0, 5);
    expect(answerOfSwitch(4)).toEqual(
      longest.map(({ queue, enteredAt, queueSeconds, fate, call }) => {
        return [queue, at(enteredAt), queueSeconds, fate.kind, `C${call.number}`];
      }),
    );
  });

  test("5: how long a call takes", () => {
    const expected = queues.flatMap((queue) =>
      [0, 1800, 3600, 5400].flatMap((from) => {
        if ([from, from + 900].some((quarter) => unknown(queue, quarter) !== null)) return [];
        const here = stays.filter((each) => isIn(each, queue, from, from + 1800)).map(answer);
        const over = here.filter((each) => each !== null).filter(({ isOpen }) => !isOpen);
        if (over.length === 0) return [];
        const talk = over.reduce((sum, { talkSeconds }) => sum + talkSeconds, 0);
        const hold = over.reduce((sum, { holdSeconds }) => sum + holdSeconds, 0);
        return [[queue, start(from), over.length, round((talk + hold) / over.length), talk, hold, talk + hold]];
      }),
    );
    expect(answerOfSwitch(5)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(0);
  });

  test("6: agents' time and occupancy", () => {
    const told = toldOfDay();
    const logins = [...new Set(plannedSessions.map(({ login }) => login))];
    const expected = logins.flatMap((login) =>
      [0, 1800, 3600, 5400].flatMap((from) => {
        const sessions = plannedSessions.filter(
          (each) => each.login === login && each.from < from + 1800 && (each.until ?? daySeconds) > from,
        );
        const isEndUnseen = sessions.some(({ isEndSeen }) => !isEndSeen);
        if (sessions.length === 0 || (isEndUnseen && from > 3600)) return [];
        const isUnseen = isEndUnseen && from + 1800 > 3720;
        const why = [unknown("8002", from), unknown("8002", from + 900), isUnseen ? "session not seen" : null];
        const words = why.filter((each) => each !== null).join(",");
        const head = [login, start(from)];
        if (words !== "") return [[...head, null, null, null, null, null, null, words]];
        const seconds = secondsOf(login, told, [from, from + 1800]);
        const [ready = 0, paused = 0, after = 0, busy = 0, rest = 0] = (
          ["ready", "not ready", "after-call work", "busy", "login"] as const
        ).map((state) => seconds.get(state));
        const all = [ready + paused + after + busy + rest, ready, paused, after, busy].map((each) => round(each));
        return [[...head, ...all, round((after + busy) / (after + busy + ready), 4), null]];
      }),
    );
    expect(answerOfSwitch(6)).toEqual(expected);
    expect(expected.filter((row) => row.at(-1) === null).length).toBe(4);
  });

  test("7: reasons of pauses, once for all queues, without the calls in between", () => {
    const told = toldOfDay();
    const stretches = new Map<string, Map<string, number>>();
    for (const { login, dn, until, changes } of plannedSessions) {
      const calls = busyAt(dn, told);
      for (const [index, { at: from, reason }] of changes.entries()) {
        const end = changes[index + 1]?.at ?? until;
        if (reason === null || end === null || end === undefined) continue;
        const borders = [from, end, ...calls.flat().filter((cut) => cut > from && cut < end)].sort((a, b) => a - b);
        let begun: number | null = null;
        const own = stretches.get(`${login}/${reason}`) ?? new Map<string, number>();
        for (const [place, border] of borders.entries()) {
          const next = borders[place + 1];
          const middle = (border + (next ?? border)) / 2;
          const isBusy = next === undefined || calls.some(([first, last]) => first < middle && middle < last);
          if (isBusy && begun !== null && begun < border) own.set(`${begun}–${border}`, border - begun);
          begun = isBusy ? null : (begun ?? border);
        }
        if (own.size > 0) stretches.set(`${login}/${reason}`, own);
      }
    }
    const expected = [...stretches].sort().map(([key, own]) => {
      const [login = "", reason] = key.split("/");
      const seconds = [...own.values()].reduce((sum, each) => sum + each, 0);
      return [login, `Break=${reason}`, own.size, round(seconds), login === "1004" ? "end not seen" : null];
    });
    expect(answerOfSwitch(7)).toEqual(expected);
    expect(expected.length).toBe(8);
  });

  test("11: what each DN did", () => {
    interface Part {
      readonly dn: string;
      readonly at: number;
      readonly isAnswered: boolean;
      readonly ring: number;
      readonly talk: number;
      readonly hold: number;
    }
    const parts = stays.flatMap((stay): readonly Part[] => {
      const { fate } = stay;
      if (fate.kind !== "answered" && fate.kind !== "abandoned ringing") return [];
      const ringsAt = stay.enteredAt + stay.queueSeconds;
      const own = { dn: fate.agent, at: ringsAt, ring: fate.ringSeconds };
      if (fate.kind !== "answered") return [{ ...own, isAnswered: false, talk: 0, hold: 0 }];
      const end = ringsAt + fate.ringSeconds + fate.talkSeconds + fate.holdSeconds;
      const answered = { ...own, isAnswered: true, talk: fate.talkSeconds, hold: fate.holdSeconds };
      if (fate.transferTo === null) return [answered];
      // He asks for three seconds until the other answers, and they talk for five.
      const asking = { dn: fate.agent, at: end - 8, isAnswered: false, ring: 0, talk: 5, hold: 0 };
      const asked = { dn: fate.transferTo, at: end - 8, isAnswered: true, ring: 3, talk: 5, hold: 0 };
      // He goes on in the call that he is handed, and does not answer it once more.
      const second = { dn: fate.transferTo, at: end, isAnswered: false, ring: 0, talk: 30, hold: 0 };
      return [answered, asking, asked, second];
    });
    const here = parts.filter((part) => part.at >= 900 && part.at < 2700);
    const dns = [...new Set(here.map(({ dn }) => dn))].sort();
    const sum = (of: readonly Part[], column: "ring" | "talk" | "hold") =>
      round(of.reduce((total, part) => total + part[column], 0));
    const expected = dns.map((dn) => {
      const own = here.filter((part) => part.dn === dn);
      const answers = own.filter(({ isAnswered }) => isAnswered).length;
      return [dn, 1, own.length, answers, sum(own, "ring"), sum(own, "talk"), sum(own, "hold")];
    });
    expect(answerOfSwitch(11)).toEqual(expected);
    expect(dns.length).toBe(4);
  });

  test("12: who handed calls over", () => {
    const counts = new Map<string, number>();
    for (const each of stays.map(answer)) {
      if (each?.transferTo == null || each.isOpen) continue;
      counts.set(each.agent, (counts.get(each.agent) ?? 0) + 1);
    }
    expect(answerOfSwitch(12)).toEqual([...counts].sort(([one], [other]) => (one < other ? -1 : 1)));
    expect(counts.size).toBeGreaterThan(1);
  });

  test("8: the calls of one caller", () => {
    const own = stays.filter(({ call }) => call.ani === "4155550115");
    expect(answerTo(8)).toEqual(
      own
        .toSorted((one, other) => one.enteredAt - other.enteredAt)
        .map((stay) => {
          const { call, queue, fate } = stay;
          return [at(call.stay.enteredAt), `C${call.number}`, queue, fate.kind, answer(stay)?.agent ?? null];
        }),
    );
    expect(own.length).toBeGreaterThan(3);
  });

  test("9: where a call went, with its consultation", () => {
    const stay = stays.find(({ call }) => call.number === 5);
    const fate = stay && answer(stay);
    if (stay === undefined || fate == null || fate.transferTo === null) throw new Error("call 5 is to be transferred");
    const rings = stay.enteredAt + stay.queueSeconds;
    const end = rings + fate.ringSeconds + fate.talkSeconds + fate.holdSeconds;
    const expected = [
      ["C5", stay.queue, at(stay.enteredAt), at(rings), stay.queueSeconds, 0, 0, null],
      ["C5", fate.agent, at(rings), at(end), 0, fate.ringSeconds, fate.talkSeconds, null],
      ["D5", fate.agent, at(end - 8), at(end), 0, 0, 5, null],
      ["D5", fate.transferTo, at(end - 8), at(end), 0, 3, 5, null],
      ["C5", fate.transferTo, at(end), at(end + 30), 0, 0, 30, null],
    ];
    const byText = (rows: readonly (readonly unknown[])[]) => rows.map((row) => JSON.stringify(row)).sort();
    expect(byText(answerTo(9))).toEqual(byText(expected));
  });

  test("10: what cannot be trusted, and what goes on", () => {
    expect(answerOfSwitch(10)).toEqual([
      [start(0), "not listened yet"],
      [start(3600), "gap reported"],
      [start(6300), "not heard yet"],
    ]);
    const last = Math.max(...stays.map(({ enteredAt }) => enteredAt));
    const open = stays.filter((stay) => stay.fate.kind === "waiting" || answer(stay)?.isOpen);
    const rows = answerOfSwitch(10, 1);
    expect(rows.map(([id, ani, , ...where]) => [id, ani, ...where])).toEqual(
      open.map((stay) => {
        const talking = answer(stay)?.agent ?? null;
        return [`C${stay.call.number}`, stay.call.ani, talking === null ? stay.queue : null, null, talking];
      }),
    );
    for (const [index, [, , seconds]] of rows.entries()) {
      expect(Number(seconds)).toBeGreaterThanOrEqual(Math.floor(last - (open[index]?.enteredAt ?? 0)));
    }
  });

  test("13: calls and handle time by segment", () => {
    const segments = new Map<string, { calls: number; handled: number[] }>();
    for (const call of plan) {
      const { first, later } = segmentOf(call);
      const own = segments.get(later ?? first) ?? { calls: 0, handled: [] };
      segments.set(later ?? first, own);
      own.calls += 1;
      for (const stay of stays.filter((each) => each.call.number === call.number)) {
        const fate = answer(stay);
        if (fate !== null && !fate.isOpen) own.handled.push(fate.talkSeconds + fate.holdSeconds);
      }
    }
    const expected = [...segments].sort().map(([segment, { calls, handled }]) => {
      const sum = handled.reduce((all, each) => all + each, 0);
      return [segment, calls, handled.length, round(sum), round(sum / handled.length)];
    });
    expect(answerTo(13)).toEqual(expected);
    expect(expected.map(([segment]) => segment)).toEqual(["gold", "platinum", "silver"]);
  });

  test("14: who changed the segment", () => {
    const expected = plan.flatMap((call) => {
      const { later } = segmentOf(call);
      const fate = answer(call.stay);
      if (later === null || fate === null) return [];
      const when = call.stay.enteredAt + call.stay.queueSeconds + fate.ringSeconds + fate.talkSeconds / 4;
      const agent = plannedSessions.find(
        // Of whom nobody saw when he left, he may have left when the connection was lost.
        ({ dn, from, until, isEndSeen }) =>
          dn === fate.agent && from <= when && when < (isEndSeen ? (until ?? daySeconds) : 3720),
      );
      return [
        { when, row: [`C${call.number}`, at(when), "CustomerSegment", later, 1, fate.agent, agent?.login ?? null] },
      ];
    });
    expected.sort((one, other) => one.when - other.when);
    expect(answerTo(14)).toEqual(expected.map(({ row }) => row));
    expect(new Set(expected.map(({ row }) => row.at(-1))).size).toBe(5);
  });

  test("15: what became of calls in virtual queues", () => {
    const expected = ["VQ_Gold", "VQ_Spare"].flatMap((queue) =>
      Array.from({ length: 8 }, (_, index) => {
        const from = index * 900;
        const here = plan.filter(
          (call) =>
            virtualQueuesOf(call).includes(queue) && call.stay.enteredAt >= from && call.stay.enteredAt < from + 900,
        );
        const count = (isOne: (call: (typeof here)[number]) => boolean) => here.filter(isOne).length;
        const why = here.some(({ stay }) => stay.fate.kind === "not seen") ? "call not seen" : unknown("8002", from);
        if (why !== null) return [queue, start(from), null, null, null, null, null, null, why];
        const sent = here.filter((call) => queue === "VQ_Gold" && "agent" in call.stay.fate && !isForgotten(call));
        const abandoned = count(({ stay }) => stay.fate.kind === "abandoned");
        const waiting = count(({ stay }) => stay.fate.kind === "waiting");
        const waited = sent.reduce((sum, { stay }) => sum + stay.queueSeconds, 0);
        return [
          ...[queue, start(from), here.length, sent.length, abandoned],
          ...[here.length - sent.length - abandoned - waiting, waiting],
          ...[sent.length === 0 ? null : round(waited / sent.length), null],
        ];
      }),
    );
    expect(answerOfSwitch(15)).toEqual(expected);
  });

  test("16: to whom a strategy sent calls, by virtual queue", () => {
    const targets = new Map<string, number[]>();
    for (const call of plan.filter(isRouted)) {
      const fate = answer(call.stay);
      if (fate === null) continue;
      const rest = isForgotten(call) ? fate.ringSeconds + fate.talkSeconds + fate.holdSeconds : 0;
      for (const queue of virtualQueuesOf(call)) {
        const key = `${fate.agent}/${queue}`;
        targets.set(key, [...(targets.get(key) ?? []), call.stay.queueSeconds + rest]);
      }
    }
    const expected = [...targets].sort().map(([key, waits]) => {
      const average = waits.reduce((sum, each) => sum + each, 0) / waits.length;
      return ["Gold first", ...key.split("/"), waits.length, round(average)];
    });
    expect(answerOfSwitch(16)).toEqual(expected);
    expect(new Set(expected.map(([, target]) => target)).size).toBe(4);
    expect(new Set(expected.map(([, , queue]) => queue)).size).toBe(2);
  });

  test("17: what became of each call", () => {
    const here = plan.filter(({ stay }) => stay.enteredAt >= 1800 && stay.enteredAt < 2700);
    const expected = here
      .toSorted((one, other) => one.stay.enteredAt - other.stay.enteredAt)
      .map(({ number, stay }) => {
        const last = stay.fate.kind === "passed on" ? stay.fate.to : stay;
        const fate = answer(last);
        const queueSeconds = stay.queueSeconds + (last === stay ? 0 : last.queueSeconds);
        const where = last === stay ? stay.queue : `${stay.queue}, ${last.queue}`;
        if (fate === null) return [`C${number}`, "abandoned", where, null, null, null, 0, 0, 0, null];
        const { agent, transferTo, ringSeconds, talkSeconds, holdSeconds } = fate;
        return [
          ...[`C${number}`, "answered", where, agent, transferTo ?? agent, round(queueSeconds + ringSeconds)],
          ...[talkSeconds + (transferTo === null ? 0 : 30), holdSeconds, transferTo === null ? 0 : 1, null],
        ];
      });
    expect(answerTo(17)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(15);
  });

  test("18: handle time with the work after the call", () => {
    const work = afterCallSeconds(toldOfDay());
    const expected = queues.flatMap((queue) =>
      [0, 1800, 3600, 5400].flatMap((from) => {
        if ([from, from + 900].some((quarter) => unknown(queue, quarter) !== null)) return [];
        const over = stays.filter((each) => isIn(each, queue, from, from + 1800) && answer(each)?.isOpen === false);
        if (over.length === 0) return [];
        const handle = over.reduce((sum, each) => {
          const { talkSeconds = 0, holdSeconds = 0 } = answer(each) ?? {};
          return sum + talkSeconds + holdSeconds + (work.get(`A-${each.call.number}`) ?? 0);
        }, 0);
        return [[queue, start(from), over.length, round(handle), round(handle / over.length)]];
      }),
    );
    expect(answerOfSwitch(18)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(0);
    expect([...work.values()].reduce((sum, each) => sum + each, 0)).toBeGreaterThan(60);
  });

  test("19 and 20: a way over the sites, and who came from another one", async () => {
    mkdirSync(`${directory.path}/sites`);
    // Both sites are heard two minutes before, so that nothing of the calls is in doubt.
    const before = new SitesStory();
    for (const [site, call] of [
      ["north", "N0"],
      ["south", "S0"],
    ] as const) {
      before.call(site, call, [-120, "EventCallCreated"], [-120, "EventRinging"], [-118, "EventReleased"]);
      before.call(site, call, [-118, "EventCallDeleted"]);
    }
    const { payloads } = goneOn(before).heartbeats(200);
    const sites = await storeCopy({ directory: `${directory.path}/sites`, payloads });
    const answers = [19, 20].map((question) => {
      const sql = statementsOf(question)[0] ?? "";
      asked.add(sql);
      return query(sites, sql);
    });
    expect(answers).toEqual([
      [
        [1, "N1", null, "5001", at(0), at(20), 18, 1],
        [2, "S1", "N1", "5001", at(16), at(60), 42, 1],
      ],
      [[1, "N1", 2, "S1", at(16), "answered", null, 2, 42]],
    ]);
  });

  test("whatever goes by names within a switch goes by the switch too", () => {
    const names = /\b(QUEUE|DN|ENDPOINTDN|AGENTLOGIN|VIRTUAL_QUEUE|TARGET)\b/;
    const grouped = [...text.matchAll(/^GROUP BY (.*?)( ORDER BY (.*))?;$/gm)].filter(([, by = ""]) => names.test(by));
    expect(grouped.length).toBeGreaterThan(5);
    for (const [line, by = "", , order = ""] of grouped) {
      expect({ line, isBySwitch: by.includes("SWITCH_DBID") && order.includes("SWITCH_DBID") }).toEqual({
        line,
        isBySwitch: true,
      });
    }
  });

  test("no statement of the page was left out", () => {
    const all = [...text.matchAll(/^```sql\n([\s\S]*?)\n```$/gm)].map(([, sql]) => sql);
    expect(all.length).toBe(21);
    expect([...asked].sort()).toEqual(all.sort() as string[]);
    expect(plan.length).toBeGreaterThan(100);
  });
});
