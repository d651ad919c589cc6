import { expect, test } from "bun:test";
import { renderMetrics } from "../../src/status/metrics.ts";
import { north, sampleNow, sampleReport } from "./sample-report.ts";

const page = await Bun.file(new URL("../../docs/watching.md", import.meta.url)).text();

/** The cells of each row of the table that begins with this head. */
function rowsUnder(head: string): string[][] {
  const lines = page.split("\n");
  const from = lines.findIndex((line) => line.startsWith(`| ${head} |`)) + 2;
  const to = lines.findIndex((line, index) => index >= from && !line.startsWith("|"));
  return lines.slice(from, to).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test("every metric stands in docs/watching.md as it explains itself, with its labels, and no other does", async () => {
  // Everything is known, so nothing is left out.
  const source = { ...north, clock: { differenceMs: 1, uncertaintyMs: 1 }, sessionEnds: { silence: 1 } };
  const walBlock = { since: sampleNow, isAtLimit: false, readers: [] };
  const text = await renderMetrics({ ...sampleReport, sources: [source], idb: { ...sampleReport.idb, walBlock } }, 1);
  const told = [...text.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name = "", help = ""]) => {
    const [, kind = ""] = new RegExp(`^# TYPE ${name} (\\w+)$`, "m").exec(text) ?? [];
    const [, labels = ""] = new RegExp(`^${name}{([^}]*)}`, "m").exec(text) ?? [];
    const names = [...labels.matchAll(/(\w+)=/g)].map(([, label]) => `\`${label}\``);
    return [`\`${name}\``, kind, names.join(", ") || "–", help];
  });
  expect(told.length).toBeGreaterThan(40);
  const documented = rowsUnder("metric");
  expect(documented.map((cells) => cells.slice(0, 4))).toEqual(told);
  expect(documented.filter(([, , , , alarm]) => alarm === undefined || alarm === "")).toEqual([]);
});

test("every state that the page can show is explained in docs/watching.md", async () => {
  const types = await Bun.file(new URL("../../src/status/report.ts", import.meta.url)).text();
  const subjects = { InstanceStatus: "instance", SourceStatus: "source", QueueStatus: "queue", IdbStatus: "idb" };
  const states = Object.entries(subjects).flatMap(([type, subject]) => {
    const [, body = ""] = new RegExp(`interface ${type} {(.*?)\\n}`, "s").exec(types) ?? [];
    const [, union = ""] = /readonly state: ([^;]+);/.exec(body) ?? [];
    return [...union.matchAll(/"(\w+)"/g)].map(([, state]) => [subject, `\`${state}\``]);
  });
  expect(states.length).toBeGreaterThan(10);
  expect(rowsUnder("of").map((cells) => cells.slice(0, 2))).toEqual(states);
});

test("every state of the time line is explained in docs/watching.md in the words that the page uses", async () => {
  const { stateWord } = await import("../../src/status/page/pair-line.tsx");
  expect(rowsUnder("drawn as").map(([, word]) => word)).toEqual([
    stateWord.complete,
    stateWord.silent,
    stateWord.incomplete,
    stateWord.divergent,
    stateWord.unknown,
    "the copy to take",
  ]);
});

test("every exit code that a command can end with stands in docs/operations.md, and no other does", async () => {
  const { exitCodes } = await import("../../src/commands/exit.ts");
  const operations = await Bun.file(new URL("../../docs/operations.md", import.meta.url)).text();
  const [, section = ""] = /## Exit codes\n(.*?)\n## /s.exec(operations) ?? [];
  const documented = [...section.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  expect(documented).toEqual(Object.values(exitCodes));
});
