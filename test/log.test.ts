import { expect, test } from "bun:test";
import { join } from "node:path";

const logModule = join(import.meta.dir, "../src/log.ts");

/** What a process of its own writes to standard error when it runs this. */
async function logged(script: string): Promise<Record<string, unknown>[]> {
  const child = Bun.spawn([process.execPath, "-e", `import { openLog } from "${logModule}";\n${script}`], {
    stdout: "ignore",
    stderr: "pipe",
  });
  const text = await new Response(child.stderr).text();
  expect(await child.exited).toBe(0);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("a log line is one JSON object: level, time, who, the fields, the sentence", async () => {
  const [line] = await logged(
    'openLog("info", { instance: "a" }).warn("queue nearly full", { position: 9007199254740993n, reason: "two\\nlines", none: undefined, unknown: null });',
  );
  expect(Object.keys(line ?? {})).toEqual(["level", "time", "instance", "position", "reason", "unknown", "event"]);
  expect(line).toEqual({
    level: "warn",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    instance: "a",
    position: "9007199254740993",
    reason: "two\nlines",
    unknown: null,
    event: "queue nearly full",
  });
});

test("what is below the level is not written, and the level may change", async () => {
  const lines = await logged(
    'const log = openLog("warn"); log.error("1"); log.warn("2"); log.info("3"); log.setLevel("debug"); log.debug("4");',
  );
  expect(lines.map(({ level, event }) => [level, event])).toEqual([
    ["error", "1"],
    ["warn", "2"],
    ["debug", "4"],
  ]);
});

test("the last line before the process is gone is there, however many came before", async () => {
  const lines = await logged(
    'const log = openLog("info"); for (let line = 0; line < 20000; line++) log.info("again", { line }); process.exit(0);',
  );
  expect(lines.length).toBe(20_000);
  expect(lines.at(-1)?.["line"]).toBe(19_999);
});
