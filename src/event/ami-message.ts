// One message of Asterisk's manager interface, decoded: what the protocol reads and the projection works from.

import { instantMsMax, type SourceInstant, sourceInstant } from "./instant.ts";

/** The header lines of one message, in order. Names are compared without regard to case; repeated names are all kept. */
export class AmiFields {
  readonly entries: readonly (readonly [name: string, value: string])[];
  #byName: Map<string, string> | undefined;

  constructor(entries: readonly (readonly [name: string, value: string])[]) {
    this.entries = entries;
  }

  /** The first value under this name; undefined when the message does not have it. An empty value is "". */
  get(name: string): string | undefined {
    if (this.#byName === undefined) {
      this.#byName = new Map();
      for (const [each, value] of this.entries) {
        const key = each.toLowerCase();
        if (!this.#byName.has(key)) this.#byName.set(key, value);
      }
    }
    return this.#byName.get(name.toLowerCase());
  }

  /** Every value under this name, in order: `Output`, `Variable` and others come several times. */
  all(name: string): readonly string[] {
    const key = name.toLowerCase();
    return this.entries.filter(([each]) => each.toLowerCase() === key).map(([, value]) => value);
  }
}

export interface AmiEvent {
  readonly kind: "event";
  readonly name: string;
  readonly fields: AmiFields;
}

export interface AmiResponse {
  readonly kind: "response";
  /** The word after `Response:` is Success, Follows, Goodbye or Pong. */
  readonly success: boolean;
  readonly actionId: string | null;
  readonly fields: AmiFields;
}

export type AmiMessage =
  | AmiEvent
  | AmiResponse
  /** The line with which the manager greets a connection. */
  | { readonly kind: "banner"; readonly text: string }
  | { readonly kind: "undecodable"; readonly reason: string };

/**
 * When the source says that this happened: `Timestamp`, seconds since 1970 with a fraction. Null when the message has
 * none (lines of lists, most responses, a manager without `timestampevents`) or none that is a time.
 */
export function timestampOf(message: AmiMessage): SourceInstant | null {
  if (message.kind !== "event" && message.kind !== "response") return null;
  const text = message.fields.get("Timestamp");
  if (text === undefined || !/^\d{1,12}(\.\d{1,9})?$/.test(text)) return null;
  const ms = Number(text) * 1000;
  return ms <= instantMsMax ? sourceInstant(ms) : null;
}
