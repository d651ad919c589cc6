// One event of the manager, held against the call whose channel it names.

import { ccEventCauses } from "../../schema/dictionary.ts";
import type { AmiEvent, AmiFields } from "../event/ami-message.ts";
import type { Happening } from "../event/happening.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import { AmiCalls, type AmiEventContext, keyHolding, storeCall } from "./ami-calls.ts";
import { enterConference, followDialer, leaveConference, leaveParking, parkCall, pickUp } from "./ami-join.ts";
import {
  addChannel,
  announceCaller,
  type ChannelFacts,
  channelGone,
  channelUp,
  dialEnded,
  hold,
  learnNumber,
  optimizeAway,
  release,
  ring,
  unhold,
} from "./ami-leg.ts";
import { dnOf, knownNumber, wholeNumber } from "./ami-name.ts";
import { type AmiCallState, type AmiLeg, newAmiCall } from "./ami-state.ts";
import { connect, findStay, giveUp, goesOn, hangingUp, join, joinedBefore, leave, waiterGone } from "./ami-stay.ts";
import { AmiCallStep } from "./ami-step.ts";
import { consultByCodes, hangUpAsker, heldCall, settleConsultation, transferAttended } from "./ami-transfer.ts";
import type { World } from "./world.ts";

interface EventRule {
  /** Prefixes of the field names of the channels the event names; the first that has an id is its subject. */
  readonly channels: readonly string[];
  /** Whether a call that is not known yet begins with it, its earlier part unseen: while lists have not told all. */
  readonly begins: boolean;
  apply(step: AmiCallStep, event: Subject): void;
}

/** The event as its rule needs it. */
interface Subject {
  readonly fields: AmiFields;
  readonly at: SourceInstant;
  readonly channel: ChannelFacts;
}

const rules: Readonly<Record<string, EventRule>> = {
  Newchannel: { channels: [""], begins: true, apply: channelBegins },
  Newstate: { channels: [""], begins: false, apply: channelState },
  NewCallerid: { channels: [""], begins: false, apply: callerNumber },
  Newexten: { channels: [""], begins: false, apply: dialplanStep },
  HangupRequest: { channels: [""], begins: false, apply: (step, { channel }) => hangingUp(step, channel.uniqueId) },
  SoftHangupRequest: { channels: [""], begins: false, apply: (step, { channel }) => hangingUp(step, channel.uniqueId) },
  Hangup: { channels: [""], begins: false, apply: channelEnds },
  Hold: { channels: [""], begins: false, apply: (step, { channel, at }) => hold(step, channel.uniqueId, at) },
  Unhold: { channels: [""], begins: false, apply: (step, { channel, at }) => unhold(step, channel.uniqueId, at) },
  DialBegin: { channels: ["Dest", ""], begins: false, apply: dialBegins },
  DialEnd: { channels: ["Dest", ""], begins: false, apply: dialEnds },
  QueueCallerJoin: { channels: [""], begins: true, apply: callerJoins },
  QueueCallerAbandon: { channels: [""], begins: true, apply: callerGivesUp },
  QueueCallerLeave: { channels: [""], begins: false, apply: callerLeaves },
  AgentCalled: { channels: ["Dest", ""], begins: true, apply: agentCalled },
  AgentConnect: { channels: ["Dest", ""], begins: true, apply: agentConnects },
  AgentRingNoAnswer: { channels: ["Dest", ""], begins: false, apply: agentMisses },
  AgentComplete: { channels: ["Dest", ""], begins: false, apply: agentCompletes },
  BlindTransfer: { channels: ["Transferer"], begins: false, apply: transfers },
  LocalOptimizationBegin: {
    channels: ["LocalOne"],
    begins: false,
    apply: (step, { fields }) =>
      optimizeAway(step, [fields.get("LocalOneUniqueid") ?? "", fields.get("LocalTwoUniqueid") ?? ""]),
  },
};

type JoiningRule = (calls: AmiCalls, fields: AmiFields, at: SourceInstant, name: string) => void;

