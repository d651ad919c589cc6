import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { reference } from "./reference.ts";

const folder = process.env["ICON_REFERENCE"] ?? join(import.meta.dir, "../../../shared/reference");

test.skipIf(!existsSync(folder))("the extract of the reference is the reference's own word", async () => {
  type Listed = {
    table: string;
    columns: { name: string; type: string; pk: boolean; required: boolean; inferred?: boolean }[];
  }[];
  const core = (await Bun.file(join(folder, "idb/core.json")).json()) as Listed;
  const agent = (await Bun.file(join(folder, "idb/agent.json")).json()) as Listed;
  // That file writes names in mixed case. Where both list a table, the other one lists more of it.
  const agents = agent.map(({ table, columns }) => ({
    table,
    columns: columns.map((column) => ({ ...column, name: column.name.toUpperCase() })),
  }));
  const byName = new Map([...agents, ...core].map((each) => [each.table, each.columns]));
  const expected = Object.fromEntries(
    Object.keys(reference.tables).map((table) => [
      table,
      byName
        .get(table)
        ?.map(({ name, type, pk, required, inferred }) => ({ name, type, pk, required, inferred: inferred === true })),
    ]),
  );
  expect(reference.tablesListed).toEqual([...byName.keys()].sort());
  expect(reference.tables).toEqual(expected as typeof reference.tables);

  type Dictionary = Record<string, { values: Record<string, string> }>;
  const dictionary: Dictionary = {
    ...((await Bun.file(join(folder, "idb/dictionary-agent-outbound.json")).json()) as Dictionary),
    ...((await Bun.file(join(folder, "idb/dictionary.json")).json()) as Dictionary),
  };
  for (const [type, values] of Object.entries(reference.dictionaries)) {
    expect({ type, values }).toEqual({ type, values: dictionary[type]?.values ?? {} });
  }
});
