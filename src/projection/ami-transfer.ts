// Attended transfers and three-party calls of Asterisk.
//
//   what is seen                                what it does
//   Newchannel of a DN that holds another call  the new call is a consultation of that one
//   VarSet ATTENDEDTRANSFER (feature codes)     the channel's Local pair leaves its call and becomes a consultation; the
//                                               telephone that asks stays where it is, on hold, and dials there
//   Hangup of a telephone that so asks          it has transferred the call, if anybody is left to be transferred
//   AttendedTransfer Bridge, Link, App          the telephone is released from both calls (cause 1 Transferred); who else
//                                               is in the second goes on in the first, which the second is merged into
//   AttendedTransfer Threeway                   the same, by conference (cause 2), and the telephone goes on in the first
//   AttendedTransfer, Result not Success        nothing: calls go on or hang up as they do
//   last Hangup of a consultation               it was abandoned; the telephone is off hold again
//
// 1. The first call is that of the transferring telephone's older channel (OrigTransferer), whatever Linkedid the two get
//    when their bridges meet. AttendedTransfer comes before or after those meet, and before or after hangups: only it, and
//    not the bridges, decides.
// 2. App: the transferred channel takes the place of the telephone's channel, in a queue too; channels keep their ids.
// 3. Toggling between the two calls by feature code tells nothing of holds, and is not looked at.

import { ccEventCauses } from "../../schema/dictionary.ts";
import type { AmiFields } from "../event/ami-message.ts";
import { callTypes, partyTypes } from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import type { AmiCalls } from "./ami-calls.ts";
import { release, unhold } from "./ami-leg.ts";
import { adoptLeg, joinCall } from "./ami-merge.ts";
import { dnOf, isSecondHalf, pairName } from "./ami-name.ts";
import { type AmiCallState, type AmiLeg, newAmiCall } from "./ami-state.ts";
import { type AmiCallStep, askerGuid } from "./ami-step.ts";
import { newestCall } from "./conn-id-index.ts";
import type { World } from "./world.ts";

/** AttendedTransfer. */
export function transferAttended(calls: AmiCalls, fields: AmiFields, at: SourceInstant): void {
  if ((fields.get("Result") ?? "Success") !== "Success") return;
  const channel = (prefix: string) => fields.get(`${prefix}Uniqueid`);
  const holding = (prefix: string) => calls.holding(channel(prefix), fields.get(`${prefix}Linkedid`));
  const [older, newer] = [channel("OrigTransferer"), channel("SecondTransferer")];
  const main = holding("OrigTransferer") ?? holding("Transferee") ?? calls.open(fields.get("OrigTransfererLinkedid"));
  const other =
    older === newer
      ? calls.open(main?.call.asks)
      : (holding("SecondTransferer") ??
        holding("TransferTarget") ??
        calls.open(fields.get("SecondTransfererLinkedid")));
  const second = other === main ? undefined : other;
  const isConference = fields.get("DestType") === "Threeway";
  const leg = main?.legOf(older);
  const asker = second?.call.consultation?.askedBy === undefined ? second?.legOf(newer) : callerOf(second);
  if (main === undefined || second === undefined) {
    if (isConference) return;
    if (main !== undefined) {
      if (leg !== undefined) release(main, leg, at, ccEventCauses.transferred);
      announceTarget(main, channel("TransferTarget"), leg, at);
    }
    if (second !== undefined && asker !== undefined) release(second, asker, at, ccEventCauses.transferred);
    return;
  }
  if (second.call.consultation === undefined && asker?.isCaller !== false && second.callType() !== callTypes.inbound) {
    second.changeCall({ consultation: { of: main.call.linkedId } });
    second.happenings.push({ kind: "call facts", at, call: second.facts() });
  }
  if (isConference) {
    if (leg !== undefined) goOnWith(main, second, leg, asker, fields.get("DestTransfererChannel"), at);
  } else {
    if (leg !== undefined) release(main, leg, at, ccEventCauses.transferred);
    passQueue(second, newer, channel("Transferee"), fields.get("TransfereeChannel"));
    passQueue(main, older, channel("TransferTarget"), fields.get("TransferTargetChannel"));
  }
  if (asker !== undefined) {
    const { transferred, conferenced, ok } = ccEventCauses;
    // Nobody is there who could go on in the first call: then this is no transfer besides the one of that call.
    const hasOthers = second.call.legs.some((each) => each.id !== asker.id && isTold(each)) || hasStay(second);
    release(second, asker, at, isConference ? conferenced : hasOthers ? transferred : ok);
  }
  joinCall(second, main, { by: isConference ? "conference" : "transfer", at });
  main.changeCall({ asks: null });
}

