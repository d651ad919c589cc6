// What a comparison has found, counted as it goes on: totals, and the first of each kind by name.

import type { FamilyName } from "../../schema/life.ts";
import type { CopyIdentity, Stretch } from "./copy.ts";
import type { NotComparedReason, SubjectDifference, SubjectVerdict } from "./subject-comparison.ts";
import type { DifferentWindow, NotCompared, WindowComparison } from "./window-comparison.ts";

/** Copies are named by their place in `copies`, from 0. */
export interface Comparison {
  readonly copies: readonly (CopyIdentity & { readonly name: string })[];
  /** Null: none of the copies knows of any time. */
  readonly stretch: Stretch | null;
  /** "equal": as far as it was compared. "nothing compared": no window that two copies vouch for. */
  readonly result: "equal" | "different" | "nothing compared";
  readonly windows: {
    readonly compared: number;
    readonly different: number;
    readonly listed: readonly DifferentWindow[];
    /** Windows in which some copy could not be held against the others. */
    readonly notCompared: number;
    /** Of these, windows that some copy may yet tell of. */
    readonly notYetKnown: number;
    readonly notComparedListed: readonly NotCompared[];
  };
  readonly calls: FamilyComparison & {
    readonly listed: readonly ({ readonly callId: string } & Omit<SubjectDifference, "key">)[];
    readonly paired: readonly LocalPair[];
  };
  readonly loginSessions: FamilyComparison & {
    readonly listed: readonly ({ readonly loginSessionId: string } & Omit<SubjectDifference, "key">)[];
  };
  /** What was read of all copies together: the measure of what a comparison costs. */
  readonly read: {
    readonly ledgerRows: number;
    readonly calls: number;
    readonly callRows: number;
    readonly loginSessions: number;
    readonly loginSessionRows: number;
  };
}

export interface FamilyComparison {
  readonly read: SubjectsRead;
  readonly compared: number;
  readonly different: number;
  readonly notCompared: Readonly<Partial<Record<NotComparedReason, number>>>;
}

/** Which calls and login sessions were read. */
export type SubjectsRead = "all" | "where windows differ or rows are in doubt";

/** A call under a key that one copy made up, and which call of another copy it is. */
export interface LocalPair {
  readonly copy: number;
  readonly callId: string;
  readonly other: number;
  readonly otherCallId: string;
  /** Columns of G_CALL in which the two differ. */
  readonly columns: readonly string[];
}

interface FamilyTally {
  compared: number;
  different: number;
  readonly listed: SubjectDifference[];
  readonly notCompared: Partial<Record<NotComparedReason, number>>;
  subjectsRead: number;
  rowsRead: number;
}

function newTally(): FamilyTally {
  return { compared: 0, different: 0, listed: [], notCompared: {}, subjectsRead: 0, rowsRead: 0 };
}

export class ComparisonTally {
  readonly #listedMax: number;
  #windowsCompared = 0;
  #windowsDifferent = 0;
  #windowsNotCompared = 0;
  #windowsNotYetKnown = 0;
  readonly #windows: DifferentWindow[] = [];
  readonly #notCompared: NotCompared[] = [];
  readonly #families: Readonly<Record<FamilyName, FamilyTally>> = { call: newTally(), "login session": newTally() };
  readonly #pairs: LocalPair[] = [];
  #ledgerRows = 0;

  /** `listedMax`: of each kind. */
  constructor(listedMax: number) {
    this.#listedMax = listedMax;
  }

  addWindows({ compared, different, notCompared }: WindowComparison): void {
    this.#windowsCompared += compared;
    this.#windowsDifferent += different.length;
    for (const { windows, because } of notCompared) {
      this.#windowsNotCompared += windows;
      if (because.some(({ reason }) => reason === "unknown")) this.#windowsNotYetKnown += windows;
    }
    this.#list(this.#windows, different);
    this.#list(this.#notCompared, notCompared);
  }

  addVerdict(family: FamilyName, verdict: SubjectVerdict): void {
    const tally = this.#families[family];
    if (verdict.kind === "not compared") {
      tally.notCompared[verdict.reason] = (tally.notCompared[verdict.reason] ?? 0) + 1;
      return;
    }
    tally.compared += 1;
    if (verdict.kind === "equal") return;
    tally.different += 1;
    this.#list(tally.listed, verdict.differences);
  }

  addPair(pair: LocalPair): void {
    this.#list(this.#pairs, [pair]);
  }

  addLedgerRead(rows: number): void {
    this.#ledgerRows += rows;
  }

  addRead(family: FamilyName, rows: number): void {
    this.#families[family].subjectsRead += 1;
    this.#families[family].rowsRead += rows;
  }

  comparison(about: Pick<Comparison, "copies" | "stretch"> & { readonly subjectsRead: SubjectsRead }): Comparison {
    const { call: calls, "login session": sessions } = this.#families;
    const isDifferent = this.#windowsDifferent + calls.different + sessions.different > 0;
    const isEmpty = this.#windowsCompared + calls.compared + sessions.compared === 0;
    const told = ({ compared, different, notCompared }: FamilyTally) => {
      return { read: about.subjectsRead, compared, different, notCompared };
    };
    return {
      copies: about.copies,
      stretch: about.stretch,
      result: isDifferent ? "different" : isEmpty ? "nothing compared" : "equal",
      windows: {
        compared: this.#windowsCompared,
        different: this.#windowsDifferent,
        listed: this.#windows,
        notCompared: this.#windowsNotCompared,
        notYetKnown: this.#windowsNotYetKnown,
        notComparedListed: this.#notCompared,
      },
      calls: {
        ...told(calls),
        listed: calls.listed.map(({ key, ...difference }) => ({ callId: key, ...difference })),
        paired: this.#pairs,
      },
      loginSessions: {
        ...told(sessions),
        listed: sessions.listed.map(({ key, ...difference }) => ({ loginSessionId: key, ...difference })),
      },
      read: {
        ledgerRows: this.#ledgerRows,
        ...{ calls: calls.subjectsRead, callRows: calls.rowsRead },
        ...{ loginSessions: sessions.subjectsRead, loginSessionRows: sessions.rowsRead },
      },
    };
  }

  #list<Item>(listed: Item[], found: readonly Item[]): void {
    listed.push(...found.slice(0, Math.max(0, this.#listedMax - listed.length)));
  }
}
