// Writes the second half of docs/reading-the-data.md, which says what every view, table, column and value is, from what
// schema/ says: `bun test/docs/reading-the-data.ts`. The first half, above the line, is written by hand.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getTableColumns } from "drizzle-orm";
import { dictionaries } from "../../schema/dictionary-values.ts";
import extractionSql from "../../schema/extraction.sql" with { type: "text" };
import { schemaOrigins } from "../../schema/origin.ts";
import { addedColumns, createdColumns, systemColumns, terminatedColumns } from "../../schema/system-columns.ts";
import { type TableName, tableNames, tables } from "../../schema/tables.ts";
import { type View, views } from "../../schema/views.ts";

const checkout = join(import.meta.dir, "../..");
export const page = join(checkout, "docs/reading-the-data.md");

/** What stands above it is written by hand. */
export const line = "<!-- What follows is written by `bun test/docs/reading-the-data.ts` from schema/. -->";

/** What is declared in schema/*.ts, as it stands there: says which blocks of columns a table takes in. */
const declarations = new Map<string, string>();

/** Doc comments of schema/*.ts: of a table under its name, of a column under the table's or block's name and its own. */
function readRemarks(): ReadonlyMap<string, string> {
  const remarks = new Map<string, string>();
  const folder = join(checkout, "schema");
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".ts"))) {
    let [declared, remark]: [string, string | null] = ["", null];
    const source = readFileSync(join(folder, file), "utf8").replaceAll(/\/\*\*([\s\S]*?)\*\//g, (_, text: string) => {
      const words = text.split("\n").map((each) => each.replace(/^\s*\* ?/, "").trim());
      return `/**${JSON.stringify(words.join(" ").trim())}`;
    });
    for (const text of source.split("\n")) {
      const [, found] = /^\s*\/\*\*(".*")$/.exec(text) ?? [];
      const [, name] = /^(?:export )?const (\w+) = /.exec(text) ?? [];
      const [, column] = /^\s+([A-Z][A-Z0-9_]*): \w+\(/.exec(text) ?? [];
      declared = name ?? declared;
      declarations.set(declared, `${declarations.get(declared) ?? ""}${text}\n`);
      if (remark !== null && name !== undefined) remarks.set(name, remark);
      if (remark !== null && column !== undefined) remarks.set(`${declared}.${column}`, remark);
      remark = found === undefined ? null : String(JSON.parse(found));
    }
  }
  return remarks;
}

const remarks = readRemarks();
const origins = new Map(schemaOrigins.map((each) => [`${each.kind} ${each.name}`, each]));

/** Blocks of columns that most tables have, told once. */
const blocks = [
  ["CREATED", "when it began", createdColumns()],
  ["TERMINATED", "when it ended; null while it goes on", terminatedColumns()],
  ["ADDED", "when it happened", addedColumns()],
  ["GSYS_DOMAIN", "how the row was written", systemColumns()],
] as const;

function remarkOn(table: TableName, column: string): string {
  const own = remarks.get(`${table}.${column}`);
  const taken = [...(declarations.get(table) ?? "").matchAll(/\b([a-z]\w*Columns)\(\)/g)].map(([, block]) => block);
  return own ?? taken.map((block) => remarks.get(`${block}.${column}`)).find((each) => each !== undefined) ?? "";
}

function columnRows(table: TableName): readonly string[] {
  const columns = getTableColumns(tables[table]);
  const told = new Set<string>();
  return Object.values(columns).flatMap((column) => {
    if (told.has(column.name)) return [];
    const block = blocks.find(
      ([first, , each]) => first === column.name && Object.keys(each).every((name) => name in columns),
    );
    if (block !== undefined) {
      const names = Object.keys(block[2]);
      for (const name of names) told.add(name);
      return [`| ${names[0]} … ${names.at(-1)} | | | ${block[1]}: columns in common |`];
    }
    const origin = origins.get(`column ${table}.${column.name}`);
    const values = dictionaries.filter(({ usedBy }) => usedBy.includes(`${table}.${column.name}`));
    const words = [
      ...[remarkOn(table, column.name), origin?.note ?? ""],
      ...[values.map(({ type }) => `class ${type}`).join(", "), origin?.isJoined ? "of another data source" : ""],
    ];
    const type = `${column.getSQLType()}${column.notNull ? "" : ", may be null"}`;
    return [
      `| ${column.name} | ${type} | ${origin?.origin} | ${cell(words.filter((each) => each !== "").join("; "))} |`,
    ];
  });
}

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function tablePart(table: TableName): string {
  const origin = origins.get(`table ${table}`);
  return [
    ...[`### ${table}`, "", `${remarks.get(table)}${origin?.note ? ` (${origin.note}.)` : ""}`, ""],
    ...["| column | type | origin | |", "|---|---|---|---|", ...columnRows(table), ""],
  ].join("\n");
}

function viewPart({ name, note, columns }: View): string {
  const rows = columns.map((column) => `| ${column.name} | ${cell(column.note ?? "")} |`);
  return [`### ${name}`, "", note, "", "| column | |", "|---|---|", ...rows, ""].join("\n");
}

function valuesPart(): string {
  return dictionaries
    .map(({ type, name, usedBy, values }) => {
      const rows = values.map(
        (each) => `| ${each.value} | ${each.name} | ${each.origin} | ${cell(each.description ?? "")} |`,
      );
      const head = ["| value | name | origin | |", "|---|---|---|---|"];
      return [`### Class ${type}: ${name}`, "", `In ${usedBy.join(", ")}.`, "", ...head, ...rows, ""].join("\n");
    })
    .join("\n");
}

/** Tables that an extraction's output has besides: what their comments say. */
function extractionPart(): string {
  const rows = [...extractionSql.matchAll(/((?:^-- .*\n)+)CREATE (?:TABLE|VIEW) (\w+)/gm)].map(
    ([, comment = "", name]) => `| ${name} | ${cell(comment.replaceAll(/^-- /gm, "").trim())} |`,
  );
  return ["| table | |", "|---|---|", ...rows, ""].join("\n");
}

/** What the page says below the line. */
export function generated(): string {
  const inCommon = blocks.flatMap(([, words, block]) =>
    Object.keys(block).map((name) => {
      const [remark] = [...remarks].filter(([key]) => key.endsWith(`Columns.${name}`));
      return `| ${name} | ${cell(remark?.[1] ?? words)} |`;
    }),
  );
  return [
    ...["", "## Views", "", views.map(viewPart).join("\n")],
    ...["## Columns in common", "", "| column | |", "|---|---|", ...inCommon, ""],
    ...["## Tables", "", tableNames.map(tablePart).join("\n")],
    ...["## Tables of an extraction's output", "", extractionPart()],
    ...["## Values", "", "G_DICTIONARY holds them.", "", valuesPart()],
  ].join("\n");
}

if (import.meta.main) {
  const [byHand] = readFileSync(page, "utf8").split(line);
  writeFileSync(page, `${byHand}${line}\n${generated()}`);
}
