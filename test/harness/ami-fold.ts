// A recording folded through the projection's Asterisk machine, with the marks that a live source would have written.

import type { Mark, ProjectionOptions, SessionEndCause, SessionId } from "../../src/event/envelope.ts";
import type { Happening } from "../../src/event/happening.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import { type AmiContext, stepAmi, stepAmiMark } from "../../src/projection/ami.ts";
import { AmiFramer } from "../../src/protocol/ami/framer.ts";
import { decodeAmi } from "../../src/protocol/ami/message.ts";
import type { RecordedMessage, Recording } from "../../src/simulator/ami/recording.ts";
import { MemoryWorld } from "./memory-world.ts";

export const noContexts: ProjectionOptions = {
  callDeletionTimeoutSeconds: 30,
  inboundContexts: [],
  internalContexts: [],
  outboundContexts: [],
};

export interface Folded {
  readonly happenings: readonly Happening[];
  readonly world: MemoryWorld;
  /** Messages taken in. */
  readonly messageCount: number;
}

export interface FoldOptions {
  readonly projection?: ProjectionOptions;
  readonly endCause?: SessionEndCause;
  /** Each message is taken in this often. */
  readonly times?: number;
  /** Leaves a message out. */
  readonly omits?: (message: RecordedMessage, connection: number) => boolean;
}

/** Marks "list requested" stand before the first line of each answer, "session opened" and "closed" where it connected. */
export function foldRecording(recording: Recording, options: FoldOptions = {}): Folded {
  const world = new MemoryWorld();
  const happenings: Happening[] = [];
  let messageCount = 0;
  for (const [index, connection] of recording.connections.entries()) {
    const context = (at: number): AmiContext => ({
      source: "pbx1",
      session: (index + 1) as SessionId,
      options: options.projection ?? noContexts,
      arrivedAt: arrivalInstant(at),
    });
    const mark = (at: number, each: Mark) => happenings.push(...stepAmiMark(world, context(at), each));
    mark(connection.openedAt, { mark: "session opened", ...opened });
    const framer = new AmiFramer();
    const asked = new Set<string>();
    for (const message of [greetingOf(connection.greeting, connection.openedAt), ...connection.messages]) {
      if (options.omits?.(message, index)) continue;
      const { actionId, answers } = message;
      if (actionId !== null && answers !== null && answers !== "Login" && !asked.has(actionId)) {
        asked.add(actionId);
        mark(message.at, { mark: "list requested", source: "pbx1", action: answers, actionId });
      }
      for (const frame of framer.push(message.bytes)) {
        const isLine = answers !== null;
        for (let time = 0; time < (isLine ? 1 : (options.times ?? 1)); time += 1) {
          messageCount += 1;
          happenings.push(...stepAmi(world, context(message.at), decodeAmi(frame.bytes, frame.isCut)));
        }
      }
    }
    const cause = options.endCause ?? "connection lost";
    mark(connection.closedAt, { mark: "session closed", source: "pbx1", cause, detail: null });
  }
  return { happenings, world, messageCount };
}

function greetingOf(bytes: Uint8Array, at: number): RecordedMessage {
  return { at, bytes, answers: null, actionId: null };
}

const opened = {
  source: "pbx1",
  address: "127.0.0.1:5038",
  serverName: null,
  dbid: 201,
  primaryDbid: 201,
  switchDbid: 2,
  dsType: 101,
  run: null,
  resumeAfter: null,
} as const;
