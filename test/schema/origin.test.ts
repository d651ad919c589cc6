import { describe, expect, test } from "bun:test";
import { getTableColumns } from "drizzle-orm";
import { dictionaries } from "../../schema/dictionary-values.ts";
import { columnsAdded, schemaOrigins } from "../../schema/origin.ts";
import { tableNames, tables } from "../../schema/tables.ts";
import { views } from "../../schema/views.ts";
import { reference } from "./reference.ts";

const origins = new Map(schemaOrigins.map((each) => [`${each.kind} ${each.name}`, each]));
const documented = tableNames.filter((name) => !name.startsWith("ICON_"));

test("every table, view, column and dictionary value has exactly one origin, and nothing else has", () => {
  const expected = [
    ...tableNames.map((table) => `table ${table}`),
    ...tableNames.flatMap((table) =>
      Object.keys(getTableColumns(tables[table])).map((column) => `column ${table}.${column}`),
    ),
    ...views.map(({ name }) => `view ${name}`),
    ...views.flatMap(({ name, columns }) => columns.map((column) => `column ${name}.${column.name}`)),
    ...dictionaries.flatMap(({ type, values }) => values.map(({ value }) => `value ${type}/${value}`)),
  ];
  expect(schemaOrigins.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual(expected.sort());
});

test("the documented tables are those that the reference has, and all others are ours and say so in their name", () => {
  expect([...documented].sort()).toEqual(Object.keys(reference.tables).sort() as typeof documented);
  for (const table of tableNames) {
    const origin = origins.get(`table ${table}`)?.origin;
    expect({ table, origin }).toEqual({ table, origin: table.startsWith("ICON_") ? "ours" : "seen" });
  }
  const count = (origin: string) => schemaOrigins.filter((each) => each.origin === origin).length;
  console.log(`contract: ${count("seen")} seen, ${count("inferred")} inferred, ${count("ours")} ours`);
});

const ofOtherMedia = "attached data of interactions that are no calls: comes with the media";
const noReader = "nobody but the original's own tools reads it";

/** Tables of the reference that an IDB does not have, each with its reason. */
const tablesLeftOut: Readonly<Record<string, string>> = {
  G_DSS_CFG_PROVIDER: "sessions with the Configuration Server: comes with configuration data",
  G_DSS_GOS_PROVIDER: "sessions with the Outbound Contact Server: comes with outbound campaigns",
  GM_F_USERDATA: ofOtherMedia,
  GM_L_USERDATA: ofOtherMedia,
  G_LOG_MESSAGES:
    "what the original's procedures (merge, purge, time codes) say of their own runs. There are none: a merge is part of the call's " +
    "transaction, a purge is in ICON_MARK, the time codes are written as they are needed, and what went wrong is in the log",
  G_LOG_ATTRS: "details of G_LOG_MESSAGES",
  G_DB_PARAMETERS: `the settings of the original's procedures, which its initialization scripts fill: ${noReader}; here ICON_CONFIGURATION says what rows depend on`,
};

test("every table that the reference lists is there, but for those that are left out for a reason", () => {
  expect([...documented, ...Object.keys(tablesLeftOut)].sort()).toEqual([...reference.tablesListed].sort() as string[]);
});

describe.each(documented)("%s", (table) => {
  const columns = Object.values(getTableColumns(tables[table]));
  const referenced = reference.tables[table] ?? [];

  test("has every column of the reference, and beyond them only those that are marked as added", () => {
    const names = columns.map(({ name }) => name);
    expect([...names].sort()).toEqual([...referenced.map(({ name }) => name), ...columnsAdded(table)].sort());
    for (const column of columnsAdded(table)) {
      const origin = origins.get(`column ${table}.${column}`);
      // What nothing tells of is ours, and says so; the rest follows what the reference has elsewhere.
      const isOurs = origin?.note?.includes("(our choice)") === true;
      expect({ column, origin: origin?.origin }).toEqual({ column, origin: isOurs ? "ours" : "inferred" });
      expect(origin?.note).toBeString();
    }
  });

  test("says of each column what the reference says: seen or inferred, may it be missing, its type, its key", () => {
    const ours = referenced.map(({ name }) => {
      const column = columns.find((each) => each.name === name);
      return {
        name,
        origin: origins.get(`column ${table}.${name}`)?.origin,
        type: column?.getSQLType(),
        isRequired: column?.notNull,
      };
    });
    const theirs = referenced.map(({ name, type, required, inferred }) => ({
      name,
      origin: inferred ? "inferred" : "seen",
      type: typeFor(name, type),
      isRequired: required,
    }));
    expect(ours).toEqual(theirs as typeof ours);
  });
});

test("only what comes from configuration data, or of calls at another site, is joined", () => {
  const configured =
    /^(G_CALL|G_CALL_ACTIVE)\.ROOTIRID$|^(G_IR|G_IR_ACTIVE)\.PARENTIRID$|^G_IS_LINK\.MERGESTATE$|\.(AGENTID|LOGINID|PLACEID|ENDPOINTID|QUEUEID|ENDPOINTTYPE|QUEUETYPE|PRIMARYDEVICEID|TENANTID)$/;
  const columns = schemaOrigins.filter(({ kind }) => kind === "column");
  const joined = columns.filter(({ isJoined }) => isJoined).map(({ name }) => name);
  expect(joined).toEqual(columns.map(({ name }) => name).filter((name) => configured.test(name)));
});

// Time stamps are text by design.md; CONNIDNUM does not fit SQLite's 64 bits with a sign.
function typeFor(column: string, type: string): string {
  if (column === "CONNIDNUM") return "text";
  return /^(varchar|timestamp)/i.test(type) ? "text" : "integer";
}
