import { expect, test } from "bun:test";
import { type Address, addressText } from "../../src/source/network.ts";
import { PairWatch } from "../../src/source/pair-watch.ts";
import { FakeClock } from "../harness/fake-clock.ts";

const times = { firstMs: 2_000, everyMs: 300_000, whileBothMs: 30_000 };
const other: Address = { host: "192.0.2.2", port: 3000 };

test("the other server of a pair is asked soon, then seldom, and more often while both are primary", async () => {
  const clock = new FakeClock();
  const roles = ["backup", "primary", null, "backup", "backup"] as const;
  const askedAt: number[] = [];
  const told: (string | null)[] = [];
  const watch = new PairWatch({
    clock,
    times,
    ask: async () => {
      askedAt.push(clock.monotonic());
      return roles[askedAt.length - 1] ?? null;
    },
    changed: (second) => told.push(second === null ? null : addressText(second)),
  });
  watch.begin([other]);
  await clock.advance(1_000_000);
  expect(askedAt).toEqual([2_000, 302_000, 332_000, 362_000, 662_000, 962_000]);
  expect(told).toEqual(["192.0.2.2:3000", null]);

  watch.end();
  await clock.advance(1_000_000);
  expect(askedAt).toHaveLength(6);
});

test("a session that lasts for months leaves nothing behind each time that the other server is asked", async () => {
  const clock = new FakeClock();
  let listeners = 0;
  let isCounting = false;
  const count = (stop: AbortSignal) => {
    if (isCounting) return;
    isCounting = true;
    const [add, remove] = [stop.addEventListener.bind(stop), stop.removeEventListener.bind(stop)];
    stop.addEventListener = (...given: Parameters<typeof add>) => {
      listeners += 1;
      add(...given);
    };
    stop.removeEventListener = (...given: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...given);
    };
  };
  const watch = new PairWatch({
    clock,
    times,
    ask: async (_, stop) => {
      count(stop);
      return "backup";
    },
    changed: () => {},
  });
  watch.begin([other]);
  await clock.advance(100 * times.everyMs);
  expect(listeners).toBe(1); // the wait that is under way
  watch.end();
});
