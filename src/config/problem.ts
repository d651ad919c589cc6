// What is wrong with a configuration, and how it is said: file, line and column first, so that editors and people can
// jump there; then key, value as written, what is wrong, and what would be right.

export interface ConfigProblem {
  /** 1-based; null where no line can be named. */
  readonly line: number | null;
  readonly column: number | null;
  /** Dotted, with indexes: source[1].addresses[0]. Null: the file as a whole. */
  readonly key: string | null;
  /** As written in the file, shortened; null when missing, or when it could be a secret. */
  readonly value: string | null;
  /** What is wrong, as a clause; null when `expected` says it all. */
  readonly problem: string | null;
  readonly expected: string;
}

/** Something to look at that does not keep the instance from running. */
export interface ConfigWarning {
  readonly line: number | null;
  readonly key: string | null;
  readonly sentence: string;
}

/** The configuration cannot be used; nothing was touched. The process ends with 78. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(
    readonly file: string,
    readonly problems: readonly ConfigProblem[],
    readonly warnings: readonly ConfigWarning[] = [],
    options?: ErrorOptions,
  ) {
    super(problems.map((each) => formatProblem(file, each)).join("\n"), options);
  }
}

export function formatProblem(file: string, { line, column, key, value, problem, expected }: ConfigProblem): string {
  const place = line === null ? file : `${file}:${line}:${column ?? 1}`;
  const what = key === null ? "Cannot use this file" : `Cannot use ${key}${value === null ? "" : ` ${value}`}`;
  return `${place}: ${what}: ${problem === null ? "" : `${problem}; `}expected ${expected}`;
}

export function formatWarning(file: string, { line, key, sentence }: ConfigWarning): string {
  return `${line === null ? file : `${file}:${line}`}: Warning: ${key === null ? "" : `${key}: `}${sentence}`;
}
