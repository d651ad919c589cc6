// What IDBs say of the login sessions of scripted agents.

import { type AgentTableName, agentTableNames, agentTables, comparedColumns } from "../../schema/life.ts";
import { query } from "../idb/temporary.ts";
import { secondOf } from "./scripted-server.ts";

type Cell = string | number | null;
export type Values = Readonly<Record<string, Cell>>;

/** The rows of a table, by what two IDBs can agree on. */
export function rowsOf(path: string, table: AgentTableName): Values[] {
  const columns = comparedColumns(table);
  const rows = query(path, `SELECT ${columns.join(", ")} FROM ${table} ORDER BY ID`) as Cell[][];
  return rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null])));
}

/** All that a copy says of each session, local numbers left out. */
export function sessionAccounts(path: string): Map<string, string> {
  const lines = agentTableNames.flatMap((table) => {
    const column = agentTables[table].parent?.column ?? "LOGINSESSIONID";
    return rowsOf(path, table).map((row) => ({ of: String(row[column]), text: `${table} ${JSON.stringify(row)}` }));
  });
  const bySession = Map.groupBy(lines, ({ of }) => of);
  return new Map(
    [...bySession].map(([key, own]) => [
      key,
      own
        .map(({ text }) => text)
        .toSorted()
        .join("\n"),
    ]),
  );
}

/** Seconds after the script's beginning. */
export function sessionLife(path: string, key: string): { readonly from: number; readonly until: number } {
  const [row = []] = query(path, `SELECT CREATED, TERMINATED FROM G_LOGIN_SESSION WHERE LOGINSESSIONID = '${key}'`);
  const [from = 0, until = 0] = row.map((text) => Date.parse(String(text)) / 1000 - secondOf(0));
  return { from, until };
}

/** One change by what happened, without what numbers it and what it refers to before it. */
export function changeText({ SEQ: _seq, PREVSTATE: _state, PREVWORKMODE: _mode, ...change }: Values): string {
  return JSON.stringify(change);
}

/** Rows of a history whose SEQ is not one more than that of the row before in its session. */
export function misnumbered(rows: readonly Values[]): Values[] {
  const last = new Map<Cell | undefined, number>();
  return rows.filter((row) => {
    const { LOGINSESSIONID: session, SEQ: number } = row;
    const expected = (last.get(session) ?? 0) + 1;
    last.set(session, Number(number));
    return number !== expected;
  });
}
