// Asterisk's manager interface: from messages to what happened to calls and parties.
//
// 1. A call is a Linkedid, and CALLID is it. What its parties are: ami-leg.ts and ami-stay.ts. How calls meet:
//    ami-transfer.ts and ami-join.ts. How lists are used: ami-list.ts.
// 2. Only channels and queues are looked at. CEL says the same a second time, in an order of its own. What is not
//    listed below changes nothing.
// 3. Per Linkedid the messages come in one order; nothing here depends on the order between calls. A message that comes
//    twice changes nothing the second time.
// 4. A channel stays with the call it came to be in until an event says that calls meet, and not because its Linkedid
//    changes: that happens before a transfer is told, or after. Holds, attended transfers, conferences, parking and pickup
//    are built from the manager's documentation; no recording has shown them.
// 5. Two sources that give the same Linkedid would be taken for one call. Asterisk's option `systemname` keeps them apart.

import { type AmiMessage, timestampOf } from "../event/ami-message.ts";
import type { Mark, ProjectionOptions, SessionEndCause, SessionId } from "../event/envelope.ts";
import type { Happening, QualityCause, Unseen } from "../event/happening.ts";
import { type ArrivalInstant, type SourceInstant, sourceInstant } from "../event/instant.ts";
import { stepAmiEvent } from "./ami-event.ts";
import { forgetLines, reconcileChannels, reconcileStays } from "./ami-list.ts";
import { dnOf, durationSeconds, knownNumber, wholeNumber } from "./ami-name.ts";
import { type AmiList, type AmiListedChannel, type AmiSourceState, newAmiCall, newAmiSource } from "./ami-state.ts";
import type { ListContext } from "./ami-unseen.ts";
import type { World } from "./world.ts";

/** Whose message this is. */
export interface AmiContext {
  /** Name of the data source. */
  readonly source: string;
  readonly session: SessionId;
  readonly options: ProjectionOptions;
  readonly arrivedAt: ArrivalInstant;
}

/** Takes in one message of a source; returns what it says happened, in order. */
export function stepAmi(world: World, context: AmiContext, message: AmiMessage): readonly Happening[] {
  if (message.kind === "banner" || message.kind === "undecodable") return [];
  const source = hear(world, context, timestampOf(message));
  if (message.kind === "response") {
    if (!message.success && message.actionId !== null) dropList(world, context.source, source, message.actionId);
    return [];
  }
  const { name, fields } = message;
  const actionId = fields.get("ActionID");
  const list = source.lists.find((each) => each.actionId === actionId);
  if (list !== undefined) return stepLine(world, context, source, list, message);
  if (name === "FullyBooted") {
    world.put("ami source", context.source, { ...source, uptimeSeconds: wholeNumber(fields.get("Uptime")) });
    return [];
  }
  const at = timestampOf(message) ?? timeOf(source, context);
  return stepAmiEvent(world, { ...context, at, eventCount: source.eventCount }, message);
}

/** Takes in a mark of ours about a source. Other marks change nothing here. */
export function stepAmiMark(world: World, context: AmiContext, mark: Mark): readonly Happening[] {
  const source = world.get("ami source", context.source) ?? newAmiSource;
  switch (mark.mark) {
    case "session opened": {
      // Without a closing mark before it, an earlier run of ours ended in a crash.
      const before = source.session === null ? source : closed(source, "our crash");
      forgetLines(world, context.source);
      const opened = { ...before, session: context.session, lists: [], isReconciled: false, uptimeSeconds: null };
      world.put("ami source", context.source, opened);
      break;
    }
    case "session closed":
      forgetLines(world, context.source);
      world.put("ami source", context.source, closed(source, mark.cause));
      break;
    case "list requested":
      if (mark.action === "CoreShowChannels" || mark.action === "QueueStatus") {
        const list: AmiList = {
          action: mark.action,
          actionId: mark.actionId,
          askedAt: source.eventCount,
          isComplete: false,
          lineCount: 0,
          entries: [],
          gone: [],
        };
        // Asked again: the earlier answer stayed away, and must not stand before this one.
        const lists = source.lists.filter(({ action }) => action !== mark.action);
        if (mark.action === "CoreShowChannels" && lists.length < source.lists.length)
          forgetLines(world, context.source);
        world.put("ami source", context.source, { ...source, lists: [...lists, list] });
      }
      break;
    default:
      break;
  }
  return [];
}

const missed: Record<SessionEndCause, QualityCause> = {
  "source shutdown": "source restart",
  "connection lost": "link down",
  silence: "link down",
  switchover: "link down",
  "CTI link down": "link down",
  "our back-pressure": "link down",
  "protocol error": "link down",
  "our stop": "instance down",
  reload: "link down",
  "our crash": "instance down",
  "source role": "link down",
};

// A session that never learnt what was there has not mended the hole before it: that one still counts.
function closed(source: AmiSourceState, cause: SessionEndCause): AmiSourceState {
  const hole =
    source.isReconciled || source.heardUntil === null
      ? { heardUntil: source.sourceTime, missedBecause: missed[cause] }
      : {};
  return { ...source, ...hole, session: null, lists: [] };
}

function hear(world: World, context: AmiContext, at: SourceInstant | null): AmiSourceState {
  const before = world.get("ami source", context.source) ?? newAmiSource;
  const sourceTime = at === null || (before.sourceTime !== null && before.sourceTime >= at) ? before.sourceTime : at;
  const differenceMs = at !== null && sourceTime === at ? at - context.arrivedAt : before.differenceMs;
  const source = { ...before, sourceTime, differenceMs, eventCount: before.eventCount + 1 };
  world.put("ami source", context.source, source);
  return source;
}

/**
 * The source's time at a message without one: our clock, corrected by the difference when it last told one, and never
 * before that. A source that never tells a time is timed by our clock alone.
 */
