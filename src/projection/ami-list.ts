// What is there, as Asterisk lists it on request, held against what we believed.
//
// 1. The lines of an answer count only when it is complete: its Complete line came, with as many lines before it as it
//    says. An answer cut short is forgotten.
// 2. What a channel list lacks has ended, if we knew it before we asked and heard nothing of it since. Likewise with
//    stays in the list of those who wait. Nobody saw it: it lies between the time up to which nothing was missed and now.
// 3. What a list has and we did not know was there before: it is told as found, with the second of its beginning. A
//    channel that hung up while the answer was on its way is left out, for the line is older than the hangup.
// 4. Of two calls that we knew, and whose channels have one Linkedid in the list, the parties meet in the one of that
//    Linkedid: a transfer or a conference was not seen.
// 5. Answers are worked in in the order in which they were asked for, channels first: those who wait are on channels.

import { ccEventCauses } from "../../schema/dictionary.ts";
import type { Happening, Unseen } from "../event/happening.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import { storeCall } from "./ami-calls.ts";
import { addChannel, announceCaller, joinsDialer, nameCaller } from "./ami-leg.ts";
import { compareUniqueIds, creationSecond, isSecondHalf, pairName } from "./ami-name.ts";
import type { AmiCallState, AmiChannel, AmiLeg, AmiList, AmiListedChannel, AmiStay } from "./ami-state.ts";
import { endGoneStay, findStay, joinedBefore } from "./ami-stay.ts";
import { AmiCallStep } from "./ami-step.ts";
import { isUnrungPair, type ListContext, meetUnseen, moveUnseenLeg, unseenOf } from "./ami-unseen.ts";
import type { World } from "./world.ts";

/** Works in a complete CoreShowChannels answer, whose lines were noted at their calls. */
export function reconcileChannels(world: World, context: ListContext, list: AmiList): readonly Happening[] {
  const happenings: Happening[] = [];
  const known: (readonly [key: string, lines: readonly AmiListedChannel[]])[] = [];
  for (const [key, call] of world.all("ami call")) {
    if (call.source !== context.name) continue;
    const step = new AmiCallStep(call, context.options, context.source.eventCount);
    known.push([key, linesOf(call, list)]);
    reconcileCall(step, context, list);
    storeCall(world, key, step);
    happenings.push(...step.happenings);
  }
  return [...happenings, ...meetUnseen(world, context, known)];
}

function linesOf(call: AmiCallState, list: AmiList): readonly AmiListedChannel[] {
  const lines = call.listed?.actionId === list.actionId ? call.listed.channels : [];
  return lines.filter((line) => !list.gone.includes(line.uniqueId));
}

/** Works in a complete QueueStatus answer. */
export function reconcileStays(world: World, context: ListContext, list: AmiList): readonly Happening[] {
  const happenings: Happening[] = [];
  for (const [key, call] of world.all("ami call")) {
    if (call.source !== context.name) continue;
    const step = new AmiCallStep(call, context.options, context.source.eventCount);
    endUnlistedStays(step, context, list);
    beginListedStays(step, context, list);
    if (step.call === call) continue;
    storeCall(world, key, step);
    happenings.push(...step.happenings);
  }
  return happenings;
}

/** Forgets the lines of an answer that did not become complete. */
export function forgetLines(world: World, source: string): void {
  for (const [key, call] of world.all("ami call")) {
    if (call.source !== source || call.listed === null) continue;
    if (call.channels.length === 0 && call.legs.length === 0) world.remove("ami call", key);
    else world.put("ami call", key, { ...call, listed: null });
  }
}

function reconcileCall(step: AmiCallStep, context: ListContext, list: AmiList): void {
  const { call } = step;
  const listed = linesOf(call, list).toSorted((one, other) => compareUniqueIds(one.uniqueId, other.uniqueId));
  const wasKnown = call.channels.length > 0 || call.legs.length > 0;
  step.changeCall({ listed: null, isComplete: true });
  const named = new Set(listed.map((line) => line.uniqueId));
  const lost = call.channels.filter((channel) => !named.has(channel.uniqueId) && channel.heardAt <= list.askedAt);
  const unseen = unseenOf(context, call.lastAt);
  if (lost.length === call.channels.length && listed.length === 0) {
    if (wasKnown) endCall(step, unseen, lost.length > 0);
    return;
  }
  const gone = lost.map((channel) => channel.uniqueId);
  step.changeCall({ channels: step.call.channels.map((channel) => standIn(channel, step.call.channels, gone)) });
  for (const uniqueId of gone) loseChannel(step, uniqueId, unseen);
  advanceLegs(step, listed, unseen);
  findLegs(step, listed, context.now);
  const legs = step.call.legs.map((leg) => (leg.state === "established" ? { ...leg, isHoldUnknown: true } : leg));
  step.changeCall({ legs });
}

