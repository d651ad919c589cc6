// Every table of the IDB under its name, and the shape of its rows as the projection writes them.

import {
  G_AGENT_STATE_HISTORY,
  G_AGENT_STATE_RC,
  G_AGENT_STATE_RC_A,
  G_DND_HISTORY,
  G_LOGIN_SESSION,
  GS_AGENT_STAT,
  GS_AGENT_STAT_WM,
  GX_SESSION_ENDPOINT,
} from "./agent.ts";
import { ICON_APPLIED, ICON_LIVE, ICON_MIGRATION, ICON_SCHEMA_ORIGIN } from "./book.ts";
import { G_CALL, G_CALL_ACTIVE, G_CALL_HISTORY } from "./call.ts";
import { G_DICT_TYPE, G_DICTIONARY, G_PROV_CONTROL, G_SYNC_CONTROL, G_TIMECODE } from "./control.ts";
import { G_IR, G_IR_ACTIVE, G_IR_HISTORY } from "./interaction.ts";
import {
  ICON_CONFIGURATION,
  ICON_COUNTER,
  ICON_COVERAGE,
  ICON_MARK,
  ICON_ROW_QUALITY,
  ICON_UNDECODED,
  ICON_WINDOW,
} from "./ledger.ts";
import { G_IS_LINK, G_IS_LINK_HISTORY, GSYS_DNPREMOTELOCATION } from "./multi-site.ts";
import { G_PARTY, G_PARTY_HISTORY, ICON_PARTY_CHANNEL } from "./party.ts";
import { G_DSS_GCC_PROVIDER, G_DSS_GLS_PROVIDER, G_DSS_GUD_PROVIDER, ICON_DSS } from "./session.ts";
import { G_CALL_STAT, G_PARTY_STAT } from "./statistics.ts";
import {
  G_CALL_USERDATA,
  G_CALL_USERDATA_CUST,
  G_CALL_USERDATA_CUST1,
  G_CALL_USERDATA_CUST2,
  G_CUSTOM_DATA_P,
  G_CUSTOM_DATA_S,
  G_CUSTOM_STATES,
  G_SECURE_USERDATA_HISTORY,
  G_USERDATA_HISTORY,
} from "./user-data.ts";
import { G_ROUTE_RES_VQ_HIST, G_ROUTE_RESULT, G_VIRTUAL_QUEUE } from "./virtual-queue.ts";

export const tables = {
  G_CALL,
  G_CALL_HISTORY,
  G_CALL_ACTIVE,
  G_IR,
  G_IR_HISTORY,
  G_IR_ACTIVE,
  G_PARTY,
  G_PARTY_HISTORY,
  G_CALL_STAT,
  G_PARTY_STAT,
  G_IS_LINK,
  G_IS_LINK_HISTORY,
  GSYS_DNPREMOTELOCATION,
  G_VIRTUAL_QUEUE,
  G_ROUTE_RESULT,
  G_ROUTE_RES_VQ_HIST,
  G_USERDATA_HISTORY,
  G_SECURE_USERDATA_HISTORY,
  G_CALL_USERDATA,
  G_CALL_USERDATA_CUST,
  G_CALL_USERDATA_CUST1,
  G_CALL_USERDATA_CUST2,
  G_CUSTOM_DATA_P,
  G_CUSTOM_DATA_S,
  G_CUSTOM_STATES,
  G_LOGIN_SESSION,
  GX_SESSION_ENDPOINT,
  G_AGENT_STATE_HISTORY,
  G_AGENT_STATE_RC,
  G_AGENT_STATE_RC_A,
  G_DND_HISTORY,
  GS_AGENT_STAT,
  GS_AGENT_STAT_WM,
  G_DSS_GCC_PROVIDER,
  G_DSS_GLS_PROVIDER,
  G_DSS_GUD_PROVIDER,
  ICON_DSS,
  G_PROV_CONTROL,
  G_SYNC_CONTROL,
  G_TIMECODE,
  G_DICT_TYPE,
  G_DICTIONARY,
  ICON_PARTY_CHANNEL,
  ICON_WINDOW,
  ICON_COVERAGE,
  ICON_ROW_QUALITY,
  ICON_UNDECODED,
  ICON_MARK,
  ICON_CONFIGURATION,
  ICON_COUNTER,
  ICON_APPLIED,
  ICON_LIVE,
  ICON_SCHEMA_ORIGIN,
  ICON_MIGRATION,
} as const;

export type TableName = keyof typeof tables;

/** One whole row as it is read. */
export type Selected<T extends TableName> = (typeof tables)[T]["$inferSelect"];
type NullableColumn<Row> = { [C in keyof Row]-?: null extends Row[C] ? C : never }[keyof Row];

/** One whole row as it is written: what may be null may be left out; what is left out becomes null. */
export type RowOf<T extends TableName> = Omit<Selected<T>, NullableColumn<Selected<T>>> & {
  [C in NullableColumn<Selected<T>>]?: Selected<T>[C];
};

export const tableNames = Object.keys(tables) as readonly TableName[];
