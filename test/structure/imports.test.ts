import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { checkout, importsOf, judge, readRules, readSource, ruleFor, sourceFiles } from "./import-table.ts";

const rules = readRules(readSource("ARCHITECTURE.md"));
const files = sourceFiles();

test("every import follows the table in ARCHITECTURE.md", () => {
  const imports = files.flatMap((file) => importsOf(file, readSource(file)));
  expect(imports.length).toBeGreaterThan(300);
  expect(imports.map((each) => judge(rules, each)).filter((wrong) => wrong !== null)).toEqual([]);
});

test("every source file belongs to a part of the table, and every part exists", () => {
  expect(files.filter((file) => ruleFor(rules, file) === undefined)).toEqual([]);
  const parts = rules.flatMap((rule) => rule.parts);
  expect(parts.filter((part) => !files.some((file) => file === part || file.startsWith(`${part}/`)))).toEqual([]);
});

test("no part imports itself by way of others", () => {
  const ways = new Map<string, Set<string>>();
  for (const file of files) {
    const from = ruleFor(rules, file)?.rule.parts[0] ?? file;
    for (const each of importsOf(file, readSource(file))) {
      if (!each.specifier.startsWith(".")) continue;
      const target = join(file, "..", each.specifier);
      const to = ruleFor(rules, target)?.rule.parts[0] ?? target;
      if (to !== from) ways.set(from, (ways.get(from) ?? new Set()).add(to));
    }
  }
  const circles: string[] = [];
  const walk = (part: string, path: readonly string[]): void => {
    if (path.includes(part)) {
      circles.push([...path, part].join(" → "));
      return;
    }
    for (const next of ways.get(part) ?? []) walk(next, [...path, part]);
  };
  for (const part of ways.keys()) walk(part, []);
  expect(circles).toEqual([]);
});

// What the machines may not ask for: time, chance, waiting, the outside. Words in comments do not count.
const impure =
  /\bDate\.now\b|\bnew Date\(\)|\bperformance\b|\bMath\.random\b|\brandomUUID\b|\bgetRandomValues\b|\basync\b|\bawait\b|\bPromise\b|\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b|\bfetch\(|\bprocess\.|\bBun\.(?!CryptoHasher|hash)|\bconsole\./;

test("event, protocol and projection have no clock, no I/O, no chance and wait for nothing", () => {
  const pure = files.filter((file) => ruleFor(rules, file)?.rule.isPure);
  expect(new Set(pure.map((file) => file.split("/")[1]))).toEqual(new Set(["event", "protocol", "projection"]));
  const found = pure.flatMap((file) =>
    withoutComments(readSource(file))
      .split("\n")
      .flatMap((line, index) => (impure.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
  expect(found).toEqual([]);
});

test("only clock.ts asks the runtime for the time", () => {
  // The page's script is text that runs in the reader's browser.
  const ours = files.filter((file) => file !== "src/status/script.ts");
  const asking = ours.filter((file) => /\bDate\.now\(|\bperformance\.now\(/.test(withoutComments(readSource(file))));
  expect(asking).toEqual(["src/clock.ts"]);
});

test("no folder is named for a kind of code", () => {
  const names = ["utils", "util", "common", "helpers", "types", "lib", "misc", "shared"];
  const folders = ["src", "schema", "test"].flatMap((root) =>
    readdirSync(join(checkout, root), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory() && names.includes(entry.name))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  expect(folders).toEqual([]);
});

test("an import that breaks the table is named with its file", () => {
  const wrong = { file: "src/queue/queue.ts", specifier: "../source/intake.ts" };
  expect(judge(rules, wrong)).toBe(
    'src/queue/queue.ts imports "../source/intake.ts": src/queue may not import src/source',
  );
  const io = { file: "src/event/instant.ts", specifier: "node:fs" };
  expect(judge(rules, io)).toContain("src/event is pure");
  expect(judge(rules, { file: "src/source/intake.ts", specifier: "zod" })).toContain("may not import the package zod");
  expect(judge(rules, { file: "src/tools/x.ts", specifier: "zod" })).toBe(
    "src/tools/x.ts belongs to no part of the table",
  );
});

test("imports over several lines, of types, dynamic ones and Workers are found", () => {
  const text = `import type {\n  A,\n  B,\n} from "./a.ts";\nimport "./b.ts";\nexport { c } from "./c.ts";\nconst d = await import("./d.ts");\nnew Worker(new URL("./e.ts", import.meta.url).href);\nconst no = 'from "./f.ts"';\n`;
  expect(
    importsOf("x.ts", text)
      .map(({ specifier }) => specifier)
      .sort(),
  ).toEqual(["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts"]);
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, "")).replace(/(^|\s)\/\/.*$/gm, "$1");
}