/** Events that concern several calls; what each does: ami-transfer.ts, ami-join.ts. */
const joiningRules: Readonly<Record<string, JoiningRule>> = {
  AttendedTransfer: transferAttended,
  VarSet: consultByCodes,
  Pickup: pickUp,
  ParkedCall: parkCall,
  UnParkedCall: leaveParking,
  ParkedCallTimeOut: leaveParking,
  ParkedCallGiveUp: leaveParking,
  ConfbridgeJoin: enterConference,
  ConfbridgeLeave: leaveConference,
};

/** Takes in one event; returns what it says happened. An event that is in neither table changes nothing. */
export function stepAmiEvent(world: World, context: AmiEventContext, event: AmiEvent): readonly Happening[] {
  const { name, fields } = event;
  const joining = Object.hasOwn(joiningRules, name) ? joiningRules[name] : undefined;
  if (joining !== undefined) {
    const calls = new AmiCalls(world, context);
    joining(calls, fields, context.at, name);
    return calls.store();
  }
  if (name === "DialBegin" || name === "AgentCalled") {
    const calls = new AmiCalls(world, context);
    followDialer(calls, fields);
    calls.store();
  }
  if (name !== "Hangup") return stepOneCall(world, context, event);
  const uniqueId = fields.get("Uniqueid") ?? "";
  const key = keyHolding(world, context.source, uniqueId, fields.get("Linkedid"));
  const before = key === undefined ? undefined : world.get("ami call", key);
  if (before?.asks == null && before?.consultation?.askedBy === undefined) return stepOneCall(world, context, event);
  const earlier = new AmiCalls(world, context);
  hangUpAsker(earlier, before, uniqueId, context.at);
  const happenings = [...earlier.store(), ...stepOneCall(world, context, event)];
  const later = new AmiCalls(world, context);
  settleConsultation(later, before, context.at);
  return [...happenings, ...later.store()];
}

function stepOneCall(world: World, context: AmiEventContext, event: AmiEvent): readonly Happening[] {
  const rule = Object.hasOwn(rules, event.name) ? rules[event.name] : undefined;
  if (rule === undefined) return [];
  const { fields } = event;
  const prefix = rule.channels.find((each) => (fields.get(`${each}Uniqueid`) ?? "") !== "");
  if (prefix === undefined) {
    return event.name === "AgentComplete" ? completeUnnamed(world, context, fields) : [];
  }
  const channel = channelOf(fields, prefix);
  const linkedId = fields.get(`${prefix}Linkedid`) || channel.uniqueId;
  const isBirth = event.name === "Newchannel";
  const known = findCall(world, context.source, linkedId, channel.uniqueId, isBirth);
  noteGone(world, context, event.name, channel.uniqueId);
  const knowsAll = isAllKnown(world, context.source);
  if (known === undefined && (!rule.begins || (knowsAll && !isBirth))) return [];
  const call = known ?? {
    ...newAmiCall(context.source, linkedId, context.at),
    isComplete: knowsAll,
    ...(isBirth && consultationOf(world, context, channel, fields)),
  };
  const step = new AmiCallStep(call, context.options, context.eventCount);
  step.changeCall({ lastAt: sourceInstant(Math.max(call.lastAt, context.at)) });
  for (const each of rule.channels) {
    const uniqueId = fields.get(`${each}Uniqueid`);
    if (uniqueId !== undefined && step.channel(uniqueId) !== undefined) {
      step.changeChannel(uniqueId, { heardAt: context.eventCount });
    }
  }
  rule.apply(step, { fields, at: context.at, channel });
  storeCall(world, call.linkedId, step);
  return step.happenings;
}

/** A call from a telephone that holds another call is a consultation. What comes over a trunk is none. */
function consultationOf(
  world: World,
  { source, options }: AmiEventContext,
  channel: ChannelFacts,
  fields: AmiFields,
): Pick<AmiCallState, "consultation"> {
  const isFirst = (fields.get("Linkedid") || channel.uniqueId) === channel.uniqueId;
  if (!isFirst || options.inboundContexts.includes(fields.get("Context") ?? "")) return {};
  const of = heldCall(world, source, dnOf(channel.name));
  return of === null ? {} : { consultation: { of } };
}

