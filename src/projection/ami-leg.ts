// The legs of an Asterisk call: who called, and who was rung.
//
// 1. The halves ;1 and ;2 of a Local pair are one leg. A channel that a rung Local pair dials from its second half
//    belongs to that leg too: it is the device behind the same DN.
// 2. The caller is told of as soon as it is clear who it is: external, with a number, when the call came from an
//    inbound context or enters a queue; internal otherwise. Until then its beginning waits, and keeps its time.
// 3. A leg that a queue rings talks from AgentConnect on, any other from DialEnd ANSWER on.
// 4. A leg ends with the first of its outer channels, or before that when the source says that its part is over.

import { ccEventCauses } from "../../schema/dictionary.ts";
import { partyTypes } from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import { dnOf, isSecondHalf, pairName } from "./ami-name.ts";
import type { AmiChannel, AmiLeg } from "./ami-state.ts";
import { type AmiCallStep, legGuid } from "./ami-step.ts";

/** A channel as an event names it. */
export interface ChannelFacts {
  readonly uniqueId: string;
  readonly name: string;
  readonly number: string | null;
}

/** Takes a channel into the leg it belongs to, or into a new one. Knows it already: changes nothing. */
export function addChannel(step: AmiCallStep, channel: ChannelFacts, at: SourceInstant): AmiLeg {
  const known = step.legOf(channel.uniqueId);
  if (known !== undefined) return known;
  const pair = pairName(channel.name);
  const sibling = step.call.channels.find((each) => each.isOuter && pairName(each.name) === pair);
  const added: AmiChannel = {
    uniqueId: channel.uniqueId,
    name: channel.name,
    leg: sibling?.leg ?? step.call.nextLeg,
    isOuter: true,
    heardAt: step.eventCount,
    queueTimeoutSeconds: null,
  };
  step.changeCall({ channels: [...step.call.channels, added] });
  const isFirst = channel.uniqueId === step.call.linkedId;
  const leg = step.leg(added.leg);
  if (leg === undefined) {
    const fresh: AmiLeg = {
      id: added.leg,
      isCaller: isFirst,
      guid: legGuid(channel.uniqueId),
      state: "unannounced",
      since: at,
      upAt: null,
      dn: dnOf(channel.name),
      type: partyTypes.internal,
      number: channel.number,
      channels: [{ uniqueId: channel.uniqueId, name: channel.name }],
      queueCall: null,
      dialedBy: null,
      hasAnswered: false,
    };
    step.changeCall({ legs: [...step.call.legs, fresh], nextLeg: step.call.nextLeg + 1 });
    return fresh;
  }
  const channels = [...leg.channels, { uniqueId: channel.uniqueId, name: channel.name }];
  // The first half names a pair, in whichever order the halves come.
  const isNaming = leg.state === "unannounced" && !isSecondHalf(channel.name);
  const guid = isNaming ? legGuid(channel.uniqueId) : leg.guid;
  const isCaller = leg.isCaller || isFirst;
  step.changeLeg(leg.id, { channels, guid, isCaller, number: leg.number ?? channel.number });
  return step.leg(leg.id) ?? leg;
}

/** The caller's number became known. */
export function learnNumber(step: AmiCallStep, uniqueId: string, number: string): void {
  const leg = step.legOf(uniqueId);
  if (leg === undefined || !leg.isCaller || leg.state !== "unannounced") return;
  step.changeLeg(leg.id, { number });
  announceCaller(step, false);
}

/** The channel was answered, or answered itself. */
export function channelUp(step: AmiCallStep, uniqueId: string, at: SourceInstant): void {
  const leg = step.legOf(uniqueId);
  if (leg === undefined) return;
  if (!leg.isCaller) return askerAnswered(step, at);
  if (leg.hasAnswered) return;
  step.changeLeg(leg.id, { hasAnswered: true, upAt: at });
  if (leg.state === "dialing") step.moveLeg(leg, "established", "established", { at });
  else announceCaller(step, false);
}

/** Whom a telephone asks by feature codes has answered: so has the telephone, which has no channel in that call. */
function askerAnswered(step: AmiCallStep, at: SourceInstant): void {
  if (step.call.consultation?.askedBy === undefined) return;
  const asker = step.call.legs.find((leg) => leg.isCaller);
  if (asker?.state !== "dialing") return;
  step.changeLeg(asker.id, { hasAnswered: true });
  step.moveLeg(asker, "established", "established", { at, cause: ccEventCauses.ok });
}

