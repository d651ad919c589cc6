// How attached data stands in the documented tables: a row for each change in the histories, and one row a call with a
// column for each key that has one.

import { userDataKeyTypes } from "../../schema/dictionary.ts";
import type { RowOf } from "../../schema/tables.ts";
import { callUserDataTables, type userDataHistories } from "../../schema/user-data.ts";
import type { ColumnTable, KeySource } from "../event/attached-data.ts";
import type { Call } from "./call.ts";
import type { DataChange } from "./call-data.ts";
import { added, stamps } from "./call-rows.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

const keyTypes = {
  userdata: userDataKeyTypes.userData,
  reasons: userDataKeyTypes.reasons,
  extensions: userDataKeyTypes.extensions,
} as const satisfies Record<KeySource, number>;

export type HistoryTable = (typeof userDataHistories)[number];

export function writeHistoryRow(
  world: World,
  context: StepContext,
  table: HistoryTable,
  call: Call,
  change: DataChange,
  sequence: number,
): void {
  const id = world.nextRowId();
  world.write(table, {
    ID: id,
    CALLID: call.callId,
    PARTYID: change.by.partyId,
    CSEQ: change.callSequence,
    KEYNAME: change.key,
    VALUE: change.value,
    ...added(world, change.at),
    SEQ: sequence,
    CHANGETYPE: change.type,
    KEYTYPE: keyTypes[change.source],
    ENDPOINTID: null,
    ENDPOINTDN: change.by.dn,
    ...stamps(world, context, id),
  });
}

/** The whole row, each time that one of its columns changed. */
export function writeColumnsRow(
  world: World,
  context: StepContext,
  table: string,
  call: Call,
  values: Readonly<Record<string, string>>,
): void {
  if (!isColumnTable(table)) return;
  // Which columns there are, the judgement on the specification has said.
  const row = { ID: call.rowId, CALLID: call.callId, ...values, ...stamps(world, context, call.rowId) };
  world.write(table, row as RowOf<ColumnTable>);
}

function isColumnTable(table: string): table is ColumnTable {
  return (callUserDataTables as readonly string[]).includes(table);
}
