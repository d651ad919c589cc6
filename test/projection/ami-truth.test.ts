// An Asterisk that is not there plays consultations, conferences, parking and pickup; what its manager says of them,
// projected, is what it says was true.

import { describe, expect, test } from "bun:test";
import { Pbx, type Telling } from "../harness/ami-pbx.ts";
import { meetInConference, parkAndFetch, pickUpCall, transferBlindly } from "../harness/ami-pbx-joins.ts";
import { Rows, recordsOf, toldCalls, toldParties, trueCalls, trueParties } from "../harness/ami-pbx-rows.ts";
import { plainCall, type Reach, reachAgent, type Stage, type Talk } from "../harness/ami-pbx-stories.ts";
import { codeEndings, orders, phoneEndings, transferByCodes, transferByPhone } from "../harness/ami-pbx-transfers.ts";
import { Truth } from "../harness/ami-pbx-truth.ts";

const startMs = Date.parse("2026-11-23T08:00:00.000Z");
const reaches: readonly Reach[] = ["device", "pair", "optimised"];

function stageOf(seed: number): Stage {
  let state = seed >>> 0;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return { pbx: new Pbx(startMs), truth: new Truth(), random };
}

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

function* withTalk(stage: Stage, reach: Reach, then: (talk: Talk) => Telling): Telling {
  yield* then(yield* reachAgent(stage, "33155501001", "4001", reach));
}

function played(seed: number, story: (stage: Stage) => Telling): Stage {
  const stage = stageOf(seed);
  stage.pbx.plan(0, story(stage));
  stage.pbx.play();
  return stage;
}

describe.each(phoneEndings)("a consultation by a second call that ends with %s", (ending) => {
  test.each(orders.flatMap((order) => reaches.map((reach) => [order, reach] as const)))(
    "AttendedTransfer %s, agents reached by %s",
    (order, reach) => {
      expectTruth(
        played(1, (stage) =>
          withTalk(stage, reach, (talk) => transferByPhone(stage, talk, "4002", reach, ending, order)),
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
          withTalk(stage, "optimised", (talk) => transferByCodes(stage, talk, "4002", ending, order)),
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
      played(1, (stage) => withTalk(stage, "device", (talk) => parkAndFetch(stage, talk, "701", "4009", ending))),
    );
  });

  test("a call picked up by a colleague", () => {
    expectTruth(played(1, (stage) => pickUpCall(stage, "331", "4001", "4009")));
  });

  test("a blind transfer", () => {
    expectTruth(played(1, (stage) => transferBlindly(stage, "331", "4001", "4002")));
  });
});
