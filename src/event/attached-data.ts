// Which key-value pairs of events are stored, and where: what a site's attached data specification comes to. Part of the
// configuration that rows depend on, so it stands in marks and in the heads of segments: kept small.

/** Where a key stands in an event. */
export const keySources = ["userdata", "reasons", "extensions"] as const;
export type KeySource = (typeof keySources)[number];

/** Which of a key's values are stored in the histories: none, the first, the last, every change. */
export const keyHistories = ["none", "first", "last", "all"] as const;
export type KeyHistory = (typeof keyHistories)[number];

/** Of a column only one value is kept. */
export const columnHistories = ["first", "last"] as const;
export type ColumnHistory = (typeof columnHistories)[number];

/** A key of a history. */
export type HistoryKey = readonly [name: string, source: KeySource, history: KeyHistory];

/** A key with a column of its own. */
export type ColumnKey = readonly [
  name: string,
  source: KeySource,
  history: ColumnHistory,
  table: ColumnTable,
  column: string,
];

/** Tables with a column for each key, by the sections of the specification, under the original's names. */
export const columnTables = {
  call: "G_CALL_USERDATA",
  call_cust: "G_CALL_USERDATA_CUST",
  call_cust1: "G_CALL_USERDATA_CUST1",
  call_cust2: "G_CALL_USERDATA_CUST2",
} as const;
export type ColumnSection = keyof typeof columnTables;
export type ColumnTable = (typeof columnTables)[ColumnSection];

export interface AttachedDataMapping {
  /** G_USERDATA_HISTORY. A name and source stands here once. */
  readonly public: readonly HistoryKey[];
  /** G_SECURE_USERDATA_HISTORY; a key may stand in both. */
  readonly secure: readonly HistoryKey[];
  readonly columns: readonly ColumnKey[];
  /** adata-userdata-history: of keys in UserData that stand nowhere above, in G_USERDATA_HISTORY. */
  readonly otherKeys: KeyHistory;
  /** max-userdata-length: what is longer is cut, characters. */
  readonly valueLengthMax: number;
}

/** Nothing is ever stored by it. */
export function isEmptyMapping({ public: open, secure, columns, otherKeys }: AttachedDataMapping): boolean {
  return open.length === 0 && secure.length === 0 && columns.length === 0 && otherKeys === "none";
}
