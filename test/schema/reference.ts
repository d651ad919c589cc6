// An extract of the reference that the contract is held against, so that the tests run on a clean checkout. Where the
// whole reference is at hand, reference.test.ts holds the extract against it.

import extract from "../fixture/idb-reference.json" with { type: "json" };

export interface ReferenceColumn {
  readonly name: string;
  /** integer, bigint, timestamp, varchar(50), numeric(16) … */
  readonly type: string;
  readonly pk: boolean;
  readonly required: boolean;
  readonly inferred: boolean;
}

export const reference: {
  /** All tables of the reference's two lists for voice and agents. */
  readonly tablesListed: readonly string[];
  readonly tables: Readonly<Record<string, readonly ReferenceColumn[]>>;
  readonly dictionaries: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly tlib: {
    readonly TDNRole: Readonly<Record<string, number>>;
    readonly TCallState: Readonly<Record<string, number>>;
    readonly messages: Readonly<Record<string, number>>;
  };
} = extract;
