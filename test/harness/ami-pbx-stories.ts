// What happens on the Asterisk that is not there: callers, queues, consultations and how they end, conferences, parking,
// pickup. Each story says what its manager says, and beside it what is true.

import type { Channel, Pbx, Telling } from "./ami-pbx.ts";
import type { TrueParty, Truth } from "./ami-pbx-truth.ts";

export interface Stage {
  readonly pbx: Pbx;
  readonly truth: Truth;
  /** A number from 0 up to below `below`. */
  readonly random: (below: number) => number;
}

/** Somebody on a call: who it is, and the channel that stands for him. */
export interface Seat {
  party: TrueParty;
  channel: Channel;
  /** Channels besides that hang up with it. */
  readonly others: readonly Channel[];
}

export interface Talk {
  readonly call: string;
  readonly caller: Seat;
  readonly agent: Seat;
  readonly queueFields: Readonly<Record<string, string>>;
}

/** How an agent is reached: at the device, over a Local pair, or over one that is optimised away. */
export type Reach = "device" | "pair" | "optimised";

/** A caller comes in over the trunk. */
export function* callIn({ pbx, truth }: Stage, number: string, exten = "1000"): Telling<Seat> {
  const channel = pbx.create("PJSIP/trunk", { number, context: "from-trunk", exten });
  const call = truth.call(channel.uniqueId, "inbound", pbx.now);
  const party = truth.begin(call, number, "dialing", pbx.now);
  yield 40;
  pbx.up(channel);
  truth.turn(party, "connected", pbx.now);
  return { party, channel, others: [] };
}

/** From the queue to an agent who answers. */
export function* reachAgent(stage: Stage, number: string, dn: string, reach: Reach): Telling<Talk> {
  const { pbx, truth, random } = stage;
  const caller = yield* callIn(stage, number);
  const { call } = caller.party;
  pbx.runs(caller.channel, "Queue", "support,r,,,60");
  pbx.say("QueueCallerJoin", { ...pbx.of(caller.channel), Queue: "support", Position: 1, Count: 1 });
  const stay = truth.begin(call, "support", "queued", pbx.now);
  yield 500 + random(3000);
  const ringing = yield* ring(stage, caller.channel, dn, reach, "support", { call, parent: "support answering" });
  yield 1000 + random(4000);
  truth.end(stay, pbx.now);
  pbx.say("QueueCallerLeave", { ...pbx.of(caller.channel), Queue: "support", Position: 1, Count: 0 });
  const agent = yield* answer(stage, caller.channel, ringing, ringing.queueFields);
  yield 2000 + random(5000);
  return { call, caller, agent, queueFields: ringing.queueFields };
}

export interface Ringing {
  /** As it is in the call in which it goes on. */
  party: TrueParty;
  readonly rung: Channel;
  readonly pair: readonly [Channel, Channel] | null;
  readonly device: Channel;
  readonly reach: Reach;
  readonly queueFields: Readonly<Record<string, string>>;
}

/** Rings somebody for the channel: by a queue, or by Dial. */
export function* ring(
  { pbx, truth }: Stage,
  by: Channel,
  dn: string,
  reach: Reach,
  queue: string | null,
  party: { readonly call: string; readonly parent: string | null },
): Telling<Ringing> {
  const pair = reach === "device" ? null : pbx.createPair(`${dn}@agents`, by);
  const rung = pair?.[0] ?? pbx.create(`PJSIP/${dn}`, { number: dn, by });
  const member = pair === null ? `PJSIP/${dn}` : `Local/${dn}@agents`;
  const queueFields = { Queue: queue ?? "", Interface: member, MemberName: `Agent${dn}` };
  if (queue !== null) pbx.say("AgentCalled", { ...pbx.of(by), ...pbx.of(rung, "Dest"), ...queueFields });
  pbx.runs(rung, queue === null ? "AppDial" : "AppQueue", "(Outgoing Line)");
  pbx.dials(by, rung);
  const begun = truth.begin(party.call, dn, "alerting", pbx.now, { person: rung.uniqueId, parent: party.parent });
  yield 10;
  const device = pair === null ? rung : pbx.create(`PJSIP/${dn}`, { number: dn, by: pair[1] });
  if (pair !== null) {
    pbx.runs(device, "AppDial", "(Outgoing Line)");
    pbx.dials(pair[1], device);
  }
  return { party: begun, rung, pair, device, reach, queueFields };
}

/** Who was rung answers, and is bridged with the channel. */
export function* answer(
  { pbx, truth }: Stage,
  by: Channel,
  { party, rung, pair, device, reach, queueFields }: Ringing,
  connect: Readonly<Record<string, string>> | null,
): Telling<Seat> {
  if (pair !== null) pbx.dialEnds(pair[1], device, "ANSWER");
  pbx.dialEnds(by, rung, "ANSWER");
  if (connect !== null) {
    pbx.say("AgentConnect", { ...pbx.of(by), ...pbx.of(rung, "Dest"), ...queueFields, HoldTime: 2, RingTime: 1 });
  }
  truth.turn(party, "connected", pbx.now);
  pbx.bridge([rung, by]);
  if (pair !== null) pbx.bridge([device, pair[1]]);
  yield 100;
  if (pair === null || reach === "pair")
    return { party, channel: rung, others: pair === null ? [] : [pair[1], device] };
  pbx.optimise(pair[0], pair[1], device);
  return { party, channel: device, others: [] };
}

/** The seat's channels hang up; the party ends unless it had before. */
export function leaveSeat(
  { pbx, truth }: Stage,
  { party, channel, others }: Seat,
  cause: "ok" | "transferred" = "ok",
): void {
  truth.end(party, pbx.now, cause);
  pbx.hangUp(channel);
  for (const each of others) pbx.hangUp(each);
}

/** Everybody who is left hangs up, one after the other; with the last the call is over. */
export function* endTalk(stage: Stage, call: string, seats: readonly Seat[]): Telling {
  for (const [index, seat] of seats.entries()) {
    leaveSeat(stage, seat);
    if (index === seats.length - 1) stage.truth.endCall(call, stage.pbx.now);
    yield 30;
  }
}

/** A plain call through the queue, to its end. */
export function* plainCall(stage: Stage, number: string, dn: string, reach: Reach): Telling {
  const talk = yield* reachAgent(stage, number, dn, reach);
  complete(stage, talk, "agent");
  yield* endTalk(stage, talk.call, [talk.agent, talk.caller]);
}

/** The queue has done with the talk. */
export function complete({ pbx }: Stage, { caller, agent, queueFields }: Talk, reason: string): void {
  const times = { HoldTime: 2, TalkTime: 5, Reason: reason };
  pbx.say("AgentComplete", { ...pbx.of(caller.channel), ...pbx.of(agent.channel, "Dest"), ...queueFields, ...times });
}
