// Where every table and column comes from, and which columns depend on a second source. This is the contract's fine
// print; ICON_SCHEMA_ORIGIN says the same inside each IDB.
//
// 1. A column is seen unless it is listed as inferred or added. `inferred`: the reference lists it, but from other texts
//    than its own page. `added`: the reference's page is cut off before it; name and type follow the sibling tables.
// 2. `joined`: the column's value comes from another data source than the row's own, so two IDBs may differ in it
//    without either being wrong, unless both know the same version of that other source.
// 3. All of a table with the prefix ICON_ is ours.

import { getTableColumns } from "drizzle-orm";
import { dictionaries, type Origin } from "./dictionary.ts";
import { type TableName, tableNames, tables } from "./tables.ts";

export interface SchemaOrigin {
  readonly kind: "table" | "column" | "value";
  /** G_CALL, G_CALL.CALLID, or 8/5 for value 5 of dictionary class 8. */
  readonly name: string;
  readonly origin: Origin;
  readonly isJoined: boolean;
  readonly note: string | null;
}

interface TableOrigin {
  readonly origin: Origin;
  readonly note?: string;
  readonly inferred?: readonly string[];
  readonly added?: Readonly<Record<string, string>>;
  readonly joined?: readonly string[];
  /** Remarks on columns that the reference lists. */
  readonly notes?: Readonly<Record<string, string>>;
}

const created = ["CREATED", "CREATED_TS", "CREATED_TCODE"];
const terminated = ["TERMINATED", "TERMINATED_TS", "TERMINATED_TCODE"];
const systemEnd = ["GSYS_EXT_VCH1", "GSYS_EXT_VCH2", "GSYS_EXT_INT1", "GSYS_EXT_INT2"];
const system = [
  "GSYS_DOMAIN",
  "GSYS_PARTITION",
  "GSYS_SYS_ID",
  "GSYS_SEQ",
  "GSYS_USEQ",
  "GSYS_TS",
  "GSYS_TC",
  ...systemEnd,
];

const ours: TableOrigin = { origin: "ours" };
const digits = "decimal digits as text: 64 bits without a sign do not fit SQLite's INTEGER";

