import { expect, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../check/installed.ts";
import { TemporaryDirectory } from "../harness/processes.ts";

const buildMs = 120_000;

async function build(directory: string, outfile: string): Promise<{ exitCode: number; stderr: string }> {
  const child = Bun.spawn([process.execPath, "build.ts", "--outfile", outfile], {
    cwd: directory,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const [stderr, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  return { exitCode, stderr };
}

/** The checkout's sources, with a copy of the libsql package that a test may change; all other packages are the same. */
function copyOfCheckout(directory: TemporaryDirectory): string {
  const copy = directory.at("copy");
  mkdirSync(join(copy, "node_modules"), { recursive: true });
  for (const name of ["src", "schema", "build.ts", "package.json", "tsconfig.json"]) {
    cpSync(join(checkout, name), join(copy, name), { recursive: true });
  }
  // build.ts reads the list of plants.
  cpSync(join(checkout, "test", "fault"), join(copy, "test", "fault"), { recursive: true });
  const packages = join(checkout, "node_modules");
  for (const name of readdirSync(packages)) {
    // The package itself is copied; what it stands on, and everything else, is where it was.
    if (name === "libsql") cpSync(join(packages, name), join(copy, "node_modules", name), { recursive: true });
    else symlinkSync(join(packages, name), join(copy, "node_modules", name));
  }
  return copy;
}

test(
  "two builds of the same sources are the same, byte for byte",
  async () => {
    using directory = new TemporaryDirectory("build");
    const outfiles = [directory.at("first", "icon"), directory.at("second", "icon")];
    for (const outfile of outfiles) expect(await build(checkout, outfile)).toEqual({ exitCode: 0, stderr: "" });
    const [first, second] = outfiles.map((file) =>
      new Bun.CryptoHasher("sha256").update(readFileSync(file)).digest("hex"),
    );
    expect(second).toBe(first ?? "");
  },
  buildMs,
);

test(
  "the build fails when libsql no longer loads its addon in the way that is patched",
  async () => {
    using directory = new TemporaryDirectory("patch");
    const copy = copyOfCheckout(directory);
    const outfile = directory.at("icon");
    // The copy is good as it is; else the failure below would prove nothing.
    expect(await build(copy, outfile)).toMatchObject({ exitCode: 0 });
    const index = join(copy, "node_modules", "libsql", "index.js");
    const text = readFileSync(index, "utf8");
    const changed = text.replace(/require\(`@libsql\/\$\{target\}`\)/, "require(nameOf(target))");
    expect(changed).not.toBe(text);
    writeFileSync(index, changed);
    const { exitCode, stderr } = await build(copy, outfile);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("Cannot patch");
    expect(stderr).toContain("index.js");
  },
  buildMs,
);

test(
  "an unknown target and an unknown plant are refused by name, and no planted build goes to dist",
  async () => {
    for (const [words, message] of [
      [["--target", "windows-x64"], 'Cannot build for "windows-x64"'],
      [["--plant", "nothing"], 'Cannot plant "nothing"'],
      [["--plant", "no-fdatasync"], "Cannot build a planted binary into dist/"],
    ] as const) {
      const child = Bun.spawn([process.execPath, "build.ts", ...words], {
        cwd: checkout,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "pipe",
      });
      const [stderr, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited]);
      expect(exitCode).not.toBe(0);
      expect(stderr).toContain(message);
    }
  },
  buildMs,
);
