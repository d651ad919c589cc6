// One call or one login session in the book of an extraction's output (extract-store.ts): as it was handed out last.

import { type FamilyName, families } from "../../schema/life.ts";
import { readJson } from "./row-reader.ts";

/** Names one call or one login session. */
export interface SubjectName {
  readonly family: FamilyName;
  readonly key: string;
}

export interface StoredSubject extends SubjectName {
  readonly revision: number;
  readonly createdTs: number;
  readonly endedTs: number | null;
  readonly sourceCluster: number | null;
  readonly switchDbid: number | null;
  readonly verdict: string;
  readonly isProven: boolean;
  /** JSON. */
  readonly reasons: string;
  /** JSON list of ICON_EXTRACT_COPY.ID. */
  readonly copies: string;
  readonly digest: string;
  /** Null: it is part of the record. */
  readonly withdrawn: string | null;
}

/** Where the book of each family is. */
export const books: Readonly<
  Record<FamilyName, { readonly table: string; readonly key: string; readonly columns: string }>
> = {
  call: book("ICON_EXTRACT_CALL", families.call.key),
  "login session": book("ICON_EXTRACT_LOGIN_SESSION", families["login session"].key),
};

function book(table: string, key: string) {
  const columns = `CAST(json_array(${key}, REVISION, CREATED_TS, ENDED_TS, SOURCE_CLUSTER, SWITCH_DBID, VERDICT,
    IS_PROVEN, REASONS, COPIES, DIGEST, WITHDRAWN) AS BLOB)`;
  return { table, key, columns };
}

export function storedSubject(family: FamilyName, bytes: Uint8Array): StoredSubject {
  const [key, revision, createdTs, endedTs, sourceCluster, switchDbid, verdict, isProven, ...rest] = readJson(
    bytes,
    books[family].table,
  ) as [string, number, number, number | null, number | null, number | null, string, number, ...string[]];
  const [reasons, copies, digest, withdrawn] = rest as [string, string, string, string | null];
  return {
    ...{ family, key, revision, createdTs, endedTs, sourceCluster, switchDbid, verdict, isProven: isProven === 1 },
    ...{ reasons, copies, digest, withdrawn },
  };
}
