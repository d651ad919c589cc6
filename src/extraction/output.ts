// Where extracted calls and login sessions go. All three kinds of output have the same book (idb/extract-store.ts), and write within its
// transactions: `write` and `withdraw` any number of times, then `sync`, then the book is committed.

import type { ExtractStore } from "../idb/extract-store.ts";
import type { SubjectName } from "../idb/stored-subject.ts";
import type { SessionRow } from "./copy.ts";
import type { HandedSubject } from "./handed-subject.ts";

export interface Output {
  readonly store: ExtractStore;
  /** What an earlier revision said of it is replaced. `copies`: by their places. */
  write(subject: HandedSubject, copies: readonly OutputCopy[]): void;
  /** It is not part of the record any more. */
  withdraw(subject: SubjectName, revision: number, reason: string): void;
  /** Data source sessions that rows refer to by GSYS_DOMAIN; those that are new or have changed. */
  putSessions(sessions: readonly SessionRow[]): void;
  /** What was written is on disk as far as it is not in the book itself, and the book knows how much it is. */
  sync(): void;
  /** Closes everything, the book too. */
  close(): void;
}

/** A copy as rows name it. */
export interface OutputCopy {
  /** ICON_EXTRACT_COPY.ID */
  readonly id: number;
  readonly idbId: string;
}
