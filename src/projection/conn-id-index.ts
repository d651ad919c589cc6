// Which open calls have a ConnID: the name by which a consultation tells what it came from, and a party that moved where
// it was. A server gives a ConnID to one call at a time; after its restart an older call may still be open under the same.

import type { CallId } from "../event/happening.ts";
import type { Call } from "./call.ts";

export class ConnIdIndex {
  readonly #callIds = new Map<string, readonly CallId[]>();

  clear(): void {
    this.#callIds.clear();
  }

  /** A call as it was and as it is now; undefined: not open. */
  replace(before: Call | undefined, after: Call | undefined): void {
    // Nearly always: a call changes with each of its events, and keeps its name.
    if (before?.connId === after?.connId && before?.source === after?.source) return;
    const [from, to] = [keyOf(before), keyOf(after)];
    if (from !== null && before !== undefined) {
      const rest = this.#of(from).filter((callId) => callId !== before.callId);
      if (rest.length === 0) this.#callIds.delete(from);
      else this.#callIds.set(from, rest);
    }
    if (to !== null && after !== undefined) this.#callIds.set(to, [...this.#of(to), after.callId]);
  }

  find(source: string, connId: string): readonly CallId[] {
    return this.#of(`${source}/${connId}`);
  }

  #of(key: string): readonly CallId[] {
    return this.#callIds.get(key) ?? [];
  }
}

function keyOf(call: Call | undefined): string | null {
  return call === undefined || call.connId === null ? null : `${call.source}/${call.connId}`;
}

/** The newest, and of several as new always the same one, whatever the order in which they were put back. */
export function newestCall(calls: readonly Call[]): Call | undefined {
  const inOrder = [...calls].sort((a, b) => b.createdAt - a.createdAt || (a.callId < b.callId ? -1 : 1));
  return inOrder[0];
}