/** Tells of the caller's leg if it is clear who it is, or if it can wait no longer. */
export function announceCaller(step: AmiCallStep, isDue: boolean): void {
  const leg = step.call.legs.find((each) => each.isCaller);
  if (leg === undefined || leg.state !== "unannounced") return;
  const named = nameCaller(step, leg);
  const isClear = step.callType() !== null && (named.type === partyTypes.internal || named.number !== null);
  if (!isDue && !isClear) return;
  step.changeLeg(leg.id, named);
  step.moveLeg(named, "dialing", "dialing", { at: leg.since });
  const dialing = step.leg(leg.id);
  if (leg.upAt !== null && dialing !== undefined) {
    step.moveLeg(dialing, "established", "established", { at: leg.upAt });
  }
}

/** The caller's leg with the DN and type that fit what is known of the call. */
export function nameCaller(step: AmiCallStep, leg: AmiLeg): AmiLeg {
  const { context, isInbound, consultation } = step.call;
  const isExternal =
    (isInbound && consultation === undefined) || (context !== null && step.options.inboundContexts.includes(context));
  const dn = isExternal ? (leg.number ?? leg.dn) : leg.dn;
  return { ...leg, dn, type: isExternal ? partyTypes.external : partyTypes.internal };
}

/** A leg is being rung: by a queue (`queueCall`) or by a dialing channel. Told once. */
export function ring(
  step: AmiCallStep,
  uniqueId: string,
  at: SourceInstant,
  by: { readonly dialedBy: string | null; readonly queueCall: AmiLeg["queueCall"]; readonly dn: string | null },
): void {
  const leg = step.legOf(uniqueId);
  if (leg === undefined || leg.isCaller || leg.state === "gone") return;
  // Said a second time: it is the device behind the pair already.
  if (by.queueCall === null && step.legOf(by.dialedBy ?? undefined)?.id === leg.id) return;
  if (by.queueCall === null && joinsDialer(step, leg, by.dialedBy)) {
    // A Local pair that nobody dialed: whom an attended transfer by feature codes asks.
    const pair = step.legOf(by.dialedBy ?? undefined);
    if (pair?.state === "unannounced") tellRinging(step, pair, at);
    return;
  }
  const dialed: AmiLeg = {
    ...leg,
    dn: leg.state === "unannounced" ? (by.dn ?? leg.dn) : leg.dn,
    dialedBy: by.dialedBy ?? leg.dialedBy,
    queueCall: leg.queueCall ?? by.queueCall,
  };
  step.changeLeg(leg.id, dialed);
  if (leg.state === "unannounced") tellRinging(step, dialed, at);
}

function tellRinging(step: AmiCallStep, leg: AmiLeg, at: SourceInstant): void {
  announceCaller(step, true);
  const parent = leg.queueCall === null ? step.takeTransferrer() : undefined;
  const rung = parent === undefined ? leg : { ...leg, parent };
  if (parent !== undefined) step.changeLeg(leg.id, { parent });
  step.moveLeg(rung, "ringing", "ringing", { at });
}

/** What a Local pair dials is the device behind the pair, and no leg of its own. */
export function joinsDialer(step: AmiCallStep, leg: AmiLeg, dialedBy: string | null): boolean {
  const dialer = step.channel(dialedBy ?? undefined);
  const dialerLeg = step.leg(dialer?.leg);
  if (dialer === undefined || dialerLeg === undefined || dialerLeg.isCaller || dialerLeg.id === leg.id) return false;
  if (!isSecondHalf(dialer.name) || leg.state !== "unannounced") return false;
  const channels = step.call.channels.map((channel) =>
    channel.leg === leg.id ? { ...channel, leg: dialerLeg.id, isOuter: false } : channel,
  );
  step.changeCall({ channels, legs: step.call.legs.filter((each) => each.id !== leg.id) });
  return true;
}

/** DialEnd: how the dialing of one channel came out. */
export function dialEnded(step: AmiCallStep, uniqueId: string, status: string, at: SourceInstant): void {
  const leg = step.legOf(uniqueId);
  if (leg === undefined || leg.isCaller) return;
  // What a dialed Local pair dials further counts only where nobody dialed the pair.
  if (step.channel(uniqueId)?.isOuter !== true && (leg.dialedBy !== null || status !== "ANSWER")) return;
  if (status === "ANSWER") {
    step.changeLeg(leg.id, { hasAnswered: true });
    askerAnswered(step, at);
    if (leg.state === "ringing" && leg.queueCall === null) {
      step.moveLeg(leg, "established", "established", { at, cause: ccEventCauses.ok });
    }
    return;
  }
  if (leg.state === "ringing") release(step, leg, at, dialCauses.get(status) ?? unansweredCause(step, leg));
}

