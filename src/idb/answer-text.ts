// Rows as people and programs read them.

import type { Value } from "./free-sql.ts";

type Rows = readonly (readonly Value[])[];

/** Aligned columns for a terminal, numbers to the right. */
export function table(columns: readonly string[], rows: Rows): string {
  const cells = [columns.map(shown), ...rows.map((row) => row.map(shown))];
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => Bun.stringWidth(row[column] ?? ""))));
  const isRight = columns.map((_, column) => rows.length > 0 && rows.every((row) => isNumberOrNull(row[column])));
  const lines = cells.map((row) =>
    row.map((cell, at) => padded(cell, widths[at] ?? 0, isRight[at] ?? false)).join("  "),
  );
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("  "));
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

/** RFC 4180, with a header line. Null is an empty field, an empty text is "". Bytes are hexadecimal digits. */
export function csv(columns: readonly string[], rows: Rows): string {
  const lines = [columns.map(csvField), ...rows.map((row) => row.map(csvField))];
  return lines.map((fields) => `${fields.join(",")}\r\n`).join("");
}

/**
 * One array of one object a row. Bytes are hexadecimal digits; an integer that a double does not hold exactly is a text
 * of its digits. A column name that comes again gets a number: ID, ID:2.
 */
export function json(columns: readonly string[], rows: Rows): string {
  const names = distinct(columns);
  const objects = rows.map((row) => Object.fromEntries(names.map((name, at) => [name, jsonValue(row[at] ?? null)])));
  if (objects.length === 0) return "[]\n";
  return `[\n${objects.map((each) => `  ${JSON.stringify(each)}`).join(",\n")}\n]\n`;
}

function shown(value: Value): string {
  if (value === null) return "NULL";
  const text = value instanceof Uint8Array ? `x'${value.toHex()}'` : String(value);
  // A caller's data must not be able to drive the operator's terminal, nor to break a line.
  return text.replace(/\p{C}/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

function padded(cell: string, width: number, isRight: boolean): string {
  const space = " ".repeat(width - Bun.stringWidth(cell));
  return isRight ? space + cell : cell + space;
}

function isNumberOrNull(value: Value | undefined): boolean {
  return value === null || typeof value === "number" || typeof value === "bigint";
}

function csvField(value: Value): string {
  if (value === null) return "";
  if (value instanceof Uint8Array) return value.toHex();
  const text = String(value);
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function jsonValue(value: Value): null | number | string {
  if (typeof value === "bigint") return value.toString();
  return value instanceof Uint8Array ? value.toHex() : value;
}

function distinct(columns: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  return columns.map((column) => {
    const count = (counts.get(column) ?? 0) + 1;
    counts.set(column, count);
    return count === 1 ? column : `${column}:${count}`;
  });
}
