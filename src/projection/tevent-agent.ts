// The T-Event link's events of agents, told as what happened [S: tlib-messages, docs/link.md].

import { agentWorkModes } from "../../schema/dictionary.ts";
import type {
  AgentHappening,
  AgentPlace,
  LoginOrigin,
  LoginSessionId,
  Told,
  ToldState,
} from "../event/agent-happening.ts";
import type { TEvent } from "../event/tevent.ts";
import { enumerationNumber } from "../protocol/tevent/enums.ts";
import { reasonsOf } from "./agent-reasons.ts";
import type { AgentItem } from "./agent-snapshot.ts";
import { hashedKey } from "./key.ts";
import type { StepContext } from "./source.ts";

type Members = Readonly<Record<string, unknown>>;
type LiveHappening = Exclude<AgentHappening, { kind: "agent present" }>;

const toldStates: Readonly<Record<string, ToldState>> = {
  EventAgentLogin: "login",
  EventAgentReady: "ready",
  EventAgentNotReady: "notReady",
  EventAgentAfterCallWork: "afterCallWork",
};

/** Null: it tells nothing of an agent. What a router tells of a virtual queue is none of an agent's. */
export function agentHappeningOf(context: StepContext, event: TEvent, members: Members): LiveHappening | null {
  const { at } = event;
  const place = placeOf(context, event, members);
  if (place === null) return null;
  switch (event.id) {
    case "EventAgentLogin": {
      const { identity, run } = context.source;
      const key = loginKey(identity.primaryDbid, run ?? "", event.sequence ?? 0);
      return { kind: "agent login", at, place, told: toldOf("login", members), key };
    }
    case "EventAgentLogout":
    case "EventQueueLogout":
      return { kind: "agent logout", at, place, reasons: reasonsOf(members) };
    case "EventAgentIdleReasonSet":
      return { kind: "agent reasons", at, place, reasons: reasonsOf(members) };
    case "EventDNDOn":
    case "EventDNDOff":
      return { kind: "do not disturb", at, place, isOn: event.id === "EventDNDOn" };
  }
  const state = Object.hasOwn(toldStates, event.id) ? toldStates[event.id] : undefined;
  return state === undefined ? null : { kind: "agent state", at, place, told: toldOf(state, members) };
}

/** A line of a snapshot; null: it tells nothing of an agent. */
export function agentItemOf(context: StepContext, event: TEvent, members: Members): AgentItem | null {
  const happening = agentHappeningOf(context, event, members);
  if (happening === null || happening.kind === "do not disturb") return happening;
  if (happening.kind === "agent logout" || happening.kind === "agent reasons") return null;
  const { at, place, kind } = happening;
  const { primaryDbid } = context.source.identity;
  const origin: LoginOrigin | null = event.origin && {
    key: loginKey(primaryDbid, event.origin.run, event.origin.sequence),
    at: event.origin.at,
  };
  const isLogin = kind === "agent login";
  return {
    kind: "agent present",
    at,
    place,
    told: isLogin ? null : happening.told,
    toldAt: isLogin ? null : at,
    origin,
  };
}

function loginKey(primaryDbid: number, run: string, sequence: number): LoginSessionId {
  return hashedKey("login", primaryDbid, run, sequence) as LoginSessionId;
}

const agentEvents: ReadonlySet<string> = new Set([
  ...Object.keys(toldStates),
  ...["EventAgentLogout", "EventQueueLogout", "EventAgentIdleReasonSet", "EventDNDOn", "EventDNDOff"],
]);

function placeOf(context: StepContext, event: TEvent, members: Members): AgentPlace | null {
  if (event.isVirtualQueue || !agentEvents.has(event.id)) return null;
  if (event.thisDn === null) {
    context.count("agent event without a DN");
    return null;
  }
  const agent = members["AgentID"];
  return {
    agent: typeof agent === "string" && agent !== "" ? agent : typeof agent === "number" ? String(agent) : null,
    dn: event.thisDn,
    queue: event.thisQueue === event.thisDn ? null : event.thisQueue,
  };
}

function toldOf(state: ToldState, members: Members): Told {
  const mode = enumerationNumber("AgentWorkMode", members["AgentWorkMode"]) ?? agentWorkModes.unknown;
  const reasons = reasonsOf(members);
  const isWorkingAfterCall =
    state === "afterCallWork" || (state === "notReady" && mode === agentWorkModes.afterCallWork);
  return isWorkingAfterCall
    ? { state: "afterCallWork", workMode: agentWorkModes.afterCallWork, reasons }
    : { state, workMode: mode, reasons };
}
