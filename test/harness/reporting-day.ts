// A T-Server's morning as somebody who asks for reports would know it: a plan of calls, the events that a server tells of
// them, and so the truth that every answer can be held against without a look into the IDB.
//
// Calls are even and without chance, so that each outcome is there in every hour. The connection is lost from 09:02 to
// 09:07, and what happened meanwhile is not sent again; one caller waits then of whom nobody saw what became.
//
// Callers of 8002 wait in virtual queues as well, from which a strategy sends them to an agent. Each call has a segment,
// which some agents change. Who sits where is in reporting-agents.ts.

import { defaultAgentOptions } from "../../src/event/envelope.ts";
import { plannedSessions, toldOfSession } from "./reporting-agents.ts";
import { Story } from "./story.ts";

export type Fate =
  | {
      readonly kind: "answered";
      readonly agent: string;
      readonly ringSeconds: number;
      readonly talkSeconds: number;
      readonly holdSeconds: number;
      /** The agent asks this one, and hands the call over. */
      readonly transferTo: string | null;
      /** Goes on when the morning ends. */
      readonly isOpen: boolean;
    }
  | { readonly kind: "abandoned" }
  | { readonly kind: "abandoned ringing"; readonly agent: string; readonly ringSeconds: number }
  | { readonly kind: "passed on"; readonly to: PlannedStay }
  | { readonly kind: "waiting" }
  | { readonly kind: "not seen" };

export interface PlannedStay {
  readonly queue: string;
  /** Seconds of the morning. */
  readonly enteredAt: number;
  /** Until it leaves the queue: T-Server diverts a call when it begins to ring. */
  readonly queueSeconds: number;
  readonly fate: Fate;
}

export interface PlannedCall {
  readonly number: number;
  readonly ani: string;
  readonly stay: PlannedStay;
}

/** 08:00 UTC, as in every story. */
export const dayStartTs = Date.parse("2026-11-23T08:00:00Z") / 1000;
export const daySeconds = 2 * 3600;
const agents = ["5101", "5102", "5103", "5104"];
const cut = { from: 3720, until: 4020 };

/** From 08:05 to 09:55, none in the ten minutes around the cut but the one that was not seen. */
export const plan: readonly PlannedCall[] = [
  ...Array.from({ length: 150 }, (_, number): PlannedCall => {
    const at = 960 + number * 38 + (number % 7) * 0.25;
    const queue = number % 3 === 0 ? "8002" : "8001";
    const queueSeconds = 2 + ((number * 7) % 45) + (number % 4) * 0.125;
    return { number, ani: `41555501${10 + (number % 25)}`, stay: stayOf({ number, at, queue, queueSeconds }) };
  }).filter(({ stay }) => stay.enteredAt < 3400 || stay.enteredAt > 4100),
  // Who calls first is the first word of the server that the instance hears.
  {
    number: 901,
    ani: "4155550998",
    stay: { queue: "8002", enteredAt: 300, queueSeconds: 5, fate: { kind: "abandoned" } },
  },
  {
    number: 900,
    ani: "4155550999",
    stay: { queue: "8001", enteredAt: 3500, queueSeconds: 0, fate: { kind: "not seen" } },
  },
];

interface Seed {
  readonly number: number;
  readonly at: number;
  readonly queue: string;
  readonly queueSeconds: number;
}

function stayOf({ number, at, queue, queueSeconds }: Seed): PlannedStay {
  const stay = { queue, enteredAt: at, queueSeconds };
  if (number >= 148) return { ...stay, fate: { kind: "waiting" } };
  if (number % 10 === 4) return { ...stay, fate: { kind: "abandoned" } };
  const agent = agents[number % agents.length] ?? "5101";
  const ringSeconds = 1 + (number % 5) * 1.5;
  if (number % 25 === 7) return { ...stay, fate: { kind: "abandoned ringing", agent, ringSeconds } };
  const answered: Fate = {
    ...{ kind: "answered", agent, ringSeconds },
    talkSeconds: 40 + (number % 13) * 11.5,
    holdSeconds: number % 6 === 0 ? 12.5 : 0,
    transferTo: number % 11 === 5 ? (agents[(number + 1) % agents.length] ?? "5102") : null,
    isOpen: number >= 146,
  };
  if (number % 40 !== 11) return { ...stay, fate: answered };
  const enteredAt = at + queueSeconds;
  return { ...stay, fate: { kind: "passed on", to: { queue: "8009", enteredAt, queueSeconds: 9, fate: answered } } };
}

/** Every stay of the plan, those that calls were passed on to as well. */
export function plannedStays(): readonly (PlannedStay & { readonly call: PlannedCall })[] {
  return plan.flatMap((call) => {
    const { stay } = call;
    return stay.fate.kind === "passed on"
      ? [
          { ...stay, call },
          { ...stay.fate.to, call },
        ]
      : [{ ...stay, call }];
  });
}

