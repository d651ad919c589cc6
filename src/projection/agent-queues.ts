// gls-queue: agents' rows without the queues. A DN at which somebody logs in while it is 1 has one endpoint, whichever
// queues it serves, so that a state is one row and not one for each queue.
//
// 1. The queues are remembered and not written: who leaves one of several is logged in still.
// 2. What is said of one of the queues is said of the DN: its state is the last that was told.
// 3. A DN at which somebody was logged in already when the option was changed goes on as it began.

import type { AgentHappening, AgentPlace } from "../event/agent-happening.ts";
import { type AgentDn, agentDn, type LoginSession, putSession, sessionAt, withDn } from "./login-session.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** `desk`: undefined where nobody is logged in at the DN yet. */
export function hidesQueues({ source }: StepContext, desk: AgentDn | undefined): boolean {
  if (desk !== undefined) return desk.queues !== undefined;
  return source.options.leavesOut?.includes("gls-queue") === true;
}

/** One queue more that the DN serves. */
export function joinQueue(session: LoginSession, { dn, queue }: AgentPlace): LoginSession {
  const queues = agentDn(session, dn)?.queues ?? [];
  return withDn(session, dn, { queues: queue === null || queues.includes(queue) ? queues : [...queues, queue] });
}

/** True: the agent has left one of several queues, and is logged in at the DN as before. */
export function leaveQueue(world: World, session: LoginSession, { dn, queue }: AgentPlace): boolean {
  const queues = agentDn(session, dn)?.queues;
  if (queues === undefined || queue === null) return false;
  const rest = queues.filter((each) => each !== queue);
  if (rest.length === 0) return false;
  putSession(world, withDn(session, dn, { queues: rest }));
  return true;
}

/** After a snapshot: the queues are those that its lines name; if it lacks a line, also those that were known. */
export function confirmQueues(
  world: World,
  context: StepContext,
  dn: string,
  lines: readonly Extract<AgentHappening, { kind: "agent present" }>[],
  isWhole: boolean,
): void {
  const session = sessionAt(world, context.source.identity.name, dn);
  const known = session && agentDn(session, dn)?.queues;
  if (session === undefined || known === undefined) return;
  const named = lines.flatMap(({ place: { queue } }) => (queue === null ? [] : [queue]));
  const queues = [...new Set(isWhole ? named : [...known, ...named])];
  putSession(world, withDn(session, dn, { queues }));
}
