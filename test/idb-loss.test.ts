import { expect, test } from "bun:test";
import { IdbLoss } from "../src/idb-loss.ts";

const busy = (nowMs: number, durable = 10n) => ({ nowMs, durable, isAnew: false });

test("an IDB that is locked for a moment is no loss", () => {
  const loss = new IdbLoss(false);
  expect(loss.lost("locked", busy(0))).toBeNull();
  expect(loss.lost("locked", busy(4_999))).toBeNull();
  expect(loss.written(10n)).toBeNull();
  expect(loss.lost("locked", busy(6_000))).toBeNull();
});

test("one that cannot be written for five seconds is lost, and back when all that had arrived is written", () => {
  const loss = new IdbLoss(false);
  loss.lost("locked", busy(0));
  expect(loss.lost("locked", busy(5_000, 20n))).toEqual({ mark: "idb lost", detail: "locked" });
  expect(loss.lost("locked", busy(9_000, 30n))).toBeNull();
  expect(loss.written(29n)).toBeNull();
  expect(loss.written(30n)).toEqual({ mark: "idb back" });
  expect(loss.written(31n)).toBeNull();
});

test("one that has to be made anew is lost at once", () => {
  const loss = new IdbLoss(false);
  expect(loss.lost("deleted", { nowMs: 0, durable: 5n, isAnew: true })).toEqual({
    mark: "idb lost",
    detail: "deleted",
  });
});

test("a recorder that is started again says what the one before it did not come to", () => {
  const loss = new IdbLoss(true);
  expect(loss.lost("still locked", busy(9_000))).toBeNull();
  expect(loss.written(10n)).toEqual({ mark: "idb back" });
});