export type Told = readonly [at: number, id: string, members: Readonly<Record<string, unknown>>];

/** The segment that a call comes with, and what whoever answers makes of it; null: he leaves it. */
export function segmentOf({ number, stay }: PlannedCall): { readonly first: string; readonly later: string | null } {
  const isChanged = number % 7 === 1 && stay.fate.kind === "answered" && !stay.fate.isOpen;
  return { first: number % 3 === 0 ? "gold" : "silver", later: isChanged ? "platinum" : null };
}

/** Virtual queues that a call waits in while it is in its first queue. */
export function virtualQueuesOf({ number, stay }: PlannedCall): readonly string[] {
  if (stay.fate.kind === "not seen") return ["VQ_Gold"];
  if (stay.queue !== "8002" && stay.fate.kind !== "waiting") return [];
  return number % 2 === 0 ? ["VQ_Gold", "VQ_Spare"] : ["VQ_Gold"];
}

/** Of these the server does not say how the wait in VQ_Gold ends: it is over with the call. */
export const isForgotten = ({ number, stay }: PlannedCall): boolean =>
  number % 30 === 9 && stay.fate.kind === "answered";

/** A strategy sends it to an agent. */
export const isRouted = ({ stay }: PlannedCall): boolean => stay.queue === "8002" && stay.fate.kind === "answered";

function virtualMembers({ number }: PlannedCall, queue: string): Told[2] {
  return { ThisDN: queue, ThisQueue: queue, PartyUUID: undefined, Extensions: { VQID: `${queue}-${number}` } };
}

/** How the waits in virtual queues end: the call is sent to an agent out of VQ_Gold, and leaves the other. */
function virtualEnds(call: PlannedCall, at: number, members: Told[2]): readonly Told[] {
  const { fate } = call.stay;
  const target = "agent" in fate ? { ThirdPartyDN: fate.agent, ThirdPartyDNRole: 2 } : {};
  const told = virtualQueuesOf(call).filter((queue) => queue !== "VQ_Gold" || !isForgotten(call));
  return told.map((queue) => {
    const own = { ...members, ...virtualMembers(call, queue) };
    if (fate.kind === "abandoned") return [at, "EventAbandoned", { ...own, CallState: 21 }];
    return [at, "EventDiverted", queue === "VQ_Gold" ? { ...own, ...target } : own];
  });
}

/** The strategy's question and its answer, while the call stands in its first queue. */
function routingOf(call: PlannedCall, until: number, members: Told[2]): readonly Told[] {
  const { stay } = call;
  if (!isRouted(call) || stay.fate.kind !== "answered") return [];
  const UserData = {
    ...{ CustomerSegment: segmentOf(call).first, RVQID: `VQ_Gold-${call.number}`, RTargetTypeSelected: "2" },
    ...{ RTargetObjectSelected: "?:Gold > 1", RTargetAgentSelected: stay.fate.agent, RStrategyName: "Gold first" },
  };
  return [
    [stay.enteredAt, "EventRouteRequest", members],
    [until, "EventRouteUsed", { ...members, ThirdPartyDN: stay.fate.agent, UserData }],
  ];
}

/** What the server tells of a call, in order. */
function toldOf(call: PlannedCall): readonly Told[] {
  const { number, ani, stay } = call;
  const segment = segmentOf(call);
  const connId = (number + 1).toString(16).padStart(16, "0");
  const on = (dn: string, party: string) => ({
    ...{ ConnID: connId, CallUUID: `C${number}`, CallType: 2, ANI: ani, DNIS: "0800123456" },
    ...{ ThisDN: dn, ThisDNRole: 2, PartyUUID: `${party}-${number}` },
  });
  const told: Told[] = [];
  let at = stay.enteredAt;
  for (let here: PlannedStay | undefined = stay; here !== undefined; ) {
    const { queue, queueSeconds, fate }: PlannedStay = here;
    here = undefined;
    told.push([at, "EventQueued", { ...on(queue, `Q${queue}`), UserData: { CustomerSegment: segment.first } }]);
    const isFirst = told.length === 1;
    const [asks, ...answers] = isFirst ? routingOf(call, at + queueSeconds, on(queue, `Q${queue}`)) : [];
    if (asks !== undefined) told.push(asks);
    const waits = isFirst ? virtualQueuesOf(call) : [];
    for (const each of waits) told.push([at, "EventQueued", { ...on(each, ""), ...virtualMembers(call, each) }]);
    if (fate.kind === "waiting" || fate.kind === "not seen") break;
    at += queueSeconds;
    told.push(...answers, ...(isFirst ? virtualEnds(call, at, on(queue, "")) : []));
    if (fate.kind === "abandoned") {
      told.push([at, "EventAbandoned", { ...on(queue, `Q${queue}`), CallState: 21 }]);
      break;
    }
    told.push([at, "EventDiverted", on(queue, `Q${queue}`)]);
    if (fate.kind === "passed on") {
      here = fate.to;
      continue;
    }
    const agent = { ...on(fate.agent, "A"), ThisQueue: queue };
    told.push([at, "EventRinging", agent]);
    at += fate.ringSeconds;
    if (fate.kind === "abandoned ringing") {
      told.push([at, "EventAbandoned", { ...agent, CallState: 21 }]);
      break;
    }
    told.push([at, "EventEstablished", agent]);
    if (fate.isOpen) break;
    told.push(...talkOf(fate, { at, agent, number, connId, segment: segment.later }));
  }
  return told;
}

