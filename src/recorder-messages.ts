// What the main thread and the recorder's Worker say to each other.

import type { PurgeStatus } from "./idb/purging.ts";
import type { WalBlock } from "./idb/wal-growth.ts";
import type { IdbMark } from "./idb-loss.ts";
import type { LogFields, LogLevel } from "./log.ts";
import type { Deaths, ProjectorStatus } from "./projector.ts";

export interface RecorderOptions {
  readonly queueDirectory: string;
  readonly idbPath: string;
  readonly windowSeconds: number;
  /** What the IDB's WAL may grow to; see idb/wal-growth.ts. */
  readonly walLimitBytes: number;
  readonly logLevel: LogLevel;
  readonly instanceName: string;
  /** The memory of a PublishedPosition. */
  readonly published: BigInt64Array;
  /** How many Workers in a row began at this applied position and died before they had applied anything. */
  readonly deaths: Deaths;
  /** Up to here the queue had records when the process started. */
  readonly durableAtStart: bigint;
  /** The Worker before this one said that the IDB is lost. */
  readonly isIdbLost: boolean;
}

/** What the main thread says. */
export type ToRecorder =
  | { readonly kind: "open"; readonly options: RecorderOptions }
  /** Wakes: the position is in `published`. */
  | { readonly kind: "durable" }
  /** Somebody who looked through the IDB of this inode found it damaged. */
  | { readonly kind: "distrust"; readonly inode: number; readonly reason: string }
  | { readonly kind: "log level"; readonly level: LogLevel }
  | { readonly kind: "stop" };

/** What the recorder says. */
export type FromRecorder =
  | { readonly kind: "report"; readonly report: RecorderReport }
  /** A warning or an error that it has logged, for the page. */
  | {
      readonly kind: "trouble";
      readonly level: "warn" | "error";
      readonly sentence: string;
      readonly fields: LogFields;
    }
  /** What readers should know of the IDB, for the persistent queue. */
  | { readonly kind: "mark"; readonly mark: IdbMark }
  /** The IDB is open. */
  | { readonly kind: "opened" }
  | { readonly kind: "stopped" }
  /** Something failed that a fresh start may mend. */
  | { readonly kind: "died"; readonly reason: string }
  /** A promise of ours is broken, or the IDB is not one that may be written: the process has to end. */
  | { readonly kind: "fatal"; readonly reason: string; readonly exitCode: number };

export interface RecorderReport extends ProjectorStatus {
  readonly state: "opening" | "open" | "unavailable";
  readonly idbBytes: number;
  readonly walBytes: number;
  /** A reader keeps the WAL from being moved into the IDB; null: none does. */
  readonly walBlock: WalBlock | null;
  readonly commits: number;
  readonly rowsWritten: number;
  readonly lastCommitAt: number | null;
  readonly lastRowAt: number | null;
  /** The IDB is locked by somebody else, not full or away. */
  readonly isBusy: boolean;
  /** This run of the program began with an IDB that had no rows while the queue had records. */
  readonly isRebuilding: boolean;
  readonly trouble: string | null;
  readonly purge: PurgeStatus;
}
