// Links between sites (ISCC): G_IS_LINK, G_IS_LINK_HISTORY. Each call with a link is one end of it; the ends come to one
// another by the link's id, whichever source tells them and in whatever order.
//
//   EventCallCreated, …DataChanged, a party's event: ISLinkList is the whole of the call's links
//   EventTransactionStatus: a link more; also of a call that has ended, even of one that is forgotten
//
// 1. A link that the list no longer has is deleted; what is there when the call's ending is written ends with it.
// 2. When a call is merged into another one, its links are that one's from then on: moved.
// 3. An end waits for its partner until [callconcentrator] is-link-timeout has passed by its own source's clock, unless it
//    leads to a switch that remote-locations names. A partner that comes later, while the link is remembered, is taken.
// 4. What becomes of the interaction records is inter-site-join.ts.

import { linkChangeTypes, linkMergeStates, linkStates } from "../../schema/dictionary.ts";
import type { CallId } from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import { linkKinds, type ToldLink } from "../event/inter-site.ts";
import type { TEvent } from "../event/tevent.ts";
import { isLinkCreated, linksInExtensions, toldLinks } from "../protocol/tevent/is-links.ts";
import type { Call } from "./call.ts";
import { dueAt, endOf, type InterSiteLink, isExpected, type LinkEnd, linksOf, rememberedCall } from "./inter-site.ts";
import { joinCalls } from "./inter-site-join.ts";
import { writeLinkHistory, writeLinkRow } from "./inter-site-rows.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

// A server that never ends a link must not make the live state grow; a call goes to a few sites.
const linksOfCallMax = 64;

type Members = Readonly<Record<string, unknown>>;

export interface LinkNews {
  readonly links: readonly ToldLink[];
  /** What is not among them is no longer there. */
  readonly isWhole: boolean;
}

/** What an event says of its call's links; null: nothing. */
export function linkNewsOf(context: StepContext, { id }: TEvent, members: Members): LinkNews | null {
  const isTransaction = id === "EventTransactionStatus";
  if (isTransaction && isLinkCreated(members["Extensions"]) !== true) return null;
  const list = members["ISLinkList"] ?? (isTransaction ? linksInExtensions(members["Extensions"]) : undefined);
  const told = toldLinks(list);
  if (told === null) {
    if (isTransaction) context.count("link without an id");
    return null;
  }
  for (let each = 0; each < told.unusable; each++) context.count("link without an id");
  for (let each = 0; each < told.oddTypes; each++) context.count("link of an unknown type");
  // Of a list that cannot be read whole, what is missing may be there all the same.
  return { links: told.links, isWhole: !isTransaction && told.unusable === 0 };
}

export interface LinksTold {
  readonly callId: CallId;
  readonly news: LinkNews;
  readonly at: SourceInstant;
  /** Null: a snapshot's line. */
  readonly sequence: number | null;
}

/** Takes in what an event says of its call's links, once the event itself is taken in. */
export function takeLinks(world: World, context: StepContext, told: LinksTold): void {
  const { callId, news, at } = told;
  const before = linksOf(world, callId);
  for (const each of news.links) takeLink(world, context, told, each);
  if (news.isWhole) {
    const named = new Set(news.links.map(({ linkId }) => linkId));
    for (const link of before) {
      if (!named.has(link.linkId)) endLink(world, context, link.linkId, callId, at, told.sequence);
    }
  }
  joinCalls(world, context, callId);
}

