// What availability says of each window of a pair's one source.

import { type JudgedStretch, judge } from "../../src/extraction/availability.ts";
import type { Copy, Ledger, Stretch } from "../../src/extraction/copy.ts";
import { openCopy } from "../../src/extraction/open-copy.ts";
import type { JudgedWindow } from "./pair-audit.ts";

/** The ledgers of IDBs, with the windows of this stretch. */
export async function readLedgers(idbPaths: readonly string[], stretch: Stretch): Promise<Ledger[]> {
  const ledgers: Ledger[] = [];
  for (const path of idbPaths) {
    await using copy: Copy = openCopy(path);
    ledgers.push(await copy.ledger({ stretch, changedAfter: null }));
  }
  return ledgers;
}

/** Every window that the stretch touches, in order. Throws when the copies have not exactly one source between them. */
export async function readJudgedWindows(idbPaths: readonly string[], stretch: Stretch): Promise<JudgedWindow[]> {
  const { sources, windowSeconds } = judge(await readLedgers(idbPaths, stretch), stretch);
  const [source] = sources;
  if (source === undefined || sources.length > 1) {
    throw new Error(`Cannot judge a pair's windows: its copies tell of ${sources.length} sources, expected one`);
  }
  return source.stretches.flatMap((each) => windowsOf(each, windowSeconds));
}

function windowsOf({ from, until, verdict }: JudgedStretch, windowSeconds: number): JudgedWindow[] {
  const windows: JudgedWindow[] = [];
  for (let windowTs = from; windowTs < until; windowTs += windowSeconds) {
    windows.push({
      windowTs,
      said: verdict.state,
      chosen: verdict.chosen,
      isDivergent: verdict.agreement === "divergent",
      copies: verdict.copies.map(({ state }) => state),
      causes: verdict.copies.map(({ causes }) => causes.join(", ")),
    });
  }
  return windows;
}
