// Calls at routing points, with `voiceInFull`: a router lets them wait in one or several virtual queues until an agent is
// free, attaches what it has decided under the names that URS uses, and sends them on; or into an ACD queue when nobody
// was free in time; or the caller gives up.

import type { AgentPool } from "./agent-pool.ts";
import type { CallFactory } from "./call-factory.ts";
import type { Pace } from "./pace.ts";
import type { Agent, Call, Party, UserData, VirtualStay } from "./switch-event.ts";
import type { Switchboard } from "./switchboard.ts";
import { enterVirtualQueue, leaveVirtualQueue, openStays, requestRoute, useRoute } from "./virtual-queue.ts";

export interface RoutingSetting {
  readonly pace: Pace;
  readonly board: Switchboard;
  readonly calls: CallFactory;
  readonly pool: AgentPool;
  /** What the call's script goes on with. */
  readonly script: {
    /** Goes on with `act` unless the call has gone another way by then; `busy` is free in that case. */
    next(call: Call, seconds: number, act: () => void, busy?: Agent): void;
    offer(call: Call, queued: Party, agent: Agent, noAnswers: number): void;
    queue(call: Call, dn: string): void;
    abandon(call: Call): void;
  };
  readonly queueDn: () => string;
}

const routingPoints = ["9001", "9002", "9003"] as const;
const virtualQueues = ["VQ_Sales", "VQ_Service", "VQ_Gold", "VQ_Rückruf"] as const;
type Named = readonly [name: string, dbid: string];
const strategies: readonly [Named, ...Named[]] = [
  ["VQDemo", "107"],
  ["Route2ChicagoAgentsLowPriority", "264"],
];
// Names of groups and skill expressions with the DBID of a group [recorded logs of a T-Lib client].
const targets: readonly [Named, ...Named[]] = [
  ["?:Skill1 > 1", ""],
  ["VAG_Skill1", "115"],
  ["VAG_Sales", "116"],
];

export class Routing {
  readonly #setting: RoutingSetting;
  readonly #pace: Pace;

  constructor(setting: RoutingSetting) {
    this.#setting = setting;
    this.#pace = setting.pace;
  }

  isRoutingPoint(dn: string): boolean {
    return (routingPoints as readonly string[]).includes(dn);
  }

  /** The call arrives at a routing point, or comes back to this one after so many unanswered calls. */
  begin(call: Call, dn = this.#pace.random.pick(routingPoints) as string, noAnswers = 0): void {
    const { board, calls, script } = this.#setting;
    const facts = { uuid: calls.partyUuid(), dn, role: 2, queue: dn, otherDn: call.ani } as const;
    const party = board.enter(call, facts, "EventQueued");
    requestRoute(board, party);
    script.next(call, this.#pace.talk(0.01, 0.05), () => {
      for (const vq of this.#someQueues()) this.#enterQueue(call, vq);
      this.#wait(call, party, noAnswers);
    });
  }

  #anyQueue(): string {
    return this.#pace.random.pick(virtualQueues);
  }

  #someQueues(): ReadonlySet<string> {
    const count = this.#pace.random.pick([1, 1, 2, 3]);
    return new Set(Array.from({ length: count }, () => this.#anyQueue()));
  }

  #enterQueue(call: Call, dn: string): void {
    enterVirtualQueue(this.#setting.board, call, { dn, vqid: this.#setting.calls.virtualQueueId() });
  }

  #wait(call: Call, party: Party, noAnswers: number): void {
    const { pool, script } = this.#setting;
    const { random } = this.#pace;
    call.step++;
    // For some targets nobody is there, whoever else is free.
    const isThereAnybody = random.chance(0.75);
    const agent = isThereAnybody ? pool.take() : undefined;
    if (agent !== undefined) {
      const act = () => this.#route(call, party, agent, noAnswers);
      return script.next(call, this.#pace.talk(0.02, 0.1), act, agent);
    }
    if (isThereAnybody) {
      pool.wait(call, (freed) => {
        call.step++;
        this.#route(call, party, freed, noAnswers);
      });
    }
    const { step } = call;
    this.#pace.after(this.#pace.talk(0.1, 1), () => {
      if (call.step !== step || call.endedAtUs !== null) return;
      const next = random.fraction();
      if (next < 0.5) this.#changeQueues(call, party, noAnswers);
      else if (next < 0.8) this.#routeByDefault(call, party);
      else script.abandon(call);
    });
  }

  /** Waited too long in one of the queues: into another one, or into one more. */
  #changeQueues(call: Call, party: Party, noAnswers: number): void {
    const open = openStays(call);
    const [first] = open;
    if (first !== undefined && this.#pace.random.chance(0.7)) {
      leaveVirtualQueue(this.#setting.board, first, "EventDiverted", null);
    }
    const vq = this.#anyQueue();
    if (!openStays(call).some(({ dn }) => dn === vq)) this.#enterQueue(call, vq);
    this.#wait(call, party, noAnswers);
  }

  #route(call: Call, party: Party, agent: Agent, noAnswers: number): void {
    const { board, script } = this.#setting;
    const open = openStays(call);
    const selected = open[this.#pace.random.below(open.length)];
    const keys = this.#decision(agent, selected);
    const others = call.userData.filter(([key]) => !keys.some(([own]) => own === key));
    board.attach(party, [...others, ...keys]);
    useRoute(board, party, { outcome: "routed", target: agent.dn, keys });
    for (const stay of open) leaveVirtualQueue(board, stay, "EventDiverted", stay === selected ? agent.dn : null);
    script.offer(call, party, agent, noAnswers);
  }

  #routeByDefault(call: Call, party: Party): void {
    const { board, script, queueDn } = this.#setting;
    const target = queueDn();
    useRoute(board, party, { outcome: "default", target, keys: [] });
    for (const stay of openStays(call)) leaveVirtualQueue(board, stay, "EventDiverted", null);
    board.leave(party, "EventDiverted", 0);
    script.queue(call, target);
  }

  /** What URS attaches to a call that it routes, in its own words and order [recorded log of a T-Lib client]. */
  #decision(agent: Agent, stay: VirtualStay | undefined): UserData {
    const { random } = this.#pace;
    const [object, objectDbid] = random.pick(targets);
    const [strategy, strategyDbid] = random.pick(strategies);
    return [
      ["RTargetAgentGroup", object],
      ["RVQID", stay?.vqid ?? ""],
      ["RTargetTypeSelected", "2"],
      ["RTargetRuleSelected", random.pick(["", "Rule_Overflow"])],
      ["RTargetObjectSelected", object],
      ["RTargetObjSelDBID", objectDbid],
      ["RTargetAgentSelected", agent.id],
      ["RTargetPlaceSelected", `Place_${agent.dn}`],
      ["RTenant", "Resources"],
      ["RStrategyName", strategy],
      ["RStrategyDBID", strategyDbid],
      ["RRequestedSkillCombination", ""],
      ["RRequestedSkills", []],
      ["RTargetRequested", object],
      ["ServiceType", "default"],
      ["ServiceObjective", ""],
    ];
  }
}
