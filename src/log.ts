// A log line is an event of ours: a fixed sentence, then fields. The sentence never holds a value, and nothing of a
// caller's (numbers, attached data) may be in a field.

import pino from "pino";

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

/** Writes JSON lines to standard error, where systemd's journal takes them. */
export function openLog(level: LogLevel, base: LogFields = {}): LeveledLog {
  const to = pino(
    {
      level,
      base: plain(base),
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 2, sync: true }),
  );
  return {
    error: (sentence, fields) => to.error(plain(fields), sentence),
    warn: (sentence, fields) => to.warn(plain(fields), sentence),
    info: (sentence, fields) => to.info(plain(fields), sentence),
    debug: (sentence, fields) => to.debug(plain(fields), sentence),
    setLevel: (next) => {
      to.level = next;
    },
  };
}

// JSON has no bigint; positions are printed as decimal digits.
function plain(fields: LogFields = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "bigint" ? value.toString() : value]),
  );
}

export const silentLog: Log = { error() {}, warn() {}, info() {}, debug() {} };
