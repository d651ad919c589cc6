// A data source session is read from the first table that has it, whichever tables those are: held against a look at all
// three, over sessions put into them at random.

import { expect, test } from "bun:test";
import fc from "fast-check";
import Database from "libsql";
import { migrations } from "../../schema/migrations.ts";
import { type Provider, providers, providerTables } from "../../schema/session.ts";
import { views } from "../../schema/views.ts";
import { SessionSources } from "../../src/idb/session-sources.ts";
import { everySession, providersIn } from "../../src/idb/session-tables.ts";

function made(versionMax = Number.POSITIVE_INFINITY): Database.Database {
  const database = new Database(":memory:");
  for (const { version, sql } of migrations) if (version <= versionMax) database.exec(sql);
  return database;
}

interface Stored {
  readonly session: number;
  readonly dbid: number;
  readonly its: readonly Provider[];
}

function put(database: Database.Database, { session, dbid, its }: Stored): void {
  for (const provider of its) {
    database
      .prepare(
        `INSERT INTO ${providerTables[provider]} (DSS_ID, ICON_DBID, DS_DBID, DS2_DBID, LEVENT_DSSEQ) VALUES (?, ?, ?, ?, ?)`,
      )
      .run([session, dbid, 100 + session, dbid % 10, `${session}/${dbid}`]);
  }
}

const columns = "DSS_ID, ICON_DBID, DS_DBID, DS2_DBID, LEVENT_DSSEQ";
const read = (database: Database.Database, from: string, more = "") =>
  database.prepare(`SELECT ${columns}${more} FROM ${from} ORDER BY DSS_ID, ICON_DBID`).raw().all();

const anySessions = fc.uniqueArray(
  fc.record({
    session: fc.integer({ min: 1, max: 12 }),
    dbid: fc.constantFrom(9001, 9002),
    its: fc.subarray([...providers]),
  }),
  { selector: ({ session, dbid }) => `${session}/${dbid}`, maxLength: 16 },
);

test("whatever tables a session stands in, it is read once, by the program as in the view", () => {
  fc.assert(
    fc.property(anySessions, (sessions) => {
      const database = made();
      for (const { sql } of views.slice(0, 1)) database.exec(sql);
      for (const each of sessions) put(database, each);
      const there = sessions
        .filter(({ its }) => its.length > 0)
        .toSorted((one, other) => one.session - other.session || one.dbid - other.dbid);
      const rows = there.map(({ session, dbid }) => [session, dbid, 100 + session, dbid % 10, `${session}/${dbid}`]);
      expect(read(database, everySession(database))).toEqual(rows);
      expect(read(database, "ICON_V_DATA_SOURCE_SESSION", ", PROVIDERS")).toEqual(
        rows.map((row, index) => [...row, there[index]?.its.join(", ")]),
      );
      const sources = new SessionSources(database);
      for (let session = 1; session <= 12; session++) {
        const last = there.findLast((each) => each.session === session);
        const expected = last === undefined ? null : { sourceCluster: 100 + session, switchDbid: last.dbid % 10 };
        expect(sources.of(session)).toEqual(expected);
      }
    }),
    { numRuns: 300 },
  );
});

test("where one table has every session it is read as it is", () => {
  const nameOf = (...its: readonly (readonly Provider[])[]) => {
    const database = made();
    for (const [index, each] of its.entries()) put(database, { session: index + 1, dbid: 9001, its: each });
    return everySession(database);
  };
  expect(nameOf()).toBe("G_DSS_GCC_PROVIDER");
  expect(nameOf(["gcc"], ["gcc", "gls", "gud"])).toBe("G_DSS_GCC_PROVIDER");
  expect(nameOf(["gls"], ["gls", "gud"])).toBe("G_DSS_GLS_PROVIDER");
  expect(nameOf(["gud"])).toBe("G_DSS_GUD_PROVIDER");
  expect(nameOf(["gcc"], ["gls"])).toContain("UNION ALL");
});

test("an IDB of a version that knew no other table than gcc's is read by that one", () => {
  const database = made(6);
  put(database, { session: 1, dbid: 9001, its: ["gcc"] });
  expect(providersIn(database)).toEqual(["gcc"]);
  expect(everySession(database)).toBe("G_DSS_GCC_PROVIDER");
  expect(new SessionSources(database).of(1)).toEqual({ sourceCluster: 101, switchDbid: 1 });
});
