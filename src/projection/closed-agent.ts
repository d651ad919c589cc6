// What is remembered of DNs whose login session ended at a bound (agent-bounds.ts): enough for the session that begins when
// the agent is heard of again, and to know that a login has had its session.
//
// 1. Whoever logs in there, the agent's logout and a snapshot that does not name the DN end it.
// 2. What a snapshot says of a login that has had its session is old news, unless it tells a change since, or a call.

import type { AgentHappening, AgentPlace, LoginSessionId, Told } from "../event/agent-happening.ts";
import type { QualityCause } from "../event/happening.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import { busyParty } from "./agent-busy.ts";
import type { Doubt } from "./quality.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** Of one DN. */
export interface ClosedAgent {
  readonly agent: string | null;
  /** Keys of the logins that the session consisted of. */
  readonly keys: readonly LoginSessionId[];
  readonly endedAt: SourceInstant;
  readonly cause: QualityCause;
  readonly stays: readonly { readonly queue: string | null; readonly told: Told }[];
}

type Present = Extract<AgentHappening, { kind: "agent present" }>;

function closedKey(source: string, dn: string): string {
  return `${source}/${dn}`;
}

export function rememberClosed(world: World, source: string, dn: string, closed: ClosedAgent): void {
  world.put("closed agent", closedKey(source, dn), closed);
}

export function forgetClosedAt(world: World, source: string, dn: string): void {
  world.remove("closed agent", closedKey(source, dn));
}

/** Undefined: no session at this DN ended at a bound, or somebody has logged in there since. */
export function closedAt(world: World, { source }: StepContext, dn: string): ClosedAgent | undefined {
  return world.get("closed agent", closedKey(source.identity.name, dn));
}

/** What is known of when an agent came whose login was not seen; null: nothing by what ended at a bound. */
export function missedSince(closed: ClosedAgent | undefined, at: SourceInstant): Doubt | null {
  if (closed === undefined) return null;
  return { earliest: sourceInstant(Math.min(closed.endedAt, at)), latest: at, cause: closed.cause };
}

/** The agent has logged out of it, or of one of its queues: whatever comes is nobody's. False: nothing had been closed. */
export function leaveClosed(world: World, context: StepContext, { dn, queue }: AgentPlace): boolean {
  const closed = closedAt(world, context, dn);
  if (closed === undefined) return false;
  const stays = queue === null ? [] : closed.stays.filter((stay) => stay.queue !== queue && stay.queue !== null);
  const key = closedKey(context.source.identity.name, dn);
  if (stays.length > 0) world.put("closed agent", key, { ...closed, stays });
  else world.remove("closed agent", key);
  return true;
}

/** Nothing is remembered of the source's DNs any more; `named`: of those that are not in it. */
export function forgetClosed(world: World, context: StepContext, named?: { has(dn: string): boolean }): void {
  const lead = closedKey(context.source.identity.name, "");
  for (const [key] of world.all("closed agent")) {
    if (key.startsWith(lead) && !named?.has(key.slice(lead.length))) world.remove("closed agent", key);
  }
}

/**
 * Since when an agent is there again whom a snapshot's line names by a login whose session ended at a bound; null: the line
 * is old news. Undefined: the line is of no such login.
 */
export function backSince(
  world: World,
  context: StepContext,
  { place, origin, toldAt }: Present,
): SourceInstant | null | undefined {
  const closed = closedAt(world, context, place.dn);
  if (closed === undefined || origin === null || !closed.keys.includes(origin.key)) return undefined;
  const stays = world
    .callsOfDn(context.source.identity.name, place.dn)
    .flatMap((call) => busyParty(call, place.dn)?.since ?? []);
  const isToldSince = toldAt !== null && toldAt > closed.endedAt;
  if (!isToldSince && stays.length === 0) return null;
  const since = Math.min(...stays, ...(isToldSince ? [toldAt] : []));
  return sourceInstant(Math.max(since, closed.endedAt));
}
