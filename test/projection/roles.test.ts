// A role decides what is stored, not what is processed: for every combination of roles exactly its tables get rows.

import { expect, test } from "bun:test";
import { tableRoles } from "../../schema/roles.ts";
import { providers, providerTables } from "../../schema/session.ts";
import { type TableName, tableNames } from "../../schema/tables.ts";
import type { AttachedDataMapping } from "../../src/event/attached-data.ts";
import type { UserEventMapping } from "../../src/event/user-events.ts";
import { at, Story } from "../harness/story.ts";

const mapping: AttachedDataMapping = {
  public: [["a", "userdata", "all"]],
  secure: [["a", "userdata", "all"]],
  columns: [
    ["a", "userdata", "last", "G_CALL_USERDATA", "ACCOUNT_ID"],
    ["a", "userdata", "last", "G_CALL_USERDATA_CUST", "CUST_DATA_1"],
    ["a", "userdata", "last", "G_CALL_USERDATA_CUST1", "CUST_DATA_1"],
    ["a", "userdata", "last", "G_CALL_USERDATA_CUST2", "CUST_DATA_1"],
  ],
  otherKeys: "none",
  valueLengthMax: 255,
};
const userEvents: UserEventMapping = {
  store: "all",
  eventKeys: [],
  globalKeys: ["note"],
  states: [[200, "Research"]],
  fields: [],
  callsMax: 16,
};
const login = { ConnID: null, CallUUID: null, ThisDN: "5009", AgentID: "1009" };
const agent = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
const point = { ThisDN: "9001", ThisDNRole: 2, PartyUUID: "R4", ThisQueue: "9001", ConnID: "04", CallUUID: "C4" };
const sales = {
  ...point,
  ThisDN: "VQ_Sales",
  ThisQueue: "VQ_Sales",
  PartyUUID: null,
  Extensions: { VQID: "N6NKOJ01" },
};
const desk = { ConnID: null, CallUUID: null, ThisDN: "5001" };

function told(role: readonly string[], attachedData = mapping): Story {
  const agents = { isAcwOfFirstCall: false, isBusyOverAcw: true, writesActiveReasons: true };
  const interSite = { remoteLocations: ["West"], linkTimeoutSeconds: 3600 };
  return new Story({ role, attachedData, agents, userEvents, interSite }).events(
    [0, "EventAgentLogin", login],
    [0, "EventAgentNotReady", { ...login, AgentWorkMode: 4, Reasons: { break: "lunch" } }],
    [0, "EventDNDOn", login],
    [2, "EventAgentReady", login],
    [4, "EventAgentLogout", login],
    [4, "EventRinging", { ...agent, UserData: { a: "1" }, ISLinkList: { L1: { location: "South", type: "source" } } }],
    [4, "EventUserEvent", { ...desk, UserData: { note: "1", other: "2", Research: "+" } }],
    [4, "EventQueued", point],
    [4, "EventRouteRequest", point],
    [4, "EventQueued", sales],
    [5, "EventRouteUsed", { ...point, ThirdPartyDN: "5001" }],
    [5, "EventDiverted", point],
    [5, "EventDiverted", { ...sales, ThirdPartyDN: "5001" }],
    // Its beginning was missed: a doubt about rows that are stored only with their role.
    [5, "EventEstablished", { ...agent, ConnID: "02", CallUUID: "C2" }],
    [6, "EventReleased", agent],
    [60, "EventReleased", { ...agent, ConnID: "02", CallUUID: "C2" }],
    [120, "EventRinging", { ...agent, ConnID: "03", CallUUID: "C3" }],
  );
}

function tablesOf(story: Story): Set<TableName> {
  return new Set(story.world.written.map(({ table }) => table));
}

const deciding = ["gcc", "gls", "gud"] as const;