const isTold = (leg: AmiLeg) => leg.state !== "gone" && leg.state !== "unannounced";
const hasStay = (step: AmiCallStep) => step.call.stays.some((stay) => stay.isOpen);
const callerOf = (step: AmiCallStep) => step.call.legs.find((leg) => leg.isCaller);

/** The telephone goes on in the conference, on whichever of its channels is left. */
function goOnWith(
  main: AmiCallStep,
  second: AmiCallStep,
  leg: AmiLeg,
  asker: AmiLeg | undefined,
  survivor: string | undefined,
  at: SourceInstant,
): void {
  const outer = main.call.channels.filter((each) => each.leg === leg.id && each.isOuter);
  const stays = second.call.channels.find((each) => each.leg === asker?.id && each.name === survivor);
  if (stays !== undefined && !outer.some(({ name }) => name === survivor)) {
    for (const { uniqueId } of outer) main.changeChannel(uniqueId, { isOuter: false });
    second.changeCall({ channels: second.call.channels.filter((each) => each !== stays) });
    main.changeCall({ channels: [...main.call.channels, { ...stays, leg: leg.id, isOuter: true }] });
  }
  const [channel] = main.call.channels.filter((each) => each.leg === leg.id);
  if (channel !== undefined) unhold(main, channel.uniqueId, at);
}

/** The transferred channel waits in the queue instead of the telephone's. */
function passQueue(
  step: AmiCallStep,
  from: string | undefined,
  to: string | undefined,
  name: string | undefined,
): void {
  if (from === undefined || to === undefined || to === "" || step.openStay(from) === undefined) return;
  step.changeCall({
    stays: step.call.stays.map((stay) =>
      stay.isOpen && stay.waitingUniqueId === from
        ? { ...stay, waitingUniqueId: to, waitingName: name ?? stay.waitingName }
        : stay,
    ),
    legs: step.call.legs.map((leg) =>
      leg.queueCall?.waitingUniqueId === from
        ? { ...leg, dialedBy: to, queueCall: { ...leg.queueCall, waitingUniqueId: to } }
        : leg,
    ),
  });
}

/** The consultation was not seen: whoever is in the call now and was not told of before begins here. */
function announceTarget(
  step: AmiCallStep,
  uniqueId: string | undefined,
  by: AmiLeg | undefined,
  at: SourceInstant,
): void {
  const target = step.legOf(uniqueId);
  if (target === undefined || target.isCaller || target.state !== "unannounced" || by === undefined) return;
  const told: AmiLeg = { ...target, hasAnswered: true, parent: { dn: by.dn, by: "transfer" }, since: at };
  step.changeLeg(target.id, told);
  step.moveLeg(told, "established", "established", { at, cause: ccEventCauses.ok });
}

/**
 * The call of which a new call from this DN is a consultation: the DN has it on hold. A member of a queue that talks there
 * and may have been put on hold unseen cannot call but by doing so.
 */
export function heldCall(world: World, source: string, dn: string): string | null {
  const held = world
    .callsOfDn(source, dn)
    .filter(({ callId }) =>
      world
        .get("ami call", callId)
        ?.legs.some((leg) => leg.dn === dn && leg.type === partyTypes.internal && isOnHold(leg)),
    );
  return newestCall(held)?.callId ?? null;
}

function isOnHold(leg: AmiLeg): boolean {
  const isSeen = leg.isHoldUnknown !== true || leg.queueCall === null;
  return leg.state === "held" || (leg.state === "established" && !isSeen);
}

