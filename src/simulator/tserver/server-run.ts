// One server run: from a start of the T-Server to its next restart. It numbers events from 1, keeps the last of them to
// send again, and can say at any event what is there now.

import type { LineWriter } from "./line.ts";
import type { Present, PresentParty } from "./observable.ts";
import { type PresentSession, presentSession } from "./observed-agents.ts";
import { type PresentDetail, presentDetail } from "./observed-details.ts";
import { ResendBuffer } from "./resend-buffer.ts";
import type { EventNumber, Party, Stretch, SwitchEvent } from "./switch-event.ts";
import type { Switchboard } from "./switchboard.ts";

export interface RunSetting {
  /** ISO 8601 in UTC; names the run. */
  readonly startTime: string;
  readonly resendEvents: number;
  readonly lines: LineWriter;
  readonly board: Switchboard;
  readonly hasCallUuid: boolean;
  /** Keep the events as values beside their bytes. */
  readonly keepsEvents: boolean;
}

export interface Snapshot {
  readonly lastSeq: number;
  readonly bytes: Uint8Array;
  readonly present: Present;
}

// Large enough that the socket is asked seldom, small enough that a client that resumes does not search long.
const blockEventsMax = 512;

const encoder = new TextEncoder();

export class ServerRun {
  readonly startTime: string;
  readonly buffer: ResendBuffer;
  readonly #setting: RunSetting;
  #lastSeq = 0;
  #blockText = "";
  #blockEvents: SwitchEvent[] = [];
  #blockAtUs = 0;
  #blockCount = 0;

  constructor(setting: RunSetting) {
    this.#setting = setting;
    this.startTime = setting.startTime;
    this.buffer = new ResendBuffer(setting.resendEvents);
  }

  /** Numbers and encodes the event. It can be sent after the next `seal`. */
  tell(event: SwitchEvent): { readonly number: EventNumber; readonly line: string } {
    const seq = ++this.#lastSeq;
    const line = this.#setting.lines.event(event, seq);
    this.#blockText += `${line}\n`;
    this.#blockCount++;
    this.#blockAtUs = event.atUs;
    if (this.#setting.keepsEvents) this.#blockEvents.push(event);
    if (this.#blockCount >= blockEventsMax) this.seal();
    return { number: { run: this.startTime, seq }, line };
  }

  /** Makes what was told so far ready to be sent. */
  seal(): void {
    if (this.#blockCount === 0) return;
    this.buffer.append({
      firstSeq: this.#lastSeq - this.#blockCount + 1,
      lastSeq: this.#lastSeq,
      bytes: encoder.encode(this.#blockText),
      lastAtUs: this.#blockAtUs,
      events: this.#blockEvents,
    });
    this.#blockText = "";
    this.#blockEvents = [];
    this.#blockCount = 0;
  }

  /** The state exactly as of the last event told. */
  snapshot(): Snapshot {
    this.seal();
    const { lines, board } = this.#setting;
    const parties: PresentParty[] = [];
    const sessions: PresentSession[] = [];
    const details: PresentDetail[] = [];
    let text = '{"snapshot":"begin"}\n';
    for (const call of board.liveCalls) {
      for (const party of call.parties) {
        const stretch = party.stretches.at(-1);
        if (party.end !== null || stretch === undefined) continue;
        const origin = this.#known(party.origin);
        const event = presentEventId(stretch);
        const { state, fromUs: sinceUs } = stretch;
        text += `${lines.presentParty(party, event, sinceUs, origin)}\n`;
        parties.push({ call, party, state, event, sinceUs, origin });
      }
      if (call.parties.some(({ end }) => end === null)) details.push(presentDetail(call));
      for (const stay of call.virtualStays) {
        if (stay.end === null) text += `${lines.presentVirtualStay(stay, this.#known(stay.origin))}\n`;
      }
    }
    for (const session of board.desks?.sessions ?? []) {
      const origin = this.#known(session.origin);
      for (const line of lines.presentSession(session, origin)) text += `${line}\n`;
      sessions.push(presentSession(session, origin));
    }
    for (const agent of board.desks === null ? board.agents : []) text += `${lines.presentAgent(agent)}\n`;
    text += `{"snapshot":"end","lastSeq":${this.#lastSeq}}\n`;
    return { lastSeq: this.#lastSeq, bytes: encoder.encode(text), present: { parties, sessions, details } };
  }

  /** Where calls are named by their run, a new run cannot name what an earlier one created. */
  #known(origin: Party["origin"]): Party["origin"] {
    if (origin === null || this.#setting.hasCallUuid) return origin;
    return origin.run === this.startTime ? origin : null;
  }
}

const presentEventIds = {
  queued: "EventQueued",
  dialing: "EventDialing",
  alerting: "EventRinging",
  connected: "EventEstablished",
  held: "EventHeld",
} as const;

/** A snapshot knows no EventRetrieved and no EventPartyChanged: what counts is what the party is. */
function presentEventId({ state }: Stretch): string {
  return presentEventIds[state];
}
