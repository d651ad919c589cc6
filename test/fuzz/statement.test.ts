// SQLite is Bun's own here: it runs every statement of a text, not the first alone, and libSQL's binding ends the process
// at a text that is no UTF-8, which a mutation soon makes.

import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { reasonToRefuse } from "../../src/idb/reader-statement.ts";
import { inputsInAll, Mutator } from "./mutator.ts";

const statements = [
  "SELECT ID, NAME FROM t WHERE NAME = ';' ORDER BY 1",
  "WITH a AS (SELECT $a(')) DELETE FROM t RETURNING ID --')) SELECT 1",
  "WITH a(n) AS (SELECT ID FROM t), b AS MATERIALIZED (SELECT 'x''y') SELECT * FROM a, b",
  "WITH a AS (SELECT 1) INSERT INTO t SELECT 9, 'new' FROM a RETURNING ID",
  'EXPLAIN QUERY PLAN SELECT [ID], `NAME`, "t".ID FROM t /* all */ -- of it',
  "SELECT replace(NAME, 'a', x'00ff'), json_extract('{\"a\":1}', '$.a') FROM t",
  "DELETE FROM t",
  "UPDATE t SET NAME = 'other' WHERE ID > 0 RETURNING NAME",
  "REPLACE INTO t VALUES (1, 'other')",
  "SELECT 1; DROP TABLE t",
  "SELECT * FROM pragma_table_info('t')",
  "SELECT * FROM pragma_user_version",
].map((each) => Buffer.from(each));

// What quotes, comments out, groups or names differently in one reading of a statement than in another.
const words = [
  "'",
  '"',
  "`",
  "[",
  "]",
  "(",
  ")",
  "/*",
  "*/",
  "--",
  "\n",
  "\r",
  ";",
  "$a(",
  "@a",
  ":a(",
  "#",
  "?1",
  "x'",
];
const verbs = [" DELETE FROM t ", " INSERT INTO t VALUES (7, '') ", " SELECT ", " WITH a AS ", " EXPLAIN ", "\u00a0"];
const pieces = [...words, ...verbs].map((each) => Buffer.from(each));

test("what may run as a reader's statement changes nothing, though SQLite would let it", () => {
  const mutator = new Mutator("statements");
  const database = new Database(":memory:");
  database.exec("CREATE TABLE t (ID INTEGER PRIMARY KEY, NAME TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
  const state = () =>
    JSON.stringify([
      database.query("SELECT * FROM t ORDER BY ID").values(),
      database.query("SELECT * FROM sqlite_schema").values(),
      database.query("SELECT total_changes(), user_version FROM pragma_user_version").values(),
    ]);
  const before = state();
  let ran = 0;
  let refused = 0;
  for (let input = 0; input < inputsInAll * 0.05; input += 1) {
    let bytes = mutator.mutate(mutator.pick(statements));
    for (let more = mutator.below(4); more > 0; more -= 1) {
      const at = mutator.below(bytes.length + 1);
      bytes = Buffer.concat([bytes.subarray(0, at), mutator.pick(pieces), bytes.subarray(at)]);
    }
    const sql = new TextDecoder().decode(bytes);
    if (reasonToRefuse(sql) !== null) {
      refused += 1;
      continue;
    }
    try {
      database.run(sql);
      ran += 1;
    } catch {
      // SQLite does not understand what the mutation made of it.
    }
    if (state() !== before) throw new Error(`It was let through and changed the database: ${JSON.stringify(sql)}`);
  }
  database.close();
  expect({ ran: ran > 0, refused: refused > 0 }).toEqual({ ran: true, refused: true });
}, 900_000);
