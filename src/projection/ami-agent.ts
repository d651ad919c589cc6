// Asterisk's queue members as agents: from the manager's messages to what happened to them.
//
// 1. A member is an agent (MemberName) at a DN (of Interface), logged in for a queue from QueueMemberAdded to Removed. A
//    pause is not ready, with PausedReason for its reason; else a member is ready. Busy comes from the calls.
// 2. Asterisk gives a queue's members no calls for Wrapuptime seconds after one: after-call work, from AgentComplete on.
// 3. QueueStatus tells which members there are. A line counts when its answer is complete, and not if the member had an
//    event after we asked. LoginTime names the login: whoever saw it and whoever finds it give the session the same key.

import { agentWorkModes } from "../../schema/dictionary.ts";
import type { AgentHappening, LoginSessionId, Told } from "../event/agent-happening.ts";
import type { AmiEvent, AmiFields, AmiMessage } from "../event/ami-message.ts";
import type { Mark } from "../event/envelope.ts";
import type { Unseen } from "../event/happening.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import { stepAgent } from "./agent.ts";
import { takeAgents } from "./agent-snapshot.ts";
import { dnOf, wholeNumber } from "./ami-name.ts";
import { hashedKey } from "./key.ts";
import { estimatedSourceTime, type StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** A member of a queue. */
export interface AmiMember {
  readonly source: string;
  readonly queue: string;
  readonly interface: string;
  readonly name: string;
  /** Null: not paused. */
  readonly pausedReason: string | null;
  /** Of its queue, seconds. */
  readonly wrapUpSeconds: number;
  /** Until when it is in after-call work; null: it is not. */
  readonly wrapUpUntil: SourceInstant | null;
}

/** What is remembered of a source's members as a whole. */
export interface AmiAgents {
  /** The earliest end of after-call work; null: nobody is in it. */
  readonly wrapUpDueAt: SourceInstant | null;
  /** The answer to QueueStatus that is under way; null: none. */
  readonly list: AmiMemberList | null;
}

interface AmiMemberList {
  readonly actionId: string;
  /** Of any kind: the Complete line says how many there should be. */
  readonly lineCount: number;
  readonly members: readonly ListedMember[];
  /** Members that had an event since we asked: the line may be older. */
  readonly touched: readonly string[];
}

interface ListedMember {
  readonly member: AmiMember;
  readonly loginTime: number | null;
  readonly lastPause: number | null;
}

type LiveHappening = Exclude<AgentHappening, { kind: "agent present" }>;

const listAction = "QueueStatus";
const noAgents: AmiAgents = { wrapUpDueAt: null, list: null };

/** Takes one message in, after its calls. `at`: its own time; null: it has none. `unseen`: of what a list shows to be gone. */
export function stepAmiAgents(
  world: World,
  context: StepContext,
  message: AmiMessage,
  given: { readonly at: SourceInstant | null; readonly arrivedAt: number; readonly unseen: Unseen },
): void {
  const at = given.at ?? estimatedSourceTime(context.source, given.arrivedAt);
  if (given.at !== null) endWrapUps(world, context, at);
  const agents = agentsOf(world, context);
  const actionId = message.kind === "event" ? message.fields.get("ActionID") : undefined;
  if (message.kind === "response" && !message.success && message.actionId === agents.list?.actionId) {
    putAgents(world, context, { ...agents, list: null });
  }
  if (message.kind !== "event") return;
  if (agents.list !== null && actionId === agents.list.actionId) {
    stepLine(world, context, agents, agents.list, message, given.unseen);
  } else if (actionId === undefined) stepEvent(world, context, message, at);
}

/** Takes in a mark of ours about the source. */
export function stepAmiAgentsMark(world: World, context: StepContext, mark: Mark): void {
  const agents = agentsOf(world, context);
  if (mark.mark === "list requested" && mark.action === listAction) {
    const list = { actionId: mark.actionId, lineCount: 0, members: [], touched: [] };
    putAgents(world, context, { ...agents, list });
  } else if ((mark.mark === "session opened" || mark.mark === "session closed") && agents.list !== null) {
    putAgents(world, context, { ...agents, list: null });
  }
}

function agentsOf(world: World, { source }: StepContext): AmiAgents {
  return world.get("ami agents", source.identity.name) ?? noAgents;
}

function putAgents(world: World, { source }: StepContext, agents: AmiAgents): void {
  world.put("ami agents", source.identity.name, agents);
}

function memberKey({ source, queue, interface: device }: Pick<AmiMember, "source" | "queue" | "interface">): string {
  return `${source}/${queue}/${device}`;
}

const memberEvents: ReadonlySet<string> = new Set([
  ...["QueueMemberAdded", "QueueMemberRemoved", "QueueMemberPause", "QueueMemberPaused", "QueueMemberStatus"],
  "AgentComplete",
]);

function stepEvent(world: World, context: StepContext, { name, fields }: AmiEvent, at: SourceInstant): void {
  if (!memberEvents.has(name)) return;
  const member = memberOf(context, fields);
  if (member === null) return;
  const key = memberKey(member);
  touch(world, context, key);
  const known = world.get("ami member", key);
  const place = placeOf(member);
  switch (name) {
    case "QueueMemberAdded": {
      world.put("ami member", key, member);
      const loginTime = secondsOf(fields.get("LoginTime")) ?? Math.floor(at / 1000);
      const told = toldOf(member);
      return stepAgent(world, context, {
        kind: "agent login",
        at,
        place,
        told,
        key: loginKey(context, member, loginTime),
      });
    }
    case "QueueMemberRemoved":
      world.remove("ami member", key);
      return stepAgent(world, context, { kind: "agent logout", at, place, reasons: [] });
    case "QueueMemberPause":
    case "QueueMemberPaused":
      world.put("ami member", key, { ...(known ?? member), pausedReason: member.pausedReason, wrapUpUntil: null });
      return stepAgent(world, context, { kind: "agent state", at, place, told: toldOf(member) });
    case "QueueMemberStatus":
      if (known !== undefined && known.wrapUpSeconds !== member.wrapUpSeconds) {
        world.put("ami member", key, { ...known, wrapUpSeconds: member.wrapUpSeconds });
      }
      return;
    default:
      if (known !== undefined && known.wrapUpSeconds > 0) beginWrapUp(world, context, known, at);
  }
}

function beginWrapUp(world: World, context: StepContext, member: AmiMember, at: SourceInstant): void {
  const until = sourceInstant(at + member.wrapUpSeconds * 1000);
  world.put("ami member", memberKey(member), { ...member, wrapUpUntil: until });
  const agents = agentsOf(world, context);
  const dueAt = sourceInstant(Math.min(until, agents.wrapUpDueAt ?? until));
  putAgents(world, context, { ...agents, wrapUpDueAt: dueAt });
  const told: Told = { state: "afterCallWork", workMode: agentWorkModes.afterCallWork, reasons: [] };
  stepAgent(world, context, { kind: "agent state", at, place: placeOf(member), told });
}

/** After-call work ends by itself, at its own time and not at that of the message by which we notice. */
function endWrapUps(world: World, context: StepContext, now: SourceInstant): void {
  const agents = agentsOf(world, context);
  if (agents.wrapUpDueAt === null || agents.wrapUpDueAt > now) return;
  const inIt = membersOf(world, context).filter(({ wrapUpUntil }) => wrapUpUntil !== null);
  const due: LiveHappening[] = [];
  let next: SourceInstant | null = null;
  for (const member of inIt) {
    const until = member.wrapUpUntil ?? now;
    if (until > now) {
      next = sourceInstant(Math.min(until, next ?? until));
      continue;
    }
    world.put("ami member", memberKey(member), { ...member, wrapUpUntil: null });
    due.push({ kind: "agent state", at: until, place: placeOf(member), told: toldOf(member) });
  }
  putAgents(world, context, { ...agents, wrapUpDueAt: next });
  for (const happening of due.sort((a, b) => a.at - b.at)) stepAgent(world, context, happening);
}

function membersOf(world: World, { source }: StepContext): readonly AmiMember[] {
  return world
    .all("ami member")
    .map(([, member]) => member)
    .filter((member) => member.source === source.identity.name);
}

function touch(world: World, context: StepContext, key: string): void {
  const agents = agentsOf(world, context);
  const { list } = agents;
  if (list === null || list.touched.includes(key)) return;
  putAgents(world, context, { ...agents, list: { ...list, touched: [...list.touched, key] } });
}

function stepLine(
  world: World,
  context: StepContext,
  agents: AmiAgents,
  list: AmiMemberList,
  { name, fields }: AmiEvent,
  unseen: Unseen,
): void {
  if (name !== `${listAction}Complete`) {
    const listed = name === "QueueMember" ? listedOf(context, fields) : null;
    const members = listed === null ? list.members : [...list.members, listed];
    putAgents(world, context, { ...agents, list: { ...list, lineCount: list.lineCount + 1, members } });
    return;
  }
  putAgents(world, context, { ...agents, list: null });
  const promised = wholeNumber(fields.get("ListItems"));
  if (promised === null || promised === list.lineCount) takeMembers(world, context, list, unseen);
}

function takeMembers(world: World, context: StepContext, list: AmiMemberList, unseen: Unseen): void {
  const isTouched = (member: AmiMember) => list.touched.includes(memberKey(member));
  const untouched = list.members.filter(({ member }) => !isTouched(member));
  const named = new Set(untouched.map(({ member }) => memberKey(member)));
  const items: PresentMember[] = [];
  for (const member of membersOf(world, context)) {
    // What an event told since is newer than the answer.
    if (isTouched(member)) items.push(asKnown(member, unseen.earliest));
    else if (!named.has(memberKey(member))) world.remove("ami member", memberKey(member));
  }
  for (const listed of untouched) {
    const { member } = listed;
    const { wrapUpUntil = null } = world.get("ami member", memberKey(member)) ?? {};
    world.put("ami member", memberKey(member), { ...member, wrapUpUntil });
    // A line says nothing of after-call work.
    items.push(wrapUpUntil === null ? presentOf(context, listed) : asKnown(member, unseen.earliest));
  }
  const byLogin = items.sort((a, b) => a.at - b.at);
  takeAgents(world, context, byLogin, unseen, true);
}

type PresentMember = Extract<AgentHappening, { kind: "agent present" }>;

function asKnown(member: AmiMember, at: SourceInstant): PresentMember {
  return { kind: "agent present", at, place: placeOf(member), told: null, toldAt: null, origin: null };
}

function presentOf(context: StepContext, { member, loginTime, lastPause }: ListedMember): PresentMember {
  const told = toldOf(member);
  const pausedAt = told.state === "notReady" && lastPause !== null ? sourceInstant(lastPause * 1000) : null;
  const login = loginTime === null ? null : sourceInstant(loginTime * 1000);
  const at = login ?? pausedAt ?? context.source.clock ?? sourceInstant(0);
  const origin = login === null || loginTime === null ? null : { key: loginKey(context, member, loginTime), at: login };
  return { kind: "agent present", at, place: placeOf(member), told, toldAt: pausedAt, origin };
}

function loginKey({ source }: StepContext, member: AmiMember, loginTime: number): LoginSessionId {
  const { primaryDbid } = source.identity;
  return hashedKey("member login", primaryDbid, member.name, member.interface, loginTime) as LoginSessionId;
}

function placeOf({ name, interface: device, queue }: AmiMember) {
  return { agent: name, dn: dnOf(device), queue };
}

function toldOf({ pausedReason }: AmiMember): Told {
  if (pausedReason === null) return { state: "ready", workMode: agentWorkModes.unknown, reasons: [] };
  const reasons = pausedReason === "" ? [] : [{ isHardware: false, key: "PausedReason", value: pausedReason }];
  return { state: "notReady", workMode: agentWorkModes.unknown, reasons };
}

function memberOf({ source }: StepContext, fields: AmiFields): AmiMember | null {
  const device = fields.get("Interface") ?? fields.get("Location") ?? "";
  const queue = fields.get("Queue") ?? "";
  if (device === "" || queue === "") return null;
  return {
    ...{ source: source.identity.name, queue, interface: device },
    name: fields.get("MemberName") || fields.get("Name") || device,
    pausedReason: fields.get("Paused") === "1" ? (fields.get("PausedReason") ?? fields.get("Reason") ?? "") : null,
    wrapUpSeconds: wholeNumber(fields.get("Wrapuptime")) ?? 0,
    wrapUpUntil: null,
  };
}

function listedOf(context: StepContext, fields: AmiFields): ListedMember | null {
  const member = memberOf(context, fields);
  return (
    member && {
      ...{ member, loginTime: secondsOf(fields.get("LoginTime")), lastPause: secondsOf(fields.get("LastPause")) },
    }
  );
}

/** Seconds since 1970; 0 and nothing: not told. */
function secondsOf(text: string | undefined): number | null {
  return text !== undefined && /^[1-9]\d{8,10}$/.test(text) ? Number(text) : null;
}
