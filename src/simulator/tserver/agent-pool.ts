// Which agents are free, and which calls wait for one. First come, first served; which free agent gets the call is
// left to the seeded chance.

import type { Random } from "./random.ts";
import type { Agent, Call } from "./switch-event.ts";

interface Waiting {
  readonly call: Call;
  readonly step: number;
  readonly take: (agent: Agent) => void;
}

export class AgentPool {
  readonly #random: Random;
  #free: Agent[] = [];
  #waiting: Waiting[] = [];
  // Taking from the front of an array is a copy each time; this index walks and the array is cut now and then.
  #waitingFrom = 0;

  constructor(random: Random, agents: readonly Agent[]) {
    this.#random = random;
    this.#free = [...agents];
  }

  /** A free agent, now busy; undefined when all are. */
  take(): Agent | undefined {
    const index = this.#random.below(this.#free.length);
    const agent = this.#free[index];
    const last = this.#free.pop();
    if (agent !== undefined && last !== undefined && last !== agent) this.#free[index] = last;
    return agent;
  }

  /** Takes this agent out; false: busy already. */
  withdraw(agent: Agent): boolean {
    const index = this.#free.indexOf(agent);
    if (index === -1) return false;
    this.#free.splice(index, 1);
    return true;
  }

  /** Only these agents are free now, and no call waits. */
  reset(agents: readonly Agent[]): void {
    this.#free = [...agents];
    this.#waiting = [];
    this.#waitingFrom = 0;
  }

  /** Calls `take` once an agent is free, unless the call's script has gone on by then. */
  wait(call: Call, take: (agent: Agent) => void): void {
    this.#waiting.push({ call, step: call.step, take });
  }

  /** The agent is free again, for the call that waits longest if there is one. */
  release(agent: Agent): void {
    for (;;) {
      const waiting = this.#waiting[this.#waitingFrom];
      if (waiting === undefined) break;
      this.#waitingFrom++;
      if (waiting.call.step !== waiting.step) continue;
      waiting.take(agent);
      return;
    }
    this.#waiting = [];
    this.#waitingFrom = 0;
    this.#free.push(agent);
  }
}
