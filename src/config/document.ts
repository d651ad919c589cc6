// A TOML text as plain values, with the place of each: what is wrong is found in the values and said with line and
// column.

import { type AST, getStaticTOMLValue, ParseError, parseTOML, traverseNodes } from "toml-eslint-parser";
import type { ConfigProblem } from "./problem.ts";

export type Path = readonly (string | number)[];

export interface Place {
  /** Both 1-based. */
  readonly line: number;
  readonly column: number;
}

export interface Document {
  readonly values: Readonly<Record<string, unknown>>;
  /** Where `path` is written; for what is missing, the table it is missing from. */
  placeOf(path: Path): Place;
  /** The value at `path` as written, shortened to one line; null when it is missing or a table. */
  writtenAt(path: Path): string | null;
}

// Longer values are cut in messages: a pasted certificate must not hide the other problems.
const writtenLengthMax = 80;

/** The document, or the one problem that keeps it from being read as TOML at all. */
export function readDocument(text: string): Document | { readonly problem: ConfigProblem } {
  let program: AST.TOMLProgram;
  let refused: ConfigProblem | null;
  try {
    program = parseTOML(text, { tomlVersion: "1.0" });
    refused = findRefused(program);
  } catch (error) {
    // The parser goes down by calling itself: it runs out of stack before it could be asked how deep the text goes.
    if (error instanceof RangeError) return { problem: tooDeep({ line: 1, column: 1 }) };
    if (!(error instanceof ParseError)) throw error;
    return {
      problem: {
        line: error.lineNumber,
        column: error.column + 1,
        key: null,
        value: null,
        problem: `the text is not TOML here (${error.message.toLowerCase()})`,
        expected: "TOML 1.0: sections as [name], then lines of key = value",
      },
    };
  }
  if (refused !== null) return { problem: refused };
  const nodes = new Map<string, { readonly place: Place; readonly written: string | null }>();
  const remember = (path: Path, node: AST.TOMLNode, isTable: boolean) => {
    const place = placeOf(node);
    const written = isTable ? null : shortened(text.slice(node.range[0], node.range[1]));
    if (!nodes.has(pathText(path))) nodes.set(pathText(path), { place, written });
  };
  for (const node of program.body[0].body) {
    if (node.type === "TOMLKeyValue") {
      walkKeyValue([], node, remember);
    } else {
      remember(node.resolvedKey, node, true);
      // [a.b] also brings [a] about: a problem with `a` is said there.
      for (let length = 1; length < node.resolvedKey.length; length++) {
        remember(node.resolvedKey.slice(0, length), node, true);
      }
      for (const each of node.body) walkKeyValue(node.resolvedKey, each, remember);
    }
  }
  return {
    values: getStaticTOMLValue(program),
    placeOf(path) {
      for (let length = path.length; length > 0; length--) {
        const found = nodes.get(pathText(path.slice(0, length)));
        if (found !== undefined) return found.place;
      }
      return { line: 1, column: 1 };
    },
    writtenAt: (path) => nodes.get(pathText(path))?.written ?? null,
  };
}

// No key of ours lies deeper than three. What follows takes time with the square of the depth.
const depthMax = 32;

/** The first key or value that may not be taken further, as a problem. */
function findRefused(program: AST.TOMLProgram): ConfigProblem | null {
  let refused: ConfigProblem | null = null;
  let depth = 0;
  traverseNodes(program, {
    enterNode(node) {
      if (node.type === "TOMLArray" || node.type === "TOMLInlineTable") depth += 1;
      if (depth > depthMax) refused ??= tooDeep(placeOf(node));
      if (node.type !== "TOMLKey") return;
      if (node.keys.length > depthMax) refused ??= tooDeep(placeOf(node));
      // The parser's values are plain objects: this key would change what every object in the program inherits.
      const forbidden = node.keys.find((each) => (each.type === "TOMLBare" ? each.name : each.value) === "__proto__");
      if (forbidden !== undefined) refused ??= forbiddenKey(placeOf(forbidden));
    },
    leaveNode(node) {
      if (node.type === "TOMLArray" || node.type === "TOMLInlineTable") depth -= 1;
    },
  });
  return refused;
}

function placeOf({ loc }: AST.TOMLNode): Place {
  return { line: loc.start.line, column: loc.start.column + 1 };
}

function forbiddenKey(place: Place): ConfigProblem {
  return { ...place, key: "__proto__", value: null, problem: "there is no such key", expected: "it to be left out" };
}

function tooDeep(place: Place): ConfigProblem {
  const problem = "keys or values lie too deep in one another";
  return { ...place, key: null, value: null, problem, expected: `at most ${depthMax} levels` };
}

type Remember = (path: Path, node: AST.TOMLNode, isTable: boolean) => void;

function walkKeyValue(table: Path, node: AST.TOMLKeyValue, remember: Remember): void {
  const path = [...table, ...node.key.keys.map((each) => (each.type === "TOMLBare" ? each.name : each.value))];
  for (let length = table.length + 1; length < path.length; length++) remember(path.slice(0, length), node, true);
  walkValue(path, node.value, remember);
}

function walkValue(path: Path, node: AST.TOMLContentNode, remember: Remember): void {
  remember(path, node, node.type === "TOMLInlineTable");
  if (node.type === "TOMLArray") {
    node.elements.forEach((each, index) => {
      walkValue([...path, index], each, remember);
    });
  } else if (node.type === "TOMLInlineTable") {
    for (const each of node.body) walkKeyValue(path, each, remember);
  }
}

function shortened(written: string): string {
  const line = written.split(/\r?\n/, 1)[0] ?? "";
  if (line === written && line.length <= writtenLengthMax) return line;
  return `${line.slice(0, writtenLengthMax)}…`;
}

/** The key as messages name it: source[1].addresses[0]. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    const name = /^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part);
    return text === "" ? name : `${text}.${name}`;
  }, "");
}