function timeOf(source: AmiSourceState, context: AmiContext): SourceInstant {
  const estimate = context.arrivedAt + source.differenceMs;
  return sourceInstant(Math.max(estimate, source.sourceTime ?? estimate));
}

function dropList(world: World, name: string, source: AmiSourceState, actionId: string): void {
  const lists = source.lists.filter((list) => list.actionId !== actionId);
  if (lists.length < source.lists.length) world.put("ami source", name, { ...source, lists });
}

type AmiEventMessage = Extract<AmiMessage, { kind: "event" }>;

function stepLine(
  world: World,
  context: AmiContext,
  source: AmiSourceState,
  list: AmiList,
  message: AmiEventMessage,
): readonly Happening[] {
  const { name, fields } = message;
  if (name !== `${list.action}Complete`) {
    if (name === "CoreShowChannel") noteChannel(world, context, list, message);
    const entries = name === "QueueEntry" ? [...list.entries, entryOf(message)] : list.entries;
    changeList(world, context.source, source, { ...list, lineCount: list.lineCount + 1, entries });
    return [];
  }
  const promised = wholeNumber(fields.get("ListItems"));
  if (promised !== null && promised !== list.lineCount) {
    dropList(world, context.source, source, list.actionId);
    if (list.action === "CoreShowChannels") forgetLines(world, context.source);
    return [];
  }
  changeList(world, context.source, source, { ...list, isComplete: true });
  return workIn(world, context);
}

function changeList(world: World, name: string, source: AmiSourceState, changed: AmiList): void {
  const lists = source.lists.map((each) => (each.actionId === changed.actionId ? changed : each));
  world.put("ami source", name, { ...source, lists });
}

/** Works in the complete answers that no earlier one stands before. */
function workIn(world: World, context: AmiContext): readonly Happening[] {
  const happenings: Happening[] = [];
  for (;;) {
    const source = world.get("ami source", context.source);
    const [list, ...lists] = source?.lists ?? [];
    if (source === undefined || list === undefined || !list.isComplete) return happenings;
    const listContext = listContextOf(world, context, source);
    const isChannels = list.action === "CoreShowChannels";
    world.put("ami source", context.source, {
      ...source,
      lists,
      isReconciled: source.isReconciled || isChannels,
    });
    happenings.push(...(isChannels ? reconcileChannels : reconcileStays)(world, listContext, list));
  }
}

function listContextOf(world: World, context: AmiContext, source: AmiSourceState): ListContext {
  const now = timeOf(source, context);
  const { heardUntil, uptimeSeconds } = source;
  const bootedAt = uptimeSeconds === null ? null : now - uptimeSeconds * 1000;
  const hasRestarted = heardUntil !== null && bootedAt !== null && bootedAt > heardUntil + 1000;
  // Only the whole of the instance knows that its queue was lost.
  const isQueueLost = world.get("source", context.source)?.missedBecause === "queue lost";
  const cause = isQueueLost ? "queue lost" : hasRestarted ? "source restart" : source.missedBecause;
  return { name: context.source, source, options: context.options, now, cause };
}

/** Bounds of what a list shows to have happened before the present session. */
export function unseenBefore(world: World, context: AmiContext): Unseen {
  const { now, source, cause } = listContextOf(world, context, world.get("ami source", context.source) ?? newAmiSource);
  return { earliest: sourceInstant(Math.min(source.heardUntil ?? now, now)), latest: now, cause };
}

function noteChannel(world: World, context: AmiContext, list: AmiList, { fields }: AmiEventMessage): void {
  const uniqueId = fields.get("Uniqueid");
  const linkedId = fields.get("Linkedid") || uniqueId;
  if (uniqueId === undefined || linkedId === undefined || uniqueId === "") return;
  const owner = ownerOf(world, context.source, linkedId, uniqueId, fields.get("Channel") ?? "");
  const call = world.get("ami call", owner) ?? newAmiCall(context.source, owner, sourceInstant(context.arrivedAt));
  if (call.source !== context.source) return;
  const line: AmiListedChannel = {
    uniqueId,
    linkedId,
    name: fields.get("Channel") ?? "",
    isUp: fields.get("ChannelStateDesc") === "Up",
    bridgeId: fields.get("BridgeId") ?? "",
    number: knownNumber(fields.get("CallerIDNum")),
    context: fields.get("Context") ?? "",
    application: fields.get("Application") ?? "",
    applicationData: fields.get("ApplicationData") ?? "",
    durationSeconds: durationSeconds(fields.get("Duration")),
  };
  const earlier = call.listed?.actionId === list.actionId ? call.listed.channels : [];
  world.put("ami call", owner, { ...call, listed: { actionId: list.actionId, channels: [...earlier, line] } });
}

/**
 * The call that a listed channel is in: the one it came to be in, if we know it there, else its Linkedid's; or the
 * consultation by feature codes that was begun from that, if it asks the DN of this channel.
 */
function ownerOf(world: World, source: string, linkedId: string, uniqueId: string, name: string): string {
  const isIn = (key: string) => world.get("ami call", key)?.channels.some((channel) => channel.uniqueId === uniqueId);
  if (isIn(linkedId)) return linkedId;
  for (const [key, call] of world.all("ami call")) if (call.source === source && isIn(key)) return key;
  const asks = world.get("ami call", linkedId)?.asks ?? "";
  return world.get("ami call", asks)?.dnis === dnOf(name) ? asks : linkedId;
}

function entryOf({ fields }: AmiEventMessage) {
  return {
    uniqueId: fields.get("Uniqueid") ?? "",
    queue: fields.get("Queue") ?? "",
    waitSeconds: wholeNumber(fields.get("Wait")),
  };
}
