// Looks at a statement's words: exactly one statement, and one that reads.

type Token =
  /** A bare word, or a quoted identifier: SQLite takes a string in its place too. */
  | { readonly kind: "word"; readonly text: string; readonly isQuoted: boolean }
  | { readonly kind: "mark"; readonly text: string };

// SQLite gives these pragmas' answers as tables as well. They describe the schema; all others are refused, for they
// come with the name of something that can be switched.
const schemaPragmas = new Set([
  "pragma_table_info",
  "pragma_table_xinfo",
  "pragma_table_list",
  "pragma_index_list",
  "pragma_index_info",
  "pragma_index_xinfo",
]);

const verbs = new Set(["SELECT", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE"]);

const right = "expected one SELECT, WITH … SELECT or EXPLAIN";

/** Null when the statement may run; else what is wrong with it and what would be right. */
export function reasonToRefuse(sql: string): string | null {
  const tokens = tokensOf(sql);
  if (typeof tokens === "string") return tokens;
  while (isMark(tokens.at(-1), ";")) tokens.pop();
  if (tokens.length === 0) return `it is empty, ${right}`;
  if (tokens.some((token) => isMark(token, ";"))) return `it is more than one statement, ${right}`;

  let rest = tokens;
  if (isWord(rest[0], "EXPLAIN")) {
    rest = isWord(rest[1], "QUERY") && isWord(rest[2], "PLAN") ? rest.slice(3) : rest.slice(1);
  }
  const verb = isWord(rest[0], "WITH") ? mainVerb(rest) : firstWord(rest);
  if (verb !== "SELECT") return `it begins with ${verb ?? "no word"}, ${right}`;

  for (const token of tokens) {
    // Nobody gives a parameter its value here, and SQLite reads $a(…) up to the parenthesis as one name, quotes and
    // all: what looks like a text to us could be a statement to it.
    const isParameter =
      token.kind === "word" ? !token.isQuoted && token.text.startsWith("$") : /[?@:#]/.test(token.text);
    if (isParameter) return "it has a parameter; write the value itself";
    if (token.kind !== "word") continue;
    const name = token.text.toLowerCase();
    if (name === "load_extension") return "it calls load_extension, which is not allowed";
    if (name.startsWith("pragma_") && !schemaPragmas.has(name)) {
      return `it reads ${name}; of these tables only ${[...schemaPragmas].join(", ")} are allowed`;
    }
  }
  return null;
}

/** What a WITH statement does after its common tables: the first verb outside of all parentheses. */
function mainVerb(tokens: readonly Token[]): string | null {
  let depth = 0;
  for (const token of tokens) {
    if (isMark(token, "(")) depth += 1;
    else if (isMark(token, ")")) depth -= 1;
    else if (depth === 0 && token.kind === "word" && !token.isQuoted) {
      const word = token.text.toUpperCase();
      if (verbs.has(word)) return word;
    }
  }
  return null;
}

function firstWord(tokens: readonly Token[]): string | null {
  const first = tokens[0];
  return first?.kind === "word" && !first.isQuoted ? first.text.toUpperCase() : null;
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "word" && !token.isQuoted && token.text.toUpperCase() === word;
}

function isMark(token: Token | undefined, text: string): boolean {
  return token?.kind === "mark" && token.text === text;
}

// Spaces and comments, the four ways to quote, words, and any other single character. A comment that does not end goes
// to the end of the text, as in SQLite.
const pattern =
  /(?<space>\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|'(?<text>(?:[^']|'')*)'|"(?<double>(?:[^"]|"")*)"|`(?<back>(?:[^`]|``)*)`|\[(?<square>[^\]]*)\]|(?<word>[\p{L}\p{N}_$\u0080-\uffff]+)|(?<mark>[\s\S])/gu;

function tokensOf(sql: string): Token[] | string {
  if (sql.includes("\0")) return "it holds a NUL character, which ends a statement for SQLite";
  const tokens: Token[] = [];
  for (const { groups } of sql.matchAll(pattern)) {
    if (groups === undefined || groups["space"] !== undefined) continue;
    const quotedText = groups["text"] ?? groups["double"] ?? groups["back"] ?? groups["square"];
    if (quotedText !== undefined) tokens.push({ kind: "word", text: quotedText, isQuoted: true });
    else if (groups["word"] !== undefined) tokens.push({ kind: "word", text: groups["word"], isQuoted: false });
    else if (/['"`[]/.test(groups["mark"] ?? "")) return `it has a quote (${groups["mark"]}) that does not end`;
    else tokens.push({ kind: "mark", text: groups["mark"] ?? "" });
  }
  return tokens;
}
