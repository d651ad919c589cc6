// Collects what is wrong or worth a look in one configuration text, each with its place.

import type * as z from "zod/mini";
import { nearestName } from "../suggestion.ts";
import { type Document, type Path, pathText } from "./document.ts";
import { keysByTable, sourceSections } from "./file.ts";
import { originalSections, refusedOption } from "./original.ts";
import type { ConfigProblem, ConfigWarning } from "./problem.ts";

export class Findings {
  readonly #document: Document;
  readonly #problems: ConfigProblem[] = [];
  readonly #warnings: ConfigWarning[] = [];

  constructor(document: Document) {
    this.#document = document;
  }

  problem(path: Path, problem: string | null, expected: string): void {
    const { line, column } = this.#document.placeOf(path);
    const value = couldBeSecret(path) ? null : this.#document.writtenAt(path);
    this.#problems.push({ line, column, key: pathText(path), value, problem, expected });
  }

  warn(path: Path | null, sentence: string): void {
    const line = path === null ? null : this.#document.placeOf(path).line;
    this.#warnings.push({ line, key: path === null ? null : pathText(path), sentence });
  }

  /** A schema's complaint about the value at `at`; its message says what is expected. */
  issue(at: Path, issue: z.core.$ZodIssue): void {
    const path = [...at, ...issue.path.map((part) => (typeof part === "symbol" ? String(part) : part))];
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) this.unknownKey([...path, key]);
      return;
    }
    const said: unknown = issue.code === "custom" ? issue.params?.["problem"] : undefined;
    const clause = typeof said === "string" && said !== "" ? said : null;
    this.problem(path, this.valueAt(path) === undefined ? "it is missing" : clause, issue.message);
  }

  unknownKey(path: Path): void {
    const name = String(path.at(-1));
    const table = path
      .slice(0, -1)
      .filter((part) => typeof part === "string")
      .join(".");
    const inside = this.valueAt(path);
    if (table === "" && originalSections.includes(name) && typeof inside === "object" && inside !== null) {
      for (const option of Object.keys(inside)) this.unknownKey([...path, option]);
      return;
    }
    const option = refusedOption(name);
    if (option !== null) {
      this.problem(path, option.problem, option.expected);
      return;
    }
    if (table === "source" && keysByTable["source"]?.includes(name)) {
      const kind = Object.hasOwn(sourceSections.ami.shape, name) ? "ami" : "tevent";
      this.problem(path, `the key is for sources of kind "${kind}" only`, `it to be left out, or kind = "${kind}"`);
      return;
    }
    this.problem(path, table === "" ? "there is no such section" : "there is no such key", whatWasMeant(table, name));
  }

  /** In the order of the lines, as somebody goes through the file to mend it. */
  sorted(): { readonly problems: readonly ConfigProblem[]; readonly warnings: readonly ConfigWarning[] } {
    return {
      problems: this.#problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)),
      warnings: this.#warnings.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)),
    };
  }

  private valueAt(path: Path): unknown {
    let value: unknown = this.#document.values;
    for (const part of path) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
      value = (value as Readonly<Record<string | number, unknown>>)[part];
    }
    return value;
  }
}

function whatWasMeant(table: string, name: string): string {
  if (isSecretName(name))
    return "secrets to stand in a file of their own: token_file or credentials_file in [[source]]";
  if (table === "") {
    const titles = [...Object.keys(keysByTable).filter((each) => !each.includes(".")), ...originalSections];
    const near = nearestName(name, titles);
    if (near !== null) return near === "source" ? "[[source]]" : `[${near}]`;
  }
  const near = nearestName(name, keysByTable[table] ?? []);
  if (near !== null) return near;
  const home = Object.entries(keysByTable).find(([other, keys]) => other !== table && keys.includes(name));
  if (home !== undefined) return `${name} in ${home[0] === "source" ? "[[source]]" : `[${home[0]}]`}`;
  const known = table === "" ? Object.keys(sectionTitles()) : (keysByTable[table] ?? []);
  if (known.length === 0) return "it to be left out";
  return known.length === 1 ? String(known[0]) : `one of ${known.join(", ")}`;
}

function sectionTitles(): Record<string, true> {
  return Object.fromEntries(
    Object.keys(keysByTable)
      .filter((each) => !each.includes("."))
      .map((each) => [each === "source" ? "[[source]]" : `[${each}]`, true]),
  );
}

// A secret written into the wrong place must not be repeated in a message that ends up in a journal or a ticket.
function couldBeSecret(path: Path): boolean {
  return path.some((part) => typeof part === "string" && isSecretName(part));
}

function isSecretName(name: string): boolean {
  return /secret|passw|token|user|credential/i.test(name) && !/_file$/.test(name);
}