/** Lists have told all that was there: a call that is not known now is over, unless a channel of it comes to be. */
function isAllKnown(world: World, name: string): boolean {
  const source = world.get("ami source", name);
  return source?.isReconciled === true && source.lists.length === 0;
}

function channelOf(fields: AmiFields, prefix: string): ChannelFacts {
  return {
    uniqueId: fields.get(`${prefix}Uniqueid`) ?? "",
    name: fields.get(`${prefix}Channel`) ?? "",
    number: knownNumber(fields.get(`${prefix}CallerIDNum`)),
  };
}

/** The call a channel is in: where it came to be, though its Linkedid may have changed. */
function findCall(
  world: World,
  source: string,
  linkedId: string,
  uniqueId: string,
  isBirth: boolean,
): AmiCallState | undefined {
  const named = world.get("ami call", linkedId);
  const ours = named?.source === source ? named : undefined;
  if (isBirth || ours?.channels.some((channel) => channel.uniqueId === uniqueId)) return ours;
  for (const [, call] of world.all("ami call")) {
    if (call.source === source && call.channels.some((channel) => channel.uniqueId === uniqueId)) return call;
  }
  return ours;
}

/** While an answer is on its way: what has ended since, so that an older line does not bring it back. */
function noteGone(world: World, context: AmiEventContext, name: string, uniqueId: string): void {
  const isHangup = name === "Hangup";
  if (!isHangup && name !== "QueueCallerLeave") return;
  const source = world.get("ami source", context.source);
  if (source === undefined || source.lists.length === 0) return;
  const lists = source.lists.map((list) =>
    isHangup || list.action === "QueueStatus" ? { ...list, gone: [...list.gone, uniqueId] } : list,
  );
  world.put("ami source", context.source, { ...source, lists });
}

function channelBegins(step: AmiCallStep, { fields, at, channel }: Subject): void {
  const isFirst = channel.uniqueId === step.call.linkedId;
  const wasEmpty = step.call.channels.length === 0 && step.call.legs.length === 0;
  if (isFirst && wasEmpty) {
    const exten = fields.get("Exten") ?? "";
    step.changeCall({
      isComplete: true,
      context: fields.get("Context") ?? null,
      dnis: exten === "" || exten === "s" ? null : exten,
    });
    step.happenings.push({ kind: "call created", at, call: step.facts() });
  }
  addChannel(step, channel, at);
  if (fields.get("ChannelStateDesc") === "Up") channelUp(step, channel.uniqueId, at);
  announceCaller(step, false);
}

function channelState(step: AmiCallStep, { fields, at, channel }: Subject): void {
  if (channel.number !== null) learnNumber(step, channel.uniqueId, channel.number);
  if (fields.get("ChannelStateDesc") === "Up") channelUp(step, channel.uniqueId, at);
}

function callerNumber(step: AmiCallStep, { channel }: Subject): void {
  if (channel.number !== null) learnNumber(step, channel.uniqueId, channel.number);
}

function dialplanStep(step: AmiCallStep, { fields, channel }: Subject): void {
  goesOn(step, channel.uniqueId, fields.get("Extension") ?? "");
  if (fields.get("Application") !== "Queue") return;
  const [, , , , timeout] = (fields.get("AppData") ?? "").split(",");
  step.changeChannel(channel.uniqueId, { queueTimeoutSeconds: wholeNumber(timeout) });
}

