// Asterisk's manager interface: one message, taken in. Manager events have no sequence numbers, so the ledger counts
// them and can promise no more than that; answers to our own actions are not counted, for only we get them.

import type { AmiEvent } from "../event/ami-message.ts";
import { timestampOf } from "../event/ami-message.ts";
import type { FrameEnvelope } from "../event/envelope.ts";
import type { SourceInstant } from "../event/instant.ts";
import { decodeAmi } from "../protocol/ami/message.ts";
import { closeOverdueSessions } from "./agent-bounds.ts";
import { stepCallAndAgents } from "./agent-calls.ts";
import { stepAmi, unseenBefore } from "./ami.ts";
import { stepAmiAgents } from "./ami-agent.ts";
import { writeDueEndings } from "./call-ending.ts";
import { breakCoverage, coverEvent } from "./coverage.ts";
import { hashMessage } from "./digest.ts";
import { storeEvent } from "./session.ts";
import { estimatedSourceTime, hearClock, type StepContext } from "./source.ts";
import { enterWindow, faultSinceDamage, isKept, sealWindows } from "./window.ts";
import type { World } from "./world.ts";

/** Takes one frame in. Returns why it could not be decoded, or null. */
export function stepAmiFrame(
  world: World,
  context: StepContext,
  windowSeconds: number,
  envelope: FrameEnvelope,
): string | null {
  const { source, session } = context;
  const { arrivedAt } = envelope;
  const message = decodeAmi(envelope.frame, envelope.isCut);
  if (message.kind === "undecodable") {
    breakCoverage(world, source, context.position, "undecodable frame");
    enterWindow(world, context, windowSeconds, estimatedSourceTime(source, arrivedAt), { fault: "undecodable frame" });
    return message.reason;
  }
  const at = timestampOf(message);
  if (at !== null) {
    writeDueEndings(world, context, at);
    closeOverdueSessions(world, context, at);
    hearClock(world, source.identity.name, at, arrivedAt);
    coverEvent(world, context, at, null, isKept(source, windowSeconds, at));
  }
  if (message.kind === "event") countEvent(world, context, windowSeconds, message, at, arrivedAt);
  if (at !== null) sealWindows(world, context, at);
  const ami = { source: source.identity.name, session, options: source.options, arrivedAt };
  for (const happening of stepAmi(world, ami, message)) stepCallAndAgents(world, context, happening);
  if (source.writesAgents) {
    stepAmiAgents(world, context, message, { at, arrivedAt, unseen: unseenBefore(world, ami) });
  }
  return null;
}

// What only this session gets says nothing of the source's time: list answers, and the greeting after login.
const greetingName = "FullyBooted";

function countEvent(
  world: World,
  context: StepContext,
  windowSeconds: number,
  message: AmiEvent,
  at: SourceInstant | null,
  arrivedAt: number,
): void {
  if (message.fields.get("ActionID") !== undefined || message.name === greetingName) return;
  // Without `timestampevents` the manager tells no time; then our clock has to do, and the window says so.
  const eventAt = at ?? estimatedSourceTime(context.source, arrivedAt);
  const fault = at === null ? ({ fault: "source clock unknown" } as const) : {};
  faultSinceDamage(world, context, windowSeconds, eventAt);
  const event = { sequence: null, hash: hashMessage(message.name, message.fields) };
  enterWindow(world, context, windowSeconds, eventAt, { event, ...fault });
  const session = world.get("session", String(context.session));
  if (session !== undefined) storeEvent(world, session, { arrivedAt, at: eventAt, sequence: null });
}
