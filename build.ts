// Builds the one binary: `bun build.ts [--outfile FILE] [--target linux-x64|linux-arm64] [--plant NAME]`.
//
// 1. libsql computes the name of its native addon at run time, which a bundler cannot follow: outside a checkout the
//    binary would stop with "Cannot find module '@libsql/linux-x64-gnu'". The plugin puts the literal name there, and
//    fails the build when the text it replaces is no longer what it was.
// 2. The Workers (recorder, committer) are entry points of their own; migrations are embedded as text by their imports.
// 3. The same sources give the same bytes.
// 4. A planted build has one fault put into it on the way, for the tests that must notice it (test/fault/plant.ts). It
//    never goes to dist/.

import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { BunPlugin } from "bun";
import { type Plant, plants } from "./test/fault/plant.ts";

const targets = {
  "linux-x64": { bun: "bun-linux-x64", addon: "@libsql/linux-x64-gnu" },
  "linux-arm64": { bun: "bun-linux-arm64", addon: "@libsql/linux-arm64-gnu" },
} as const;

const addonCall = /return require\(`@libsql\/\$\{target\}`\);/;

function embedAddon(addon: string): BunPlugin {
  return {
    name: "embed the libsql addon",
    setup(build) {
      build.onLoad({ filter: /node_modules\/libsql\/(index|promise)\.js$/ }, ({ path }) => {
        const text = readFileSync(path, "utf8");
        if (!addonCall.test(text)) {
          throw new Error(`Cannot patch "${path}": expected it to load its addon with ${addonCall.source}`);
        }
        return { contents: text.replace(addonCall, `return require("${addon}/index.node");`), loader: "js" };
      });
    },
  };
}

function plantFault({ file, find, replace }: Plant): BunPlugin {
  const planted = resolve(import.meta.dir, file);
  return {
    name: "plant a fault",
    setup(build) {
      build.onLoad({ filter: /\/src\/.*\.tsx?$/ }, ({ path }) => {
        if (path !== planted) return undefined;
        const text = readFileSync(path, "utf8");
        if (!text.includes(find)) throw new Error(`Cannot plant a fault in "${file}": expected to find ${find}`);
        return { contents: text.replace(find, replace), loader: "ts" };
      });
    },
  };
}

const { values } = parseArgs({
  options: {
    outfile: { type: "string", default: "dist/icon" },
    target: { type: "string", default: "linux-x64" },
    plant: { type: "string" },
  },
});
const target = Object.hasOwn(targets, values.target) ? targets[values.target as keyof typeof targets] : undefined;
if (target === undefined) {
  throw new Error(`Cannot build for "${values.target}": expected ${Object.keys(targets).join(" or ")}`);
}
const plant = values.plant === undefined ? undefined : plants[values.plant];
if (values.plant !== undefined && plant === undefined) {
  throw new Error(`Cannot plant "${values.plant}": expected one of ${Object.keys(plants).join(", ")}`);
}
const outfile = resolve(values.outfile);
if (plant !== undefined && outfile.startsWith(join(import.meta.dir, "dist"))) {
  throw new Error(`Cannot build a planted binary into dist/: name another place with --outfile`);
}
mkdirSync(dirname(outfile), { recursive: true });

const result = await Bun.build({
  entrypoints: ["src/main.ts", "src/recorder.ts", "src/queue/committer.ts"].map((file) => join(import.meta.dir, file)),
  target: "bun",
  format: "esm",
  // A Worker is named beside the one who starts it, and all are beside one another in the binary.
  naming: { entry: "[name].[ext]" },
  minify: { whitespace: true, syntax: true },
  sourcemap: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  plugins: [embedAddon(target.addon), ...(plant === undefined ? [] : [plantFault(plant)])],
  compile: {
    target: target.bun,
    outfile,
    autoloadDotenv: false,
    autoloadBunfig: false,
  },
});
if (!result.success) {
  for (const message of result.logs) console.error(message);
  process.exit(1);
}
console.log(
  `built ${outfile} for ${values.target}${plant === undefined ? "" : `, with a planted fault: ${values.plant}`}`,
);