/** VarSet ATTENDEDTRANSFER: the channel named by its value asks somebody by feature codes, over this Local pair. */
export function consultByCodes(calls: AmiCalls, fields: AmiFields, at: SourceInstant): void {
  if (fields.get("Variable") !== "ATTENDEDTRANSFER") return;
  const main = calls.holding(fields.get("Uniqueid"), fields.get("Linkedid"));
  const pair = main?.legOf(fields.get("Uniqueid"));
  const asks = main?.call.channels.find(({ name }) => name === fields.get("Value"));
  const asker = main?.leg(asks?.leg);
  if (main === undefined || pair === undefined || asks === undefined || asker === undefined) return;
  if (pair.isCaller || pair.state !== "unannounced" || pair.id === asker.id || main.call.consultation?.askedBy) return;
  const first = pair.channels.find(({ name }) => !isSecondHalf(name)) ?? pair.channels[0];
  if (first === undefined || pairName(first.name) === first.name) return;
  const consultation = calls.begin({
    ...newAmiCall(calls.context.source, first.uniqueId, at),
    isComplete: true,
    dnis: dnOf(first.name),
    consultation: { of: main.call.linkedId, askedBy: asks.uniqueId },
  });
  if (asker.state === "established") {
    main.changeLeg(asker.id, { isAsking: true });
    main.moveLeg(asker, "held", "held", { at, cause: ccEventCauses.ok });
  }
  main.changeCall({ asks: first.uniqueId });
  const dialing: AmiLeg = {
    ...{ id: 1, isCaller: true, guid: askerGuid(first.uniqueId, asks.uniqueId), state: "unannounced", since: at },
    ...{ upAt: null, dn: asker.dn, type: asker.type, number: asker.number, queueCall: null, dialedBy: null },
    ...{ channels: [{ uniqueId: asks.uniqueId, name: asks.name }], hasAnswered: false },
  };
  consultation.changeCall({ legs: [dialing], nextLeg: 2 });
  calls.happenings.push({ kind: "call created", at, call: consultation.facts() });
  consultation.moveLeg(dialing, "dialing", "dialing", { at });
  adoptLeg(main, consultation, pair);
}

/** Before a channel's Hangup is worked in: a telephone that asks by feature codes has transferred the call with it. */
export function hangUpAsker(calls: AmiCalls, call: AmiCallState, uniqueId: string, at: SourceInstant): void {
  const consultation = calls.open(call.asks);
  const main = calls.open(call.linkedId);
  if (main === undefined || consultation?.call.consultation?.askedBy !== uniqueId) return;
  const leg = main.legOf(uniqueId);
  const isLeft = main.call.legs.some((each) => each.id !== leg?.id && isTold(each));
  const isThere = consultation.call.channels.length > 0;
  const cause = isLeft && isThere ? ccEventCauses.transferred : ccEventCauses.ok;
  const asker = callerOf(consultation);
  if (leg !== undefined) release(main, leg, at, cause);
  if (asker !== undefined) release(consultation, asker, at, cause);
}

/** After a channel's Hangup: what that means for a consultation by feature codes and the call that it was begun from. */
export function settleConsultation(calls: AmiCalls, before: AmiCallState, at: SourceInstant): void {
  const { consultation, linkedId } = before;
  if (consultation?.askedBy !== undefined && calls.open(linkedId) === undefined) {
    const main = calls.open(consultation.of);
    if (main?.call.asks !== linkedId) return;
    main.changeCall({ asks: null });
    unhold(main, consultation.askedBy, at);
    return;
  }
  const main = before.asks == null ? undefined : calls.open(linkedId);
  const asked = calls.open(main?.call.asks)?.call.consultation;
  const leg = main?.legOf(asked?.askedBy);
  if (
    main === undefined ||
    leg === undefined ||
    main.call.isEnded ||
    main.call.legs.some((each) => each.id !== leg.id && isTold(each))
  )
    return;
  // Who was to be transferred is gone: the two who talk go on in the consultation alone.
  release(main, leg, at, ccEventCauses.remoteRelease);
  if (main.call.isComplete) {
    calls.happenings.push({ kind: "call deleted", at, call: main.facts(), unseen: null });
    main.changeCall({ isEnded: true });
  }
}
