// gls-max-duration and gls-max-inactivity: login sessions that are left open end at a bound. The documents have the names
// alone; what they mean here is ours.
//
// 1. A session ends when it is so many seconds old, or has been so long without a change of anything of it, be it at one of
//    its DNs only; while one of them is on a call it is not idle. The bound's own time is written, by the source's clock, and
//    ICON_ROW_QUALITY says from when on the agent may have been gone.
// 2. Whoever is heard of again begins another session, with a local key, in the state that he was left in: an agent's
//    event or a call of the DN (closed-agent.ts). The same login never begins two sessions.

import type { SourceInstant } from "../event/instant.ts";
import { enter, leave, note } from "./agent.ts";
import { connectOpenCalls } from "./agent-busy.ts";
import { closedAt, missedSince, rememberClosed } from "./closed-agent.ts";
import { agentDn, type LoginSession, notBefore, sessionAt } from "./login-session.ts";
import { type Bound, boundOf, earliestGone, remind, remindersOf } from "./session-bound.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** Closes what has come to its bound by the source's clock. Called before each event and heartbeat of a source. */
export function closeOverdueSessions(world: World, context: StepContext, now: SourceInstant): void {
  const overdue = new Map<string, Bound>();
  for (const key of world.takeDue(remindersOf(context.source.identity.name), now)) {
    const session = world.get("login session", key);
    const bound = session && boundOf(context.source, session);
    if (bound != null && bound.at <= now) overdue.set(key, bound);
    else if (session !== undefined) remind(world, context.source, session, now);
  }
  // Not in the order of the reminders, which is another after a restart.
  const inOrder = [...overdue].sort(([a, one], [b, other]) => one.at - other.at || (a < b ? -1 : 1));
  for (const [key, bound] of inOrder) {
    const session = world.get("login session", key);
    if (session !== undefined) close(world, context, session, bound);
  }
}

function close(world: World, context: StepContext, session: LoginSession, { at: dueAt, cause }: Bound): void {
  const at = notBefore(session, dueAt);
  const unseen = { earliest: earliestGone(session, at), latest: at, cause };
  const endpoints = session.dns.flatMap((desk) => desk.endpoints);
  const logins = endpoints.flatMap(({ cameBy }) => (cameBy === null ? [] : [cameBy]));
  const keys = [...new Set([session.sessionId, ...logins])];
  note(world, context, session, "end not seen", unseen);
  for (const { dn, ...desk } of session.dns) {
    const now = sessionAt(world, session.source, dn);
    const open = now && agentDn(now, dn)?.endpoints;
    if (now === undefined || open === undefined) continue;
    leave(world, context, now, dn, open, { at, reasons: [] }, { unseen });
    const told = desk.endpoints[0]?.told;
    const stays =
      told !== undefined && desk.queues !== undefined && desk.queues.length > 0
        ? desk.queues.map((queue) => ({ queue, told }))
        : desk.endpoints.map((endpoint) => ({ queue: endpoint.queue, told: endpoint.told }));
    rememberClosed(world, session.source, dn, { agent: session.agent, keys, endedAt: at, cause, stays });
  }
}

/** A call makes the DN busy: its agent is there after all. */
export function reopenClosed(world: World, context: StepContext, dn: string, at: SourceInstant): void {
  const closed = closedAt(world, context, dn);
  if (closed === undefined) return;
  for (const [index, { queue, told }] of closed.stays.entries()) {
    const place = { agent: closed.agent, dn, queue };
    const missed = index === 0 ? missedSince(closed, at) : null;
    enter(world, context, place, { at, createdAt: at, sessionCreatedAt: at, key: null, told, missed });
  }
  connectOpenCalls(world, context, dn, at);
}
