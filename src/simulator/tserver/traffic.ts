// What callers and agents do: calls arrive by chance and each follows a script of small steps on the schedule. A script
// moves on by raising the call's step, which makes every timer of an earlier step find itself outdated.
//
// inbound   one or several ACD queues in a row, abandoned there or rung at an agent; not answered: back into the queue;
//           answered: held and retrieved a few times, data attached, released, or first handed on to another agent
// internal  one agent dials another: answered, busy, or given up while it rings
// outbound  an agent dials out: answered, busy, not answered
// handed on by a consultation that ends in a transfer (also while it still rings), a conference or nothing, or in one step

import { AgentPool } from "./agent-pool.ts";
import { CallFactory } from "./call-factory.ts";
import { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";
import type { Agent, Call, CallState, Party } from "./switch-event.ts";
import type { Switchboard } from "./switchboard.ts";

export interface TrafficSetting {
  readonly seed: number;
  readonly board: Switchboard;
  readonly schedule: Schedule;
  readonly callsPerSourceSecond: number;
  readonly queues: readonly [string, ...string[]];
  /** Mean of a talk, seconds of source time; the other stretches are set in relation to it. */
  readonly talkSeconds: number;
  /** Of the answered inbound calls, how many are handed on. */
  readonly transferShare: number;
  /** No two runs of the server on one site may give the same names. */
  readonly startUs: number;
}

const noAnswersMax = 3;

export class Traffic {
  readonly #board: Switchboard;
  readonly #schedule: Schedule;
  readonly #setting: TrafficSetting;
  readonly #random: Random;
  readonly #calls: CallFactory;
  #pool: AgentPool;
  // Rises when the switch loses its calls, so that agents' timers of before do not free an agent twice.
  #era = 0;

  constructor(setting: TrafficSetting) {
    this.#setting = setting;
    this.#board = setting.board;
    this.#schedule = setting.schedule;
    this.#random = new Random(setting.seed, "traffic");
    this.#calls = new CallFactory(setting.seed, setting.startUs);
    this.#pool = new AgentPool(this.#random, setting.board.agents);
  }

  begin(): void {
    this.#planArrival();
  }

  /** The switch lost its calls; agents are free, new calls keep arriving. */
  dropCalls(): void {
    this.#era++;
    this.#board.dropCalls();
    this.#pool = new AgentPool(this.#random, this.#board.agents);
  }

  #planArrival(): void {
    this.#after(this.#random.exponential(1 / this.#setting.callsPerSourceSecond), () => {
      const kind = this.#random.fraction();
      if (kind < 0.72) this.#inbound();
      else if (kind < 0.86) this.#internal();
      else this.#outbound();
      this.#planArrival();
    });
  }

  // ---- inbound

  #inbound(): void {
    const call = this.#calls.create(this.#board, 2);
    const hops = this.#random.pick([0, 0, 0, 0, 1, 1, 2]);
    const queued = this.#queue(call, this.#random.pick(this.#setting.queues));
    // Some callers give up early whatever the centre does.
    if (this.#random.chance(0.08)) {
      this.#after(this.#talk(0.1, 0.8), () => this.#abandon(call));
    }
    this.#wander(call, queued, hops);
  }

  #queue(call: Call, queue: string): Party {
    const facts = { uuid: this.#calls.partyUuid(), dn: queue, role: 2, queue, otherDn: call.ani } as const;
    return this.#board.enter(call, facts, "EventQueued");
  }

  /** From queue to queue, then to an agent. */
  #wander(call: Call, queued: Party, hopsLeft: number): void {
    this.#next(call, this.#talk(0.05, 0.4), () => {
      if (hopsLeft === 0) {
        this.#seekAgent(call, queued, 0);
        return;
      }
      this.#board.leave(queued, "EventDiverted", 0);
      const next = this.#queue(call, this.#random.pick(this.#setting.queues));
      this.#wander(call, next, hopsLeft - 1);
    });
  }

  #seekAgent(call: Call, queued: Party, noAnswers: number): void {
    call.step++;
    const agent = this.#pool.take();
    if (agent !== undefined) {
      this.#offer(call, queued, agent, noAnswers);
      return;
    }
    this.#pool.wait(call, (freed) => this.#offer(call, queued, freed, noAnswers));
    const step = call.step;
    this.#after(this.#talk(0.3, 2), () => {
      if (call.step === step) this.#abandon(call);
    });
  }

  #offer(call: Call, queued: Party, agent: Agent, noAnswers: number): void {
    const facts = {
      uuid: this.#calls.partyUuid(),
      dn: agent.dn,
      role: 2,
      queue: queued.dn,
      otherDn: call.ani,
    } as const;
    this.#board.leave(queued, "EventDiverted", 0);
    const party = this.#board.enter(call, facts, "EventRinging");
    const isAnswered = noAnswers >= noAnswersMax || this.#random.chance(0.9);
    this.#next(
      call,
      isAnswered ? this.#talk(0.05, 0.3) : this.#talk(0.3, 0.6),
      () => {
        if (!isAnswered) {
          this.#notAnswered(call, party, agent, noAnswers);
          return;
        }
        this.#board.change(party, "EventEstablished");
        this.#converse(call, [party], () => this.#conclude(call, party, agent));
      },
      agent,
    );
  }

  #notAnswered(call: Call, party: Party, agent: Agent, noAnswers: number): void {
    const queue = party.queue ?? this.#setting.queues[0];
    this.#board.leave(party, this.#random.chance(0.5) ? "EventReleased" : "EventDiverted", 7);
    const queued = this.#queue(call, queue);
    this.#rest(agent, true);
    this.#next(call, this.#talk(0.02, 0.1), () => this.#seekAgent(call, queued, noAnswers + 1));
  }

  /** The caller hangs up in a queue or while a telephone rings; too late once somebody answered. */
  #abandon(call: Call): void {
    const open = call.parties.filter((party) => party.end === null);
    const state = open[0]?.stretches.at(-1)?.state;
    if (call.endedAtUs !== null || (state !== "queued" && state !== "alerting")) return;
    for (const party of open) this.#board.leave(party, "EventAbandoned", 0);
    this.#finish(call);
  }

  // ---- internal and outbound

  #internal(): void {
    const caller = this.#pool.take();
    const called = this.#pool.take();
    if (caller === undefined || called === undefined) {
      if (caller !== undefined) this.#pool.release(caller);
      return;
    }
    const call = this.#calls.create(this.#board, 1, { ani: caller.dn, dnis: called.dn });
    const dialing = this.#dial(call, caller, called.dn);
    const outcome = this.#random.fraction();
    if (outcome < 0.08) {
      this.#pool.release(called);
      this.#failed(call, dialing, caller, 6);
      return;
    }
    const facts = { uuid: this.#calls.partyUuid(), dn: called.dn, role: 2, queue: null, otherDn: caller.dn } as const;
    const ringing = this.#board.enter(call, facts, "EventRinging");
    const agents = [caller, called];
    this.#next(call, this.#talk(0.05, 0.3), () => {
      if (outcome < 0.2) {
        this.#board.leave(dialing, "EventReleased", 0);
        this.#board.leave(ringing, "EventAbandoned", 0);
        this.#finish(call);
        this.#restAll(agents);
        return;
      }
      this.#board.change(dialing, "EventEstablished");
      this.#board.change(ringing, "EventEstablished");
      this.#converse(call, [dialing, ringing], () => this.#hangUp(call, [dialing, ringing], agents));
    });
  }

  #outbound(): void {
    const agent = this.#pool.take();
    if (agent === undefined) return;
    const number = this.#calls.outsideNumber();
    const call = this.#calls.create(this.#board, 3, { ani: agent.dn, dnis: number });
    const dialing = this.#dial(call, agent, number);
    const outcome = this.#random.fraction();
    if (outcome < 0.1) {
      this.#failed(call, dialing, agent, 6);
      return;
    }
    if (outcome < 0.25) {
      this.#failed(call, dialing, agent, 7);
      return;
    }
    this.#next(call, this.#talk(0.05, 0.4), () => {
      if (this.#random.chance(0.5)) this.#board.remark(dialing, "EventNetworkReached");
      this.#board.change(dialing, "EventEstablished");
      this.#converse(call, [dialing], () => this.#hangUp(call, [dialing], [agent]));
    });
  }

  #dial(call: Call, agent: Agent, otherDn: string): Party {
    const facts = { uuid: this.#calls.partyUuid(), dn: agent.dn, role: 1, queue: null, otherDn } as const;
    return this.#board.enter(call, facts, "EventDialing");
  }

  #failed(call: Call, dialing: Party, agent: Agent, callState: CallState): void {
    this.#next(call, callState === 6 ? this.#talk(0.02, 0.1) : this.#talk(0.3, 0.6), () => {
      if (callState === 6) this.#board.remark(dialing, "EventDestinationBusy");
      this.#board.leave(dialing, "EventReleased", callState);
      this.#finish(call);
      this.#rest(agent, false);
    });
  }

  // ---- a conversation, from the answer to the end

  #converse(call: Call, parties: readonly Party[], end: () => void): void {
    const holds = this.#random.pick([0, 0, 0, 1, 1, 2, 3]);
    const holder = parties[this.#random.below(parties.length)];
    if (holder === undefined) return;
    if (this.#random.chance(0.3)) {
      const step = call.step;
      this.#after(this.#talk(0.01, 0.2), () => {
        if (call.step <= step + 1 && holder.end === null) this.#board.attach(holder, this.#calls.nextUserData(call));
      });
    }
    this.#talkOn(call, holder, holds, end);
  }

  #talkOn(call: Call, holder: Party, holdsLeft: number, end: () => void): void {
    const mean = this.#setting.talkSeconds / (1 + holdsLeft);
    // Nobody talks for ten times the mean here: a run must see its calls end.
    const seconds = Math.min(this.#random.exponential(mean), 10 * mean) + 0.05;
    this.#next(call, seconds, () => {
      if (holdsLeft === 0) {
        end();
        return;
      }
      this.#board.change(holder, "EventHeld");
      this.#next(call, this.#talk(0.05, 0.5), () => {
        // Some hang up while they are on hold.
        if (this.#random.chance(0.05)) {
          end();
          return;
        }
        this.#board.change(holder, "EventRetrieved");
        this.#talkOn(call, holder, holdsLeft - 1, end);
      });
    });
  }

  // ---- handed on

  #conclude(call: Call, party: Party, agent: Agent): void {
    const state = party.stretches.at(-1)?.state;
    // Without any share no chance is drawn: a seed's calls are the same as before there were transfers.
    const { transferShare } = this.#setting;
    const isHandedOn = transferShare > 0 && state === "connected" && this.#random.chance(transferShare);
    const second = isHandedOn ? this.#pool.take() : undefined;
    if (second === undefined) this.#hangUp(call, [party], [agent]);
    else if (this.#random.chance(0.2)) this.#transferInOneStep(call, party, agent, second);
    else this.#consult(call, party, agent, second);
  }

  #transferInOneStep(call: Call, party: Party, agent: Agent, second: Agent): void {
    const facts = { uuid: this.#calls.partyUuid(), dn: second.dn, role: 2, queue: null, otherDn: call.ani } as const;
    this.#board.leave(party, "EventReleased", 1);
    const next = this.#board.enter(call, { ...facts, thirdParty: { dn: agent.dn, role: 7 } }, "EventRinging");
    this.#rest(agent, false);
    this.#answer(call, next, second);
  }

  /** A telephone rings at the second agent, who has the call alone from then on. */
  #answer(call: Call, party: Party, agent: Agent): void {
    const act = () => {
      this.#board.change(party, "EventEstablished");
      this.#converse(call, [party], () => this.#hangUp(call, [party], [agent]));
    };
    this.#next(call, this.#talk(0.05, 0.3), act, agent);
  }

  /** The caller waits on hold while the agent calls the second one. */
  #consult(call: Call, party: Party, agent: Agent, second: Agent): void {
    this.#board.change(party, "EventHeld");
    const consult = this.#calls.create(this.#board, 4, { ani: agent.dn, dnis: second.dn }, call);
    const asking = this.#dial(consult, agent, second.dn);
    const facts = { uuid: this.#calls.partyUuid(), dn: second.dn, role: 2, queue: null, otherDn: agent.dn } as const;
    const asked = this.#board.enter(consult, facts, "EventRinging");
    const outcome = this.#random.fraction();
    this.#next(consult, this.#talk(0.05, 0.3), () => {
      if (outcome < 0.1) {
        this.#board.leave(asking, "EventReleased", 0);
        this.#board.leave(asked, "EventAbandoned", 0);
        return this.#resume(call, consult, party, agent, second);
      }
      if (outcome < 0.2) {
        const moved = this.#transfer(call, consult, { party, asking, asked }, agent);
        return this.#answer(call, moved, second);
      }
      this.#board.change(asking, "EventEstablished");
      this.#board.change(asked, "EventEstablished");
      this.#next(consult, this.#talk(0.1, 0.6), () => {
        if (outcome < 0.35) {
          for (const each of [asking, asked]) this.#board.leave(each, "EventReleased", 0);
          this.#resume(call, consult, party, agent, second);
        } else if (outcome < 0.75) {
          const moved = this.#transfer(call, consult, { party, asking, asked }, agent);
          this.#converse(call, [moved], () => this.#hangUp(call, [moved], [second]));
        } else this.#conference(call, consult, { party, asking, asked }, agent, second);
      });
    });
  }

  /** The consultation came to nothing: back to the caller. */
  #resume(call: Call, consult: Call, party: Party, agent: Agent, second: Agent): void {
    this.#finish(consult);
    this.#rest(second, false);
    this.#board.change(party, "EventRetrieved");
    this.#next(call, this.#talk(0.1, 0.5), () => this.#hangUp(call, [party], [agent]), agent);
  }

  /** The agent leaves both calls, and the second one goes on in the caller's. */
  #transfer(
    call: Call,
    consult: Call,
    { party, asking, asked }: { readonly party: Party; readonly asking: Party; readonly asked: Party },
    agent: Agent,
  ): Party {
    this.#board.leave(asking, "EventReleased", 1);
    this.#board.leave(party, "EventReleased", 1);
    const moved = this.#board.move(asked, call, { dn: agent.dn, role: 7 });
    this.#finish(consult);
    this.#rest(agent, this.#random.chance(0.15));
    return moved;
  }

  /** All three are in the caller's call; some time later one of the agents leaves it. */
  #conference(
    call: Call,
    consult: Call,
    { party, asking, asked }: { readonly party: Party; readonly asking: Party; readonly asked: Party },
    agent: Agent,
    second: Agent,
  ): void {
    this.#board.leave(asking, "EventReleased", 2);
    const moved = this.#board.move(asked, call, { dn: agent.dn, role: 9 });
    this.#board.change(party, "EventRetrieved");
    this.#board.remark(party, "EventPartyAdded");
    this.#finish(consult);
    this.#next(call, this.#talk(0.1, 0.6), () => {
      const [leaving, staying] = this.#random.chance(0.5) ? [party, moved] : [moved, party];
      const [first, last] = leaving === party ? [agent, second] : [second, agent];
      this.#board.leave(leaving, "EventReleased", 0);
      this.#board.remark(staying, "EventPartyDeleted");
      this.#rest(first, false);
      this.#converse(call, [staying], () => this.#hangUp(call, [staying], [last]));
    });
  }

  #hangUp(call: Call, parties: readonly Party[], agents: readonly Agent[]): void {
    for (const party of parties) this.#board.leave(party, "EventReleased", 0);
    this.#finish(call);
    this.#restAll(agents);
  }

  #finish(call: Call): void {
    call.step++;
    this.#board.endCall(call);
  }

  // ---- agents

  #restAll(agents: readonly Agent[]): void {
    for (const agent of agents) this.#rest(agent, this.#random.chance(0.15));
  }

  /** An agent leaves a call: free at once, or after some work that is told as not ready. */
  #rest(agent: Agent, isTold: boolean): void {
    if (this.#random.chance(0.04)) this.#board.tellAgent(agent, this.#random.pick(["EventDNDOn", "EventDNDOff"]));
    if (isTold) this.#board.tellAgent(agent, "EventAgentNotReady");
    const era = this.#era;
    this.#after(this.#talk(0.02, 0.2), () => {
      if (era !== this.#era) return;
      if (isTold) this.#board.tellAgent(agent, "EventAgentReady");
      this.#pool.release(agent);
    });
  }

  // ---- time

  /** Goes on with the call's script, unless the call has gone another way by then; `busy` is freed in that case. */
  #next(call: Call, seconds: number, act: () => void, busy?: Agent): void {
    const step = ++call.step;
    const era = this.#era;
    this.#after(seconds, () => {
      if (call.step === step) act();
      else if (busy !== undefined && era === this.#era) this.#pool.release(busy);
    });
  }

  #after(seconds: number, act: () => void): void {
    this.#schedule.plan(this.#board.nowUs + Math.max(1, Math.round(seconds * 1_000_000)), act);
  }

  /** A stretch between these shares of the mean talk, in seconds. */
  #talk(min: number, max: number): number {
    return this.#random.between(min, max) * this.#setting.talkSeconds;
  }
}
