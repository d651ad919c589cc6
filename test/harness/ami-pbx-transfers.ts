// Consultations on the Asterisk that is not there, and how they end: by a second call of the telephone (REFER), or by
// feature codes on its one channel.

import type { Channel, Telling } from "./ami-pbx.ts";
import {
  answer,
  complete,
  endTalk,
  leaveSeat,
  type Reach,
  ring,
  type Seat,
  type Stage,
  type Talk,
} from "./ami-pbx-stories.ts";
import type { TrueParty } from "./ami-pbx-truth.ts";

export const phoneEndings = ["bridge", "link", "blond", "app", "queue", "threeway", "fail", "busy", "dropped"] as const;
export type PhoneEnding = (typeof phoneEndings)[number];
export const codeEndings = ["bridge", "blond", "threeway", "aborted", "caller gone"] as const;
export type CodeEnding = (typeof codeEndings)[number];
/** Of AttendedTransfer: before the bridges meet, after that, or after the telephone has hung up as well. */
export const orders = ["first", "after bridges", "after hangups"] as const;
export type Order = (typeof orders)[number];

/** The telephone's own channel: behind a Local pair it is not the one that the queue rang. */
const phoneOf = ({ channel, others }: Seat): Channel => others.at(-1) ?? channel;

function transferFields(
  { pbx }: Stage,
  named: {
    readonly older: Channel;
    readonly newer: Channel;
    readonly transferee: Channel;
    readonly target: Channel | null;
  },
  rest: Readonly<Record<string, string>>,
) {
  return {
    Result: "Success",
    ...pbx.of(named.older, "OrigTransferer"),
    ...pbx.of(named.newer, "SecondTransferer"),
    ...pbx.of(named.transferee, "Transferee"),
    ...(named.target && pbx.of(named.target, "TransferTarget")),
    IsExternal: named.older === named.newer ? "No" : "Yes",
    ...rest,
  };
}

