// Builds the one binary: `bun build.ts [--outfile FILE] [--target linux-x64|linux-arm64] [--plant NAME]`, or with `--all`
// one for each target in dist/, and dist/SHA256SUMS over them.
//
// 1. libsql computes the name of its native addon at run time, which a bundler cannot follow: outside a checkout the
//    binary would stop with "Cannot find module '@libsql/linux-x64-gnu'". The plugin puts the literal name there, and
//    fails the build when the text it replaces is no longer what it was.
// 2. The Workers (recorder, committer) are entry points of their own; migrations are embedded as text by their imports.
// 3. The same sources give the same bytes.
// 4. The addon of the other processor is no part of an installation: it is fetched from the registry, in the version and
//    with the integrity that bun.lock pins, into a temporary folder. What is built with it is not started here.
// 5. A planted build has one fault put into it on the way, for the tests that must notice it (test/fault/plant.ts). It
//    never goes to dist/.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { BunPlugin } from "bun";
import { type Plant, plants } from "./test/fault/plant.ts";

const targets = {
  "linux-x64": { bun: "bun-linux-x64", addon: "@libsql/linux-x64-gnu" },
  "linux-arm64": { bun: "bun-linux-arm64", addon: "@libsql/linux-arm64-gnu" },
} as const;

const addonCall = /return require\(`@libsql\/\$\{target\}`\);/;

const registry = process.env["npm_config_registry"] ?? "https://registry.npmjs.org/";

/** Where the addon of a target is: in node_modules, else fetched into `folder`. */
async function addonFile(addon: string, folder: string): Promise<string> {
  const installed = join(import.meta.dir, "node_modules", addon, "index.node");
  if (existsSync(installed)) return installed;
  const lock = readFileSync(join(import.meta.dir, "bun.lock"), "utf8");
  const pinned = lock.split("\n").find((line) => line.includes(`["${addon}@`)) ?? "";
  const [, version] = /@([0-9][^"@]*)"/.exec(pinned) ?? [];
  const [, integrity] = /"sha512-([^"]+)"/.exec(pinned) ?? [];
  if (version === undefined || integrity === undefined) throw new Error(`Cannot find ${addon} in bun.lock`);
  const url = new URL(`${addon}/-/${basename(addon)}-${version}.tgz`, registry);
  const response = await fetch(url, { signal: AbortSignal.timeout(60_000) }).catch((cause: unknown) => {
    throw new Error(`Cannot fetch ${url}: the registry is not reachable`, { cause });
  });
  if (!response.ok) throw new Error(`Cannot fetch ${url}: HTTP ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const digest = new Bun.CryptoHasher("sha512").update(bytes).digest("base64");
  if (digest !== integrity) throw new Error(`Cannot use ${url}: sha512-${digest} is not what bun.lock pins`);
  const archive = join(folder, `${basename(addon)}.tgz`);
  writeFileSync(archive, bytes);
  const unpacked = Bun.spawnSync(["tar", "-xzf", archive, "-C", folder, "package/index.node"]);
  if (unpacked.exitCode !== 0) throw new Error(`Cannot unpack ${archive}: ${unpacked.stderr.toString()}`);
  return join(folder, "package", "index.node");
}

function embedAddon(file: string): BunPlugin {
  return {
    name: "embed the libsql addon",
    setup(build) {
      build.onLoad({ filter: /node_modules\/libsql\/(index|promise)\.js$/ }, ({ path }) => {
        const text = readFileSync(path, "utf8");
        if (!addonCall.test(text)) {
          throw new Error(`Cannot patch "${path}": expected it to load its addon with ${addonCall.source}`);
        }
        return { contents: text.replace(addonCall, `return require(${JSON.stringify(file)});`), loader: "js" };
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
    all: { type: "boolean", default: false },
    plant: { type: "string" },
  },
});
type Target = keyof typeof targets;
if (!Object.hasOwn(targets, values.target)) {
  throw new Error(`Cannot build for "${values.target}": expected ${Object.keys(targets).join(" or ")}`);
}
const plant = values.plant === undefined ? undefined : plants[values.plant];
if (values.plant !== undefined && plant === undefined) {
  throw new Error(`Cannot plant "${values.plant}": expected one of ${Object.keys(plants).join(", ")}`);
}
const outfile = resolve(values.outfile);
if (plant !== undefined && (values.all || outfile.startsWith(join(import.meta.dir, "dist")))) {
  throw new Error("Cannot build a planted binary into dist/: name another place with --outfile");
}

async function build(target: Target, to: string): Promise<void> {
  mkdirSync(dirname(to), { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), "icon-addon-"));
  try {
    const addon = await addonFile(targets[target].addon, folder);
    const result = await Bun.build({
      entrypoints: ["src/main.ts", "src/recorder.ts", "src/queue/committer.ts"].map((file) =>
        join(import.meta.dir, file),
      ),
      target: "bun",
      format: "esm",
      // A Worker is named beside the one who starts it, and all are beside one another in the binary.
      naming: { entry: "[name].[ext]" },
      minify: { whitespace: true, syntax: true },
      sourcemap: "none",
      // Compiled beforehand: a start takes half as long.
      bytecode: true,
      // A command's own parts are only loaded for it.
      splitting: true,
      define: { "process.env.NODE_ENV": '"production"' },
      plugins: [embedAddon(addon), ...(plant === undefined ? [] : [plantFault(plant)])],
      compile: {
        target: targets[target].bun,
        outfile: to,
        autoloadDotenv: false,
        autoloadBunfig: false,
      },
    });
    if (!result.success) {
      for (const message of result.logs) console.error(message);
      process.exit(1);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`built ${to} for ${target}${plant === undefined ? "" : `, with a planted fault: ${values.plant}`}`);
}

/** As `sha256sum` writes it, so that `sha256sum -c SHA256SUMS` reads it. */
function writeSums(folder: string, names: readonly string[]): void {
  const lines = names.map((name) => {
    const digest = new Bun.CryptoHasher("sha256").update(readFileSync(join(folder, name))).digest("hex");
    return `${digest}  ${name}\n`;
  });
  writeFileSync(join(folder, "SHA256SUMS"), lines.join(""));
}

if (values.all) {
  // The file that everybody builds first keeps its name; the other says what it is for.
  const files = { "linux-x64": outfile, "linux-arm64": `${outfile}-linux-arm64` } as const;
  for (const target of Object.keys(files) as Target[]) await build(target, files[target]);
  writeSums(
    dirname(outfile),
    Object.values(files).map((file) => basename(file)),
  );
} else {
  await build(values.target as Target, outfile);
  if (plant === undefined && dirname(outfile) === join(import.meta.dir, "dist"))
    writeSums(dirname(outfile), [basename(outfile)]);
}
