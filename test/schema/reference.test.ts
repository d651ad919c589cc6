import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { reference } from "./reference.ts";

const folder = process.env["ICON_REFERENCE"] ?? join(import.meta.dir, "../../../shared/reference");

test.skipIf(!existsSync(folder))("the extract of the reference is the reference's own word", async () => {
  const core = (await Bun.file(join(folder, "idb/core.json")).json()) as {
    table: string;
    columns: { name: string; type: string; pk: boolean; required: boolean; inferred?: boolean }[];
  }[];
  const byName = new Map(core.map((each) => [each.table, each.columns]));
  const expected = Object.fromEntries(
    Object.keys(reference.tables).map((table) => [
      table,
      byName
        .get(table)
        ?.map(({ name, type, pk, required, inferred }) => ({ name, type, pk, required, inferred: inferred === true })),
    ]),
  );
  expect(reference.tables).toEqual(expected as typeof reference.tables);

  const dictionary = (await Bun.file(join(folder, "idb/dictionary.json")).json()) as Record<
    string,
    { values: Record<string, string> }
  >;
  for (const [type, values] of Object.entries(reference.dictionaries)) {
    expect({ type, values }).toEqual({ type, values: dictionary[type]?.values ?? {} });
  }
});