/** A Local pair that is gone, with its device still there, was optimised away: the device stands for the leg. */
function standIn(channel: AmiChannel, all: readonly AmiChannel[], gone: readonly string[]): AmiChannel {
  const ofLeg = all.filter(({ leg }) => leg === channel.leg);
  const isPairGone = ofLeg.every(({ isOuter, uniqueId }) => !isOuter || gone.includes(uniqueId));
  const isDeviceThere = ofLeg.some(({ isOuter, uniqueId }) => !isOuter && !gone.includes(uniqueId));
  return isPairGone && isDeviceThere ? { ...channel, isOuter: !gone.includes(channel.uniqueId) } : channel;
}

/** Everything of the call has ended. Stays whose caller was seen leaving keep the time of that. */
function endCall(step: AmiCallStep, unseen: Unseen, isUnseen: boolean): void {
  for (const stay of step.call.stays) {
    if (stay.isOpen && (stay.abandonedAt !== null || stay.leftAt !== null)) endGoneStay(step, stay, unseen.earliest);
  }
  announceCaller(step, true);
  const at = isUnseen ? unseen.earliest : step.call.lastAt;
  step.happenings.push({ kind: "call deleted", at, call: step.facts(), unseen: isUnseen ? unseen : null });
  step.changeCall({ channels: [], legs: [], stays: [] });
}

function loseChannel(step: AmiCallStep, uniqueId: string, unseen: Unseen): void {
  const channel = step.channel(uniqueId);
  if (channel === undefined) return;
  const leg = step.leg(channel.leg);
  step.changeCall({ channels: step.call.channels.filter((each) => each.uniqueId !== uniqueId) });
  const stay = step.openStay(uniqueId);
  if (stay !== undefined && (stay.abandonedAt !== null || stay.leftAt !== null)) {
    endGoneStay(step, stay, unseen.earliest);
  } else if (stay !== undefined) {
    endUnseenStay(step, stay, "released", ccEventCauses.unknown, unseen);
  }
  if (leg === undefined || leg.state === "gone" || !channel.isOuter) return;
  if (leg.state === "unannounced") step.changeLeg(leg.id, { state: "gone" });
  else moveUnseenLeg(step, leg, "gone", "released", unseen);
}

function endUnseenStay(
  step: AmiCallStep,
  stay: AmiStay,
  told: "diverted" | "released",
  ccCause: number,
  { earliest, latest, cause }: Unseen,
): void {
  const at = sourceInstant(Math.max(earliest, stay.joinedAt));
  const unseen = { earliest: at, latest: sourceInstant(Math.max(latest, at)), cause };
  step.endStay(stay, told, { at, cause: ccCause, unseen });
}

/** Legs that we knew before they were answered, and that talk now. */
function advanceLegs(step: AmiCallStep, listed: readonly AmiListedChannel[], unseen: Unseen): void {
  for (const leg of step.call.legs) {
    if (leg.state !== "dialing" && leg.state !== "ringing") continue;
    const lines = listed.filter((line) => step.channel(line.uniqueId)?.leg === leg.id);
    if (!isTalking(leg, lines)) continue;
    step.changeLeg(leg.id, { hasAnswered: true });
    moveUnseenLeg(step, leg, "established", "established", unseen);
  }
}

function isTalking(leg: AmiLeg, lines: readonly AmiListedChannel[]): boolean {
  const isQueueLeg = leg.queueCall !== null;
  return lines.some((line) => (isQueueLeg ? line.bridgeId !== "" : line.isUp));
}

/** Channels that we did not know: their legs were there before we looked. */
function findLegs(step: AmiCallStep, listed: readonly AmiListedChannel[], now: SourceInstant): void {
  const unknown = listed.filter((line) => step.channel(line.uniqueId) === undefined);
  const waiting = listed.find((line) => line.application === "Queue");
  if (waiting !== undefined) step.changeCall({ isInbound: true });
  const caller = listed.find((line) => line.uniqueId === step.call.linkedId) ?? listed[0];
  if (step.call.context === null && caller !== undefined) step.changeCall({ context: caller.context });
  for (const line of unknown) {
    addChannel(step, line, beganAt(line, now));
    const [conference = ""] = line.application === "ConfBridge" ? line.applicationData.split(",") : [];
    if (conference !== "") step.changeChannel(line.uniqueId, { conference });
    joinPair(step, line, listed);
  }
  for (const leg of step.call.legs) {
    const lines = unknown.filter((line) => step.channel(line.uniqueId)?.leg === leg.id);
    const [first] = lines;
    if (first === undefined || leg.state !== "unannounced") continue;
    if (isUnrungPair(step, leg, listed)) continue;
    const known = leg.isCaller ? nameCaller(step, leg) : { ...leg, queueCall: queueCallOf(lines, waiting) };
    const isEstablished = isTalking(known, lines);
    step.changeLeg(leg.id, { ...known, hasAnswered: isEstablished });
    const state = isEstablished ? "established" : leg.isCaller ? "dialing" : "ringing";
    step.presentLeg(known, state, leg.since, leg.since);
  }
}

