// A T-Server whose every event is known beforehand, and instances that hear it in spells: what happens while they do not
// is not sent again, so that each spell begins with a gap and a snapshot. Each copy is folded by the program's own code,
// and one that heard everything is the truth.

import { Story, startMs } from "../harness/story.ts";
import type { Dice } from "../simulation/dice.ts";

export type Line = Readonly<Record<string, unknown>>;

export interface ScriptedEvent {
  readonly seq: number;
  /** Seconds after the story's beginning. */
  readonly at: number;
  readonly members: Line;
}

export interface Script {
  readonly calls: number;
  /** Calls begin so many seconds after one another. */
  readonly everySeconds: number;
  /** Calls go on for so many seconds; their parties change at tenths of it. */
  readonly lifeSeconds: number;
  /** Without identifiers calls are named by their ConnID, and those that are found in a snapshot by the copy alone. */
  readonly hasIds: boolean;
  /** One call in so many is transferred, by way of a consultation; null: none is. */
  readonly transfersEvery: number | null;
  /** One call in so many is routed, and waits in virtual queues meanwhile; null: none is. */
  readonly routedEvery?: number | null;
}

export const scriptDefault: Script = {
  calls: 60,
  everySeconds: 1,
  lifeSeconds: 6,
  hasIds: true,
  transfersEvery: null,
};

/** From when until when an instance hears the server; UTC seconds after the story's beginning. */
export type Spell = readonly [from: number, until: number];

type Party = "point" | "sales" | "gold" | "queue" | "early" | "again" | "agent" | "asking" | "asked" | "second";
type Step = readonly [tenths: number, party: Party, id: string, more?: Line];

// Tenths of the life, party, event.
const steps: readonly Step[] = [
  [0, "queue", "EventQueued"],
  [1, "queue", "EventDiverted"],
  [1, "agent", "EventRinging"],
  [3, "agent", "EventEstablished"],
  [5, "agent", "EventHeld"],
  [7, "agent", "EventRetrieved"],
  [10, "agent", "EventReleased"],
];

// Nobody answers at first, so the call goes through the same queue twice.
const transferred: readonly Step[] = [
  [0, "queue", "EventQueued"],
  [1, "queue", "EventDiverted"],
  [1, "early", "EventRinging"],
  [2, "early", "EventReleased", { CallState: 7 }],
  [2, "again", "EventQueued"],
  [3, "again", "EventDiverted"],
  [3, "agent", "EventRinging"],
  [4, "agent", "EventEstablished"],
  [5, "agent", "EventHeld"],
  [5, "asking", "EventDialing"],
  [5, "asked", "EventRinging"],
  [6, "asking", "EventEstablished"],
  [6, "asked", "EventEstablished"],
  [8, "asking", "EventReleased", { CallState: 1 }],
  [8, "agent", "EventReleased", { CallState: 1 }],
  [8, "second", "EventPartyChanged", { CallState: 1 }],
  [10, "second", "EventReleased"],
];

const decision = { RTargetAgentSelected: "agent01", RTargetTypeSelected: "2", RStrategyName: "VQDemo" };
const vqid = (name: string) => ({ Extensions: { VQID: name } });

const routed: readonly Step[] = [
  [0, "point", "EventQueued"],
  [0.2, "point", "EventRouteRequest"],
  [1, "sales", "EventQueued", vqid("S")],
  [2, "gold", "EventQueued", vqid("G")],
  [5, "gold", "EventDiverted", vqid("G")],
  [6.8, "point", "EventAttachedDataChanged", { UserData: decision }],
  [7, "point", "EventRouteUsed"],
  [7.2, "point", "EventDiverted"],
  [7.4, "agent", "EventRinging"],
  [7.6, "sales", "EventDiverted", { ...vqid("S"), ThirdPartyDN: "6001" }],
  [8, "agent", "EventEstablished"],
  [10, "agent", "EventReleased"],
];

// They tell of no state.
const remarks: ReadonlySet<unknown> = new Set(["EventRouteRequest", "EventRouteUsed", "EventAttachedDataChanged"]);

const isConnected = (id: string) => id === "EventRetrieved" || id === "EventPartyChanged";
const isEnding = (id: string) => id === "EventDiverted" || id === "EventReleased";

/** Events of one server run, and what instances hear of them. */
export abstract class SpelledServer {
  abstract readonly events: readonly ScriptedEvent[];
  abstract readonly endSeconds: number;

  /** What is there after this event, as lines of a snapshot. */
  protected abstract snapshotLines(seq: number): readonly Line[];

  protected story(instance: { readonly name: string; readonly dbid: number }): Story {
    return new Story({ callDeletionTimeoutSeconds: 1, instance, options: { delivered: "dialing" } });
  }

  /** The persistent queue's records of an instance that hears the server in these spells. */
  heard(spells: readonly Spell[], instance = { name: "icon-a", dbid: 9001 }): readonly Uint8Array[] {
    const story = this.story(instance);
    let now = 0;
    let lastSeq: number | null = null;
    for (const [index, [from, until]] of spells.entries()) {
      story.wait(from - now);
      now = from;
      if (index > 0) story.open();
      const seqHere: number = this.#lastSeqAt(from);
      if (lastSeq !== null) story.line({ gap: { from: lastSeq + 1, to: seqHere } });
      this.#snapshot(story, seqHere);
      lastSeq = this.#hear(story, { from, until, seq: seqHere });
      story.wait(until - from);
      now = until;
      if (index < spells.length - 1) story.close("connection lost");
    }
    return story.payloads;
  }