/** The agent holds the caller, calls somebody from a second channel, and what comes of it. */
export function* transferByPhone(
  stage: Stage,
  talk: Talk,
  target: string,
  reach: Reach,
  ending: PhoneEnding,
  order: Order,
): Telling {
  const { pbx, truth, random } = stage;
  const { call, caller, agent } = talk;
  const { dn } = agent.party;
  const phone = phoneOf(agent);
  pbx.say("Hold", { ...pbx.of(phone), MusicClass: "default" });
  truth.turn(agent.party, "hold", pbx.now);
  yield 300;
  const second = pbx.create(`PJSIP/${dn}`, { number: dn, exten: target });
  const consultation = truth.call(second.uniqueId, "consult", pbx.now, call);
  const asker = truth.begin(consultation, dn, "dialing", pbx.now);
  const say = (to: Channel | null, rest: Readonly<Record<string, string>>) =>
    pbx.say(
      "AttendedTransfer",
      transferFields(stage, { older: phone, newer: second, transferee: caller.channel, target: to }, rest),
    );
  const hangUp = (cause: "ok" | "transferred") => {
    leaveSeat(stage, agent, cause);
    leaveSeat(stage, { party: asker, channel: second, others: [] }, cause);
  };
  yield 20;

  if (ending === "app" || ending === "queue") {
    pbx.up(second);
    truth.turn(asker, "connected", pbx.now);
    pbx.runs(second, ending === "app" ? "VoiceMail" : "Queue", ending === "app" ? target : "sales,r,,,60");
    let stay: TrueParty | null = null;
    if (ending === "queue") {
      pbx.say("QueueCallerJoin", { ...pbx.of(second), Queue: "sales", Position: 1, Count: 1 });
      stay = truth.begin(consultation, "sales", "queued", pbx.now);
    }
    yield 1000;
    say(null, { DestType: "App", DestApp: ending === "app" ? "VoiceMail" : "Queue" });
    if (ending === "queue") {
      pbx.say("QueueCallerLeave", { ...pbx.of(second), Queue: "sales" }, true);
      pbx.say("QueueCallerJoin", { ...pbx.of(caller.channel), Queue: "sales" }, true);
    }
    truth.end(agent.party, pbx.now, "transferred");
    truth.end(asker, pbx.now, stay === null ? "ok" : "transferred");
    const moved = stay && truth.move(stay, call, pbx.now, "transfer");
    truth.merge(consultation, call, pbx.now, "transfer");
    truth.count(call, "transfers");
    complete(stage, talk, "transfer");
    yield 20;
    pbx.leave(caller.channel);
    hangUp("transferred");
    yield 2000 + random(2000);
    if (moved === null) return yield* endTalk(stage, call, [caller]);
    // The caller's channel has taken the place of the telephone's in the queue.
    const ringing = yield* ring(stage, caller.channel, target, reach, "sales", { call, parent: "sales answering" });
    yield 1500;
    truth.end(moved, pbx.now);
    pbx.say("QueueCallerLeave", { ...pbx.of(caller.channel), Queue: "sales", Position: 1, Count: 0 });
    const seat = yield* answer(stage, caller.channel, ringing, ringing.queueFields);
    yield 1500;
    return yield* endTalk(stage, call, [seat, caller]);
  }

  const ringing = yield* ring(stage, second, target, reach, null, { call: consultation, parent: null });
  yield 1000 + random(1000);
  if (ending === "busy") {
    pbx.dialEnds(second, ringing.rung, "BUSY");
    truth.end(ringing.party, pbx.now, "busy");
    for (const each of new Set([ringing.device, ...(ringing.pair ?? [])])) pbx.hangUp(each, 17);
    yield 500;
    return yield* back(stage, talk, { party: asker, channel: second, others: [] }, [], consultation);
  }
  let seat: Seat | null = null;
  if (ending !== "blond") {
    pbx.up(second);
    truth.turn(asker, "connected", pbx.now);
    seat = yield* answer(stage, second, ringing, null);
    yield 1500;
  }
  if (seat !== null && (ending === "fail" || ending === "dropped")) {
    if (ending === "fail") say(seat.channel, { Result: "Fail", DestType: "Fail" });
    yield 50;
    return yield* back(stage, talk, { party: asker, channel: second, others: [] }, [seat], consultation);
  }
  const to = seat?.channel ?? ringing.rung;
  const isThreeway = ending === "threeway";
  const how = { bridge: "Bridge", link: "Link", blond: "App", threeway: "Threeway" }[ending as "bridge"] ?? "Bridge";
  const links = ending === "link" ? pbx.createPair("_attended@transfer", caller.channel) : [];
  const rest = {
    DestType: how,
    ...(isThreeway && { DestTransfererChannel: second.name }),
    ...(links[0] && pbx.of(links[0], "LocalOne")),
    ...(links[1] && pbx.of(links[1], "LocalTwo")),
  };
  const transferred = () => {
    say(ending === "blond" ? null : to, rest);
    const by = isThreeway ? "conference" : "transfer";
    if (isThreeway) truth.turn(agent.party, "connected", pbx.now);
    else truth.end(agent.party, pbx.now, "transferred");
    truth.end(asker, pbx.now, isThreeway ? "conferenced" : "transferred");
    ringing.party = truth.move(ringing.party, call, pbx.now, by);
    truth.merge(consultation, call, pbx.now, by);
    truth.count(call, isThreeway ? "conferences" : "transfers");
    if (!isThreeway) complete(stage, talk, "transfer");
  };
  const meet = () => {
    pbx.leave(phone);
    if (!isThreeway) pbx.leave(second);
    const [one, other] = links;
    if (one !== undefined && other !== undefined) {
      pbx.bridge([one], caller.channel.bridge ?? undefined);
      pbx.bridge([other], to.bridge ?? undefined);
    } else if (ending !== "blond") pbx.bridge([caller.channel], to.bridge ?? undefined);
    else pbx.leave(caller.channel);
  };
  if (isThreeway) {
    if (order === "first") transferred();
    meet();
    yield 2;
    if (order !== "first") transferred();
    yield 2;
    // The surviving channel is the second one: the first hangs up, and the agent's party goes on.
    pbx.hangUp(phone);
    const pair = [agent.channel, ...agent.others].filter((each) => each !== phone);
    const agentNow: Seat = { party: agent.party, channel: second, others: pair };
    const third: Seat = { party: ringing.party, channel: to, others: seat?.others ?? [] };
    yield 2000;
    return yield* endTalk(stage, call, [agentNow, third, caller]);
  }
  if (order === "first") transferred();
  meet();
  yield 2;
  if (order === "after bridges") transferred();
  yield 2;
  hangUp("ok");
  yield 2;
  if (order === "after hangups") transferred();
  yield 1500 + random(2000);
  if (ending === "blond") seat = yield* answer(stage, caller.channel, ringing, null);
  yield 1000;
  const target_: Seat = { party: ringing.party, channel: to, others: [...(seat?.others ?? []), ...links] };
  const last = seat !== null && ending === "blond" ? { ...seat, party: ringing.party } : target_;
  yield* endTalk(stage, call, random(2) === 0 ? [last, caller] : [caller, last]);
}

/** The consultation came to nothing; the agent goes back to the caller. */
function* back(stage: Stage, talk: Talk, asker: Seat, others: readonly Seat[], consultation: string): Telling {
  const { pbx, truth } = stage;
  yield* endTalk(stage, consultation, [...others, asker]);
  yield 100;
  pbx.say("Unhold", pbx.of(phoneOf(talk.agent)));
  truth.turn(talk.agent.party, "connected", pbx.now);
  yield 1500;
  complete(stage, talk, "agent");
  yield* endTalk(stage, talk.call, [talk.agent, talk.caller]);
}

