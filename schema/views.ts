// The views for reports, which are part of the contract like the tables: names, columns and what they mean are here, in
// the comments of views/*.sql. A view holds nothing, so it is no migration: whoever opens an IDB makes the views anew when
// they are not these (src/idb/views.ts).
//
// 1. In front of each CREATE VIEW stand comments that say what one row is; its list of columns says of each what it holds.
// 2. An extraction's output judges by its own tables: views of the same names, other statements (views/extraction.sql).
// 3. SQLite from 3.38 on opens the file and reads them (that of Debian 12 is 3.40): nothing younger is used.
// 4. What is said of intervals of 15 minutes is said of those of 30 and of days, in the same words.

import { ccEvents } from "./dictionary.ts";
import agentIntervals from "./views/agent-intervals.sql" with { type: "text" };
import agents from "./views/agents.sql" with { type: "text" };
import calls from "./views/calls.sql" with { type: "text" };
import extraction from "./views/extraction.sql" with { type: "text" };
import intervals from "./views/intervals.sql" with { type: "text" };
import ledger from "./views/ledger.sql" with { type: "text" };
import sessions from "./views/sessions.sql" with { type: "text" };
import virtualQueues from "./views/virtual-queues.sql" with { type: "text" };
import wholeCalls from "./views/whole-calls.sql" with { type: "text" };

export interface ViewColumn {
  readonly name: string;
  readonly note: string | null;
}

export interface View {
  readonly name: string;
  /** What one row is, and what else is to be said; lines of Markdown. */
  readonly note: string;
  readonly columns: readonly ViewColumn[];
  /** CREATE VIEW …, as it stands in sqlite_schema afterwards. */
  readonly sql: string;
}

/** Views may be taken away and made anew by this. */
export const viewPrefix = "ICON_V_";

const ofQuarters = [intervals, agentIntervals].join("--> statement-breakpoint\n");
const ofHalfHours = ofQuarters.replaceAll("_15", "_30").replaceAll("900", "1800");
const ofDays = ofQuarters.replaceAll("_15", "_DAY").replaceAll("900", "86400");
const common = [calls, wholeCalls, virtualQueues, agents, ofQuarters, ofHalfHours, ofDays];

/** Of an instance's IDB, each behind those that it stands on. */
export const views: readonly View[] = [sessions, ledger, ...common].flatMap(viewsIn);

/** Of an extraction's output. */
export const extractionViews: readonly View[] = [sessions, extraction, ...common].flatMap(viewsIn);

function viewsIn(file: string): readonly View[] {
  return file.split("--> statement-breakpoint\n").map(viewOf);
}

function viewOf(text: string): View {
  const begins = text.indexOf("CREATE VIEW ");
  const [, name = "", list = ""] = /^CREATE VIEW (\w+) \(\n([\s\S]*?)\n\) AS\n/.exec(text.slice(begins)) ?? [];
  // What stands at the head of a file is about the file.
  const comments = text.slice(0, begins).trim().split("\n\n").at(-1) ?? "";
  const note = comments.replaceAll(/^-- ?/gm, "");
  return { name, note, columns: columnsIn(list), sql: filledIn(text.slice(begins).trim().replace(/;$/, "")) };
}

/** A line holds one column and a remark, or several columns and none. */
function columnsIn(list: string): readonly ViewColumn[] {
  return list.split("\n").flatMap((line) => {
    const [, names = "", note] = /^ *([\w, ]+?),? *(?:-- (.*))?$/.exec(line) ?? [];
    return names.split(", ").map((name) => ({ name, note: note ?? null }));
  });
}

