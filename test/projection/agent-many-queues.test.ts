// An agent may serve thousands of queues. What is said of a DN costs as much as it has queues, not their square: counted in
// looks at what is remembered of each.

import { expect, test } from "bun:test";
import { stepRecord } from "../../src/projection/projection.ts";
import type { Entities, EntityKind } from "../../src/projection/world.ts";
import { agentStory, at5001, party5001 } from "../harness/agent-story.ts";
import { MemoryWorld } from "../harness/memory-world.ts";

class CountingWorld extends MemoryWorld {
  looks = 0;

  override get<K extends EntityKind>(kind: K, key: string): Entities[K] | undefined {
    const entity = super.get(kind, key);
    if (kind !== "login session" || entity === undefined) return entity;
    const session = entity as Entities["login session"];
    const dns = session.dns.map((desk) => ({ ...desk, endpoints: desk.endpoints.map((each) => this.#counted(each)) }));
    const totals = session.totals.map((each) => this.#counted(each));
    return { ...session, dns, totals } as unknown as Entities[K];
  }

  #counted<T extends object>(each: T): T {
    return new Proxy(each, {
      get: (target, name) => {
        this.looks += 1;
        return Reflect.get(target, name);
      },
    });
  }
}

const events: readonly (readonly [id: string, members: Readonly<Record<string, unknown>>])[] = [
  ["EventAgentReady", at5001],
  ["EventAgentNotReady", { ...at5001, Reasons: { Break: "coffee" } }],
  ["EventRinging", party5001],
  ["EventEstablished", party5001],
  ["EventReleased", party5001],
  ["EventAgentReady", at5001],
  ["EventAgentLogout", at5001],
];

/** Looks that each of the events costs an agent with so many queues. */
function looksWith(queues: number): number[] {
  const story = agentStory();
  for (let queue = 1; queue <= queues; queue += 1) {
    story.events([0, "EventAgentLogin", { ...at5001, ThisQueue: `q${queue}` }]);
  }
  const before = story.payloads.length;
  for (const [index, [id, members]] of events.entries()) story.events([10 + index, id, members]);
  const world = new CountingWorld();
  const looks: number[] = [];
  for (const [index, payload] of story.payloads.entries()) {
    world.looks = 0;
    stepRecord(world, { windowSeconds: 60 }, BigInt(index + 1), payload);
    if (index >= before) looks.push(world.looks);
  }
  return looks;
}

test("an event costs an agent with four times as many queues four times as much", () => {
  const few = looksWith(25);
  for (const [index, many] of looksWith(100).entries()) {
    expect([events[index]?.[0], many < 5 * (few[index] ?? 0) + 100]).toEqual([events[index]?.[0], true]);
  }
});
