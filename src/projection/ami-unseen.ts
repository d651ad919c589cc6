// What happened on an Asterisk while nobody listened, as far as a list tells: bounds, and calls that met meanwhile.

import { ccEventCauses } from "../../schema/dictionary.ts";
import type { ProjectionOptions } from "../event/envelope.ts";
import type { Happening, QualityCause, Unseen } from "../event/happening.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import { AmiCalls } from "./ami-calls.ts";
import { adoptLeg, joinCall } from "./ami-merge.ts";
import { dnOf, isSecondHalf, pairName } from "./ami-name.ts";
import { type AmiLeg, type AmiListedChannel, type AmiSourceState, newAmiCall } from "./ami-state.ts";
import { type AmiCallStep, askerGuid } from "./ami-step.ts";
import type { World } from "./world.ts";

/** What a list is worked in with. `source` is as it stands when the answer is complete. */
export interface ListContext {
  readonly name: string;
  readonly source: AmiSourceState;
  readonly options: ProjectionOptions;
  /** The source's time: lines have none of their own. */
  readonly now: SourceInstant;
  /** Why something may have been missed since `source.heardUntil`. */
  readonly cause: QualityCause;
}

/** Bounds of what ended or changed unseen: not before `known`, when it was last as we believed. */
export function unseenOf(context: ListContext, known: SourceInstant): Unseen {
  const earliest = context.source.heardUntil ?? known;
  return { earliest, latest: sourceInstant(Math.max(context.now, earliest)), cause: context.cause };
}

export function moveUnseenLeg(
  step: AmiCallStep,
  leg: AmiLeg,
  state: "gone" | "established" | "held",
  told: "released" | "established" | "held" | "retrieved",
  { earliest, latest, cause }: Unseen,
): void {
  const at = sourceInstant(Math.max(earliest, leg.since));
  const unseen = { earliest: at, latest: sourceInstant(Math.max(latest, at)), cause };
  step.moveLeg(leg, state, told, { at, cause: ccEventCauses.unknown, unseen });
}

/** What transfers, and consultations by feature codes, came to while nobody listened. */
export function meetUnseen(
  world: World,
  context: ListContext,
  known: readonly (readonly [key: string, lines: readonly AmiListedChannel[]])[],
): readonly Happening[] {
  const { name: source, options, now } = context;
  const calls = new AmiCalls(world, { source, options, at: now, eventCount: context.source.eventCount });
  for (const [key, lines] of known) {
    const step = calls.open(key);
    if (step === undefined) continue;
    // What is behind a Local pair keeps its Linkedid.
    const [linkedId, another] = new Set(lines.map((line) => line.linkedId).filter((each) => each !== key));
    const into = another === undefined ? calls.open(linkedId) : undefined;
    const { askedBy } = step.call.consultation ?? {};
    if (into === undefined || into.call.channels.length === 0 || into.channel(askedBy) !== undefined) continue;
    const unseen = unseenOf(context, sourceInstant(Math.max(step.call.lastAt, into.call.lastAt)));
    const asker = step.call.legs.find((leg) => leg.isCaller);
    if (askedBy !== undefined && asker !== undefined) moveUnseenLeg(step, asker, "gone", "released", unseen);
    // Whoever transfers is gone afterwards.
    const isThere = step.call.consultation !== undefined && asker !== undefined && askedBy === undefined;
    const isConference = isThere && asker.state !== "gone";
    const by =
      isConference || lines.some(({ application }) => application === "ConfBridge") ? "conference" : "transfer";
    joinCall(step, into, { by, at: unseen.earliest, unseen });
  }
  for (const [key, lines] of known) {
    const step = calls.open(key);
    if (step !== undefined) findPairs(calls, context, step, lines);
    if (step?.call.asks == null) continue;
    const consultation = calls.open(step.call.asks);
    if (consultation !== undefined && consultation.call.isEnded !== true) continue;
    step.changeCall({ asks: null });
    const unseen = unseenOf(context, step.call.lastAt);
    const held = step.call.legs.find((leg) => leg.state === "held" && leg.isAsking === true);
    if (held !== undefined) moveUnseenLeg(step, held, "established", "retrieved", unseen);
  }
  return calls.store();
}

