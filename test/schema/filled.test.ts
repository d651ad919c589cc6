// Every documented table has rows and every column a value, once all that our sources can say has been said: by the
// simulated centre, by a real Asterisk, and, where neither says it, by a few lines here. What stays empty is listed with
// its reason, and is looked for: a list that says too much fails as one that says too little.

import { beforeAll, expect, test } from "bun:test";
import { getTableColumns } from "drizzle-orm";
import Database from "libsql";
import { tableOrigins } from "../../schema/table-origins.ts";
import { type TableName, tableNames, tables } from "../../schema/tables.ts";
import type { AttachedDataMapping } from "../../src/event/attached-data.ts";
import { foldRecording } from "../harness/ami-fold.ts";
import { loadRecording, type RecordingName, recordings } from "../harness/ami-recording.ts";
import type { MemoryWorld } from "../harness/memory-world.ts";
import { playCentre } from "../harness/played-centre.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { goneOn, handedOver, SitesStory } from "../harness/sites-story.ts";
import { fold, store } from "../harness/stored-story.ts";
import { Story } from "../harness/story.ts";

const documented = tableNames.filter((name) => !name.startsWith("ICON_"));

const tablesEmpty: Partial<Record<TableName, string>> = {};

const reserved = "the reference reserves it";
/** Of the columns that end almost every table. */
const systemEmpty: Readonly<Record<string, string>> = {
  GSYS_PARTITION:
    "libSQL has no partitions, and what the original puts there is one of its rules (partition-type): a purge goes by " +
    "when something ended, readers by CREATED_TS and its like",
  GSYS_SYS_ID: "the reference does not use it yet",
  GSYS_TS: reserved,
  GSYS_TC: reserved,
};

const extensions = ["GSYS_EXT_VCH1", "GSYS_EXT_VCH2", "GSYS_EXT_INT1", "GSYS_EXT_INT2"];

/** Why a column has no value in any row; null: it has to have one. */
function reasonForNothing(table: TableName, column: string): string | null {
  const own = columnsEmpty[`${table}.${column}`];
  if (own !== undefined) return own;
  const ofAll = systemEmpty[column];
  if (ofAll !== undefined) return ofAll;
  const usesTexts = table === "G_CALL_STAT" || table === "G_PARTY";
  const isUsed =
    (usesTexts && column.startsWith("GSYS_EXT_VCH")) || (table === "G_IS_LINK" && column === "GSYS_EXT_VCH1");
  if (!extensions.includes(column) || isUsed) return null;
  return "kept free by the reference for what it calls extensions";
}

const ofCounters = "a counter is no row that was inserted or updated in an order of its own";
const columnsEmpty: Readonly<Record<string, string>> = {
  "G_PARTY_STAT.TT_ACW": "after-call work is not yet counted to the party that it follows",
  "G_PROV_CONTROL.GSYS_DOMAIN": ofCounters,
  "G_PROV_CONTROL.GSYS_SEQ": ofCounters,
  "G_PROV_CONTROL.GSYS_USEQ": ofCounters,
  "G_SYNC_CONTROL.GSYS_SEQ": ofCounters,
  "G_SYNC_CONTROL.GSYS_USEQ": ofCounters,
};

const role = ["gcc", "gls", "gud"];
const agents = { isAcwOfFirstCall: false, isBusyOverAcw: true, writesActiveReasons: true };

/** Where a key of the simulated centre's goes: into both histories, and into each column that there is. */
function mapping(): AttachedDataMapping {
  const targets = [
    "G_CALL_USERDATA",
    "G_CALL_USERDATA_CUST",
    "G_CALL_USERDATA_CUST1",
    "G_CALL_USERDATA_CUST2",
  ] as const;
  const columns = targets.flatMap((table) =>
    Object.keys(getTableColumns(tables[table]))
      .filter((column) => column !== "ID" && column !== "CALLID" && !column.startsWith("GSYS_"))
      .map((column) => ["Product", "userdata", "last", table, column] as const),
  );
  const secure = [["Note", "userdata", "all"]] as const;
  return { public: [["Product", "userdata", "all"]], secure, columns, otherKeys: "all", valueLengthMax: 255 };
}

const filled = new Map<TableName, Set<string>>();

function note(table: TableName, columns: Iterable<string>): void {
  const known = filled.get(table) ?? new Set();
  for (const column of columns) known.add(column);
  filled.set(table, known);
}

