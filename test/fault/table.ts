// The table at the end of `bun run fault`: a row for each promise, from all slices that show it.

import type { SliceResult } from "./result.ts";
import type { Slice } from "./slice.ts";

export interface Row {
  readonly promise: string;
  readonly what: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it is not "passed"; empty when it is. */
  readonly reason: string;
  readonly figure: string;
  readonly seconds: number;
}

/**
 * A row for each of `promised` that is asked for, and one for each slice that shows none. A promise counts as passed when
 * every test of every slice of it was run and passed, and one at least gave a figure.
 */
export function rowsOf(
  promised: Readonly<Record<string, string>>,
  ran: readonly { readonly slice: Slice; readonly result: SliceResult }[],
): Row[] {
  const shows = ({ slice, result }: (typeof ran)[number], promise: string) =>
    slice.promises.includes(promise) || result.figures.some((figure) => figure.promise === promise);
  const rows = Object.entries(promised).map(([promise, what]) => {
    const of = ran.filter((each) => shows(each, promise)).map(({ result }) => result);
    const figures = of.flatMap((result) => result.figures.filter((figure) => figure.promise === promise));
    return { promise, what, ...judged(of, true, figures.length), figure: joined(figures.map(({ text }) => text)) };
  });
  const further = ran.filter((each) => !Object.keys(promised).some((promise) => shows(each, promise)));
  return [
    ...rows,
    ...further.map(({ slice, result }) => ({
      promise: "–",
      what: slice.name,
      ...judged([result], false, 0),
      figure: `${result.testsPassed} tests`,
    })),
  ];
}

/** One after the other; where each counts inputs, their sum before them. */
function joined(texts: readonly string[]): string {
  const inputs = texts.map((text) => Number(/: (\d+) inputs$/.exec(text)?.[1] ?? Number.NaN));
  const sum = inputs.reduce((total, each) => total + each, 0);
  const isSum = texts.length > 1 && !Number.isNaN(sum);
  return `${isSum ? `${sum} inputs in all: ` : ""}${texts.join("; ")}`;
}

function judged(
  results: readonly SliceResult[],
  isFigureNeeded: boolean,
  figureCount: number,
): Pick<Row, "outcome" | "reason" | "seconds"> {
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  const failures = results.flatMap((result) => (result.outcome === "failed" ? result.failures : []));
  const skipped = [...new Set(results.flatMap((result) => result.skipped))];
  if (results.some(({ outcome }) => outcome === "failed")) {
    return { outcome: "failed", reason: failures.join("; "), seconds };
  }
  if (skipped.length > 0) return { outcome: "skipped", reason: skipped.join("; "), seconds };
  if (isFigureNeeded && figureCount === 0) return { outcome: "failed", reason: "not shown", seconds };
  return { outcome: "passed", reason: "", seconds };
}

const widths = { what: 34, outcome: 32, figure: 64 } as const;

/** The rows as text, long cells over several lines, and the line that sums them up. */
export function tableText(rows: readonly Row[]): string {
  const cells = (row: Row) => [
    [row.promise],
    wrapped(row.what, widths.what),
    wrapped(row.reason === "" ? row.outcome : `${row.outcome}: ${row.reason}`, widths.outcome),
    wrapped(row.figure, widths.figure),
    [row.seconds.toFixed(0)],
  ];
  const head = [["promise"], ["what is promised"], ["outcome"], ["figure"], ["s"]];
  const all = [head, ...rows.map(cells)];
  const columnWidths = head.map((_, column) => Math.max(...all.flatMap((row) => (row[column] ?? []).map(widthOf))));
  const lines = all.flatMap((row, at) => {
    const height = Math.max(...row.map((cell) => cell.length));
    const text = Array.from({ length: height }, (_, line) =>
      row
        .map((cell, column) => padded(cell[line] ?? "", columnWidths[column] ?? 0))
        .join(" │ ")
        .trimEnd(),
    );
    return at === 0 ? [...text, columnWidths.map((width) => "─".repeat(width)).join("─┼─")] : text;
  });
  const count = (outcome: Row["outcome"]) => rows.filter((row) => row.outcome === outcome).length;
  const sum = `${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`;
  return `${lines.join("\n")}\n\n${sum}`;
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function widthOf(text: string): number {
  return [...text].length;
}

function padded(text: string, width: number): string {
  return text + " ".repeat(width - widthOf(text));
}
