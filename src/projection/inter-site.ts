// What is remembered of links between sites: each link with its ends, and each call with its links, from the first link
// that is told of it until all is settled (inter-site-join.ts). Links belong to no source: the two ends of one are told
// by two of them.

import type { linkMergeStates } from "../../schema/dictionary.ts";
import type { SessionId } from "../event/envelope.ts";
import type { CallId } from "../event/happening.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import type { InterSiteOptions, LinkKind } from "../event/inter-site.ts";
import { interSiteDefaults, linkKinds } from "../event/inter-site.ts";
import type { Call } from "./call.ts";
import { configurationInForce } from "./configuration.ts";
import { hashedKey } from "./key.ts";
import type { World } from "./world.ts";

export type LinkMergeState = (typeof linkMergeStates)[keyof typeof linkMergeStates];

/** One call's end of a link. */
export interface LinkEnd {
  readonly rowId: number;
  readonly source: string;
  /** The data source session in which its last change was told. */
  readonly session: SessionId;
  readonly callId: CallId;
  readonly kind: LinkKind;
  readonly location: string | null;
  readonly initiatedAt: SourceInstant;
  readonly changedAt: SourceInstant;
  /** Null: it is there. */
  readonly endedAt: SourceInstant | null;
  /** Number of the event that told its last change; null: a snapshot did. */
  readonly sequence: number | null;
  /** Changes so far: SEQ of its last history row. */
  readonly changes: number;
  readonly mergeState: LinkMergeState;
  /** Its row may have been purged: it is not written again. */
  readonly isPurged?: true;
}

export interface InterSiteLink {
  readonly linkId: string;
  /** One or two. */
  readonly ends: readonly LinkEnd[];
}

/** The call in which the caller was before, at another site or on another call of this one. */
export interface JoinedTo {
  readonly callId: CallId;
  readonly irId: string;
  /** Where its own way began, as far as that is known. */
  readonly rootIrId: string;
}

export interface LinkedCall {
  readonly callId: CallId;
  readonly linkIds: readonly string[];
  /** What its rows say since its ending was written; absent: it goes on, or nothing is known of it. */
  readonly closed?: { readonly call: Call; readonly endedAt: SourceInstant; readonly session: SessionId };
}

export function interSiteOptions(world: Pick<World, "get">): InterSiteOptions {
  return configurationInForce(world)?.interSite ?? interSiteDefaults;
}

/** The call, while it is live or remembered for its links; undefined: nothing is known but its CALLID. */
export function rememberedCall(world: World, callId: CallId): Call | undefined {
  return world.get("call", callId) ?? world.get("linked call", callId)?.closed?.call;
}

export function linksOf(world: World, callId: CallId): readonly InterSiteLink[] {
  const ids = world.get("linked call", callId)?.linkIds ?? [];
  return ids.map((id) => world.get("inter-site link", id)).filter((link) => link !== undefined);
}

export function endOf(link: InterSiteLink, callId: CallId): LinkEnd | undefined {
  return link.ends.find((end) => end.callId === callId);
}

export function partnerOf(link: InterSiteLink, end: LinkEnd): LinkEnd | undefined {
  return link.ends.find((each) => each.callId !== end.callId);
}

/** Which of two ends the call came from: as they say, else the one that was told of first by its own clock. */
export function originOf({ ends: [one, other] }: InterSiteLink): LinkEnd | undefined {
  if (one === undefined || other === undefined) return undefined;
  const lean = (end: LinkEnd) => (end.kind === linkKinds.source ? 1 : end.kind === linkKinds.target ? -1 : 0);
  if (lean(one) !== lean(other)) return lean(one) > lean(other) ? one : other;
  if (one.initiatedAt !== other.initiatedAt) return one.initiatedAt < other.initiatedAt ? one : other;
  return one.callId < other.callId ? one : other;
}

export function rootIrOf(call: Call): string {
  return call.merged?.rootIrId ?? call.joined?.rootIrId ?? call.irId;
}

export function joinedTo(world: World, callId: CallId): JoinedTo {
  const call = rememberedCall(world, callId);
  const irId = call?.irId ?? irIdOf(callId);
  return { callId, irId, rootIrId: call === undefined ? irId : rootIrOf(call) };
}

function irIdOf(callId: CallId): string {
  return hashedKey("ir", callId);
}

export function isExpected(world: World, location: string | null): boolean {
  return location === null || !interSiteOptions(world).remoteLocations.includes(location);
}

/** When an end has waited long enough for its partner. */
export function dueAt(world: World, end: LinkEnd): SourceInstant {
  return sourceInstant(end.initiatedAt + interSiteOptions(world).linkTimeoutSeconds * 1000);
}
