import { expect, test } from "bun:test";
import { reasonToRefuse } from "../../src/idb/reader-statement.ts";

test.each([
  "SELECT 1",
  "  select * from G_CALL where CALLANI = ';' -- ; the end",
  "SELECT 1;",
  "SELECT 1 ; ; /* done */ ;",
  "/* a ; comment */ SELECT \"a;b\", `c;d`, [e;f], 'it''s; fine' FROM t",
  "WITH a AS (SELECT 1), b(x) AS MATERIALIZED (SELECT 2) SELECT * FROM a, b",
  "with recursive n(i) as (values (1) union all select i + 1 from n where i < 3) select replace('a', 'a', i) from n",
  "EXPLAIN SELECT 1",
  "EXPLAIN QUERY PLAN WITH a AS (SELECT 1) SELECT * FROM a",
  "SELECT name FROM pragma_table_info('G_CALL')",
  "SELECT 'DELETE FROM G_CALL', \"insert\" FROM t",
  "SELECT '$a', a$b, json_extract('{}', '$.a:b') FROM \"what?\"",
])("%s may run", (sql) => {
  expect(reasonToRefuse(sql)).toBeNull();
});

test.each([
  ["", "it is empty"],
  [" -- nothing", "it is empty"],
  [";", "it is empty"],
  ["SELECT 1; DELETE FROM G_CALL", "more than one statement"],
  ["SELECT 1; -- then\n SELECT 2", "more than one statement"],
  ["SELECT ';' ; SELECT 1", "more than one statement"],
  ["/* SELECT */ DELETE FROM G_CALL", "it begins with DELETE"],
  ["INSERT INTO G_CALL DEFAULT VALUES RETURNING ID", "it begins with INSERT"],
  ["WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", "it begins with INSERT"],
  ["WITH a AS (SELECT 1) DELETE FROM t RETURNING 1", "it begins with DELETE"],
  ["WITH a AS (SELECT 1) REPLACE INTO t SELECT 1", "it begins with REPLACE"],
  ["WITH a AS (SELECT 1)", "it begins with no word"],
  ["EXPLAIN DELETE FROM G_CALL", "it begins with DELETE"],
  ["EXPLAIN EXPLAIN SELECT 1", "it begins with EXPLAIN"],
  ["PRAGMA wal_checkpoint(TRUNCATE)", "it begins with PRAGMA"],
  ["ATTACH 'other.db' AS other", "it begins with ATTACH"],
  ["VACUUM INTO 'copy.db'", "it begins with VACUUM"],
  ["BEGIN EXCLUSIVE", "it begins with BEGIN"],
  ["VALUES (1)", "it begins with VALUES"],
  ["(SELECT 1)", "it begins with no word"],
  ["'SELECT' 1", "it begins with no word"],
  ["SELECT * FROM pragma_journal_mode", "it reads pragma_journal_mode"],
  ["SELECT * FROM \"PRAGMA_wal_checkpoint\"('TRUNCATE')", "it reads pragma_wal_checkpoint"],
  ["SELECT load_extension('x')", "load_extension"],
  ["SELECT 'no end", "does not end"],
  ["WITH a AS (SELECT $a(')) DELETE FROM G_CALL RETURNING ID --')) SELECT 1", "it has a parameter"],
  ["SELECT $a('); DELETE FROM G_CALL --')", "it has a parameter"],
  ["SELECT * FROM G_CALL WHERE ID IN (?1, :id, @id, #1)", "it has a parameter"],
  ["SELECT 1\0; DELETE FROM t", "NUL"],
])("%j is refused", (sql, reason) => {
  expect(reasonToRefuse(sql)).toContain(reason);
});
