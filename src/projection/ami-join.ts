// How Asterisk's calls meet otherwise than by a transfer: somebody picks up what rings elsewhere, fetches who is parked, or
// enters a conference; and channels that a channel of another call dials.
//
//   what is seen          what it does
//   Pickup                the ringing party is released (redirected); who picks up is connected in its call, to which the
//                         one from which that was done is joined
//   ParkedCall            who is parked begins to wait in a party at the parking space; who parked is released
//   UnParkedCall          that wait ends (diverted); who fetches goes on connected in the call of who was parked
//   ParkedCallTimeOut     that wait ends (diverted, overflowed): the call goes on in the dialplan
//   ParkedCallGiveUp      that wait ends (abandoned)
//   ConfbridgeJoin        the call is joined, by conference, to the one that was in the conference before it
//   ConfbridgeLeave       the channel is in no conference; its party ends with it or goes on
//   Redirect (no event)   nothing: what channels then do is told by the others

import { ccEventCauses } from "../../schema/dictionary.ts";
import type { AmiFields } from "../event/ami-message.ts";
import type { SourceInstant } from "../event/instant.ts";
import type { AmiCalls } from "./ami-calls.ts";
import { announceCaller, release } from "./ami-leg.ts";
import { adoptLeg, joinCall, takeOver } from "./ami-merge.ts";
import { endParked, park } from "./ami-stay.ts";

/** Pickup. */
export function pickUp(calls: AmiCalls, fields: AmiFields, at: SourceInstant): void {
  const from = calls.holding(fields.get("Uniqueid"), fields.get("Linkedid"));
  const into = calls.holding(fields.get("TargetUniqueid"), fields.get("TargetLinkedid"));
  const rung = into?.legOf(fields.get("TargetUniqueid"));
  if (into === undefined || rung === undefined || rung.state === "gone") return;
  const { queueCall, dialedBy } = rung;
  release(into, rung, at, ccEventCauses.redirected);
  const taker = from?.legOf(fields.get("Uniqueid"));
  if (from === undefined || taker === undefined || from === into) return;
  takeOver(from, into, { ...taker, dialedBy }, { at, queueCall });
}

/** ParkedCall. */
export function parkCall(calls: AmiCalls, fields: AmiFields, at: SourceInstant): void {
  const step = calls.holding(fields.get("ParkeeUniqueid"), fields.get("ParkeeLinkedid"));
  const channel = step?.channel(fields.get("ParkeeUniqueid"));
  const space = fields.get("ParkingSpace") ?? "";
  if (step === undefined || channel === undefined || space === "") return;
  announceCaller(step, true);
  const parker = fields.get("ParkerDialString") ?? "";
  const leg = step.call.legs.find(
    (each) => each.id !== channel.leg && each.channels.some(({ name }) => name.startsWith(`${parker}-`)),
  );
  if (parker !== "" && (leg?.state === "established" || leg?.state === "held")) {
    release(step, leg, at, ccEventCauses.transferred);
  }
  park(step, { queue: space, waitingUniqueId: channel.uniqueId, waitingName: channel.name, joinedAt: at });
}

/** UnParkedCall, ParkedCallTimeOut, ParkedCallGiveUp. */
export function leaveParking(calls: AmiCalls, fields: AmiFields, at: SourceInstant, name: string): void {
  const step = calls.holding(fields.get("ParkeeUniqueid"), fields.get("ParkeeLinkedid"));
  if (step === undefined) return;
  const how = name === "UnParkedCall" ? "fetched" : name === "ParkedCallGiveUp" ? "given up" : "timed out";
  endParked(step, fields.get("ParkeeUniqueid") ?? "", at, how);
  if (how !== "fetched") return;
  const from = calls.holding(fields.get("RetrieverUniqueid"), fields.get("RetrieverLinkedid"));
  const taker = from?.legOf(fields.get("RetrieverUniqueid"));
  if (from === undefined || taker === undefined || from === step) return;
  takeOver(from, step, taker, { at, queueCall: null });
}

/** ConfbridgeJoin. */
export function enterConference(calls: AmiCalls, fields: AmiFields, at: SourceInstant): void {
  const uniqueId = fields.get("Uniqueid") ?? "";
  const conference = fields.get("Conference") ?? "";
  const step = calls.holding(uniqueId, fields.get("Linkedid"));
  if (step === undefined || conference === "") return;
  step.changeChannel(uniqueId, { conference });
  const { source } = calls.context;
  const [earlier] = calls.world
    .all("ami call")
    .filter(([key, call]) => key !== step.call.linkedId && call.source === source)
    .filter(([, call]) => call.channels.some((channel) => channel.conference === conference));
  const into = calls.open(earlier?.[0]);
  if (into !== undefined) joinCall(step, into, { by: "conference", at });
}

/** ConfbridgeLeave. */
export function leaveConference(calls: AmiCalls, fields: AmiFields): void {
  const uniqueId = fields.get("Uniqueid") ?? "";
  calls.holding(uniqueId, fields.get("Linkedid"))?.changeChannel(uniqueId, { conference: null });
}

/** A channel that a channel of another call dials belongs to that call: it came to be under a Linkedid both have. */
export function followDialer(calls: AmiCalls, fields: AmiFields): void {
  const [dialer, dialed] = [fields.get("Uniqueid") ?? "", fields.get("DestUniqueid") ?? ""];
  const named = calls.world.get("ami call", fields.get("DestLinkedid") ?? "");
  const isIn = (uniqueId: string) => named?.channels.some((channel) => channel.uniqueId === uniqueId) === true;
  if (dialer === "" || dialed === "" || (isIn(dialer) && isIn(dialed))) return;
  const from = calls.holding(dialed, fields.get("DestLinkedid"));
  const leg = from?.legOf(dialed);
  const into = leg === undefined ? undefined : calls.holding(dialer, fields.get("Linkedid"));
  if (from === undefined || into === undefined || from === into || leg === undefined) return;
  if (leg.state === "unannounced" && !leg.isCaller) adoptLeg(from, into, leg);
}
