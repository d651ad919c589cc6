import { expect, test } from "bun:test";
import { sourceInstant } from "../../src/event/instant.ts";
import { ClockComparison } from "../../src/source/clock-comparison.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { seeded } from "../harness/fake-network.ts";

function setUp() {
  const clock = new FakeClock();
  const comparison = new ClockComparison(clock);
  let pings = 0;
  /** The source's clock is so far ahead of true time; the way there and back takes so long, ms. */
  const exchange = async (aheadMs: number, thereMs: number, backMs: number) => {
    const ping = String(++pings);
    comparison.sent(ping);
    await clock.advance(thereMs);
    const sourceAt = sourceInstant(Date.parse("2026-11-23T08:00:00.000Z") + clock.monotonic() + aheadMs);
    await clock.advance(backMs);
    const compared = comparison.answered(ping, sourceAt);
    await clock.advance(10_000);
    if (compared === null) throw new Error("the answer was not taken for one");
    return compared;
  };
  return { clock, comparison, exchange };
}

test("the difference is within what is said of it, however unequal the way there and back", async () => {
  const seed = 4;
  const random = seeded(seed);
  for (let round = 0; round < 300; round++) {
    const { exchange } = setUp();
    const aheadMs = (random() - 0.5) * 20_000;
    const { differenceMs, uncertaintyMs } = await exchange(aheadMs, random() * 400, random() * 400);
    expect(Math.abs(differenceMs - aheadMs), `seed ${seed}, round ${round}`).toBeLessThanOrEqual(uncertaintyMs + 1);
  }
});

test("the tightest of the last answers stands, and only what changes is news", async () => {
  const { exchange } = setUp();
  expect(await exchange(300, 5, 5)).toMatchObject({ differenceMs: 300, uncertaintyMs: 6, isNews: true });
  // The server was busy: its pong waited behind events.
  expect(await exchange(300, 5, 900)).toMatchObject({ differenceMs: 300, uncertaintyMs: 6, isNews: false });
  expect(await exchange(310, 5, 5)).toMatchObject({ isNews: false, stepMs: null });
});

test("a difference that was measured badly is told again once it is measured well", async () => {
  const { exchange } = setUp();
  expect(await exchange(0, 5, 3_000)).toMatchObject({ isNews: true });
  expect(await exchange(0, 4, 4)).toMatchObject({ differenceMs: 0, uncertaintyMs: 5, isNews: true });
});

test("a step of the source's clock is told with its size, and a step of ours is none of the source's", async () => {
  const { clock, exchange } = setUp();
  await exchange(0, 5, 5);
  expect(await exchange(-3_600_000, 5, 5)).toMatchObject({ stepMs: -3_600_000, isNews: true });
  expect(await exchange(-3_600_000, 5, 5)).toMatchObject({ stepMs: null, isNews: false });
  clock.step(60_000);
  expect(await exchange(-3_600_000, 5, 5)).toMatchObject({ differenceMs: -3_660_000, stepMs: null, isNews: true });
});

test("what answers no ping of ours says nothing of the clocks", async () => {
  const { comparison } = setUp();
  comparison.sent("1");
  expect(comparison.answered("2", sourceInstant(0))).toBeNull();
  expect(comparison.answered("1", sourceInstant(0))).not.toBeNull();
  expect(comparison.answered("1", sourceInstant(0))).toBeNull();
});
