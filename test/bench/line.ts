// One line of the bench's table: a promise's figure, its goal, and where it was measured. Lines outlive the run that
// measured them: a file of lines is filled in slices, and each says which commit and machine it is of.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type Spread, textTable } from "./figures.ts";
import type { Provenance } from "./machine.ts";

export type Promised = "P1" | "P4" | "P5" | "P6" | "P7" | "P8" | "P9" | "P10" | "P11" | "P12" | "P13";

export interface Measurement {
  readonly promise: Promised;
  /** Tells the lines of one promise apart. */
  readonly what: string;
  readonly unit: "" | "ms" | "MiB" | "%";
  readonly goal: { readonly atLeast: number } | { readonly atMost: number };
  /** Null: not measured, and `note` says why. */
  readonly figure: Spread | null;
  /** What the figure is made of, in words with units. */
  readonly note: string;
  /** Each single measurement. */
  readonly runs: readonly object[];
}

export interface Line extends Measurement {
  readonly from: Provenance;
}

export function readLines(path: string): Line[] {
  if (!existsSync(path)) return [];
  const { lines } = JSON.parse(readFileSync(path, "utf8")) as { lines?: Line[] };
  if (lines === undefined) throw new Error(`Cannot add to "${path}": it has no lines; expected a file of this bench`);
  return lines;
}

export function writeLines(path: string, lines: readonly Line[]): void {
  writeFileSync(path, `${JSON.stringify({ lines }, null, 2)}\n`);
}

/** The new line takes the place of the one that said the same before; lines stand in the order of their promises. */
export function withLine(lines: readonly Line[], line: Line): Line[] {
  const isSame = ({ promise, what }: Line) => promise === line.promise && what === line.what;
  const place = lines.findIndex(isSame);
  const next = place === -1 ? [...lines, line] : lines.with(place, line);
  return next.sort((one, other) => number(one) - number(other));
}

export function table(lines: readonly Line[]): string {
  const rows = lines.map(({ promise, what, unit, figure, goal, note, from }) => {
    const shown = (value: number) =>
      unit === "" || unit === "%" ? value.toFixed(2) : value.toFixed(unit === "ms" ? 1 : 0);
    const bound = "atLeast" in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`;
    return [
      promise,
      what,
      figure === null ? "not measured" : `${shown(figure.median)} ${unit}`.trim(),
      figure === null ? "" : `${shown(figure.min)}–${shown(figure.max)}`,
      `${bound} ${unit}`.trim(),
      figure === null ? "" : isMet(figure, goal) ? "met" : "not met",
      note,
      from.commit,
    ];
  });
  return textTable([["", "what", "median", "min–max", "goal", "", "made of", "commit"], ...rows]);
}

function isMet({ median }: Spread, goal: Measurement["goal"]): boolean {
  return "atLeast" in goal ? median >= goal.atLeast : median <= goal.atMost;
}

function number({ promise }: Line): number {
  return Number(promise.slice(1));
}