  #hear(story: Story, { from, until, seq }: { from: number; until: number; seq: number }): number {
    let last = seq;
    let heartbeatAt = Math.ceil(from) + 0.5;
    const beat = (before: number) => {
      for (; heartbeatAt < before; heartbeatAt += 1) {
        story.line({ heartbeat: timeOf(heartbeatAt), lastSeq: last });
      }
    };
    for (const event of this.events) {
      if (event.at <= from || event.at >= until) continue;
      beat(event.at);
      story.line({ ...event.members, EventSequenceNumber: event.seq, time: timeOf(event.at) });
      last = event.seq;
    }
    beat(until);
    return last;
  }

  #snapshot(story: Story, seq: number): void {
    story.line({ snapshot: "begin" });
    for (const line of this.snapshotLines(seq)) story.line({ ...line, snapshot: true });
    story.line({ snapshot: "end", lastSeq: seq });
  }

  #lastSeqAt(seconds: number): number {
    return this.events.findLast(({ at }) => at <= seconds)?.seq ?? 0;
  }
}

export class ScriptedServer extends SpelledServer {
  readonly events: readonly ScriptedEvent[];
  readonly endSeconds: number;

  constructor(readonly script: Script = scriptDefault) {
    super();
    const { calls, everySeconds, lifeSeconds, transfersEvery, routedEvery = null } = script;
    const isOneIn = (every: number | null, call: number) => every !== null && call % every === 0;
    const stepsOf = (call: number) =>
      isOneIn(transfersEvery, call) ? transferred : isOneIn(routedEvery, call) ? routed : steps;
    const unnumbered = Array.from({ length: calls }, (_, call) =>
      stepsOf(call).map(([tenths, party, id, more]) => ({
        // No two events of one millisecond, and none on a window's border.
        at: round(10.05 + call * everySeconds + (tenths * lifeSeconds) / 10 + call * 0.001),
        members: { id, ...this.#party(call, party), ...(id === "EventPartyChanged" ? arriving(call) : {}), ...more },
      })),
    ).flat();
    this.events = unnumbered
      .toSorted((one, other) => one.at - other.at)
      .map((event, index) => ({ ...event, seq: index + 1 }));
    this.endSeconds = Math.ceil((this.events.at(-1)?.at ?? 0) + 20);
  }

  protected snapshotLines(seq: number): readonly Line[] {
    const parties = new Map<string, ScriptedEvent>();
    for (const event of this.events.slice(0, seq)) {
      if (remarks.has(event.members["id"])) continue;
      const key = `${event.members["ConnID"]}/${event.members["ThisDN"]}`;
      if (event.members["id"] === "EventPartyChanged") {
        parties.delete(`${event.members["PreviousConnID"]}/${event.members["ThisDN"]}`);
      }
      if (isEnding(String(event.members["id"]))) parties.delete(key);
      else parties.set(key, event);
    }
    return [...parties.values()].map(({ members, at }) => {
      const id = isConnected(String(members["id"])) ? "EventEstablished" : members["id"];
      return { ...members, id, time: timeOf(at) };
    });
  }

  #party(call: number, party: Party): Line {
    const isConsultation = party === "asking" || party === "asked";
    const agent = `5${100 + call}`;
    const dns = {
      point: "9001",
      sales: "VQ_Sales",
      gold: "VQ_Gold",
      queue: "8000",
      again: "8000",
      early: `7${100 + call}`,
      agent,
      asking: agent,
    };
    const dn = dns[party as keyof typeof dns] ?? `6${100 + call}`;
    const ids = {
      CallUUID: isConsultation ? `D${call}` : `C${call}`,
      // Whoever was asked is the same person when the caller is with him.
      PartyUUID: `${party === "asked" ? "second" : party}-${call}`,
    };
    const kind = isConsultation
      ? { CallType: 4, PreviousConnID: connIdOf(call), ANI: `5${100 + call}`, DNIS: `6${100 + call}` }
      : { CallType: 2, ANI: `4155550${100 + call}`, DNIS: "0800123456" };
    return {
      ConnID: isConsultation ? consultationOf(call) : connIdOf(call),
      ...(this.script.hasIds ? ids : {}),
      ...kind,
      ThisDN: dn,
      ThisDNRole: party === "asking" ? 1 : 2,
      ...(party === "agent" || party === "early" ? { ThisQueue: "8000" } : {}),
    };
  }
}

function connIdOf(call: number): string {
  return (call + 1).toString(16).padStart(16, "0");
}

function consultationOf(call: number): string {
  return `02${connIdOf(call).slice(2)}`;
}

/** The second agent comes from the consultation. */
function arriving(call: number): Line {
  return { PreviousConnID: consultationOf(call), ThirdPartyDN: `5${100 + call}`, ThirdPartyDNRole: 7 };
}

/** UTC seconds of a moment of the script. */
export const secondOf = (seconds: number): number => startMs / 1000 + seconds;

export function timeOf(seconds: number): number {
  return round(startMs / 1000 + seconds);
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** Between none and three times cut off, for up to a third of the time. */
export function randomSpells(dice: Dice, end: number): Spell[] {
  const borders = new Set([0, end]);
  const cuts = dice.below(4);
  for (let cut = 0; cut < cuts; cut += 1) {
    const from = 5 + dice.next() * (end - 20);
    borders.add(Math.round(from * 100) / 100 + 0.003);
    borders.add(Math.round(Math.min(end - 9, from + 0.5 + dice.next() * 15) * 100) / 100 + 0.003);
  }
  const sorted = [...borders].toSorted((one, other) => one - other);
  const spells: Spell[] = [];
  for (let index = 0; index + 1 < sorted.length; index += 2)
    spells.push([sorted[index] ?? 0, sorted[index + 1] ?? end]);
  return spells;
}
