// A copy that is a file of this host: an IDB that nobody writes any more, or one that an instance writes right now.
//
// 1. The file is opened anew for each question, so a rebuilt IDB put in its place is seen, and no question holds it back.
// 2. A question about calls or login sessions goes page by page; a page is read in one short transaction and handed out when that is over,
//    so a slow reader never holds the instance's WAL.
// 3. A file without a WAL is read as if nobody could write it; when a writer came meanwhile, the page is read again.

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { FamilyName } from "../../schema/life.ts";
import { countWindows } from "../idb/count-windows.ts";
import { IdbDamagedError, IdbNotOursError, IdbTooNewError, IdbUnavailableError } from "../idb/error.ts";
import { isExtract } from "../idb/extract-store.ts";
import type { Place } from "../idb/find-subjects.ts";
import { readCopyIdentity, readSchemaVersion } from "../idb/read-copy-identity.ts";
import { readLedger } from "../idb/read-ledger.ts";
import { type PlacedSubject, readSubjects, type SubjectsAsked } from "../idb/read-subjects.ts";
import { openReading, type Reading } from "../idb/reading.ts";
import { inReadTransaction } from "../idb/row-reader.ts";
import {
  type Copy,
  CopyError,
  type CopyIdentity,
  type Ledger,
  type LedgerQuestion,
  type Subject,
  type SubjectsQuestion,
} from "./copy.ts";
import { ledgerProblem } from "./ledger-check.ts";
import { subjectProblem } from "./subject-check.ts";

/** The first schema with coverage and digests: without them nothing can be said about completeness. */
const ledgerVersionMin = 4;

/** The first schema with every table of the families. */
const subjectsVersionMin = 7;

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

  async *subjects(family: FamilyName, question: SubjectsQuestion): AsyncIterable<Subject> {
    for await (const { subject } of this.placedSubjects({ family, question, after: null })) yield subject;
  }

  /** As `subjects`, those behind `after` only, each with where it stands: to go on from there another time. */
  async *placedSubjects(asked: SubjectsAsked): AsyncGenerator<PlacedSubject> {
    const { after } = asked;
    let reading = this.#open(subjectsVersionMin);
    let pages = readSubjects(reading.database, this.#path, asked);
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
          reading = this.#open(subjectsVersionMin);
          pages = readSubjects(reading.database, this.#path, asked);
          continue;
        }
        if (page.done === true) return;
        for (const placed of page.value) {
          if (last !== null && !isAfter(placed.place, last)) continue;
          last = placed.place;
          this.#refuse(subjectProblem(placed.subject));
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

  #open(versionMin = ledgerVersionMin): Reading {
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
        inReadTransaction(reading.database, this.#doing, () => this.#checkVersion(reading, versionMin));
        return reading;
      } catch (error) {
        reading.close();
        throw error;
      }
    });
  }

  #checkVersion({ database }: Reading, versionMin: number): void {
    if (isExtract(database)) {
      throw new CopyError(
        "lasting",
        `${this.#doing}: it is an output of icon extract, which has no ledger to be judged by; expected the IDB of an instance`,
      );
    }
    const version = readSchemaVersion(database, this.#path);
    if (version >= versionMin) return;
    throw new CopyError(
      "lasting",
      `${this.#doing}: its schema version is ${version}, expected ${versionMin} or later, ` +
        `which ${versionMin === ledgerVersionMin ? "says what the IDB has every event of" : "has all of the tables that are read"}. ` +
        "Start the instance of this version once on it, or make it anew from the persistent queue with icon rebuild",
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
function isAfter(one: Place, other: Place): boolean {
  if (one.seconds !== other.seconds) return one.seconds > other.seconds;
  if (one.created !== other.created) return one.created > other.created;
  return one.key > other.key;
}