/** A Local pair that neither a queue nor Dial rang, as its halves in the list say. */
export function isUnrungPair(step: AmiCallStep, leg: AmiLeg, lines: readonly AmiListedChannel[]): boolean {
  const halves = halvesOf(step, leg, lines);
  return !leg.isCaller && halves.length > 0 && !halves.some(({ application }) => application.startsWith("App"));
}

function halvesOf(step: AmiCallStep, leg: AmiLeg, lines: readonly AmiListedChannel[]): readonly AmiListedChannel[] {
  return lines.filter(({ uniqueId, name }) => pairName(name) !== name && step.channel(uniqueId)?.leg === leg.id);
}

// What links the bridges of an attended transfer has this for its address.
const linkAddress = "Local/_attended@";

/**
 * Pairs that nobody rang: with a telephone of the call in the bridge of the first half it is a consultation by feature
 * codes, whose beginning was not seen; with a device behind it, whoever that is; otherwise it only links bridges.
 */
function findPairs(calls: AmiCalls, context: ListContext, step: AmiCallStep, lines: readonly AmiListedChannel[]): void {
  for (const leg of step.call.legs) {
    if (leg.state !== "unannounced" || !isUnrungPair(step, leg, lines)) continue;
    const halves = halvesOf(step, leg, lines);
    const first = halves.find(({ name }) => !isSecondHalf(name));
    const device = lines.find((line) => step.channel(line.uniqueId)?.leg === leg.id && !halves.includes(line));
    const phone = first && telephoneIn(step, leg, first, lines);
    const asker = step.legOf(phone?.uniqueId);
    const isAsked = first !== undefined && phone !== undefined && asker !== undefined;
    const into = isAsked ? findConsultation(calls, context, step, { first, phone, asker }) : step;
    const found = into === step ? leg : adoptLeg(step, into, leg);
    if (device === undefined) continue;
    into.changeLeg(found.id, { hasAnswered: device.isUp });
    into.presentLeg(found, device.isUp ? "established" : "ringing", leg.since, leg.since);
  }
}

/** The telephone that is alone with the pair in one bridge, while somebody else of the call is held outside of it. */
function telephoneIn(
  step: AmiCallStep,
  pair: AmiLeg,
  first: AmiListedChannel,
  lines: readonly AmiListedChannel[],
): AmiListedChannel | undefined {
  if (first.bridgeId === "" || first.name.startsWith(linkAddress)) return undefined;
  const isOther = (leg: AmiLeg | undefined) => leg !== undefined && leg.id !== pair.id && leg.state !== "gone";
  const others = lines.filter((line) => isOther(step.legOf(line.uniqueId)));
  const inside = others.filter((line) => line.bridgeId === first.bridgeId);
  const insiders = new Set(inside.map((line) => step.legOf(line.uniqueId)?.id));
  const isHeld = others.some((line) => !insiders.has(step.legOf(line.uniqueId)?.id));
  return insiders.size === 1 && isHeld ? inside[0] : undefined;
}

function findConsultation(
  calls: AmiCalls,
  context: ListContext,
  main: AmiCallStep,
  {
    first,
    phone,
    asker,
  }: { readonly first: AmiListedChannel; readonly phone: AmiListedChannel; readonly asker: AmiLeg },
): AmiCallStep {
  const at = main.legOf(first.uniqueId)?.since ?? context.now;
  const consultation = calls.begin({
    ...newAmiCall(context.name, first.uniqueId, at),
    isComplete: true,
    dnis: dnOf(first.name),
    consultation: { of: main.call.linkedId, askedBy: phone.uniqueId },
  });
  const asking: AmiLeg = {
    ...{ id: 1, isCaller: true, guid: askerGuid(first.uniqueId, phone.uniqueId), state: "unannounced", since: at },
    ...{ upAt: null, dn: asker.dn, type: asker.type, number: asker.number, queueCall: null, dialedBy: null },
    ...{ channels: [{ uniqueId: phone.uniqueId, name: phone.name }], hasAnswered: first.isUp },
  };
  consultation.changeCall({ legs: [asking], nextLeg: 2 });
  consultation.presentLeg(asking, first.isUp ? "established" : "dialing", at, at);
  main.changeCall({ asks: first.uniqueId });
  if (asker.state === "established") {
    main.changeLeg(asker.id, { isAsking: true });
    moveUnseenLeg(main, asker, "held", "held", unseenOf(context, at));
  }
  return consultation;
}