function takeLink(world: World, context: StepContext, told: LinksTold, { linkId, kind, location }: ToldLink): void {
  const { callId, at, sequence } = told;
  const link: InterSiteLink = world.get("inter-site link", linkId) ?? { linkId, ends: [] };
  const known = endOf(link, callId);
  if (known !== undefined) return learn(world, context, link, known, told, { linkId, kind, location });
  // What is said of a call that was merged is said of the one that has its links now.
  const mergedInto = rememberedCall(world, callId)?.merged?.callId;
  if (mergedInto !== undefined && endOf(link, mergedInto) !== undefined) return;
  const isOver = world.get("call", callId) === undefined;
  const moved = link.ends.find((end) => isSameSide(world, context, end, kind));
  if (moved !== undefined) {
    moveEnd(world, context, link, moved, callId, at, sequence);
    if (isOver) endLink(world, context, linkId, callId, at, sequence);
    return;
  }
  if (link.ends.length >= 2) return context.count("link with more than two ends");
  if ((world.get("linked call", callId)?.linkIds.length ?? 0) >= linksOfCallMax) {
    return context.count("link beyond the bound");
  }
  const end: LinkEnd = {
    rowId: world.nextRowId(),
    source: context.source.identity.name,
    session: context.session,
    callId,
    kind: kind ?? linkKinds.bidirectional,
    location,
    ...{ initiatedAt: at, changedAt: at, endedAt: null },
    sequence,
    changes: 0,
    mergeState: isExpected(world, location) ? linkMergeStates.waiting : linkMergeStates.notExpected,
  };
  attach(world, callId, linkId);
  const begun = change(world, context, link, end, { change: linkChangeTypes.added, at, sequence });
  if (begun.mergeState === linkMergeStates.waiting) world.schedule(begun.source, dueAt(world, begun), callId);
  // News of a call that is over, or of which nothing else is known: the end is over with it.
  if (isOver) endLink(world, context, linkId, callId, at, sequence);
}

/** At each end one call: another one of the same side has taken its place, though nobody told that they were merged. */
function isSameSide(world: World, context: StepContext, end: LinkEnd, kind: ToldLink["kind"]): boolean {
  if (end.source !== context.source.identity.name) return false;
  const isDirected = kind === linkKinds.source || kind === linkKinds.target;
  return isDirected && (end.kind === linkKinds.source || end.kind === linkKinds.target)
    ? end.kind === kind
    : end.endedAt !== null || world.get("call", end.callId) === undefined;
}

/** What was not said before, or a link that is there once more. */
function learn(
  world: World,
  context: StepContext,
  link: InterSiteLink,
  known: LinkEnd,
  { at, sequence }: LinksTold,
  { kind, location }: ToldLink,
): void {
  const isNew = known.endedAt !== null && world.get("call", known.callId) !== undefined;
  const learned: LinkEnd = {
    ...known,
    kind: known.kind === linkKinds.bidirectional ? (kind ?? known.kind) : known.kind,
    location: known.location ?? location,
    ...(known.mergeState === linkMergeStates.waiting &&
      link.ends.length < 2 &&
      !isExpected(world, known.location ?? location) && { mergeState: linkMergeStates.notExpected }),
    ...(isNew && { endedAt: null }),
  };
  if (isNew) {
    change(world, context, link, learned, { change: linkChangeTypes.added, at, sequence });
  } else if (learned.kind !== known.kind || learned.location !== known.location) {
    putEnd(world, link, known.callId, learned);
    writeLinkRow(world, context, link.linkId, learned);
  }
}

/** A call is merged into another one, and its links are that one's. The caller joins the calls once both are as they are. */
export function moveLinks(world: World, context: StepContext, from: CallId, to: CallId, at: SourceInstant): void {
  for (const link of linksOf(world, from)) {
    const end = endOf(link, from);
    // Both ends of it in one call: then it leads nowhere else.
    if (end === undefined || end.endedAt !== null || endOf(link, to) !== undefined) continue;
    moveEnd(world, context, link, end, to, at, null);
  }
}

function moveEnd(
  world: World,
  context: StepContext,
  link: InterSiteLink,
  end: LinkEnd,
  to: CallId,
  at: SourceInstant,
  sequence: number | null,
): void {
  if ((world.get("linked call", to)?.linkIds.length ?? 0) >= linksOfCallMax) {
    return context.count("link beyond the bound");
  }
  detach(world, end.callId, link.linkId);
  attach(world, to, link.linkId);
  const moved = { ...end, callId: to, endedAt: null };
  const about = { change: linkChangeTypes.moved, at, sequence, previous: end.callId };
  const { mergeState, source } = change(world, context, link, moved, about);
  if (mergeState === linkMergeStates.waiting) world.schedule(source, dueAt(world, moved), to);
}

function endLink(
  world: World,
  context: StepContext,
  linkId: string,
  callId: CallId,
  at: SourceInstant,
  sequence: number | null,
): void {
  const link = world.get("inter-site link", linkId);
  const end = link && endOf(link, callId);
  if (link === undefined || end === undefined || end.endedAt !== null) return;
  const endedAt = at < end.initiatedAt ? end.initiatedAt : at;
  const about = { change: linkChangeTypes.deleted, at: endedAt, sequence };
  change(world, context, link, { ...end, endedAt }, about);
}

