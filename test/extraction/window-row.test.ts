// What stands as text in a window's row, also when somebody else wrote it.

import { expect, test } from "bun:test";
import { isCondemning, readFaults } from "../../src/extraction/window-row.ts";

test("words of a window's row are read, and none of them is passed over", () => {
  const row = (FAULTS: string | null) => readFaults({ FAULTS, HOLES: null });
  expect([row(null), row("[]")]).toEqual([[], []]);
  expect(row('["hole","a word of later"]')).toEqual(["hole", "a word of later"]);
});

test.each(["no JSON", "{}", "7", "[null]", '["cti link up",7]', '[["hole"]]'])(
  "a window whose words cannot be read is condemned: %s",
  (FAULTS) => {
    expect(readFaults({ FAULTS, HOLES: null }).some(isCondemning)).toBe(true);
  },
);