function talkOf(
  { agent: dn, talkSeconds, holdSeconds, transferTo }: Extract<Fate, { kind: "answered" }>,
  {
    at,
    agent,
    number,
    connId,
    segment,
  }: { at: number; agent: Told[2]; number: number; connId: string; segment: string | null },
): readonly Told[] {
  const half = at + talkSeconds / 2;
  const end = at + talkSeconds + holdSeconds;
  const told: Told[] = [];
  if (segment !== null) {
    told.push([at + talkSeconds / 4, "EventAttachedDataChanged", { ...agent, UserData: { CustomerSegment: segment } }]);
  }
  if (holdSeconds > 0) {
    told.push([half, "EventHeld", agent], [half + holdSeconds, "EventRetrieved", agent]);
  }
  if (transferTo === null) return [...told, [end, "EventReleased", { ...agent, CallState: 0 }]];
  const consultId = `02${connId.slice(2)}`;
  const asking = {
    ...{ ConnID: consultId, CallUUID: `D${number}`, CallType: 4, PreviousConnID: connId, ANI: dn, DNIS: transferTo },
    ...{ ThisDN: dn, ThisDNRole: 1, PartyUUID: `B-${number}` },
  };
  const asked = { ...asking, ThisDN: transferTo, ThisDNRole: 2, PartyUUID: `S-${number}` };
  const second = { ...agent, ThisDN: transferTo, ThisQueue: undefined, PartyUUID: `S-${number}` };
  return [
    ...told,
    [end - 8, "EventDialing", asking],
    [end - 8, "EventRinging", asked],
    [end - 5, "EventEstablished", asking],
    [end - 5, "EventEstablished", asked],
    [end, "EventReleased", { ...asking, CallState: 1 }],
    [end, "EventReleased", { ...agent, CallState: 1 }],
    [
      end,
      "EventPartyChanged",
      { ...second, PreviousConnID: consultId, ThirdPartyDN: dn, ThirdPartyDNRole: 7, CallState: 1 },
    ],
    [end + 30, "EventReleased", { ...second, CallState: 0 }],
  ];
}

/** What the server tells that morning, in order; what it tells while the connection is lost is not part of it. */
export function toldOfDay(): readonly Told[] {
  return [...plannedSessions.flatMap(toldOfSession), ...plan.flatMap(toldOf)].sort(([one], [other]) => one - other);
}

/** The persistent queue's records of an instance that listened to that morning. */
export function reportingDay(): readonly Uint8Array[] {
  const told = toldOfDay();
  const story = new Story({
    ...{ callDeletionTimeoutSeconds: 1, role: ["gcc", "gls", "gud"], agents: defaultAgentOptions },
    // Callers are parties too, and no report of queues, agents or DNs counts them.
    options: { delivered: "dialing" },
    attachedData: {
      public: [["CustomerSegment", "userdata", "all"]],
      secure: [],
      columns: [["CustomerSegment", "userdata", "last", "G_CALL_USERDATA", "G_CUSTOMER_SEGMENT"]],
      otherKeys: "none",
      valueLengthMax: 255,
    },
  });
  story.heartbeat(0);
  let beat = 60;
  let sent = 0;
  const beatUntil = (until: number) => {
    for (; beat < until; beat += 60) if (beat < cut.from || beat > cut.until) story.heartbeat(beat);
  };
  for (const [at, id, members] of told) {
    if (at > cut.from && beat < cut.until) {
      beatUntil(cut.from);
      story.close("connection lost").open();
      // Two events that are not sent again: what became of the caller who waited.
      story.line({ gap: { from: sent + 1, to: sent + 2 } });
      story.snapshot(sent + 2);
      sent += 2;
      beat = cut.until + 60;
    }
    beatUntil(at);
    story.events([at, id, members]);
    sent += 1;
  }
  beatUntil(daySeconds);
  return story.payloads;
}
