// An Asterisk that is not there plays consultations, conferences, parking and pickup; what its manager says of them,
// projected, is what it says was true.

import { describe, expect, test } from "bun:test";
import { meetInConference, parkAndFetch, pickUpCall, transferBlindly } from "../harness/ami-pbx-joins.ts";
import { Rows, recordsOf, toldCalls, toldParties, trueCalls, trueParties } from "../harness/ami-pbx-rows.ts";
import { plainCall, type Stage } from "../harness/ami-pbx-stories.ts";
import { played, reaches, withTalk } from "../harness/ami-pbx-traffic.ts";
import { codeEndings, orders, phoneEndings, transferByCodes, transferByPhone } from "../harness/ami-pbx-transfers.ts";

function expectTruth(stage: Stage, rows = new Rows(recordsOf(stage.pbx.said))): void {
  const told = toldParties(rows);
  const real = trueParties(stage.truth);
  expect(told.map(({ line }) => line).toSorted()).toEqual(real.map(({ line }) => line).toSorted());
  expect(toldCalls(rows).toSorted()).toEqual(trueCalls(stage.truth).toSorted());
  // A person has one PARTYGUID, on whichever calls, and each of his parties a PARTYID of its own.
  const guids = new Map<string, Set<string>>();
  for (const { line, person } of real) {
    const guid = told.find((each) => each.line === line)?.guid ?? "";
    guids.set(person, (guids.get(person) ?? new Set()).add(guid));
  }
  for (const [person, own] of guids) expect([person, own.size]).toEqual([person, 1]);
  expect(new Set(told.map(({ partyId }) => partyId)).size).toBe(told.length);
  expect(rows.of("ICON_ROW_QUALITY", "ROW_KEY")).toEqual([]);
  expect([...rows.world.all("ami call")]).toEqual([]);
}

const number = "33155501001";

describe.each(phoneEndings)("a consultation by a second call that ends with %s", (ending) => {
  test.each(orders.flatMap((order) => reaches.map((reach) => [order, reach] as const)))(
    "AttendedTransfer %s, agents reached by %s",
    (order, reach) => {
      expectTruth(
        played(1, (stage) =>
          withTalk(stage, number, "4001", reach, (talk) => transferByPhone(stage, talk, "4002", reach, ending, order)),
        ),
      );
    },
  );
});

describe.each(codeEndings)("a consultation by feature codes that ends with %s", (ending) => {
  test.each(orders.flatMap((order) => [1, 2, 3].map((seed) => [order, seed] as const)))(
    "AttendedTransfer %s, seed %p",
    (order, seed) => {
      expectTruth(
        played(seed, (stage) =>
          withTalk(stage, number, "4001", "optimised", (talk) => transferByCodes(stage, talk, "4002", ending, order)),
        ),
      );
    },
  );
});

describe("calls that meet", () => {
  test.each(reaches)("a plain call through a queue, agents reached by %s", (reach) => {
    expectTruth(played(1, (stage) => plainCall(stage, "33155501001", "4001", reach)));
  });

  test("a conference", () => {
    expectTruth(played(1, (stage) => meetInConference(stage, "8500", ["331", "332", "333"])));
  });

  test.each(["fetched", "given up", "timed out"] as const)("a parked call that is %s", (ending) => {
    expectTruth(
      played(1, (stage) =>
        withTalk(stage, number, "4001", "device", (talk) => parkAndFetch(stage, talk, "701", "4009", ending)),
      ),
    );
  });

  test("a call picked up by a colleague", () => {
    expectTruth(played(1, (stage) => pickUpCall(stage, "331", "4001", "4009")));
  });

  test("a blind transfer", () => {
    expectTruth(played(1, (stage) => transferBlindly(stage, "331", "4001", "4002")));
  });
});

test("without VarSet whoever is asked by feature codes is a party of the call from which that is done, and stays in it", () => {
  const { pbx } = played(1, (stage) =>
    withTalk(stage, number, "4001", "device", (talk) =>
      transferByCodes(stage, talk, "4002", "bridge", "after bridges"),
    ),
  );
  const rows = new Rows(recordsOf(pbx.said.filter(({ name }) => name !== "VarSet")));
  const told = toldParties(rows).map(({ dn, line }) => [dn, /\| \d+ (\d+)/.exec(line)?.[1]]);
  expect(told).toEqual([
    [number, "0"],
    ["support", "0"],
    ["4001", "1"],
    ["4002", "0"],
  ]);
  expect(toldCalls(rows).map((line) => line.split(" | ").slice(-1))).toEqual([["1 transfers, 0 conferences"]]);
  expect(rows.of("ICON_ROW_QUALITY", "ROW_KEY")).toEqual([]);
});

test("an AttendedTransfer of calls that are not known, or odd, costs nothing", () => {
  const { pbx } = played(1, (stage) =>
    withTalk(stage, number, "4001", "device", (talk) =>
      transferByPhone(stage, talk, "4002", "device", "bridge", "after hangups"),
    ),
  );
  const odd = pbx.said.map((each) =>
    each.name === "AttendedTransfer"
      ? { ...each, text: each.text.replace(/^(.*(Uniqueid|Linkedid)): .*$/gm, "$1: 7") }
      : each,
  );
  const rows = new Rows(recordsOf(odd));
  expect(rows.of("G_CALL").filter(({ TERMINATED }) => TERMINATED == null)).toEqual([]);
  expect(rows.of("ICON_UNDECODED", "POSITION")).toEqual([]);
});
