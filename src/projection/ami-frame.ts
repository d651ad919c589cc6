// Asterisk's manager interface: one message, taken in. Manager events have no sequence numbers, so the ledger counts
// them and can promise no more than that; answers to our own actions are not counted, for only we get them.

import type { FrameEnvelope } from "../event/envelope.ts";
import { decodeAmi, timestampOf } from "../protocol/ami/message.ts";
import { stepAmi } from "./ami.ts";
import { stepCall, writeDueEndings } from "./call.ts";
import { storeEvent } from "./session.ts";
import { estimatedSourceTime, hearClock, type StepContext } from "./source.ts";
import { enterWindow } from "./window.ts";
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
    enterWindow(world, context, windowSeconds, estimatedSourceTime(source, arrivedAt), { fault: "undecodable frame" });
    return message.reason;
  }
  const at = timestampOf(message);
  if (at !== null) {
    writeDueEndings(world, context, at);
    hearClock(world, source.identity.name, at, arrivedAt);
  }
  if (message.kind === "event" && message.fields.get("ActionID") === undefined) {
    const eventAt = at ?? estimatedSourceTime(source, arrivedAt);
    const fault = at === null ? ({ fault: "source clock unknown" } as const) : {};
    enterWindow(world, context, windowSeconds, eventAt, { event: { sequence: null }, ...fault });
    const open = world.get("session", String(session));
    if (open !== undefined) storeEvent(world, open, { arrivedAt, at: eventAt, sequence: null });
  }
  const ami = { source: source.identity.name, session, options: source.options, arrivedAt };
  for (const happening of stepAmi(world, ami, message)) {
    if (source.writesCalls) stepCall(world, context, happening);
  }
  return null;
}
