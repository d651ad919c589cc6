// The figure by which a fault test shows a promise (R1 … R20): how much was tried and what came of it. `bun run fault`
// gathers the figures of all tests into its table.

import { appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Provenance, provenance } from "../bench/machine.ts";

/** One line of the file that ICON_FIGURES names. */
export interface Figure extends Provenance {
  /** "R1" … "R20", "Backup" or "Purge". */
  readonly promise: string;
  /** The numbers, with their units. */
  readonly text: string;
  /** The test file, or script, that found it. */
  readonly file: string;
}

const checkout = fileURLToPath(new URL("../..", import.meta.url));
let origin: Provenance | null = null;

/**
 * Reports the figure of a promise: printed, and added as a line of JSON to the file that ICON_FIGURES names, if it does.
 * Called where the test has shown the promise, so after its checks. A test that stands for several promises reports each.
 */
export function figure(promise: string, text: string): void {
  if (!/^(?:R\d+|Backup|Purge)$/.test(promise))
    throw new RangeError(`Cannot report a figure of "${promise}": expected R1 to R20, Backup or Purge`);
  console.log(`${promise}: ${text}`);
  const path = process.env["ICON_FIGURES"];
  if (path === undefined || path === "") return;
  // Once a run: a child process that looks at the checkout does not belong between two measurements.
  origin ??= provenance(tmpdir());
  const found: Figure = {
    promise,
    text,
    file: relative(checkout, Bun.main),
    ...origin,
    date: new Date().toISOString(),
  };
  appendFileSync(path, `${JSON.stringify(found)}\n`);
}