/** What SQL has no way to say once. */
function filledIn(sql: string): string {
  // An interval's length: views of intervals are joined to the states that begin before its end.
  const [, length = ""] = /\bINTERVAL_TS \+ (\d+)/.exec(sql) ?? [];
  const from = `max(${timeOf("s.STATE_FROM")}, i.INTERVAL_TS)`;
  const end = `i.INTERVAL_TS + ${length}`;
  const until = `min(coalesce(${timeOf("s.STATE_UNTIL")}, ${end}), ${end})`;
  return afterCallWork(secondsOfStates(sql))
    .replaceAll("/*beginning of the part*/", from)
    .replaceAll("/*end of the part*/", until)
    .replaceAll("/*when it came to wait*/", cameToWait())
    .replaceAll("/*is in doubt within the interval*/", isDoubtfulBefore(end))
    .replaceAll("/*it came from another call*/", cameFromAnotherCall())
    .replaceAll(/\/\*part of the interval in ([\w -]+)\*\//g, (_, state: string) => {
      return `round(total(iif(s.STATE = '${state}', ${until} - ${from}, 0)), 3)`;
    })
    .replaceAll(/\/\*list of\s([\s\S]*?)\*\//g, (_, words: string) => listOf(words))
    .replaceAll(/\/\*time of\s([\s\S]*?)\*\//g, (_, text: string) => timeOf(text));
}

/** UTC seconds with ms of a time as text; exact. unixepoch knows no ms before SQLite 3.42. */
function timeOf(text: string): string {
  return `(${millisecondOf(text)} / 1000.0)`;
}

function millisecondOf(text: string): string {
  return `CAST((julianday(${text}) - 2440587.5) * 86400000 + 0.5 AS INTEGER)`;
}

/** Words with commas between, those that are null left out; null: none. SQLite has concat_ws since 3.44. */
function listOf(words: string): string {
  const each = words.split(";").map((word) => `coalesce(',' || ${word.trim()}, '')`);
  return `nullif(ltrim(${each.join(" || ")}, ','), '')`;
}

/** A transfer or conference moved the party here. */
function cameFromAnotherCall(): string {
  return `EXISTS (
      SELECT 1 FROM G_PARTY_HISTORY b WHERE b.PARTYID = p.PARTYID AND b.PSEQ = 1 AND b.CCEVENT = ${ccEvents.partyChanged}
    )`;
}

/** Whether what nobody saw of a login session may lie in the interval. Whose key is local was seen all the same. */
function isDoubtfulBefore(end: string): string {
  return `(s.QUALITY IS NOT NULL AND EXISTS (
              SELECT 1 FROM ICON_ROW_QUALITY q
              WHERE q.ROW_KEY = s.LOGINSESSIONID AND q.REASON <> 'key is local'
                AND (q.EARLIEST IS NULL OR ${timeOf("q.EARLIEST")} < ${end})
                AND (q.LATEST IS NULL OR ${timeOf("q.LATEST")} > i.INTERVAL_TS)
            ))`;
}

/**
 * Seconds of after-call work, by the call or party that it belongs to. What an agent told of several queues counts once, as
 * long as the longest. Null: some of it goes on, or no agents are recorded.
 */
function afterCallWork(sql: string): string {
  return sql.replaceAll(/\/\*after-call work where ([\w.= ]+)\*\//g, (_, which: string) => {
    return `(
    SELECT iif(count(*) = count(SECONDS) AND (SELECT max(ID) FROM G_LOGIN_SESSION) IS NOT NULL, round(total(SECONDS), 3), NULL)
    FROM (
      SELECT iif(count(*) = count(SECONDS), max(SECONDS), NULL) AS SECONDS
      FROM (
        SELECT LOGINSESSIONID, ENDPOINTDN,
          iif(count(*) = count(UNTIL), total(${timeOf("UNTIL")} - ${timeOf("ADDED")}), NULL) AS SECONDS
        FROM (
          SELECT w.LOGINSESSIONID, w.ENDPOINTDN, w.QUEUEDN, w.ADDED, coalesce((
            SELECT n.ADDED FROM G_AGENT_STATE_HISTORY n
            WHERE n.LOGINSESSIONID = w.LOGINSESSIONID AND n.TYPE = 5 AND n.ENDPOINTDN = w.ENDPOINTDN
              AND n.QUEUEDN IS w.QUEUEDN AND n.SEQ > w.SEQ
            ORDER BY n.SEQ LIMIT 1
          ), (SELECT l.TERMINATED FROM G_LOGIN_SESSION l WHERE l.LOGINSESSIONID = w.LOGINSESSIONID)) AS UNTIL
          FROM G_AGENT_STATE_HISTORY w
          WHERE w.STATE = 4 AND w.TYPE = 5 AND ${which}
        )
        GROUP BY LOGINSESSIONID, ENDPOINTDN, QUEUEDN
      )
      GROUP BY LOGINSESSIONID, ENDPOINTDN
    )
  )`;
  });
}

/** A party that dialed first, for an agent who was not there yet, waits from when it was answered. */
function cameToWait(): string {
  return `coalesce((
    SELECT h.ADDED FROM G_PARTY_HISTORY h WHERE h.PARTYID = p.PARTYID AND h.STATE = 5 AND h.PREVSTATE = 6 LIMIT 1
  ), p.CREATED)`;
}

/** How long a party (by an alias with a PARTYID) was in a state, whole ms in seconds. */
function secondsOfStates(sql: string): string {
  return sql.replaceAll(/\/\*seconds of (\d) in (\w)\*\//g, (_, state: string, alias: string) => {
    const at = millisecondOf("h.ADDED");
    return `(
    SELECT iif(
      min(h.PSEQ) = 1 AND count(*) = max(h.PSEQ) AND total(h.STATE = ${state}) = total(h.PREVSTATE = ${state}),
      total(${at} * ((h.PREVSTATE IS ${state}) - (h.STATE IS ${state}))) / 1000, NULL)
    FROM G_PARTY_HISTORY h WHERE h.PARTYID = ${alias}.PARTYID
  )`;
  });
}