const tableOrigins: Readonly<Record<TableName, TableOrigin>> = {
  G_CALL: {
    origin: "seen",
    inferred: [
      "ROOTIRID",
      "MEDIATYPE",
      "CALLTYPE",
      "CALLANI",
      "CALLDNIS",
      "TENANTID",
      ...created,
      ...terminated,
      ...system,
    ],
    joined: ["TENANTID"],
    notes: {
      CONNIDNUM: digits,
      MERGECALLID:
        "the call in which a party of this one goes on when a transfer or conference is completed; of several the first " +
        "(our choice: the reference does not say)",
      ROOTIRID: "IRID, or where that was merged to by then; further merges are found by PARENTIRID of G_IR",
    },
  },
  G_CALL_HISTORY: { origin: "seen", inferred: systemEnd },
  G_CALL_ACTIVE: {
    origin: "seen",
    inferred: ["SWITCHCALLID", "IRID"],
    added: repeating("G_CALL", [
      "ROOTIRID",
      "MEDIATYPE",
      "CALLTYPE",
      "CALLANI",
      "CALLDNIS",
      "TENANTID",
      ...created,
      ...system,
    ]),
    joined: ["TENANTID"],
    notes: { CONNIDNUM: digits },
  },
  G_IR: {
    origin: "seen",
    inferred: system,
    notes: {
      PARENTIRID: "written with the merge, while both calls go on: nothing has to be run afterwards to join them",
    },
    added: Object.fromEntries(
      [...created, ...terminated].map((column) => [
        column,
        "the page has created and terminated groups here; names and types follow G_CALL",
      ]),
    ),
  },
  G_IR_HISTORY: { origin: "seen" },
  G_IR_ACTIVE: {
    origin: "seen",
    note: "no column page was seen; expected to repeat G_IR",
    added: repeating("G_IR", [
      "ID",
      "IRID",
      "STATE",
      "PARENTIRID",
      "PARENTLINKTYPE",
      "ROOTCALLID",
      ...created,
      ...system,
    ]),
  },
  G_PARTY: {
    origin: "seen",
    inferred: ["AGENTID", "CCEVENT", "CCEVENTCAUSE", ...created, ...terminated, ...system],
    added: { PREVSTATE: "named on the page of STATE as holding the earlier state; type as STATE" },
    joined: ["AGENTID"],
    notes: {
      PARENTPARTYID:
        "the stay in the queue (ThisQueue) from which the party was reached; whoever transferred or conferenced it in one " +
        "step (ThirdPartyDN); or the same party on the call that it came from (EventPartyChanged). Null too where that " +
        "was not seen",
      PARTYGUID:
        "of a server without PartyUUID a party that changes its call gets another one; PARENTPARTYID joins them",
    },
  },
  G_PARTY_HISTORY: {
    origin: "seen",
    inferred: ["PREVSTATE", "ADDED", "ADDED_TS", "ADDED_TCODE", ...system],
    added: {
      STATE: "the state after the change; the page has a state column behind CCEVENTCAUSE; name and type as in G_PARTY",
    },
  },
  G_DSS_GCC_PROVIDER: {
    origin: "seen",
    inferred: ["FEVENT_DSTS", "LEVENT_ITIME", "LEVENT_DSTIME", "LEVENT_DSSEQ", "LEVENT_DSTS"],
    notes: {
      DSCONN_TYPE:
        "1: the first of this run of the instance; 2: the same server run again; 3: the server was started anew; " +
        "4: the server's CTI link came back, a new session on the same connection; 5: another server of the pair, told " +
        "by its DBID, or by its address where it names no server run. Where two hold, 1 goes before 5, 5 before 3 " +
        "(our choice: the reference does not say)",
      DSCONN_SDSTIME: "by our clock until the difference of the two is measured and is more than its uncertainty",
      DSCONN_SDSTS: "as DSCONN_SDSTIME",
      ICON_ETIME: "only when the instance was stopped in order; a reload that ends the session is no stop",
      DSCONN_ETIME:
        "after a crash of the instance the last arrival; when the CTI link was lost, the instant of that. " +
        "ICON_DSS tells why",
    },
  },
  G_PROV_CONTROL: { origin: "seen" },
  G_SYNC_CONTROL: {
    origin: "seen",
    notes: {
      PRIMARYID: "each instance of a pair writes its own row into its own IDB: neither is the primary (our choice)",
      SESSIONID: "identity of the server run (our choice)",
      EVENTID: "the event's sequence number (our choice)",
    },
  },
  G_TIMECODE: { origin: "seen", note: "the calendar columns were not seen and are left out" },
  G_DICT_TYPE: {
    origin: "seen",
    note: "no column page was seen",
    added: {
      DICT_TYPE_ID: "what G_DICTIONARY refers to; placeholder name",
      NAME: "name of the class; placeholder name",
    },
  },
  G_DICTIONARY: { origin: "seen", inferred: ["DICT_TYPE_ID", "DICT_VALUE_ID", "NAME", "DESCRIPTION"] },
  ICON_DSS: ours,
  ICON_PARTY_CHANNEL: ours,
  ICON_WINDOW: ours,
  ICON_COVERAGE: ours,
  ICON_ROW_QUALITY: ours,
  ICON_UNDECODED: ours,
  ICON_MARK: ours,
  ICON_CONFIGURATION: ours,
  ICON_COUNTER: ours,
  ICON_APPLIED: ours,
  ICON_LIVE: ours,
  ICON_SCHEMA_ORIGIN: ours,
  ICON_MIGRATION: ours,
};

function repeating(table: string, columns: readonly string[]): Record<string, string> {
  return Object.fromEntries(columns.map((column) => [column, `expected to repeat ${table}`]));
}

function columnOrigin(table: TableName, column: string): SchemaOrigin {
  const { origin, inferred, added, joined, notes } = tableOrigins[table];
  const isInferred = inferred?.includes(column) || added?.[column] !== undefined;
  return {
    kind: "column",
    name: `${table}.${column}`,
    origin: isInferred ? "inferred" : origin,
    isJoined: joined?.includes(column) ?? false,
    note: added?.[column] ?? notes?.[column] ?? null,
  };
}

/** The columns of `table` that the reference's cut-off page does not list. */
export function columnsAdded(table: TableName): readonly string[] {
  return Object.keys(tableOrigins[table].added ?? {});
}

/** What ICON_SCHEMA_ORIGIN holds, in a fixed order. */
export const schemaOrigins: readonly SchemaOrigin[] = [
  ...tableNames.flatMap((table): readonly SchemaOrigin[] => [
    {
      kind: "table",
      name: table,
      origin: tableOrigins[table].origin,
      isJoined: false,
      note: tableOrigins[table].note ?? null,
    },
    ...Object.keys(getTableColumns(tables[table])).map((column) => columnOrigin(table, column)),
  ]),
  ...dictionaries.flatMap(({ type, values }) =>
    values.map(({ value, origin, description }): SchemaOrigin => {
      return { kind: "value", name: `${type}/${value}`, origin, isJoined: false, note: description ?? null };
    }),
  ),
];
