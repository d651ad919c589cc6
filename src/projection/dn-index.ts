// Which open calls a DN of the switch is on: an agent who logs in while on a call is busy.

import type { CallId } from "../event/happening.ts";
import type { Call } from "./call.ts";
import { isInside } from "./party.ts";

export class DnIndex {
  readonly #callIds = new Map<string, Set<CallId>>();

  clear(): void {
    this.#callIds.clear();
  }

  /** A call as it was and as it is now; undefined: not open. */
  replace(before: Call | undefined, after: Call | undefined): void {
    if (before?.parties === after?.parties) return;
    const was = dnsOf(before);
    const is = dnsOf(after);
    for (const key of was) if (before !== undefined && !is.has(key)) this.#remove(key, before.callId);
    for (const key of is) if (after !== undefined && !was.has(key)) this.#add(key, after.callId);
  }

  /** In the order of the CALLIDs, whatever the order in which they were put back. */
  find(source: string, dn: string): readonly CallId[] {
    return [...(this.#callIds.get(`${source}/${dn}`) ?? [])].sort();
  }

  #add(key: string, callId: CallId): void {
    const known = this.#callIds.get(key);
    if (known === undefined) this.#callIds.set(key, new Set([callId]));
    else known.add(callId);
  }

  #remove(key: string, callId: CallId): void {
    const known = this.#callIds.get(key);
    known?.delete(callId);
    if (known?.size === 0) this.#callIds.delete(key);
  }
}

function dnsOf(call: Call | undefined): ReadonlySet<string> {
  const dns = new Set<string>();
  if (call !== undefined) {
    for (const party of Object.values(call.parties)) if (isInside(party)) dns.add(`${call.source}/${party.dn}`);
  }
  return dns;
}
