// A role decides what is stored, not what is processed: for every combination of roles exactly its tables get rows.

import { expect, test } from "bun:test";
import { tableRoles } from "../../schema/roles.ts";
import { type TableName, tableNames } from "../../schema/tables.ts";
import type { AttachedDataMapping } from "../../src/event/attached-data.ts";
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
const login = { ConnID: null, CallUUID: null, ThisDN: "5009", AgentID: "1009" };
const agent = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };

function told(role: readonly string[], attachedData = mapping): Story {
  const agents = { isAcwOfFirstCall: false, isBusyOverAcw: true, writesActiveReasons: true };
  return new Story({ role, attachedData, agents }).events(
    [0, "EventAgentLogin", login],
    [0, "EventAgentNotReady", { ...login, AgentWorkMode: 4, Reasons: { break: "lunch" } }],
    [0, "EventDNDOn", login],
    [0, "EventAgentReady", login],
    [0, "EventAgentLogout", login],
    [0, "EventRinging", { ...agent, UserData: { a: "1" } }],
    // Its beginning was missed: a doubt about rows that are stored only with their role.
    [1, "EventEstablished", { ...agent, ConnID: "02", CallUUID: "C2" }],
    [2, "EventReleased", agent],
    [60, "EventReleased", { ...agent, ConnID: "02", CallUUID: "C2" }],
    [120, "EventRinging", { ...agent, ConnID: "03", CallUUID: "C3" }],
  );
}

function tablesOf(story: Story): Set<TableName> {
  return new Set(story.world.written.map(({ table }) => table));
}

const deciding = ["gcc", "gls", "gud"] as const;
const everything = tablesOf(told(deciding));

for (let bits = 0; bits < 8; bits++) {
  const role = deciding.filter((_, bit) => bits & (1 << bit));
  test(`with the roles "${["cfg", ...role].join(",")}" exactly their tables get rows`, () => {
    const story = told(["cfg", ...role]);
    const expected = [...everything].filter((table) => {
      const needed = tableRoles[table];
      if (table === "ICON_ROW_QUALITY") return role.includes("gcc");
      if (table === "G_DSS_GLS_PROVIDER") return role.includes("gls");
      if (table === "G_DSS_GUD_PROVIDER") return role.includes("gud");
      // Its rows are the steps of time that others refer to: none are left out, more do no harm.
      return needed === "always" || role.includes(needed);
    });
    const known = (tables: Iterable<TableName>) => [...tables].filter((table) => table !== "G_TIMECODE").sort();
    expect(known(tablesOf(story))).toEqual(known(expected));
  });
}

test("the story has rows in tables of each role that is tested with it", () => {
  const rolesSeen = new Set([...everything].map((table) => tableRoles[table]));
  expect([...rolesSeen].sort()).toEqual(["always", "gcc", "gls", "gud"]);
});

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
