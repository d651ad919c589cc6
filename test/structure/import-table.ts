// The import table of ARCHITECTURE.md, read, and the imports of the sources, found: what the structure tests compare.

import { readFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";

export const checkout = resolve(import.meta.dir, "../..");

/** One row: what these parts may import. A part is a folder or a file. */
export interface Rule {
  readonly parts: readonly string[];
  /** Parts and packages; "everything" for the row that may import all of the above. */
  readonly may: ReadonlySet<string> | "everything";
  /** Free of I/O, clock, randomness and waiting. */
  readonly isPure: boolean;
}

export interface Import {
  readonly file: string;
  /** As written. */
  readonly specifier: string;
}

const tableHead = "| part | may import | stays free of |";

export function readRules(markdown: string): Rule[] {
  const lines = markdown.split("\n");
  const start = lines.indexOf(tableHead);
  if (start === -1) throw new Error(`Cannot find the import table: expected a line "${tableHead}"`);
  const rules: Rule[] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith("|")) break;
    const [, parts = "", may = "", free = ""] = line.split("|");
    rules.push({
      parts: quoted(parts),
      may: may.includes("all of the above") ? "everything" : new Set(quoted(may)),
      isPure: free.includes("I/O"),
    });
  }
  return rules;
}

function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? "");
}

/** Every source file of the program, relative to the checkout. */
export function sourceFiles(): string[] {
  return [...new Bun.Glob("{src,schema}/**/*.{ts,tsx}").scanSync({ cwd: checkout })]
    .filter((file) => !file.endsWith(".d.ts"))
    .sort();
}

export function readSource(file: string): string {
  return readFileSync(join(checkout, file), "utf8");
}

// Only names, braces, commas and stars stand between the keyword and "from".
const statement = /^(?:import|export)\s[\w\s{},*]*?\bfrom\s+"([^"]+)"/gm;
const bare = /^import\s+"([^"]+)"/gm;
const call = /\bimport\("([^"]+)"\)/g;
// A Worker's entry is imported as well, only later.
const url = /new URL\("(\.[^"]+\.ts)", import\.meta\.url\)/g;

/** Imports and re-exports, of values and of types, and Workers. */
export function importsOf(file: string, text: string): Import[] {
  return [statement, bare, call, url].flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([, specifier = ""]) => ({ file, specifier })),
  );
}

/** The longest part of the table that holds this file, and its rule. */
export function ruleFor(
  rules: readonly Rule[],
  file: string,
): { readonly part: string; readonly rule: Rule } | undefined {
  for (const rule of rules) {
    const part = rule.parts.find((each) => file === each || file.startsWith(`${each}/`));
    if (part !== undefined) return { part, rule };
  }
  return undefined;
}

/** Where an import of ours leads, relative to the checkout; undefined: a package. */
export function targetOf({ file, specifier }: Import): string | undefined {
  return specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : undefined;
}

/** What is wrong with an import by the table, or null. */
export function judge(rules: readonly Rule[], each: Import): string | null {
  const own = ruleFor(rules, each.file);
  if (own === undefined) return `${each.file} belongs to no part of the table`;
  const say = (what: string) => `${each.file} imports "${each.specifier}": ${own.part} ${what}`;
  const target = targetOf(each);
  if (target === undefined) {
    if (isRuntime(each.specifier))
      return own.rule.isPure ? say("is pure and may not import the runtime's modules") : null;
    const name = each.specifier
      .split("/")
      .slice(0, each.specifier.startsWith("@") ? 2 : 1)
      .join("/");
    return own.rule.may === "everything" || own.rule.may.has(name) ? null : say(`may not import the package ${name}`);
  }
  if (own.rule.may === "everything") return null;
  if (own.rule.parts.some((part) => target === part || target.startsWith(`${part}/`))) return null;
  const isAllowed = [...own.rule.may].some((part) => target === part || target.startsWith(`${part}/`));
  return isAllowed ? null : say(`may not import ${ruleFor(rules, target)?.part ?? target}`);
}

function isRuntime(specifier: string): boolean {
  return specifier === "bun" || specifier.startsWith("bun:") || specifier.startsWith("node:");
}
