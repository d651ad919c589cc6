// What is asked of an instance's IDB over HTTP, and how the process that reads it is told.

import type { LedgerQuestion, Stretch } from "../extraction/copy.ts";
import type { SubjectsAsked } from "../idb/read-subjects.ts";

export type Question =
  /** Answered as NDJSON, see src/extraction/copy-lines.ts. */
  | { readonly what: "identity" }
  | { readonly what: "ledger"; readonly ledger: LedgerQuestion }
  /** `after`: what comes behind that one; null: from the first. */
  | ({ readonly what: "subjects" } & SubjectsAsked)
  /** Answered as JSON; of the own IDB and, where one is configured, the peer's. `source`: its name; null: all. */
  | { readonly what: "availability" | "windows"; readonly stretch: Stretch; readonly source: string | null }
  /** UTC seconds. */
  | { readonly what: "explain"; readonly at: number }
  /** How far another copy holds what this one has, up to this time, UTC milliseconds: see purge-held.ts. */
  | {
      readonly what: "purge";
      readonly before: number;
      readonly isEvenIfOnlyCopy: boolean;
      readonly by: "command" | "schedule";
    }
  /** For the page: see pair.ts. */
  | { readonly what: "pair"; readonly stretch: Stretch; readonly sources: readonly NamedSource[] };

/** A source as the configuration names it. */
export interface NamedSource {
  readonly name: string;
  /** DBID of the pair's primary server. */
  readonly cluster: number;
  readonly switchDbid: number;
}

/** Where the other instance is; paths of files, never what is in them. */
export interface Peer {
  readonly origin: string;
  readonly tokenFile: string | null;
  readonly caFile: string | null;
}

/** The first line of the child's standard input. */
export interface Errand {
  readonly question: Question;
  /** Of the instance that asks; it stands in what is told of its copy. */
  readonly instanceName: string;
  readonly idbPath: string;
  readonly peer: Peer | null;
}

/** The first line of the child's standard output; behind it comes the answer as it is passed on. */
export type Heading =
  | { readonly contentType: string }
  | { readonly refused: string; readonly kind: "passing" | "lasting" };