function channelEnds(step: AmiCallStep, { fields, at, channel }: Subject): void {
  waiterGone(step, channel.uniqueId, at);
  const isKnown = step.channel(channel.uniqueId) !== undefined;
  channelGone(step, channel.uniqueId, at, fields.get("Cause") ?? "");
  if (isKnown && step.call.channels.length === 0 && step.call.isComplete && step.call.isEnded !== true) {
    const asker = step.call.legs.find((leg) => leg.isCaller);
    if (step.call.consultation?.askedBy !== undefined && asker !== undefined) {
      release(step, asker, at, ccEventCauses.ok);
    }
    step.happenings.push({ kind: "call deleted", at, call: step.facts(), unseen: null });
  }
}

// A DialBegin without a dialing channel is an Originate: it rings the caller.
function dialBegins(step: AmiCallStep, { fields, at, channel }: Subject): void {
  const dialedBy = fields.get("Uniqueid") ?? "";
  if (dialedBy === "" || !isTaken(step, channel, at)) return;
  ring(step, channel.uniqueId, at, { dialedBy, queueCall: null, dn: null });
}

/** A destination whose Newchannel was not seen is taken in, unless every channel of the call is known: then it is over. */
function isTaken(step: AmiCallStep, channel: ChannelFacts, at: SourceInstant): boolean {
  if (step.channel(channel.uniqueId) === undefined && !step.call.isComplete) addChannel(step, channel, at);
  return step.channel(channel.uniqueId) !== undefined;
}

function dialEnds(step: AmiCallStep, { fields, at, channel }: Subject): void {
  dialEnded(step, channel.uniqueId, fields.get("DialStatus") ?? "", at);
}

function callerJoins(step: AmiCallStep, { fields, at, channel }: Subject): void {
  const queue = fields.get("Queue");
  if (queue === undefined || !isTaken(step, channel, at)) return;
  join(step, { queue, waitingUniqueId: channel.uniqueId, waitingName: channel.name, joinedAt: at });
}

function callerGivesUp(step: AmiCallStep, subject: Subject): void {
  const { channel, at } = subject;
  const stay = step.openStay(channel.uniqueId) ?? missedStay(step, subject, channel);
  if (stay !== undefined) giveUp(step, stay, at);
}

function callerLeaves(step: AmiCallStep, { at, channel }: Subject): void {
  const stay = step.openStay(channel.uniqueId);
  if (stay !== undefined) leave(step, stay, at);
}

/** The stay that an event ends, its joining not seen: HoldTime says when that was. None where all was seen. */
function missedStay(step: AmiCallStep, { fields, at }: Subject, waiting: ChannelFacts) {
  const queue = fields.get("Queue");
  if (queue === undefined || step.call.stays.some((stay) => stay.waitingUniqueId === waiting.uniqueId))
    return undefined;
  if (!isTaken(step, waiting, at)) return undefined;
  const holdSeconds = wholeNumber(fields.get("HoldTime")) ?? 0;
  return findStay(step, {
    queue,
    waitingUniqueId: waiting.uniqueId,
    waitingName: waiting.name,
    joinedAt: joinedBefore(at, holdSeconds),
  });
}

function queueCallOf(fields: AmiFields): NonNullable<AmiLeg["queueCall"]> {
  return {
    queue: fields.get("Queue") ?? "",
    interface: fields.get("Interface") ?? "",
    waitingUniqueId: fields.get("Uniqueid") ?? "",
    holdSeconds: wholeNumber(fields.get("HoldTime")),
  };
}

function agentCalled(step: AmiCallStep, { fields, at, channel }: Subject): void {
  if (channel.uniqueId !== fields.get("DestUniqueid") || !isTaken(step, channel, at)) return;
  const queueCall = queueCallOf(fields);
  ring(step, channel.uniqueId, at, {
    dialedBy: queueCall.waitingUniqueId,
    queueCall,
    dn: memberDn(queueCall.interface),
  });
}

const memberDn = (member: string): string | null => (member === "" ? null : dnOf(member));

