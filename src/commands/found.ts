// The exit code of what was found of copies: the worst of it.

import type { Agreement, WindowState } from "../extraction/verdict.ts";
import { exitCodes } from "./exit.ts";

/** Contradiction before what is missing, before what is not yet known. */
export function exitCodeOf(verdicts: Iterable<{ readonly state: WindowState; readonly agreement: Agreement }>): number {
  let exitCode: number = exitCodes.ok;
  for (const { state, agreement } of verdicts) {
    if (agreement === "divergent") return exitCodes.divergence;
    if (state === "incomplete") exitCode = exitCodes.incomplete;
    else if (state === "unknown" && exitCode === exitCodes.ok) exitCode = exitCodes.notYetKnown;
  }
  return exitCode;
}
