// Which events of the T-Event link are about a virtual queue, and what they say of the stay in it.

import type { CallFacts, Happening, PartyStep } from "../event/happening.ts";
import type { TEvent } from "../event/tevent.ts";
import { hashedKey } from "./key.ts";
import type { StepContext } from "./source.ts";

// Of other events VQID says no more than out of which virtual queue the call came.
const eventsOfStays: ReadonlySet<string> = new Set(["EventQueued", "EventDiverted", "EventAbandoned"]);

/** The event says so, or the DN is one of those that the configuration names. */
export function isVirtualQueue({ source }: StepContext, { id, isVirtualQueue, thisDn }: TEvent): boolean {
  if (isVirtualQueue && eventsOfStays.has(id)) return true;
  const { virtualQueues } = source.options;
  return virtualQueues !== undefined && thisDn !== null && matcherOf(virtualQueues).test(thisDn);
}

// The options of a source are one object until they change.
const matchers = new WeakMap<readonly string[], RegExp>();

function matcherOf(names: readonly string[]): RegExp {
  let matcher = matchers.get(names);
  if (matcher === undefined) {
    const patterns = names.map((name) => name.split("*").map(RegExp.escape).join(".*"));
    matcher = new RegExp(`^(?:${patterns.join("|")})$`, "su");
    matchers.set(names, matcher);
  }
  return matcher;
}

/** Empty: what the event says is nothing that happens to a stay in a virtual queue. */
export function virtualStay(
  context: StepContext,
  event: TEvent,
  call: CallFacts,
  step: PartyStep,
): readonly Extract<Happening, { kind: "virtual queue" }>[] {
  const { thisDn: dn, vqid, at, isSnapshot, thirdPartyDn } = event;
  if (dn === null) {
    context.count("party event without a DN");
    return [];
  }
  if (step !== "queued" && step !== "diverted" && step !== "abandoned") return [];
  if (isSnapshot && step !== "queued") return [];
  return [
    {
      kind: "virtual queue",
      step,
      at,
      call,
      stay: { dn, vqid, keyIfNew: vqid === null && step === "queued" ? stayKey(context, event, call, dn) : null },
      hasTarget: thirdPartyDn !== null,
      isFound: isSnapshot,
      origin: event.origin?.at ?? null,
    },
  ];
}

/** Null: a snapshot does not say which event began the stay. */
function stayKey({ source }: StepContext, event: TEvent, call: CallFacts, dn: string): string | null {
  const creator = event.isSnapshot ? event.origin : { run: source.run ?? "", sequence: event.sequence ?? 0 };
  return creator && hashedKey("virtual queue", call.callId, dn, creator.run, creator.sequence);
}
