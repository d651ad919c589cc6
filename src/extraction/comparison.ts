// What a comparison has found, counted as it goes on: totals, and the first of each kind by name.

import type { CallDifference, CallVerdict, NotComparedReason } from "./call-comparison.ts";
import type { CopyIdentity, Stretch } from "./copy.ts";
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
  readonly calls: {
    readonly read: CallsRead;
    readonly compared: number;
    readonly different: number;
    readonly listed: readonly CallDifference[];
    readonly notCompared: Readonly<Partial<Record<NotComparedReason, number>>>;
    readonly paired: readonly LocalPair[];
  };
  /** What was read of all copies together: the measure of what a comparison costs. */
  readonly read: { readonly ledgerRows: number; readonly calls: number; readonly callRows: number };
}

/** Which calls were read. */
export type CallsRead = "all" | "where windows differ or rows are in doubt";

/** A call under a key that one copy made up, and which call of another copy it is. */
export interface LocalPair {
  readonly copy: number;
  readonly callId: string;
  readonly other: number;
  readonly otherCallId: string;
  /** Columns of G_CALL in which the two differ. */
  readonly columns: readonly string[];
}

export class ComparisonTally {
  readonly #listedMax: number;
  #windowsCompared = 0;
  #windowsDifferent = 0;
  #windowsNotCompared = 0;
  #windowsNotYetKnown = 0;
  readonly #windows: DifferentWindow[] = [];
  readonly #notCompared: NotCompared[] = [];
  #callsCompared = 0;
  #callsDifferent = 0;
  readonly #calls: CallDifference[] = [];
  readonly #callsNotCompared: Partial<Record<NotComparedReason, number>> = {};
  readonly #pairs: LocalPair[] = [];
  #ledgerRows = 0;
  #callsRead = 0;
  #callRows = 0;

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

  addCall(verdict: CallVerdict): void {
    if (verdict.kind === "not compared") {
      this.#callsNotCompared[verdict.reason] = (this.#callsNotCompared[verdict.reason] ?? 0) + 1;
      return;
    }
    this.#callsCompared += 1;
    if (verdict.kind === "equal") return;
    this.#callsDifferent += 1;
    this.#list(this.#calls, verdict.differences);
  }

  addPair(pair: LocalPair): void {
    this.#list(this.#pairs, [pair]);
  }

  addRead(read: { readonly ledgerRows?: number; readonly calls?: number; readonly callRows?: number }): void {
    this.#ledgerRows += read.ledgerRows ?? 0;
    this.#callsRead += read.calls ?? 0;
    this.#callRows += read.callRows ?? 0;
  }

  comparison(about: Pick<Comparison, "copies" | "stretch"> & { readonly callsRead: CallsRead }): Comparison {
    const isDifferent = this.#windowsDifferent > 0 || this.#callsDifferent > 0;
    const isEmpty = this.#windowsCompared === 0 && this.#callsCompared === 0;
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
        read: about.callsRead,
        compared: this.#callsCompared,
        different: this.#callsDifferent,
        listed: this.#calls,
        notCompared: this.#callsNotCompared,
        paired: this.#pairs,
      },
      read: { ledgerRows: this.#ledgerRows, calls: this.#callsRead, callRows: this.#callRows },
    };
  }

  #list<Item>(listed: Item[], found: readonly Item[]): void {
    listed.push(...found.slice(0, Math.max(0, this.#listedMax - listed.length)));
  }
}
