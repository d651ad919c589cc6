// Of the oracle "observable" the part about what goes with a call: which attached data and which stays in virtual queues
// one client could know of. As for calls, only what was delivered counts.
//
// 1. Attached data change with EventAttachedDataChanged, and are there from the first event of the call on.
// 2. What a snapshot tells otherwise than was known has changed unseen, at some time since what was surely heard before.
// 3. A stay that a snapshot does not name has ended unseen.

import { attachmentsFrom } from "./attachment.ts";
import { type CallDetail, type StoryValue, storyData, storyValue } from "./call-detail.ts";
import type { EndedUnseen } from "./observable.ts";
import type { StoryFile } from "./story-file.ts";
import type { Call, CallFacts, SwitchEvent, UserData } from "./switch-event.ts";

/** What a snapshot told of one call beside its parties. */
export interface PresentDetail {
  readonly call: CallFacts;
  readonly userData: UserData;
  readonly virtualStays: readonly { readonly dn: string; readonly vqid: string; readonly from: number }[];
}

type Told = CallDetail["attached"][number];
type Stay = CallDetail["virtualStays"][number];

/** One line of the observable details file: as in truth, with what is known only in part marked. */
export interface ObservedDetail {
  readonly connId: string;
  /** With `unseen`: found so in a snapshot, changed within these bounds; `at` and who did it are not known. */
  readonly attached: (Told | (Omit<Told, "at"> & { readonly at: null; readonly unseen: EndedUnseen }))[];
  userData: { readonly [key: string]: StoryValue };
  readonly virtualStays: (Stay & { readonly seen?: "snapshot"; readonly endedUnseen?: EndedUnseen })[];
  /** The call was first heard of in a snapshot. */
  readonly seen?: "snapshot";
}

interface Open {
  readonly detail: ObservedDetail;
  data: UserData;
}

export class ObservedDetails {
  readonly #file: StoryFile;
  /** By ConnID, which the simulated switch never gives out twice. */
  readonly #calls = new Map<string, Open>();

  constructor(file: StoryFile) {
    this.#file = file;
  }

  event({ id, atUs, call, party, words, userData }: SwitchEvent): void {
    if (call === null) return;
    const at = atUs / 1000;
    const known = this.#calls.get(call.connId);
    const open = known ?? this.#begin(call, {});
    if (known === undefined || id === "EventAttachedDataChanged") {
      const dn = known === undefined ? null : (party?.dn ?? null);
      const thirdPartyDn = known === undefined ? null : (words?.thirdParty?.dn ?? null);
      for (const { key, value } of attachmentsFrom(open.data, userData, { atUs, dn, thirdPartyDn })) {
        open.detail.attached.push({ at, key, value: value === null ? null : storyValue(value), dn, thirdPartyDn });
      }
      keep(open, userData);
    }
    const virtual = words?.virtual;
    const stays = open.detail.virtualStays;
    if (virtual !== undefined && id === "EventQueued") {
      stays.push({ ...virtual, from: at, to: null, endEvent: null, target: null });
    } else if (virtual !== undefined && (id === "EventDiverted" || id === "EventAbandoned")) {
      const index = stays.findIndex((stay) => stay.vqid === virtual.vqid && isOpen(stay));
      const stay = stays[index];
      if (stay !== undefined) stays[index] = { ...stay, to: at, endEvent: id, target: words?.thirdParty?.dn ?? null };
    }
    if (id === "EventCallDeleted") this.#end(call.connId);
  }

  snapshot(present: readonly PresentDetail[], unseen: EndedUnseen): void {
    const named = new Map(present.map((item) => [item.call.connId, item]));
    for (const [connId, { detail }] of [...this.#calls]) {
      const item = named.get(connId);
      endUnnamed(detail, item?.virtualStays ?? [], unseen);
      if (item === undefined) this.#end(connId);
    }
    for (const { call, userData, virtualStays } of present) {
      const open = this.#calls.get(call.connId) ?? this.#begin(call, { seen: "snapshot" });
      for (const { key, value } of attachmentsFrom(open.data, userData, { atUs: 0, dn: null, thirdPartyDn: null })) {
        const change = { key, value: value === null ? null : storyValue(value), dn: null, thirdPartyDn: null };
        open.detail.attached.push({ at: null, ...change, unseen });
      }
      keep(open, userData);
      const stays = open.detail.virtualStays;
      for (const stay of virtualStays) {
        if (stays.some(({ vqid }) => vqid === stay.vqid)) continue;
        stays.push({ ...stay, to: null, endEvent: null, target: null, seen: "snapshot" });
      }
    }
  }

  /** Writes what is still open, too. */
  close(): void {
    for (const connId of [...this.#calls.keys()]) this.#end(connId);
    this.#file.close();
  }

  #begin({ connId }: CallFacts, mark: Pick<ObservedDetail, "seen">): Open {
    const open: Open = { detail: { connId, attached: [], userData: {}, virtualStays: [], ...mark }, data: [] };
    this.#calls.set(connId, open);
    return open;
  }

  #end(connId: string): void {
    const open = this.#calls.get(connId);
    if (open === undefined) return;
    this.#file.write(open.detail);
    this.#calls.delete(connId);
  }
}

/** What a snapshot says of a call, taken now: the call goes on changing. */
export function presentDetail(call: Call): PresentDetail {
  const stays = call.virtualStays.filter(({ end }) => end === null);
  return {
    call,
    userData: call.userData,
    virtualStays: stays.map(({ dn, vqid, fromUs }) => ({ dn, vqid, from: fromUs / 1000 })),
  };
}

function keep(open: Open, userData: UserData): void {
  open.data = userData;
  open.detail.userData = storyData(userData);
}

function endUnnamed(detail: ObservedDetail, named: PresentDetail["virtualStays"], unseen: EndedUnseen): void {
  for (const [index, stay] of detail.virtualStays.entries()) {
    if (!isOpen(stay) || named.some(({ vqid }) => vqid === stay.vqid)) continue;
    detail.virtualStays[index] = { ...stay, endedUnseen: unseen };
  }
}

function isOpen({ to, endedUnseen }: ObservedDetail["virtualStays"][number]): boolean {
  return to === null && endedUnseen === undefined;
}
