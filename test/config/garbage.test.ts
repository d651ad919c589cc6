import { expect, test } from "bun:test";
import fc from "fast-check";
import { configTemplate } from "../../src/config/template.ts";
import { ConfigError, judgeConfig } from "../../src/config.ts";

/** True when the text was judged, one way or the other; anything but a ConfigError is a fault of ours. */
function isJudged(text: string): boolean {
  try {
    judgeConfig(text, "/nowhere/icon.toml");
    return true;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.length > 0 && error.problems.every(({ expected }) => expected !== "");
  }
}

const value = fc.oneof(
  fc.constantFrom(
    "1",
    "-1",
    "1.5",
    "nan",
    "true",
    "1979-05-27",
    "[]",
    "{}",
    "[[1]]",
    '""',
    '"30s"',
    '"a:1"',
    "{ a = { b = 1 } }",
  ),
  fc.string().map((each) => JSON.stringify(each)),
);

test("whatever stands in the file, it is judged", () => {
  const seed = Date.now() % 2 ** 31;
  console.log(`seed ${seed}`);
  const lines = configTemplate.replaceAll(/^#(?=\w[\w-]* = |\[)/gm, "").split("\n");
  const mutated = fc
    .array(
      fc.tuple(
        fc.nat(lines.length - 1),
        fc.oneof(
          value.map((each) => ["value", each]),
          fc.string().map((each) => ["line", each]),
          fc.constant(["drop", ""]),
        ),
      ),
      { maxLength: 6 },
    )
    .map((changes) => {
      const copy = [...lines];
      for (const [index, [kind, text]] of changes) {
        const line = copy[index] ?? "";
        copy[index] = kind === "value" ? line.replace(/=.*/, () => `= ${text}`) : (text ?? "");
      }
      return copy.join("\n");
    });
  fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), mutated), isJudged), { seed, numRuns: 600 });
});

test.each(["constructor", "__proto__", "toString", "hasOwnProperty"])(
  "a key named %p is a key like any other",
  (name) => {
    const text = `[${name}]\na = 1\n[instance]\n${name} = 1\n[[source]]\n"${name}" = 1\n`;
    expect(isJudged(text)).toBe(true);
    expect(isJudged(`[a.${name}]\nb = 1\n`)).toBe(true);
    // No object of the program has inherited anything.
    expect({}).not.toHaveProperty("a");
    expect({}).not.toHaveProperty("b");
  },
);

const deep = 20_000;

test.each([
  ["arrays", `a = ${"[".repeat(deep)}${"]".repeat(deep)}`],
  ["arrays that do not end", `a = ${"[".repeat(deep)}`],
  ["inline tables", `a = ${"{a=".repeat(deep)}1${"}".repeat(deep)}`],
  ["dotted keys", `a${".a".repeat(deep)} = 1`],
  ["section names", `[a${".a".repeat(deep)}]`],
  ["arrays just over the bound", `a = ${"[".repeat(33)}${"]".repeat(33)}`],
])(
  "a file with %s far too deep in one another is judged, and soon",
  (_what, text) => {
    expect(() => judgeConfig(text, "/nowhere/icon.toml")).toThrow(/lie too deep in one another|is not TOML here/);
  },
  10_000,
);
