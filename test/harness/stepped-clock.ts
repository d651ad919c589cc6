// The wall clock of a program as libfaketime shows it to the program: it can be stepped while the program runs. What else
// the program asks the time of, its monotonic clock and its files, stays true.

import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = "/usr/lib";

/** Where the library is; null: not installed. */
function libraryPath(): string | null {
  for (const name of readdirSync(folder)) {
    // The one for programs with threads.
    const path = join(folder, name, "faketime", "libfaketimeMT.so.1");
    if (existsSync(path)) return path;
  }
  return null;
}

export function whyNoSteppedClock(): string | null {
  if (process.platform !== "linux") return "only Linux has libfaketime's kind of preloading";
  return libraryPath() === null ? "libfaketime is not installed" : null;
}

export class SteppedClock {
  readonly #file: string;
  readonly #library: string;
  #offsetMs = 0;
  /** Each offset from the true time and when, by the true time, it was in force; the last one still is. */
  readonly periods: { readonly offsetMs: number; readonly fromMs: number; untilMs: number }[] = [];

  /** `file`: where the library looks for the offset. Throws when it is not installed. */
  constructor(file: string) {
    const library = libraryPath();
    if (library === null) throw new Error("Cannot step a clock: libfaketime is not installed");
    this.#file = file;
    this.#library = library;
    this.#put();
  }

  /** A script at `path` that does as `binary`, under this clock. */
  wrap(binary: string, path: string): string {
    const variables = {
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      NO_FAKE_STAT: "1",
    };
    const words = Object.entries(variables).map(([name, value]) => `${name}='${value}'`);
    writeFileSync(path, `#!/bin/sh\nexec env ${words.join(" ")} '${binary}' "$@"\n`, { mode: 0o700 });
    return path;
  }

  /** Forward, or back when negative. */
  stepSeconds(seconds: number): void {
    this.#offsetMs += seconds * 1_000;
    this.#put();
  }

  /** Whether it showed this time, ms since 1970, at any moment up to now. */
  hasShown(timeMs: number): boolean {
    return this.periods.some(
      ({ offsetMs, fromMs, untilMs }) =>
        timeMs >= fromMs + offsetMs - 1 && timeMs <= Math.min(untilMs, Date.now()) + offsetMs + 1,
    );
  }

  #put(): void {
    // At once, for the program reads it at any moment.
    const next = `${this.#file}.next`;
    const seconds = this.#offsetMs / 1_000;
    writeFileSync(next, `${seconds < 0 ? "" : "+"}${seconds}`);
    const fromMs = Date.now();
    renameSync(next, this.#file);
    const last = this.periods.at(-1);
    if (last !== undefined) last.untilMs = Date.now();
    this.periods.push({ offsetMs: this.#offsetMs, fromMs, untilMs: Number.POSITIVE_INFINITY });
  }
}
