// Conferences, parking, pickup and blind transfers on the Asterisk that is not there.

import type { Telling } from "./ami-pbx.ts";
import {
  answer,
  callIn,
  complete,
  endTalk,
  leaveSeat,
  reachAgent,
  ring,
  type Seat,
  type Stage,
  type Talk,
} from "./ami-pbx-stories.ts";

/** Several callers meet in a conference. */
export function* meetInConference(stage: Stage, conference: string, numbers: readonly string[]): Telling {
  const { pbx, truth } = stage;
  const seats: Seat[] = [];
  let main = "";
  let bridge: string | undefined;
  for (const number of numbers) {
    const seat = yield* callIn(stage, number, "8500");
    pbx.runs(seat.channel, "ConfBridge", conference);
    if (bridge === undefined) pbx.say("ConfbridgeStart", { Conference: conference });
    yield 20;
    const { call } = seat.party;
    const isFirst = bridge === undefined;
    // The channel enters the bridge before the conference says so.
    bridge = pbx.bridge([seat.channel], bridge);
    pbx.say("ConfbridgeJoin", { Conference: conference, BridgeUniqueid: bridge, ...pbx.of(seat.channel), Admin: "No" });
    if (isFirst) main = call;
    else {
      seat.party = truth.move(seat.party, main, pbx.now, "conference");
      truth.merge(call, main, pbx.now, "conference");
      truth.count(main, "conferences");
    }
    seats.push(seat);
    yield 1200;
  }
  for (const seat of seats.slice(0, -1)) {
    pbx.say("ConfbridgeLeave", { Conference: conference, ...pbx.of(seat.channel) });
    leaveSeat(stage, seat);
    yield 400;
  }
  yield* endTalk(stage, main, seats.slice(-1));
  pbx.say("ConfbridgeEnd", { Conference: conference });
}

/** The agent parks the caller, who is fetched, gives up, or comes back to the agent. */
export function* parkAndFetch(
  stage: Stage,
  talk: Talk,
  space: string,
  fetcher: string,
  ending: "fetched" | "given up" | "timed out",
): Telling {
  const { pbx, truth } = stage;
  const { call, caller, agent } = talk;
  const { dn } = agent.party;
  const parked = () => ({
    ...pbx.of(caller.channel, "Parkee"),
    ParkerDialString: `PJSIP/${dn}`,
    Parkinglot: "default",
    ParkingSpace: space,
    ParkingTimeout: 45,
    ParkingDuration: 3,
  });
  pbx.leave(caller.channel);
  const bridge = pbx.bridge([caller.channel]);
  pbx.say("ParkedCall", parked());
  truth.end(agent.party, pbx.now, "transferred");
  // Who parks a call has sent it on.
  truth.count(call, "transfers");
  const stay = truth.begin(call, space, "queued", pbx.now, { isListed: false });
  complete(stage, talk, "agent");
  yield 20;
  leaveSeat(stage, agent);
  yield 3000;
  if (ending === "given up") {
    pbx.say("ParkedCallGiveUp", parked());
    truth.end(stay, pbx.now, "abandoned");
    return yield* endTalk(stage, call, [caller]);
  }
  if (ending === "timed out") {
    pbx.say("ParkedCallTimeOut", parked());
    truth.end(stay, pbx.now, "overflowed");
    pbx.leave(caller.channel);
    const ringing = yield* ring(stage, caller.channel, dn, "device", null, { call, parent: null });
    yield 900;
    const seat = yield* answer(stage, caller.channel, ringing, null);
    yield 900;
    return yield* endTalk(stage, call, [seat, caller]);
  }
  const channel = pbx.create(`PJSIP/${fetcher}`, { number: fetcher, exten: space });
  const own = truth.call(channel.uniqueId, "internal", pbx.now);
  const fetching = truth.begin(own, fetcher, "dialing", pbx.now);
  yield 30;
  pbx.up(channel);
  truth.turn(fetching, "connected", pbx.now);
  yield 30;
  pbx.say("UnParkedCall", { ...parked(), ...pbx.of(channel, "Retriever") });
  truth.end(stay, pbx.now);
  truth.end(fetching, pbx.now);
  const seat = {
    party: truth.begin(call, fetcher, "connected", pbx.now, { person: fetching.person }),
    channel,
    others: [],
  };
  truth.merge(own, call, pbx.now, "transfer");
  pbx.bridge([channel], bridge);
  yield 1500;
  yield* endTalk(stage, call, [caller, seat]);
}

/** A colleague picks up the call that rings at an agent. */
export function* pickUpCall(stage: Stage, number: string, dn: string, colleague: string): Telling {
  const { pbx, truth } = stage;
  const caller = yield* callIn(stage, number);
  const { call } = caller.party;
  pbx.runs(caller.channel, "Queue", "support,r,,,60");
  pbx.say("QueueCallerJoin", { ...pbx.of(caller.channel), Queue: "support", Position: 1, Count: 1 });
  const stay = truth.begin(call, "support", "queued", pbx.now);
  yield 300;
  const ringing = yield* ring(stage, caller.channel, dn, "device", "support", { call, parent: "support answering" });
  yield 900;
  const channel = pbx.create(`PJSIP/${colleague}`, { number: colleague, exten: "*8" });
  const own = truth.call(channel.uniqueId, "internal", pbx.now);
  const way = truth.begin(own, colleague, "dialing", pbx.now);
  yield 30;
  pbx.up(channel);
  truth.turn(way, "connected", pbx.now);
  yield 5;
  pbx.say("Pickup", { ...pbx.of(channel), ...pbx.of(ringing.rung, "Target") });
  truth.end(ringing.party, pbx.now, "redirected");
  truth.end(way, pbx.now);
  const party = truth.begin(call, colleague, "connected", pbx.now, { person: way.person, parent: "support answering" });
  truth.merge(own, call, pbx.now, "transfer");
  yield 2;
  pbx.hangUp(ringing.rung, 26);
  pbx.dialEnds(caller.channel, channel, "ANSWER");
  pbx.say("QueueCallerLeave", { ...pbx.of(caller.channel), Queue: "support", Position: 1, Count: 0 });
  pbx.say("AgentConnect", {
    ...pbx.of(caller.channel),
    ...pbx.of(channel, "Dest"),
    ...ringing.queueFields,
    HoldTime: 1,
  });
  truth.end(stay, pbx.now);
  pbx.bridge([channel, caller.channel]);
  yield 2000;
  yield* endTalk(stage, call, [{ party, channel, others: [] }, caller]);
}

/** The agent sends the caller on without asking. */
export function* transferBlindly(stage: Stage, number: string, dn: string, target: string): Telling {
  const { pbx, truth } = stage;
  const talk = yield* reachAgent(stage, number, dn, "device");
  const { call, caller, agent } = talk;
  const fields = { ...pbx.of(agent.channel, "Transferer"), ...pbx.of(caller.channel, "Transferee") };
  pbx.say("BlindTransfer", { Result: "Success", ...fields, IsExternal: "Yes", Context: "internal", Extension: target });
  truth.end(agent.party, pbx.now, "transferred");
  truth.count(call, "transfers");
  complete(stage, talk, "transfer");
  pbx.leave(caller.channel);
  leaveSeat(stage, agent);
  yield 20;
  pbx.runs(caller.channel, "Dial", `PJSIP/${target}`);
  const ringing = yield* ring(stage, caller.channel, target, "device", null, { call, parent: `${dn} transferred` });
  yield 900;
  const seat = yield* answer(stage, caller.channel, ringing, null);
  yield 1500;
  yield* endTalk(stage, call, [caller, seat]);
}
