// What the read API asks of the instance's IDB. The status side reads parameters and passes the answer on; it does not
// know who reads the IDB, and how.

/** UTC seconds by the sources' clocks; `from` is in it, `until` is not. */
export interface AskedStretch {
  readonly from: number;
  readonly until: number;
}

/** Where a call or a login session stands in an answer; opaque to who asks. */
export interface AskedPlace {
  readonly seconds: number;
  readonly created: string;
  readonly key: string;
  readonly id: number;
}

export type ReadQuestion =
  | { readonly what: "identity" }
  | {
      readonly what: "ledger";
      readonly ledger: { readonly stretch: AskedStretch; readonly changedAfter: number | null };
    }
  | {
      readonly what: "subjects";
      readonly family: "call" | "login session";
      readonly question: AskedSubjects;
      readonly after: AskedPlace | null;
    }
  | { readonly what: "availability" | "windows"; readonly stretch: AskedStretch; readonly source: string | null }
  | { readonly what: "explain"; readonly at: number };

export type AskedSubjects =
  | { readonly kind: "created" | "ended" | "alive"; readonly stretch: AskedStretch }
  | { readonly kind: "named"; readonly keys: readonly string[] };

export type ReadAnswer =
  | { readonly kind: "answer"; readonly contentType: string; readonly body: ReadableStream<Uint8Array> }
  /** Too many ask at once. */
  | { readonly kind: "busy"; readonly retryAfterSeconds: number }
  /** The IDB cannot be read, now or at all, or not in this measure; the reason is a sentence. */
  | { readonly kind: "refused"; readonly isPassing: boolean; readonly reason: string };

/** Reads the IDB elsewhere. Never rejects; `gone`: nobody waits for the answer any more. */
export type ReadIdb = (question: ReadQuestion, gone: AbortSignal) => Promise<ReadAnswer>;
