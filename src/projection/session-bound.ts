// When a login session that is left open comes to its bound (gls-max-duration, gls-max-inactivity), and the reminder to look.

import type { QualityCause } from "../event/happening.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import { keyOf, type LoginSession } from "./login-session.ts";
import type { SourceState } from "./source.ts";
import type { World } from "./world.ts";

/** Has the session looked at when it may have come to a bound: after its login, a restart, or a change of the options. */
export function remind(world: World, source: SourceState, session: LoginSession, now = session.createdAt): void {
  const { sessionSecondsMax, idleSecondsMax } = source.options.agents ?? {};
  const times: number[] = [];
  if (sessionSecondsMax !== undefined) times.push(session.createdAt + sessionSecondsMax * 1000);
  // Of one that is on a call, no earlier than if it ended now.
  if (idleSecondsMax !== undefined) {
    times.push((isOnCall(session) ? now : session.changedAt) + idleSecondsMax * 1000);
  }
  if (times.length > 0) {
    world.schedule(remindersOf(session.source), sourceInstant(Math.min(...times)), keyOf(session));
  }
}

/** The name of a source's reminders of sessions: its own are of calls. */
export function remindersOf(source: string): string {
  return `${source}/agents`;
}

export interface Bound {
  readonly at: SourceInstant;
  readonly cause: QualityCause;
}

/** The one that it comes to first; null: none. */
export function boundOf({ options }: SourceState, session: LoginSession): Bound | null {
  const { sessionSecondsMax, idleSecondsMax } = options.agents ?? {};
  const ofAge = sessionSecondsMax === undefined ? null : session.createdAt + sessionSecondsMax * 1000;
  const ofRest = idleSecondsMax === undefined || isOnCall(session) ? null : session.changedAt + idleSecondsMax * 1000;
  if (ofRest !== null && (ofAge === null || ofRest < ofAge)) {
    return { at: sourceInstant(ofRest), cause: "gls-max-inactivity" };
  }
  return ofAge === null ? null : { at: sourceInstant(ofAge), cause: "gls-max-duration" };
}

function isOnCall({ dns }: LoginSession): boolean {
  return dns.some(({ calls }) => calls.length > 0);
}

/** Up to here the agent of a session that comes to a bound at `at` was surely there. */
export function earliestGone(session: LoginSession, at: SourceInstant): SourceInstant {
  return isOnCall(session) ? at : sourceInstant(Math.min(session.changedAt, at));
}
