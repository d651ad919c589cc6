// A T-Server's morning as somebody who asks for reports would know it: a plan of calls, the events that a server tells of
// them, and so the truth that every answer can be held against without a look into the IDB.
//
// Calls are even and without chance, so that each outcome is there in every hour. The connection is lost from 09:02 to
// 09:07, and what happened meanwhile is not sent again; one caller waits then of whom nobody saw what became.

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

type Told = readonly [at: number, id: string, members: Readonly<Record<string, unknown>>];

/** What the server tells of a call, in order. */
function toldOf({ number, ani, stay }: PlannedCall): readonly Told[] {
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
    told.push([at, "EventQueued", on(queue, `Q${queue}`)]);
    if (fate.kind === "waiting" || fate.kind === "not seen") break;
    at += queueSeconds;
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
    told.push(...talkOf(fate, { at, agent, number, connId }));
  }
  return told;
}

function talkOf(
  { agent: dn, talkSeconds, holdSeconds, transferTo }: Extract<Fate, { kind: "answered" }>,
  { at, agent, number, connId }: { at: number; agent: Told[2]; number: number; connId: string },
): readonly Told[] {
  const half = at + talkSeconds / 2;
  const end = at + talkSeconds + holdSeconds;
  const told: Told[] = [];
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

/** The persistent queue's records of an instance that listened to that morning. */
export function reportingDay(): readonly Uint8Array[] {
  const told = plan.flatMap(toldOf).sort(([one], [other]) => one - other);
  const story = new Story({ callDeletionTimeoutSeconds: 1 });
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
