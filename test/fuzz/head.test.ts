import { expect, test } from "bun:test";
import { systemClock } from "../../src/clock.ts";
import type { SessionId } from "../../src/event/envelope.ts";
import {
  continueFromHead,
  decodeHead,
  encodeHead,
  HeadForeignError,
  HeadVersionError,
  type IntakeState,
} from "../../src/event/intake-state.ts";
import { Intake } from "../../src/source/intake.ts";
import { inputsInAll, Mutator } from "./mutator.ts";

const state: IntakeState = {
  lastSession: 1_795_420_801,
  started: {
    arrivedAt: 1_795_420_800_000,
    mark: {
      mark: "instance started",
      programVersion: "0.1.0",
      instance: { name: "icon-a", dbid: 9001 },
      queueId: "0123456789abcdef0123456789abcdef",
      queueState: "clean",
      role: ["gcc"],
      sources: [],
      configurationHash: "0".repeat(64),
    },
  },
  sources: {
    north: {
      session: 1_795_420_801 as SessionId,
      openedAt: 1_795_420_801_000,
      opened: {
        mark: "session opened",
        source: "north",
        address: "127.0.0.1:7001",
        serverName: "TServer_North",
        dbid: 101,
        primaryDbid: 101,
        switchDbid: 1,
        dsType: 1,
        run: "2026-11-23T08:00:00.000Z",
        resumeAfter: null,
      },
      isOpen: true,
      arrivalNumber: 17,
      run: "2026-11-23T08:00:00.000Z",
      contiguous: 15,
    },
  },
};

test("a mutated head of a segment is a state that an intake goes on from, or refused in words", () => {
  const mutator = new Mutator("segment heads");
  const original = encodeHead(state);
  const verdicts = new Set<string>();
  for (let input = 0; input < inputsInAll * 0.03; input += 1) {
    const head = mutator.mutate(original);
    try {
      const decoded = decodeHead(head);
      const intake = new Intake(systemClock);
      intake.recover(head, []);
      expect(decodeHead(intake.head()).lastSession).toBe(decoded.lastSession);
      for (const envelope of continueFromHead(head)) expect(envelope.length).toBeGreaterThan(24);
      verdicts.add("state");
    } catch (error) {
      if (!(error instanceof HeadVersionError || error instanceof HeadForeignError)) {
        throw new Error(`Neither a state nor refused: ${Buffer.from(head)}`, { cause: error });
      }
      verdicts.add(error.name);
    }
  }
  expect([...verdicts].sort()).toEqual(["HeadForeignError", "HeadVersionError", "state"]);
}, 900_000);
