// A copy that is a file of this host: an IDB that nobody writes any more, or one that an instance writes right now.
//
// 1. The file is opened anew for each question, so a rebuilt IDB put in its place is seen, and no question holds it back.
// 2. A question about calls goes page by page; a page is read in one short transaction and handed out when that is over,
//    so a slow reader never holds the instance's WAL.
// 3. A file without a WAL is read as if nobody could write it; when a writer came meanwhile, the page is read again.

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { countWindows } from "../idb/count-windows.ts";
import { IdbDamagedError, IdbNotOursError, IdbTooNewError, IdbUnavailableError } from "../idb/error.ts";
import { isExtract } from "../idb/extract-store.ts";
import type { CallPlace } from "../idb/find-calls.ts";
import { type PlacedCall, readCalls } from "../idb/read-calls.ts";
import { readCopyIdentity, readSchemaVersion } from "../idb/read-copy-identity.ts";
import { readLedger } from "../idb/read-ledger.ts";
import { openReading, type Reading } from "../idb/reading.ts";
import { inReadTransaction } from "../idb/row-reader.ts";
import { callProblem } from "./call-check.ts";
import {
  type CallsQuestion,
  type Copy,
  CopyError,
  type CopyIdentity,
  type Ledger,
  type LedgerQuestion,
  type WholeCall,
} from "./copy.ts";
import { ledgerProblem } from "./ledger-check.ts";

/** The first schema with coverage and digests: without them nothing can be said about completeness. */
const schemaVersionMin = 4;

// A writer that appears while we read a file that we took for unused is met by reading again.
const attemptsMax = 3;

// A writer that checkpoints makes a reader wait for moments only.
const busyTimeoutMs = 2000;

export class IdbCopy implements Copy {
  readonly name: string;
  readonly #path: string;

  /** `name` is the IDB file, or a data directory with an idb.db in it. Nothing is opened before the first question. */
  constructor(name: string) {
    this.name = name;
    const isDirectory = statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
    this.#path = isDirectory ? join(name, "idb.db") : name;
  }

  /** The file itself. */
  get path(): string {
    return this.#path;
  }

  async identity(): Promise<CopyIdentity> {
    return this.#ask(({ database }) =>
      inReadTransaction(database, this.#doing, () => readCopyIdentity(database, this.#path)),
    );
  }

  async ledger(question: LedgerQuestion): Promise<Ledger> {
    const ledger = this.#ask(({ database }) => readLedger(database, this.#path, question));
    this.#refuse(ledgerProblem(ledger));
    return ledger;
  }

  /** How many windows the ledger has for this question; `atMost` + 1: more than that. */
  async countWindows(question: LedgerQuestion, atMost: number): Promise<number> {
    return this.#ask(({ database }) => countWindows(database, this.#path, question, atMost));
  }

  async *calls(question: CallsQuestion): AsyncIterable<WholeCall> {
    for await (const { call } of this.placedCalls(question, null)) yield call;
  }

  /** As `calls`, those behind `after` only, each with where it stands: to go on from there another time. */
  async *placedCalls(question: CallsQuestion, after: CallPlace | null): AsyncGenerator<PlacedCall> {
    let reading = this.#open();
    let pages = readCalls(reading.database, this.#path, question, after);
    let last = after;
    let attempts = 1;
    try {
      for (;;) {
        const page = this.#named(() => pages.next());
        if (!reading.isStill()) {
          // What was told before is from a file that nobody had touched; only this page is in doubt.
          if (attempts === attemptsMax) throw this.#replaced();
          attempts += 1;
          reading.close();
          reading = this.#open();
          pages = readCalls(reading.database, this.#path, question, after);
          continue;
        }
        if (page.done === true) return;
        for (const placed of page.value) {
          if (last !== null && !isAfter(placed.place, last)) continue;
          last = placed.place;
          this.#refuse(callProblem(placed.call));
          yield placed;
        }
      }
    } finally {
      reading.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open between questions.
  }

  get #doing(): string {
    return `Cannot read IDB "${this.#path}"`;
  }

  #ask<Answer>(question: (reading: Reading) => Answer): Answer {
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      const reading = this.#open();
      try {
        const answer = this.#named(() => question(reading));
        if (reading.isStill()) return answer;
      } catch (error) {
        if (reading.isStill()) throw error;
      } finally {
        reading.close();
      }
    }
    throw this.#replaced();
  }

  #open(): Reading {
    if (!existsSync(this.#path)) {
      throw new CopyError(
        "passing",
        `${this.#doing}: there is no such file; expected an IDB file, a data directory, or the http(s) address of an instance`,
      );
    }
    return this.#named(() => {
      const reading = openReading(this.#path);
      try {
        reading.database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
        inReadTransaction(reading.database, this.#doing, () => this.#checkVersion(reading));
        return reading;
      } catch (error) {
        reading.close();
        throw error;
      }
    });
  }

  #checkVersion({ database }: Reading): void {
    if (isExtract(database)) {
      throw new CopyError(
        "lasting",
        `${this.#doing}: it is an output of icon extract, which has no ledger to be judged by; expected the IDB of an instance`,
      );
    }
    const version = readSchemaVersion(database, this.#path);
    if (version >= schemaVersionMin) return;
    throw new CopyError(
      "lasting",
      `${this.#doing}: its schema version is ${version}, expected ${schemaVersionMin} or later, which says what the IDB has ` +
        "every event of. Start the instance of this version once on it, or make it anew from the persistent queue with icon rebuild",
    );
  }

  #refuse(problem: string | null): void {
    if (problem !== null) throw new CopyError("lasting", `${this.#doing}: ${problem}; make it anew with icon rebuild`);
  }

  #replaced(): CopyError {
    return new CopyError("passing", `${this.#doing}: it was replaced ${attemptsMax} times while it was read`);
  }

  /** Errors of the file as errors of the copy. */
  #named<Answer>(act: () => Answer): Answer {
    try {
      return act();
    } catch (error) {
      if (error instanceof IdbUnavailableError) throw new CopyError("passing", error.message, { cause: error });
      if (error instanceof IdbDamagedError || error instanceof IdbNotOursError || error instanceof IdbTooNewError) {
        throw new CopyError("lasting", error.message, { cause: error });
      }
      throw error;
    }
  }
}

/** Without the row's id: another file may have come in the place of the first. */
function isAfter(one: CallPlace, other: CallPlace): boolean {
  if (one.seconds !== other.seconds) return one.seconds > other.seconds;
  if (one.created !== other.created) return one.created > other.created;
  return one.callId > other.callId;
}
