// Every table of the IDB under its name, and the shape of its rows as the projection writes them.

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
import { G_PARTY, G_PARTY_HISTORY, ICON_PARTY_CHANNEL } from "./party.ts";
import { G_DSS_GCC_PROVIDER, ICON_DSS } from "./session.ts";

export const tables = {
  G_CALL,
  G_CALL_HISTORY,
  G_CALL_ACTIVE,
  G_IR,
  G_IR_HISTORY,
  G_IR_ACTIVE,
  G_PARTY,
  G_PARTY_HISTORY,
  G_DSS_GCC_PROVIDER,
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
