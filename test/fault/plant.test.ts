import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { plants } from "./plant.ts";

test("each fault that can be planted has its place in the source, and only one", () => {
  const places = Object.entries(plants).map(([name, { file, find }]) => {
    const text = readFileSync(join(import.meta.dir, "../..", file), "utf8");
    return [name, text.split(find).length - 1];
  });
  expect(places).toEqual(Object.keys(plants).map((name) => [name, 1]));
});