/** Tables that the story does not fill, whatever the role; all others it does. */
const untold: readonly TableName[] = [
  // Of another kind of source, of damage, and of what does not follow.
  ...(["ICON_PARTY_CHANNEL", "ICON_UNDECODED", "ICON_COUNTER"] as const),
  // The IDB writes these of itself.
  ...(["G_PROV_CONTROL", "G_DICT_TYPE", "G_DICTIONARY"] as const),
  ...(["ICON_APPLIED", "ICON_LIVE", "ICON_SCHEMA_ORIGIN", "ICON_MIGRATION"] as const),
  // Its rows are the steps of time that others refer to: none are left out, more do no harm.
  "G_TIMECODE",
];

/** By roles.ts alone, so that a table that no role's story fills any more is missed. */
function expectedTables(role: readonly string[]): TableName[] {
  return tableNames.filter((table) => {
    if (untold.includes(table)) return false;
    if (table === "ICON_ROW_QUALITY") return role.includes("gcc");
    const provider = providers.find((each) => providerTables[each] === table);
    if (provider !== undefined) return role.includes(provider);
    // A row for each of them.
    if (table === "G_SYNC_CONTROL") return role.length > 0;
    const needed = tableRoles[table];
    return needed === "always" || role.includes(needed);
  });
}

for (let bits = 0; bits < 8; bits++) {
  const role = deciding.filter((_, bit) => bits & (1 << bit));
  test(`with the roles "${["cfg", ...role].join(",")}" exactly their tables get rows`, () => {
    const tables = [...tablesOf(told(["cfg", ...role]))].filter((table) => table !== "G_TIMECODE");
    expect<TableName[]>(tables.sort()).toEqual(expectedTables(role).sort());
  });
}

test("every table belongs to a role or to all", () => {
  expect(Object.keys(tableRoles).sort()).toEqual([...tableNames].sort());
});

test("rows are the same whichever other role is on", () => {
  const all = told(["gcc", "gud"]);
  const strip = (rows: readonly object[]) => rows.map((row) => ({ ...row }));
  expect(strip(told(["gud"]).rows("G_USERDATA_HISTORY", "ID"))).toEqual(strip(all.rows("G_USERDATA_HISTORY", "ID")));
  expect(strip(told(["gcc"], mapping).rows("G_CALL", "ID")).length).toBe(all.rows("G_CALL", "ID").length);
});

test("calls that were followed without role gcc get their rows when it is turned on, and word that their past has none", () => {
  const story = new Story({ role: ["gud"], attachedData: mapping }).events([0, "EventRinging", agent]);
  expect(story.rows("G_CALL", "ID")).toEqual([]);
  story.reload({ role: ["gcc", "gud"], attachedData: mapping });
  expect(story.rows("G_CALL", "ID")).toMatchObject([{ CALLID: "C1", CREATED: at(0) }]);
  expect(story.doubts()).toEqual(["G_CALL: earlier rows not kept, not recorded, 0–0"]);
  story.events([5, "EventEstablished", agent]).expectParties("5001: connected 5 | …");
});

test("a role that is switched on while a session goes on gets the session's row, and one that is switched off keeps it", () => {
  const rowsIn = (of: Story) => providers.map((each) => of.rows(providerTables[each], "DSS_ID"));
  const story = new Story({ role: ["gls"] }).events([0, "EventAgentLogin", login]);
  expect(rowsIn(story).map((rows) => rows.length)).toEqual([0, 1, 0]);
  story.reload({ role: ["gcc", "gls"] }).events([5, "EventRinging", agent]);
  story
    .reload({ role: ["gud"] })
    .heartbeat(9)
    .close("connection lost");
  const [inGcc, inGls, inGud] = rowsIn(story);
  expect(inGcc).toMatchObject([{ FEVENT_DSTIME: at(0), DSCONN_ETIME: expect.any(String) }]);
  expect(inGls).toEqual(inGcc as never);
  expect(inGud).toEqual(inGcc as never);
  // The next one is of the roles that are on then.
  story.open();
  expect(rowsIn(story).map((rows) => rows.length)).toEqual([1, 1, 2]);
});