const dialCauses: ReadonlyMap<string, number> = new Map([
  ["NOANSWER", ccEventCauses.noAnswer],
  ["BUSY", ccEventCauses.busy],
  ["CONGESTION", ccEventCauses.generalError],
  ["CHANUNAVAIL", ccEventCauses.generalError],
]);

/** Why a ringing leg stopped ringing when nobody says: another one answered, or the caller gave up. */
function unansweredCause(step: AmiCallStep, leg: AmiLeg): number {
  const isTaken = step.call.legs.some(
    (each) => each.id !== leg.id && !each.isCaller && each.hasAnswered && each.dialedBy === leg.dialedBy,
  );
  return isTaken ? ccEventCauses.redirected : ccEventCauses.abandoned;
}

/** LocalOptimizationBegin: what a Local pair dialed takes its place, and stands for the leg when the halves hang up. */
export function optimizeAway(step: AmiCallStep, uniqueIds: readonly string[]): void {
  for (const uniqueId of uniqueIds) {
    const half = step.channel(uniqueId);
    const behind = step.call.channels.filter((each) => each.leg === half?.leg && !uniqueIds.includes(each.uniqueId));
    if (half === undefined || behind.length === 0) continue;
    for (const each of behind) step.changeChannel(each.uniqueId, { isOuter: true });
    step.changeChannel(uniqueId, { isOuter: false });
  }
}

// Causes of Hangup (Q.850) that say more than a normal ending of a ringing leg.
const busyCauses = new Set(["17", "21"]);
const noAnswerCauses = new Set(["18", "19"]);
const answeredElsewhere = "26";

/** The channel has hung up. What remains of the leg's other half is cleared up by its own Hangup. */
export function channelGone(step: AmiCallStep, uniqueId: string, at: SourceInstant, cause: string): void {
  const channel = step.channel(uniqueId);
  if (channel === undefined) return;
  const leg = step.leg(channel.leg);
  step.changeCall({ channels: step.call.channels.filter((each) => each.uniqueId !== uniqueId) });
  if (leg === undefined || !channel.isOuter) return;
  release(step, leg, at, leg.state === "ringing" ? ringingCause(step, leg, cause) : ccEventCauses.ok);
}

function ringingCause(step: AmiCallStep, leg: AmiLeg, cause: string): number {
  if (busyCauses.has(cause)) return ccEventCauses.busy;
  if (noAnswerCauses.has(cause)) return ccEventCauses.noAnswer;
  return cause === answeredElsewhere ? ccEventCauses.redirected : unansweredCause(step, leg);
}

/** Ends the leg's part in the call. A caller that was not told of yet is told of first; a leg never rung is not. */
export function release(step: AmiCallStep, leg: AmiLeg, at: SourceInstant, cause: number): void {
  if (leg.isCaller) announceCaller(step, true);
  const now = step.leg(leg.id);
  if (now === undefined || now.state === "gone") return;
  if (now.state === "unannounced") step.changeLeg(now.id, { state: "gone" });
  else step.moveLeg(now, "gone", "released", { at, cause });
}

/** Hold and Unhold name the channel whose side pressed the key. An Unhold without a hold comes before every transfer. */
export function hold(step: AmiCallStep, uniqueId: string, at: SourceInstant): void {
  const leg = step.legOf(uniqueId);
  knowHold(step, leg);
  if (leg?.state === "established") step.moveLeg(leg, "held", "held", { at, cause: ccEventCauses.ok });
}

export function unhold(step: AmiCallStep, uniqueId: string, at: SourceInstant): void {
  const leg = step.legOf(uniqueId);
  knowHold(step, leg);
  if (leg?.state === "held") step.moveLeg(leg, "established", "retrieved", { at, cause: ccEventCauses.ok });
}

function knowHold(step: AmiCallStep, leg: AmiLeg | undefined): void {
  if (leg?.isHoldUnknown === true) step.changeLeg(leg.id, { isHoldUnknown: false });
}