function agentConnects(step: AmiCallStep, subject: Subject): void {
  const { fields, at, channel } = subject;
  const waiting = channelOf(fields, "");
  const stay = step.openStay(waiting.uniqueId) ?? missedStay(step, subject, waiting);
  if (stay !== undefined) connect(step, stay, at);
  if (channel.uniqueId !== fields.get("DestUniqueid") || !isTaken(step, channel, at)) return;
  const queueCall = queueCallOf(fields);
  const dialedBy = queueCall.waitingUniqueId;
  ring(step, channel.uniqueId, at, { dialedBy, queueCall, dn: memberDn(queueCall.interface) });
  const leg = step.legOf(channel.uniqueId);
  if (leg?.state !== "ringing") return;
  step.changeLeg(leg.id, { hasAnswered: true, queueCall });
  step.moveLeg(leg, "established", "established", { at, cause: ccEventCauses.ok });
}

function agentMisses(step: AmiCallStep, { at, channel }: Subject): void {
  const leg = step.legOf(channel.uniqueId);
  if (leg?.state === "ringing") release(step, leg, at, ccEventCauses.noAnswer);
}

const completionCauses: ReadonlyMap<string, number> = new Map([
  ["agent", ccEventCauses.ok],
  ["caller", ccEventCauses.remoteRelease],
  ["transfer", ccEventCauses.transferred],
]);

// The agent's channel may be missing, for it may be gone already; then the waiting channel names the talk.
function agentCompletes(step: AmiCallStep, { fields, at }: Subject): void {
  const rung = fields.get("DestUniqueid") ?? "";
  const leg =
    rung === ""
      ? step.call.legs.find(
          (each) => isTalkOf(each, fields) && each.queueCall?.waitingUniqueId === fields.get("Uniqueid"),
        )
      : step.legOf(rung);
  if (leg !== undefined && isTalking(leg))
    release(step, leg, at, completionCauses.get(fields.get("Reason") ?? "") ?? ccEventCauses.ok);
}

/**
 * AgentComplete without any channel: the caller's is gone. The talk is the one of this member and queue whose caller has
 * hung up and whose times agree; if that is not exactly one, the agent's own Hangup will end it.
 */
function completeUnnamed(world: World, context: AmiEventContext, fields: AmiFields): readonly Happening[] {
  const talkSeconds = wholeNumber(fields.get("TalkTime"));
  const holdSeconds = wholeNumber(fields.get("HoldTime"));
  const found: { readonly call: AmiCallState; readonly leg: AmiLeg }[] = [];
  for (const [, call] of world.all("ami call")) {
    if (call.source !== context.source) continue;
    for (const leg of call.legs) {
      const waiting = leg.queueCall?.waitingUniqueId;
      const isWaiterGone = !call.channels.some((channel) => channel.uniqueId === waiting);
      const lasted = (context.at - leg.since) / 1000;
      const isLength = talkSeconds === null || Math.abs(lasted - talkSeconds) <= 1;
      const isWait = leg.queueCall?.holdSeconds == null || leg.queueCall.holdSeconds === holdSeconds;
      if (isTalkOf(leg, fields) && isTalking(leg) && isWaiterGone && isLength && isWait) found.push({ call, leg });
    }
  }
  const [one, another] = found;
  if (one === undefined || another !== undefined) return [];
  const step = new AmiCallStep(one.call, context.options, context.eventCount);
  release(step, one.leg, context.at, completionCauses.get(fields.get("Reason") ?? "") ?? ccEventCauses.ok);
  storeCall(world, one.call.linkedId, step);
  return step.happenings;
}

function isTalkOf(leg: AmiLeg, fields: AmiFields): boolean {
  return leg.queueCall?.queue === fields.get("Queue") && leg.queueCall?.interface === fields.get("Interface");
}

function isTalking(leg: AmiLeg): boolean {
  return leg.state === "established" || leg.state === "held";
}

function transfers(step: AmiCallStep, { fields, at, channel }: Subject): void {
  const leg = step.legOf(channel.uniqueId);
  if (leg === undefined || (fields.get("Result") ?? "Success") !== "Success") return;
  release(step, leg, at, ccEventCauses.transferred);
  step.changeCall({ transferredBy: leg.dn });
}
