// What every measurement of the bench is given: the binary, the load, a place on the disk in question, and how often.

import { rmSync } from "node:fs";
import { join } from "node:path";
import type { LoadFile } from "./load-file.ts";

export interface Setting {
  readonly icon: string;
  readonly load: LoadFile;
  /** On the disk that is measured; what is made in it is kept for the next run of the bench. */
  readonly keptDirectory: string;
  /** On the disk that is measured; whoever uses a folder in it empties it. */
  readonly directory: string;
  readonly pairs: number;
  /** How long one side of a pair is measured. */
  readonly seconds: number;
  /** Bytes sent and not acknowledged. */
  readonly windows: readonly number[];
  /** Events of one run to the last row. */
  readonly rowEvents: number;
  /** Of each of two IDBs that are compared and extracted from. */
  readonly pairRows: number;
  /** An IDB that grows by so many events in so many steps. */
  readonly growth: { readonly events: number; readonly steps: number };
  /** What is recorded before a day of it is purged: so many days, and how many events the source aims at in a second. */
  readonly month: { readonly days: number; readonly daySeconds: number; readonly rate: number };
  readonly say: (sentence: string) => void;
}

// What the kernel still has to do for the side before is done by then.
const calmMs = 500;
// After so many events the recorder's code is compiled: what is measured is a program that runs for months.
export const warmUpEvents = 50_000;

/** An empty place for one run. */
export function emptyPlace({ directory }: Setting): string {
  const place = join(directory, "run");
  rmSync(place, { recursive: true, force: true });
  return place;
}

/** Both sides of a pair begin with nothing left to be written. */
export async function calm({ directory }: Setting): Promise<void> {
  Bun.spawnSync(["sync", "--file-system", directory]);
  await Bun.sleep(calmMs);
}

/** The output of a script of this folder, run in a process of its own. */
export async function child(script: string, words: readonly string[]): Promise<string> {
  const process_ = Bun.spawn([process.execPath, join(import.meta.dir, script), ...words], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await new Response(process_.stdout).text();
  if ((await process_.exited) !== 0) throw new Error(`Cannot measure: ${script} failed`);
  return text;
}

export function perSecond(events: number, ms: number): number {
  return (events / ms) * 1000;
}

export function shown(value: number): string {
  return Math.round(value).toLocaleString("en");
}
