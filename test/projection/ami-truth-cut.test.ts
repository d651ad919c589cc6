// The same stories, many at once, with what happens to a connection: each event twice, restarts of the instance, and a
// cut at any moment, after which the manager's lists say what is there.

import { describe, expect, test } from "bun:test";
import { agentStates } from "../../schema/dictionary.ts";
import { Rows, recordsOf, toldCalls, toldParties, trueCalls, trueParties } from "../harness/ami-pbx-rows.ts";
import { playedTraffic } from "../harness/ami-pbx-traffic.ts";
import { batchedRows } from "../harness/batched-rows.ts";

const lines = (parties: readonly { readonly line: string }[]) => parties.map(({ line }) => line).toSorted();

describe.each([1, 2, 3])("traffic of seed %p", (seed) => {
  const { pbx, truth } = playedTraffic(seed, 40);
  const records = recordsOf(pbx.said);
  const rows = new Rows(records);

  test("calls and parties are what was true", () => {
    expect(lines(toldParties(rows))).toEqual(lines(trueParties(truth)));
    expect(toldCalls(rows).toSorted()).toEqual(trueCalls(truth).toSorted());
    expect(truth.calls.size).toBeGreaterThan(60);
  });

  test("each event twice changes nothing", () => {
    const twice = new Rows(recordsOf(pbx.said, { times: 2 }));
    expect(lines(toldParties(twice))).toEqual(lines(toldParties(rows)));
    expect(toldCalls(twice).toSorted()).toEqual(toldCalls(rows).toSorted());
  });

  test("batches and restarts of the instance change no row", () => {
    expect(batchedRows(records, 41)).toEqual(batchedRows(records, records.length));
  }, 30_000);

  test("agents were busy while they were on calls, without a break through transfers", () => {
    const sessions = rows.of("G_LOGIN_SESSION");
    const history = rows.of("G_AGENT_STATE_HISTORY").filter(({ TYPE }) => TYPE === 5);
    expect(sessions.length).toBeGreaterThan(3);
    for (const { AGENTLOGIN, LOGINSESSIONID } of sessions) {
      const dn = (AGENTLOGIN ?? "").replace("Agent", "");
      const own = history.filter((row) => row.LOGINSESSIONID === LOGINSESSIONID);
      const told = own.flatMap((row, index) =>
        row.STATE === agentStates.busy ? [[Date.parse(row.ADDED ?? ""), Date.parse(own[index + 1]?.ADDED ?? "")]] : [],
      );
      const real = truth.parties
        .filter((party) => party.dn === dn)
        .flatMap(({ states, endedAt }) => {
          const from = states.find(([state]) => state !== "alerting" && state !== "queued")?.[1];
          return from === undefined || endedAt === null || from === endedAt ? [] : [[from, endedAt]];
        });
      expect([dn, joined(told)]).toEqual([dn, joined(real)]);
    }
  });
});

const timesOf = (line: string) => [...line.matchAll(/\b\d{13}\b/g)].map(([text]) => Number(text));

/** Spans that touch or overlap are one. */
function joined(spans: readonly (readonly number[])[]): number[][] {
  const out: number[][] = [];
  for (const [from = 0, until = 0] of spans.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0))) {
    const last = out.at(-1);
    if (last !== undefined && from <= (last[1] ?? 0)) last[1] = Math.max(last[1] ?? 0, until);
    else out.push([from, until]);
  }
  return out;
}

describe.each([4, 5, 6])("traffic of seed %p, cut off for a while", (seed) => {
  const { pbx, truth } = playedTraffic(seed, 12);
  const start = pbx.said[0]?.at ?? 0;
  const end = pbx.said.at(-1)?.at ?? 0;
  const wholeRows = new Rows(recordsOf(pbx.said));
  const whole = toldParties(wholeRows);
  const cuts = Array.from({ length: 16 }, (_, index) => {
    const from = start + 500 + Math.floor(((end - start) * index) / 16);
    return { from, until: from + ([300, 1500, 4000][index % 3] ?? 0) };
  });

  test.each(cuts)("from $from to $until", ({ from, until }) => {
    const rows = new Rows(recordsOf(pbx.said, { cut: { from, until } }));
    const told = toldParties(rows);
    const doubted = new Set(rows.of("ICON_ROW_QUALITY", "ROW_KEY").map(({ ROW_KEY }) => ROW_KEY));

    // Nothing is left open.
    expect([...rows.world.all("ami call")]).toEqual([]);
    expect(rows.of("G_CALL").filter(({ TERMINATED }) => TERMINATED == null)).toEqual([]);
    expect(told.filter(({ line }) => line.includes("…"))).toEqual([]);

    // What is not doubted was so, but for what happened to it meanwhile: a list says nothing of holds, and not by whom
    // a call was sent on.
    const real = new Set(trueParties(truth).flatMap(({ line }) => [line, line.replace(/<.*/, "< none")]));
    const isTouched = (id: string) =>
      timesOf(whole.find(({ partyId }) => partyId === id)?.line ?? "").some((time) => from <= time && time < until);
    const wrong = told.filter(
      ({ line, partyId, call }) =>
        !doubted.has(partyId) && !doubted.has(call) && !real.has(line) && !isTouched(partyId),
    );
    expect(wrong.map(({ line }) => line)).toEqual([]);

    // Of these, keys and calls are those of whoever heard everything. A device that took the place of a Local pair is
    // found under its own name.
    const found = new Set(told.filter(({ partyId }) => doubted.has(partyId)).map(({ guid }) => guid));
    const sure = told.filter(({ partyId, call }) => !doubted.has(partyId) && !doubted.has(call));
    const ids = new Map(whole.map(({ line, partyId }) => [line, partyId]));
    const others = sure.filter(
      ({ line, partyId, guid }) => ids.has(line) && ids.get(line) !== partyId && !found.has(guid),
    );
    expect(others.map(({ line }) => line)).toEqual([]);
    const wholeCalls = new Set(toldCalls(wholeRows));
    const sureCalls = toldCalls(rows).filter((line) => {
      const isLate = timesOf(line).every((time) => time < from || time >= until);
      const [callId = ""] = line.split(" | ");
      return (
        isLate &&
        !doubted.has(callId) &&
        told.every(({ call, partyId }) => call !== callId || (!doubted.has(partyId) && !isTouched(partyId)))
      );
    });
    expect(sureCalls.filter((line) => !wholeCalls.has(line))).toEqual([]);

    // Nobody is told of who was not there.
    const people = new Set(whole.flatMap(({ guid, call, dn }) => [guid, `${call} ${dn}`]));
    const isKnown = (each: (typeof told)[number]) =>
      people.has(each.guid) || (found.has(each.guid) && people.has(`${each.call} ${each.dn}`));
    expect(told.filter((each) => !isKnown(each)).map(({ line }) => line)).toEqual([]);

    // Everybody who was there while we listened is told of, but for whom no list names: who is parked, and a telephone
    // that asks by feature codes in the call in which it does.
    const seen = new Set(told.flatMap(({ guid, call, dn }) => [guid, `${call} ${dn}`]));
    const listed = new Set(truth.parties.filter(({ isListed }) => isListed).map(({ call, dn }) => `${call} ${dn}`));
    const unseen = whole.filter(({ guid, line, call, dn }) => {
      const [first = 0, ...rest] = timesOf(line);
      const last = rest.at(-1) ?? first;
      const isOutside = first < from || last >= until + 1000;
      return isOutside && listed.has(`${call} ${dn}`) && !seen.has(guid) && !seen.has(`${call} ${dn}`);
    });
    expect(unseen.map(({ line }) => line)).toEqual([]);
  });
});