function noteWorld({ written }: MemoryWorld): void {
  for (const { table, row } of written) {
    const values = Object.entries(row).filter(([, value]) => value !== null && value !== undefined);
    note(
      table,
      values.map(([column]) => column),
    );
  }
}

/** What stands in an IDB in the end, with what it writes of itself: dictionary, counters. */
function noteIdb(path: string): void {
  const idb = new Database(path, { readonly: true });
  try {
    for (const table of documented) {
      const names = Object.keys(getTableColumns(tables[table]));
      const counts = names.map((name) => `count("${name}")`).join(", ");
      const [row] = idb.prepare(`SELECT count(*), ${counts} FROM "${table}"`).raw().all() as [number[]];
      const [rows = 0, ...values] = row;
      if (rows > 0)
        note(
          table,
          names.filter((_, index) => (values[index] ?? 0) > 0),
        );
    }
  } finally {
    idb.close();
  }
}

/** What the simulated centre leaves out. */
function toldByHand(): Story {
  const stored = { globalKeys: ["note"], states: [[101, "pause"]], fields: [["WHY", "why"]] } as const;
  const userEvents = { store: "all", eventKeys: [], callsMax: 16, ...stored } as const;
  const agent = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
  const desk = { ConnID: undefined, CallUUID: undefined, ThisDN: "5001", AgentID: "1001" };
  const transferred = { LastTransferHomeLocation: "South", LastTransferOrigDN: "7001" };
  return new Story({ role, userEvents, agents, attachedData: mapping() }).events(
    [0, "EventAgentLogin", desk],
    [1, "EventRinging", { ...agent, ...transferred }],
    [2, "EventEstablished", agent],
    [3, "EventUserEvent", { ...desk, UserData: { note: "global", pause: "+", why: "lunch" } }],
    [9, "EventUserEvent", { ...desk, UserData: { pause: "-" } }],
    [10, "EventReleased", agent],
    [99, "EventAgentLogout", desk],
  );
}

beforeAll(async () => {
  using directory = new TemporaryDirectory("filled");
  const options = { storesReleasingParty: true, extendsRouteResults: true } as const;
  const story = new Story({ role, agents, options, attachedData: mapping() });
  playCentre({ seed: 21, talkSeconds: 1 }, 20, story);
  // The first session ended in order with its instance; calls of the next one still go on in the end.
  story.close("our stop").mark({ mark: "instance stopped" }).start().open();
  story.events([90, "EventRinging", { ConnID: "0F", CallUUID: "CF", ThisDN: "5001", ThisDNRole: 2, PartyUUID: "AF" }]);
  await store(`${directory.path}/queue`, story.payloads, 64 * 1024 * 1024);
  await fold(`${directory.path}/queue`, `${directory.path}/idb.db`);
  noteIdb(`${directory.path}/idb.db`);
  noteWorld(story.world);
  noteWorld(toldByHand().world);
  const sites = new SitesStory({ remoteLocations: ["East"] });
  noteWorld(handedOver(goneOn(sites).heartbeats(200)).world);
  for (const name of Object.keys(recordings) as RecordingName[]) noteWorld(foldRecording(loadRecording(name)).world);
}, 120_000);

test("every documented table gets rows, but for those that are listed", () => {
  const empty = documented.filter((table) => !filled.has(table));
  expect([...empty].sort()).toEqual((Object.keys(tablesEmpty) as TableName[]).sort());
});

test.each(documented.filter((table) => tablesEmpty[table] === undefined))(
  "%s: every column that is not joined has a value in some row, but for those that are listed",
  (table) => {
    const joined = tableOrigins[table].joined ?? [];
    const columns = Object.keys(getTableColumns(tables[table])).filter((column) => !joined.includes(column));
    const isFilled = (column: string) => filled.get(table)?.has(column) === true;
    expect(columns.filter((column) => !isFilled(column))).toEqual(
      columns.filter((column) => reasonForNothing(table, column) !== null),
    );
  },
);

test("what is listed names columns that there are", () => {
  const known = documented.flatMap((table) =>
    Object.keys(getTableColumns(tables[table])).map((each) => `${table}.${each}`),
  );
  expect(Object.keys(columnsEmpty).filter((each) => !known.includes(each))).toEqual([]);
});