/** The call's ending is written: its links end with it, and what its rows say is kept until all is settled. */
export function closeLinks(world: World, context: StepContext, call: Call, endedAt: SourceInstant): void {
  const linked = world.get("linked call", call.callId);
  if (linked === undefined) return;
  for (const { linkId } of linksOf(world, call.callId)) endLink(world, context, linkId, call.callId, endedAt, null);
  const { left: _left, ...bare } = call;
  const closed = { call: { ...bare, parties: {} }, endedAt, session: context.session };
  world.put("linked call", call.callId, { ...linked, closed });
}

/** Ends whose waiting is over by their source's clock, of these calls. Returns the calls that it concerns. */
export function noteLinksDue(
  world: World,
  context: StepContext,
  callIds: readonly CallId[],
  now: SourceInstant,
): readonly CallId[] {
  const due: { readonly linkId: string; readonly end: LinkEnd; readonly at: SourceInstant }[] = [];
  for (const callId of new Set(callIds)) {
    for (const link of linksOf(world, callId)) {
      const end = endOf(link, callId);
      if (end === undefined || end.mergeState !== linkMergeStates.waiting || link.ends.length > 1) continue;
      const at = dueAt(world, end);
      if (at <= now) due.push({ linkId: link.linkId, end, at });
      else world.schedule(end.source, at, callId); // the timeout was raised meanwhile
    }
  }
  // By what the ends say and not by the reminders, which a restart makes anew.
  due.sort((a, b) => a.at - b.at || (a.linkId < b.linkId ? -1 : 1));
  for (const { linkId, end } of due) setMergeState(world, context, linkId, end.callId, linkMergeStates.timedOut);
  return [...new Set(due.map(({ end }) => end.callId))];
}

function setMergeState(
  world: World,
  context: StepContext,
  linkId: string,
  callId: CallId,
  mergeState: LinkEnd["mergeState"],
): void {
  const link = world.get("inter-site link", linkId);
  const end = link && endOf(link, callId);
  if (link === undefined || end === undefined || end.mergeState === mergeState) return;
  const next = { ...end, mergeState };
  putEnd(world, link, callId, next);
  writeLinkRow(world, context, linkId, next);
}

interface Change {
  readonly change: number;
  readonly at: SourceInstant;
  readonly sequence: number | null;
  readonly previous?: CallId;
}

function change(world: World, context: StepContext, link: InterSiteLink, end: LinkEnd, about: Change): LinkEnd {
  const { at, sequence, previous = null } = about;
  const changed: LinkEnd = {
    ...end,
    session: context.session,
    changedAt: at,
    sequence: sequence ?? end.sequence,
    changes: end.changes + 1,
  };
  putEnd(world, link, previous ?? end.callId, changed);
  writeLinkRow(world, context, link.linkId, changed);
  const isOver = about.change === linkChangeTypes.deleted;
  const isFailed = end.mergeState === linkMergeStates.notExpected;
  const state = isOver ? linkStates.terminated : isFailed ? linkStates.failed : linkStates.active;
  writeLinkHistory(world, context, link.linkId, changed, { change: about.change, state, previous, at });
  return changed;
}

/** `of`: whose end it was so far. */
function putEnd(world: World, link: InterSiteLink, of: CallId, end: LinkEnd): void {
  const isKnown = endOf(link, of) !== undefined;
  const ends = isKnown ? link.ends.map((each) => (each.callId === of ? end : each)) : [...link.ends, end];
  world.put("inter-site link", link.linkId, { ...link, ends });
}

function attach(world: World, callId: CallId, linkId: string): void {
  const known = world.get("linked call", callId) ?? { callId, linkIds: [] };
  world.put("linked call", callId, { ...known, linkIds: [...known.linkIds, linkId].sort() });
}

function detach(world: World, callId: CallId, linkId: string): void {
  const known = world.get("linked call", callId);
  if (known === undefined) return;
  const linkIds = known.linkIds.filter((each) => each !== linkId);
  if (linkIds.length === 0) world.remove("linked call", callId);
  else world.put("linked call", callId, { ...known, linkIds });
}
