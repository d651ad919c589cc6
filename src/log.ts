// A log line is an event of ours: a fixed sentence, then fields. The sentence never holds a value, and nothing of a
// caller's (numbers, attached data) may be in a field.

import { writeSync } from "node:fs";
import { systemClock } from "./clock.ts";

export type LogFields = Readonly<Record<string, string | number | bigint | boolean | null | undefined>>;

/** error: we gave something up. warn: somebody should look. info: an operator's diary. debug: the rest, off. */
export interface Log {
  error(sentence: string, fields?: LogFields): void;
  warn(sentence: string, fields?: LogFields): void;
  info(sentence: string, fields?: LogFields): void;
  debug(sentence: string, fields?: LogFields): void;
}

export type LogLevel = "error" | "warn" | "info" | "debug";

/** A log whose level may be changed while it is used. */
export interface LeveledLog extends Log {
  setLevel(level: LogLevel): void;
}

/** From what is always written to what seldom is. */
const levels: readonly LogLevel[] = ["error", "warn", "info", "debug"];
const standardError = 2;
// A reader of standard error that does not read holds us up, as it would any program; between two looks at it we sleep.
const fullPipeWaitMs = 10;

/**
 * Writes JSON lines to standard error, where systemd's journal takes them: at once, so that the last line before an end
 * is there too. (A logging library in each of the threads costs 10 MiB of resident memory, for what is not used here.)
 */
export function openLog(first: LogLevel, base: LogFields = {}): LeveledLog {
  let level = first;
  const put = (of: LogLevel, sentence: string, fields: LogFields = {}) => {
    if (levels.indexOf(of) > levels.indexOf(level)) return;
    write(logLine({ level: of, time: new Date(systemClock.now()).toISOString(), ...base, ...fields, event: sentence }));
  };
  return {
    error: (sentence, fields) => put("error", sentence, fields),
    warn: (sentence, fields) => put("warn", sentence, fields),
    info: (sentence, fields) => put("info", sentence, fields),
    debug: (sentence, fields) => put("debug", sentence, fields),
    setLevel: (next) => {
      level = next;
    },
  };
}

// JSON has no bigint; positions are printed as decimal digits.
function logLine(members: LogFields): string {
  return `${JSON.stringify(members, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value))}\n`;
}

function write(line: string): void {
  const bytes = Buffer.from(line);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(standardError, bytes, done);
    } catch (error) {
      // Nobody reads the log any more: that is no reason to stop recording.
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) return;
      Bun.sleepSync(fullPipeWaitMs);
    }
  }
}

export const silentLog: Log = { error() {}, warn() {}, info() {}, debug() {} };
