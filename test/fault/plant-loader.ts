// Puts one planted fault (ICON_PLANT) into the sources as they are loaded: `bun --preload test/fault/plant-loader.ts …`.
// What a build does once (build.ts) is done here without one, for the simulation.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { plants } from "./plant.ts";

const name = process.env["ICON_PLANT"] ?? "";
const plant = plants[name];
if (plant === undefined) {
  throw new Error(`Cannot plant "${name}": expected ICON_PLANT to be one of ${Object.keys(plants).join(", ")}`);
}
const { file, find, replace } = plant;
const planted = resolve(import.meta.dir, "../..", file);

Bun.plugin({
  name: "plant a fault",
  setup(build) {
    build.onLoad({ filter: new RegExp(`/${file.replaceAll(/[.]/g, "\\.")}$`) }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (path !== planted) return { contents: text, loader: "ts" };
      if (!text.includes(find)) throw new Error(`Cannot plant a fault in "${file}": expected to find ${find}`);
      return { contents: text.replace(find, () => replace), loader: "ts" };
    });
  },
});
