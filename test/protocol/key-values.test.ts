import { expect, test } from "bun:test";
import { keyValues, textUnder } from "../../src/protocol/tevent/key-values.ts";

test("an object and a list say the same pairs", () => {
  const expected = [
    { key: "Segment", value: "gold" },
    { key: "CaseId", value: 3 },
  ];
  expect(keyValues({ Segment: "gold", CaseId: 3 })).toEqual(expected);
  expect(
    keyValues([
      { key: "Segment", type: "str", value: "gold" },
      { key: "CaseId", type: "int", value: 3 },
    ]),
  ).toEqual(expected);
});

test("order and repeated keys of a list are kept, and a pair without a value has none", () => {
  expect(keyValues([{ key: "b", value: 1 }, { key: "a" }, { key: "b", value: 2 }])).toEqual([
    { key: "b", value: 1 },
    { key: "a", value: null },
    { key: "b", value: 2 },
  ]);
});

test("what is no key-value list is none", () => {
  for (const member of [undefined, null, "text", 7, [1], [{ key: 1 }], [null]]) expect(keyValues(member)).toBeNull();
});

test("the first value under a key is told as text", () => {
  const list = [
    { key: "ReasonCode", value: 12 },
    { key: "ReasonCode", value: "lunch" },
    { key: "Nested", value: { k: 1 } },
  ];
  expect([textUnder(list, "ReasonCode"), textUnder(list, "Nested"), textUnder(list, "other")]).toEqual([
    "12",
    null,
    null,
  ]);
  expect(textUnder({ ReasonCode: "lunch" }, "ReasonCode")).toBe("lunch");
});
