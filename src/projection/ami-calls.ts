// Several Asterisk calls in one step: those that one event concerns, opened once, stepped together, and kept.

import type { ProjectionOptions } from "../event/envelope.ts";
import type { Happening } from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import type { AmiCallState } from "./ami-state.ts";
import { AmiCallStep } from "./ami-step.ts";
import type { World } from "./world.ts";

export interface AmiEventContext {
  readonly source: string;
  readonly options: ProjectionOptions;
  readonly at: SourceInstant;
  /** Counts this source's messages. */
  readonly eventCount: number;
}

export class AmiCalls {
  readonly happenings: Happening[] = [];
  readonly #steps = new Map<string, { readonly step: AmiCallStep; readonly before: AmiCallState | undefined }>();

  constructor(
    readonly world: World,
    readonly context: AmiEventContext,
  ) {}

  /** The call under this key, if it is this source's. */
  open(key: string | null | undefined): AmiCallStep | undefined {
    if (key == null || key === "") return undefined;
    const known = this.#steps.get(key);
    if (known !== undefined) return known.step;
    const call = this.world.get("ami call", key);
    return call?.source === this.context.source ? this.#take(call, call) : undefined;
  }

  begin(call: AmiCallState): AmiCallStep {
    return this.#take(call, undefined);
  }

  #take(call: AmiCallState, before: AmiCallState | undefined): AmiCallStep {
    const { options, eventCount } = this.context;
    const step = new AmiCallStep(call, options, eventCount, this.happenings);
    this.#steps.set(call.linkedId, { step, before });
    return step;
  }

  /** The call in which this channel is; its Linkedid says where to look first. */
  holding(uniqueId: string | undefined, linkedId: string | undefined): AmiCallStep | undefined {
    if (uniqueId === undefined || uniqueId === "") return undefined;
    return this.open(keyHolding(this.world, this.context.source, uniqueId, linkedId));
  }

  /** Keeps what the steps made of the calls; returns what happened. */
  store(): readonly Happening[] {
    for (const [key, { step, before }] of this.#steps) if (step.call !== before) storeCall(this.world, key, step);
    return this.happenings;
  }
}

/** Keeps what a step made of a call, or forgets the call when nothing of it is left. */
export function storeCall(world: World, key: string, step: AmiCallStep): void {
  step.prune();
  if (isOver(step.call)) world.remove("ami call", key);
  else world.put("ami call", key, step.call);
}

function isOver(call: AmiCallState): boolean {
  return call.channels.length === 0 && call.isComplete && call.listed === null;
}

/** The key of the call in which this channel is; undefined: in none that is known. */
export function keyHolding(
  world: World,
  source: string,
  uniqueId: string,
  linkedId: string | undefined,
): string | undefined {
  const isIn = (call: AmiCallState | undefined) =>
    call?.source === source && call.channels.some((channel) => channel.uniqueId === uniqueId);
  if (linkedId !== undefined && isIn(world.get("ami call", linkedId))) return linkedId;
  return world.all("ami call").find(([, call]) => isIn(call))?.[0];
}
