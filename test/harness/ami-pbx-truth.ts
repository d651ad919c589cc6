// What was really so on the Asterisk that is not there: its calls and parties, as whoever knows telephony would put it.

import { callTypes, ccEventCauses, mergeTypes } from "../../schema/dictionary.ts";

export type TrueState = "queued" | "dialing" | "alerting" | "connected" | "hold";

export interface TrueParty {
  /** What stays the same when it goes on in another call. */
  readonly person: string;
  readonly dn: string;
  call: string;
  readonly parent: string | null;
  readonly states: [state: TrueState, at: number][];
  endedAt: number | null;
  cause: number | null;
  /** The manager's lists name it. */
  readonly isListed: boolean;
}

export interface TrueCall {
  readonly id: string;
  readonly type: number;
  readonly parent: string | null;
  readonly createdAt: number;
  endedAt: number | null;
  merged: { readonly into: string; readonly type: number } | null;
  transfers: number;
  conferences: number;
}

export class Truth {
  readonly calls = new Map<string, TrueCall>();
  readonly parties: TrueParty[] = [];

  call(id: string, type: keyof typeof callTypes, at: number, parent: string | null = null): string {
    const call = { id, type: callTypes[type], parent, createdAt: at, endedAt: null, merged: null };
    this.calls.set(id, { ...call, transfers: 0, conferences: 0 });
    return id;
  }

  /** `parent`: DN and link, as the rows have it; null: none. */
  begin(
    call: string,
    dn: string,
    state: TrueState,
    at: number,
    {
      person = `${call} ${dn} ${at}`,
      parent = null,
      isListed = true,
    }: { readonly person?: string; readonly parent?: string | null; readonly isListed?: boolean } = {},
  ): TrueParty {
    const party: TrueParty = { person, dn, call, parent, states: [[state, at]], endedAt: null, cause: null, isListed };
    this.parties.push(party);
    return party;
  }

  turn(party: TrueParty, state: TrueState, at: number): void {
    if (party.endedAt === null && party.states.at(-1)?.[0] !== state) party.states.push([state, at]);
  }

  end(party: TrueParty, at: number, cause: keyof typeof ccEventCauses = "ok"): void {
    if (party.endedAt !== null) return;
    party.endedAt = at;
    party.cause = ccEventCauses[cause];
  }

  endCall(id: string, at: number): void {
    const call = this.calls.get(id);
    if (call !== undefined) call.endedAt ??= at;
  }

  /** The party goes on in another call, as what it is; returns what it is there. */
  move(party: TrueParty, into: string, at: number, by: "transfer" | "conference"): TrueParty {
    const state = party.states.at(-1)?.[0] ?? "connected";
    const isTransfer = by === "transfer";
    this.end(party, at, isTransfer ? "transferred" : "conferenced");
    const parent = `${party.dn} ${isTransfer ? "transferred" : "conferenced"}`;
    return this.begin(into, party.dn, state, at, { person: party.person, parent });
  }

  merge(from: string, into: string, at: number, by: "transfer" | "conference"): void {
    const call = this.calls.get(from);
    if (call === undefined) return;
    call.merged = { into, type: by === "transfer" ? mergeTypes.transferred : mergeTypes.conferenced };
    this.endCall(from, at);
  }

  count(call: string, what: "transfers" | "conferences"): void {
    const known = this.calls.get(call);
    if (known !== undefined) known[what] += 1;
  }
}
