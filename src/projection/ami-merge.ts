// One Asterisk call joined to another: its parties go on there, under the same guid, and it is over.

import { ccEventCauses } from "../../schema/dictionary.ts";
import type { CallId, Unseen } from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import { announceCaller } from "./ami-leg.ts";
import type { AmiLeg } from "./ami-state.ts";
import type { AmiCallStep } from "./ami-step.ts";

export interface Joining {
  readonly by: "transfer" | "conference";
  readonly at: SourceInstant;
  /** Nobody saw it. Absent: it was seen. */
  readonly unseen?: Unseen;
}

/** Everything that goes on in `from` goes on in `into`. Who does not come along is released before. */
export function joinCall(from: AmiCallStep, into: AmiCallStep, joining: Joining): void {
  const left = from.call.linkedId as CallId;
  let isTold = false;
  announceCaller(from, true);
  for (const leg of from.call.legs) {
    if (leg.state === "gone") continue;
    const moved = adoptLeg(from, into, leg);
    if (leg.state === "unannounced") continue;
    into.tellMoved(moved, left, joining);
    isTold = true;
  }
  for (const stay of from.call.stays) {
    if (!stay.isOpen) continue;
    into.changeCall({ isInbound: into.call.isInbound || stay.isParked !== true, stays: [...into.call.stays, stay] });
    into.tellMoved(stay, left, joining);
    isTold = true;
  }
  if (!isTold) {
    const { by, at } = joining;
    into.happenings.push({ kind: "call merged", at, call: into.facts(), left, by });
  }
  from.changeCall({ stays: [] });
  end(from, joining);
}

/** The call is over, though channels of it may hang up later. */
function end(step: AmiCallStep, { at, unseen = undefined }: Joining): void {
  if (!step.call.isComplete || step.call.isEnded === true) return;
  step.happenings.push({ kind: "call deleted", at, call: step.facts(), unseen: unseen ?? null });
  step.changeCall({ isEnded: true });
}

/** Takes a leg with its channels out of one call into another; nothing is told. It is nobody's caller there. */
export function adoptLeg(from: AmiCallStep, into: AmiCallStep, leg: AmiLeg): AmiLeg {
  const id = into.call.nextLeg;
  const moved: AmiLeg = { ...leg, id, isCaller: false };
  const channels = from.call.channels.filter((channel) => channel.leg === leg.id);
  into.changeCall({
    legs: [...into.call.legs, moved],
    nextLeg: id + 1,
    channels: [...into.call.channels, ...channels.map((channel) => ({ ...channel, leg: id }))],
  });
  from.changeCall({
    legs: from.call.legs.filter((each) => each.id !== leg.id),
    channels: from.call.channels.filter((channel) => channel.leg !== leg.id),
  });
  return moved;
}

/**
 * Who called to take over what rings or waits in another call answers it: the party goes on there, connected, and the
 * call that was only the way to it is over. That is no transfer.
 */
export function takeOver(
  from: AmiCallStep,
  into: AmiCallStep,
  taker: AmiLeg,
  { at, queueCall }: { readonly at: SourceInstant; readonly queueCall: AmiLeg["queueCall"] },
): void {
  if (taker.isCaller) announceCaller(from, true);
  const told = from.leg(taker.id) ?? taker;
  const moved = adoptLeg(from, into, told);
  const answered: AmiLeg = { ...moved, hasAnswered: true, queueCall, since: at };
  into.changeLeg(moved.id, answered);
  into.moveLeg(answered, "established", "established", { at, cause: ccEventCauses.ok });
  if (told.state !== "unannounced") from.moveLeg(told, "gone", "released", { at, cause: ccEventCauses.ok });
  joinCall(from, into, { by: "transfer", at });
}
