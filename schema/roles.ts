// Which role of an instance stores which table. A role decides what is stored, not what is processed: the machines run,
// and rows of a role that is off are left out where rows are written.

import type { TableName } from "./tables.ts";

/** Roles that decide about tables; "always": the books and control tables, which every instance keeps. */
export type TableRole = "gcc" | "gls" | "gud" | "always";

export const tableRoles: Readonly<Record<TableName, TableRole>> = {
  G_CALL: "gcc",
  G_CALL_HISTORY: "gcc",
  G_CALL_ACTIVE: "gcc",
  G_IR: "gcc",
  G_IR_HISTORY: "gcc",
  G_IR_ACTIVE: "gcc",
  G_PARTY: "gcc",
  G_PARTY_HISTORY: "gcc",
  G_CALL_STAT: "gcc",
  G_PARTY_STAT: "gcc",
  G_IS_LINK: "gcc",
  G_IS_LINK_HISTORY: "gcc",
  GSYS_DNPREMOTELOCATION: "always",
  G_VIRTUAL_QUEUE: "gcc",
  G_ROUTE_RESULT: "gcc",
  G_ROUTE_RES_VQ_HIST: "gcc",
  G_USERDATA_HISTORY: "gud",
  G_SECURE_USERDATA_HISTORY: "gud",
  G_CALL_USERDATA: "gud",
  G_CALL_USERDATA_CUST: "gud",
  G_CALL_USERDATA_CUST1: "gud",
  G_CALL_USERDATA_CUST2: "gud",
  G_CUSTOM_DATA_P: "gud",
  G_CUSTOM_DATA_S: "gud",
  G_CUSTOM_STATES: "gud",
  G_LOGIN_SESSION: "gls",
  GX_SESSION_ENDPOINT: "gls",
  G_AGENT_STATE_HISTORY: "gls",
  G_AGENT_STATE_RC: "gls",
  G_AGENT_STATE_RC_A: "gls",
  G_DND_HISTORY: "gls",
  GS_AGENT_STAT: "gls",
  GS_AGENT_STAT_WM: "gls",
  // A session has rows of all roles that it was ever recorded for, and of no other; which those are, its own machine knows.
  G_DSS_GCC_PROVIDER: "always",
  G_DSS_GLS_PROVIDER: "always",
  G_DSS_GUD_PROVIDER: "always",
  ICON_DSS: "always",
  G_PROV_CONTROL: "always",
  G_SYNC_CONTROL: "always",
  G_TIMECODE: "always",
  G_DICT_TYPE: "always",
  G_DICTIONARY: "always",
  ICON_PARTY_CHANNEL: "gcc",
  ICON_WINDOW: "always",
  ICON_COVERAGE: "always",
  ICON_ROW_QUALITY: "always",
  ICON_UNDECODED: "always",
  ICON_MARK: "always",
  ICON_CONFIGURATION: "always",
  ICON_COUNTER: "always",
  ICON_APPLIED: "always",
  ICON_LIVE: "always",
  ICON_SCHEMA_ORIGIN: "always",
  ICON_MIGRATION: "always",
};

/** Whether an instance with these roles stores this row. A doubt about a row is stored where the row is. */
export function isStored(roles: readonly string[], table: TableName, row: Readonly<Record<string, unknown>>): boolean {
  const about = table === "ICON_ROW_QUALITY" ? row["TABLE_NAME"] : table;
  const role =
    typeof about === "string" && Object.hasOwn(tableRoles, about) ? tableRoles[about as TableName] : "always";
  return role === "always" || roles.includes(role);
}
