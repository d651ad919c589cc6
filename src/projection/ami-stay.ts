// The stays of an Asterisk call in queues, and in parking spaces, which end as ami-join.ts says.
//
// Counted per queue over G_PARTY these agree with the server's own queue_log:
//
//   queue_log         the stay's last row
//   CONNECT           diverted (58), cause 0 Ok: an agent took the call
//   ABANDON           abandoned (59), cause 21 Abandoned: the caller hung up
//   EXITWITHTIMEOUT,  diverted (58), cause 20 Overflowed: the caller left the queue otherwise and goes on in the
//   EXITEMPTY, …      dialplan
//
// QueueCallerAbandon comes for a timeout too. So a stay whose caller has left waits for the next thing that its channel
// does: a step in the dialplan means that the queue let it go, a hangup means that the caller went. A queue that is the
// last step of its dialplan has no next one: then the time the caller waited tells, held against the queue's timeout.

import { ccEventCauses } from "../../schema/dictionary.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import { announceCaller } from "./ami-leg.ts";
import type { AmiStay } from "./ami-state.ts";
import { type AmiCallStep, stayGuid } from "./ami-step.ts";

export interface Joining {
  readonly queue: string;
  readonly waitingUniqueId: string;
  readonly waitingName: string;
  readonly joinedAt: SourceInstant;
}

/** QueueCallerJoin. A stay of the same channel that is still open had ended: the queue let the caller go. */
export function join(step: AmiCallStep, joining: Joining): void {
  const open = step.openStay(joining.waitingUniqueId);
  if (open !== undefined) {
    if (open.queue === joining.queue && open.joinedAt === joining.joinedAt) return;
    step.endStay(open, "diverted", { at: open.leftAt ?? joining.joinedAt, cause: ccEventCauses.overflowed });
  }
  begin(step, joining, false);
}

/** A list, or a later event, says that this channel waits or waited: its joining was not seen. */
export function findStay(step: AmiCallStep, joining: Joining): AmiStay | undefined {
  begin(step, joining, true);
  return step.openStay(joining.waitingUniqueId);
}

/** ParkedCall: a stay in a parking space. */
export function park(step: AmiCallStep, joining: Joining): void {
  if (step.openStay(joining.waitingUniqueId)?.isParked !== true) begin(step, joining, false, true);
}

/** The parked channel leaves the parking space, at the latest when it hangs up. */
export function endParked(
  step: AmiCallStep,
  waitingUniqueId: string,
  at: SourceInstant,
  how: "fetched" | "timed out" | "given up",
): void {
  const stay = step.openStay(waitingUniqueId);
  if (stay?.isParked !== true) return;
  const { ok, overflowed, abandoned } = ccEventCauses;
  if (how === "given up") step.endStay(stay, "abandoned", { at, cause: abandoned });
  else step.endStay(stay, "diverted", { at, cause: how === "fetched" ? ok : overflowed });
}

function begin(step: AmiCallStep, joining: Joining, isFound: boolean, isParked = false): void {
  const { queue, waitingUniqueId } = joining;
  if (!isParked) step.changeCall({ isInbound: true });
  announceCaller(step, true);
  const parent = isFound ? undefined : step.takeTransferrer();
  const number = step.joinsOf(waitingUniqueId, queue) + 1;
  const stay: AmiStay = {
    ...joining,
    guid: stayGuid(waitingUniqueId, queue, number),
    join: number,
    isOpen: true,
    abandonedAt: null,
    leftAt: null,
    isHangingUp: false,
    isClearingUp: false,
    timeoutSeconds: step.channel(waitingUniqueId)?.queueTimeoutSeconds ?? null,
    heardAt: step.eventCount,
    ...(isParked && { isParked }),
    ...(parent && { parent }),
  };
  step.beginStay(stay, isFound);
}

/** QueueCallerAbandon: the caller gave up or the time was up; what comes next tells. */
export function giveUp(step: AmiCallStep, stay: AmiStay, at: SourceInstant): void {
  step.changeStay(stay.guid, { abandonedAt: stay.abandonedAt ?? at, heardAt: step.eventCount });
}

/** QueueCallerLeave: taken by an agent, gone, or let go; what comes next tells. */
export function leave(step: AmiCallStep, stay: AmiStay, at: SourceInstant): void {
  step.changeStay(stay.guid, { leftAt: stay.leftAt ?? at, heardAt: step.eventCount });
}

/** AgentConnect. */
export function connect(step: AmiCallStep, stay: AmiStay, at: SourceInstant): void {
  step.endStay(stay, "diverted", { at, cause: ccEventCauses.ok });
}

/** HangupRequest, SoftHangupRequest. Behind the leaving they come at the end of every dialplan and say nothing. */
export function hangingUp(step: AmiCallStep, uniqueId: string): void {
  const stay = step.openStay(uniqueId);
  if (stay !== undefined && stay.abandonedAt === null && stay.leftAt === null) {
    step.changeStay(stay.guid, { isHangingUp: true });
  }
}

/** The waiting channel takes a step in the dialplan. Extension `h` is where it clears up after the end. */
export function goesOn(step: AmiCallStep, uniqueId: string, extension: string): void {
  const stay = step.openStay(uniqueId);
  const leftAt = stay?.abandonedAt ?? stay?.leftAt ?? null;
  if (stay === undefined || leftAt === null || stay.isHangingUp || stay.isClearingUp) return;
  if (extension === "h") step.changeStay(stay.guid, { isClearingUp: true });
  else step.endStay(stay, "diverted", { at: leftAt, cause: ccEventCauses.overflowed });
}

/** The waiting channel has hung up. */
export function waiterGone(step: AmiCallStep, uniqueId: string, at: SourceInstant): void {
  const stay = step.openStay(uniqueId);
  if (stay !== undefined) endGoneStay(step, stay, at);
}

/** Ends the stay of a channel that hung up, at `at` unless it had left before. */
export function endGoneStay(step: AmiCallStep, stay: AmiStay, at: SourceInstant): void {
  const leftAt = stay.abandonedAt ?? stay.leftAt ?? at;
  const isGivenUp = stay.abandonedAt !== null || stay.leftAt === null;
  if (isGivenUp && !isTimeUp(stay, leftAt)) {
    step.endStay(stay, "abandoned", { at: leftAt, cause: ccEventCauses.abandoned });
  } else {
    step.endStay(stay, "diverted", { at: leftAt, cause: ccEventCauses.overflowed });
  }
}

// The queue reckons in whole seconds: it looks whether the second of joining plus the timeout has been reached.
function isTimeUp(stay: AmiStay, leftAt: SourceInstant): boolean {
  if (stay.timeoutSeconds === null || stay.timeoutSeconds === 0 || stay.isHangingUp) return false;
  return Math.floor(leftAt / 1000) >= Math.floor(stay.joinedAt / 1000) + stay.timeoutSeconds;
}

/** When a caller joined who has waited so many whole seconds at `now`: that many seconds before the second of `now`. */
export function joinedBefore(now: SourceInstant, waitSeconds: number): SourceInstant {
  return sourceInstant((Math.floor(now / 1000) - waitSeconds) * 1000);
}