/** A device that was found behind the second half of a Local pair is no party besides the pair. */
function joinPair(step: AmiCallStep, line: AmiListedChannel, listed: readonly AmiListedChannel[]): void {
  const leg = step.legOf(line.uniqueId);
  if (leg === undefined || leg.isCaller || leg.state !== "unannounced" || pairName(line.name) !== line.name) return;
  const half = listed.find((each) => {
    const pair = step.legOf(each.uniqueId);
    if (!isSecondHalf(each.name) || pair === undefined || pair.isCaller || pair.id === leg.id) return false;
    return line.bridgeId === "" ? pair.dn === leg.dn : line.bridgeId === each.bridgeId;
  });
  if (half !== undefined) joinsDialer(step, leg, half.uniqueId);
}

function queueCallOf(lines: readonly AmiListedChannel[], waiting: AmiListedChannel | undefined): AmiLeg["queueCall"] {
  const rung = lines.find((line) => line.application === "AppQueue");
  if (rung === undefined || waiting === undefined) return null;
  const [queue = ""] = waiting.applicationData.split(",");
  return {
    queue,
    interface: pairName(rung.name).replace(/-[0-9a-f]{8}$/, ""),
    waitingUniqueId: waiting.uniqueId,
    holdSeconds: null,
  };
}

/** The second of a listed channel's beginning: as its unique id says, else by how long it has lasted. */
function beganAt(line: AmiListedChannel, now: SourceInstant): SourceInstant {
  const byDuration = line.durationSeconds === null ? now : joinedBefore(now, line.durationSeconds);
  const byId = creationSecond(line.uniqueId);
  // A clock that was set, or an id in another form: then the duration is the better witness.
  return byId !== null && Math.abs(byId - byDuration) <= 2000 ? byId : byDuration;
}

function endUnlistedStays(step: AmiCallStep, context: ListContext, list: AmiList): void {
  for (const stay of step.call.stays) {
    if (!stay.isOpen || stay.isParked === true || stay.heardAt > list.askedAt) continue;
    const entry = list.entries.find((each) => isOfStay(each, stay));
    const isAnother = entry !== undefined && joinedAt(entry.waitSeconds, context.now) > stay.joinedAt + 1000;
    if (entry !== undefined && !isAnother) continue;
    const unseen = unseenOf(context, stay.joinedAt);
    const isTaken = step.call.legs.some(
      (leg) => leg.queueCall?.waitingUniqueId === stay.waitingUniqueId && isConnected(leg),
    );
    const leftAt = stay.abandonedAt ?? stay.leftAt;
    if (leftAt !== null) {
      const isConnect = isTaken && stay.abandonedAt === null;
      step.endStay(stay, "diverted", { at: leftAt, cause: isConnect ? ccEventCauses.ok : ccEventCauses.overflowed });
    } else if (isTaken && !isAnother) {
      endUnseenStay(step, stay, "diverted", ccEventCauses.ok, unseen);
    } else {
      endUnseenStay(step, stay, "released", ccEventCauses.unknown, unseen);
    }
  }
}

function beginListedStays(step: AmiCallStep, context: ListContext, list: AmiList): void {
  for (const entry of list.entries) {
    const channel = step.channel(entry.uniqueId);
    if (channel === undefined || list.gone.includes(entry.uniqueId)) continue;
    if (step.openStay(entry.uniqueId) !== undefined) continue;
    findStay(step, {
      queue: entry.queue,
      waitingUniqueId: channel.uniqueId,
      waitingName: channel.name,
      joinedAt: joinedAt(entry.waitSeconds, context.now),
    });
  }
}

function isOfStay(
  entry: { readonly uniqueId: string; readonly queue: string },
  stay: { readonly waitingUniqueId: string; readonly queue: string },
): boolean {
  return entry.uniqueId === stay.waitingUniqueId && entry.queue === stay.queue;
}

function isConnected(leg: AmiLeg): boolean {
  return leg.state === "established" || leg.state === "held";
}

function joinedAt(waitSeconds: number | null, now: SourceInstant): SourceInstant {
  return waitSeconds === null ? now : joinedBefore(now, waitSeconds);
}
