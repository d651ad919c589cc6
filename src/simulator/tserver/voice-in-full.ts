// Everything that `voiceInFull` adds to the traffic, each kind with a stream of chance of its own: agents' shifts, routing
// points with virtual queues, attached data, and who hung up.

import type { AgentPool } from "./agent-pool.ts";
import type { CallFactory } from "./call-factory.ts";
import { DataEntry } from "./data-entry.ts";
import type { AgentDesks } from "./login-session.ts";
import { OutsideScript, type OutsideScriptSetting } from "./outside-script.ts";
import { Pace } from "./pace.ts";
import { Random } from "./random.ts";
import { Routing, type RoutingSetting } from "./routing.ts";
import type { Schedule } from "./schedule.ts";
import { Shifts } from "./shifts.ts";
import type { Agent, Call, Party } from "./switch-event.ts";
import type { Switchboard } from "./switchboard.ts";

export interface VoiceSetting {
  readonly seed: number;
  readonly board: Switchboard;
  readonly desks: AgentDesks;
  readonly schedule: Schedule;
  readonly talkSeconds: number;
  readonly queues: readonly [string, ...string[]];
  readonly pool: AgentPool;
  readonly calls: CallFactory;
  readonly script: RoutingSetting["script"];
  readonly callOut: (agent: Agent) => void;
  readonly outsideScript: OutsideScriptSetting["script"];
}

/** Who hung up, as the switch tells it; of nobody when it does not know. */
export interface Release {
  readonly dn: string | null;
  readonly of: (party: Party) => 1 | 2 | undefined;
}

const routedShare = 0.5;
const transferredOutsideShare = 0.03;

export class VoiceInFull {
  readonly shifts: Shifts;
  readonly routing: Routing;
  readonly data: DataEntry;
  readonly outside: OutsideScript;
  readonly #random: Random;
  readonly #redirects: Random;

  constructor(setting: VoiceSetting) {
    const { seed, board, desks, pool, calls, queues, callOut } = setting;
    const pace = (purpose: string) => new Pace({ ...setting, random: new Random(seed, purpose) });
    const agents = board.agents;
    const spareDns = Array.from({ length: 2 + (agents.length >> 2) }, (_, index) => String(60_001 + index));
    const [firstSpare = "60001", ...otherSpares] = spareDns;
    this.shifts = new Shifts({
      ...{ pace: pace("shifts"), desks, pool, agents, queues, callOut },
      spareDns: [firstSpare, ...otherSpares],
    });
    const routing = pace("routing");
    this.routing = new Routing({
      ...{ pace: routing, board, calls, pool, script: setting.script },
      queueDn: () => routing.random.pick(queues),
    });
    this.data = new DataEntry(pace("data entry"), board);
    this.#random = new Random(seed, "voice");
    this.#redirects = new Random(seed, "redirects");
    const script = setting.outsideScript;
    this.outside = new OutsideScript({ board, calls, queues, script, random: new Random(seed, "outside") });
  }

  /** Of telephones that nobody answers. */
  isRedirected(): boolean {
    return this.#redirects.chance(0.3);
  }

  isRouted(): boolean {
    return this.#random.chance(routedShare);
  }

  isTransferredOutside(): boolean {
    return this.#random.chance(transferredOutsideShare);
  }

  /** A conversation ends: one of its parties hangs up, or the other side outside does. */
  release(call: Call, parties: readonly Party[]): Release {
    if (this.#random.chance(0.1)) return { dn: null, of: () => undefined };
    const outside = call.callType === 3 ? call.dnis : call.ani;
    const remote = parties.length === 1 ? { dn: outside, of: () => 2 as const } : null;
    if (remote !== null && this.#random.chance(0.5)) return remote;
    const by = parties[this.#random.below(parties.length)];
    return { dn: by?.dn ?? null, of: (party) => (party === by ? 1 : 2) };
  }
}