/** The agent asks somebody by feature codes: the same channel goes between two bridges. */
export function* transferByCodes(stage: Stage, talk: Talk, target: string, ending: CodeEnding, order: Order): Telling {
  const { pbx, truth, random } = stage;
  const { call, caller, agent } = talk;
  const phone = phoneOf(agent);
  const main = phone.bridge ?? undefined;
  const pair = pbx.createPair(`${target}@internal`, phone);
  for (const half of pair) {
    for (const Variable of ["TRANSFERERNAME", "ATTENDEDTRANSFER"]) {
      pbx.say("VarSet", { ...pbx.of(half), Variable, Value: phone.name });
    }
  }
  const consultation = truth.call(pair[0].uniqueId, "consult", pbx.now, call);
  truth.turn(agent.party, "hold", pbx.now);
  const asker = truth.begin(consultation, agent.party.dn, "dialing", pbx.now, { isListed: false });
  const asking = pbx.bridge([pair[0]]);
  pbx.bridge([phone], asking);
  yield 20;
  pbx.runs(pair[1], "Dial", `PJSIP/${target}`);
  const device = pbx.create(`PJSIP/${target}`, { number: target, by: pair[1] });
  pbx.runs(device, "AppDial", "(Outgoing Line)");
  pbx.dials(pair[1], device);
  const asked = truth.begin(consultation, target, "alerting", pbx.now);
  yield 1500 + random(1000);
  const isBlond = ending === "blond";
  const answerAsked = (party: TrueParty) => {
    pbx.dialEnds(pair[1], device, "ANSWER");
    truth.turn(party, "connected", pbx.now);
    truth.turn(asker, "connected", pbx.now);
    pbx.up(pair[1]);
    pbx.up(pair[0]);
    pbx.bridge([device, pair[1]]);
  };
  if (!isBlond) {
    answerAsked(asked);
    yield 1500;
  }
  const target_: Seat = { party: asked, channel: pair[0], others: [pair[1], device] };
  if (ending === "aborted") {
    leaveSeat(stage, target_);
    truth.end(asker, pbx.now);
    truth.endCall(consultation, pbx.now);
    truth.turn(agent.party, "connected", pbx.now);
    pbx.bridge([phone], main);
    yield 1500;
    complete(stage, talk, "agent");
    return yield* endTalk(stage, call, [agent, caller]);
  }
  if (ending === "caller gone") {
    leaveSeat(stage, caller);
    truth.end(agent.party, pbx.now, "remoteRelease");
    truth.endCall(call, pbx.now);
    yield 1500;
    pbx.hangUp(phone);
    truth.end(asker, pbx.now);
    leaveSeat(stage, target_);
    truth.endCall(consultation, pbx.now);
    return;
  }
  const isThreeway = ending === "threeway";
  const by = isThreeway ? "conference" : "transfer";
  const fields = (type: string) =>
    transferFields(
      stage,
      { older: phone, newer: phone, transferee: caller.channel, target: pair[0] },
      {
        DestType: type,
        ...(isThreeway && { DestTransfererChannel: phone.name }),
      },
    );
  const meet = () => {
    pbx.say("BridgeMerge", { ToBridgeUniqueid: main ?? "", FromBridgeUniqueid: asking });
    if (!isThreeway) pbx.leave(phone);
    else pbx.bridge([phone], main);
    pbx.bridge([pair[0]], main);
  };
  let moved = asked;
  const transferred = () => {
    pbx.say("AttendedTransfer", fields(isThreeway ? "Threeway" : "Bridge"));
    if (isThreeway) truth.turn(agent.party, "connected", pbx.now);
    else truth.end(agent.party, pbx.now, "transferred");
    truth.end(asker, pbx.now, isThreeway ? "conferenced" : "transferred");
    moved = truth.move(asked, call, pbx.now, by);
    truth.merge(consultation, call, pbx.now, by);
    truth.count(call, isThreeway ? "conferences" : "transfers");
    if (!isThreeway) complete(stage, talk, "transfer");
  };
  if (order === "first") transferred();
  meet();
  yield 2;
  if (order === "after bridges" || (isThreeway && order !== "first")) transferred();
  yield 2;
  if (!isThreeway) {
    leaveSeat(stage, agent, "transferred");
    truth.end(asker, pbx.now, "transferred");
    yield 2;
    if (order === "after hangups") transferred();
  }
  yield 1000 + random(1000);
  if (isBlond) answerAsked(moved);
  yield 500;
  const isOptimised = random(2) === 0;
  if (isOptimised) pbx.optimise(pair[0], pair[1], device);
  const last: Seat = isOptimised
    ? { party: moved, channel: device, others: [] }
    : { party: moved, channel: pair[0], others: [pair[1], device] };
  yield 1500;
  yield* endTalk(stage, call, isThreeway ? [agent, last, caller] : [caller, last]);
}
