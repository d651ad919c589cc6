// What callers and agents do: calls arrive by chance and each follows a script of small steps on the schedule. A script
// moves on by raising the call's step, which makes every timer of an earlier step find itself outdated.
//
// inbound   one or several ACD queues in a row, abandoned there or rung at an agent; not answered: back into the queue;
//           answered: held and retrieved a few times, data attached, released, or first handed on to another agent
// internal  one agent dials another: answered, busy, or given up while it rings
// outbound  an agent dials out: answered, busy, not answered
// handed on by a consultation that ends in a transfer (also while it still rings), a conference or nothing, or in one step
//
// With `voiceInFull` there is more of everything: voice-in-full.ts.

import { AgentPool } from "./agent-pool.ts";
import { CallFactory } from "./call-factory.ts";
import { HandingOn, type HandingOnSetting } from "./handing-on.ts";
import type { AgentDesks } from "./login-session.ts";
import { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";
import type { Agent, Call, CallState, Party } from "./switch-event.ts";
import type { Switchboard } from "./switchboard.ts";
import { abandonRoute } from "./virtual-queue.ts";
import { VoiceInFull } from "./voice-in-full.ts";

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
  readonly #pool: AgentPool;
  readonly #full: VoiceInFull | null;
  readonly #handingOn: HandingOn;
  readonly #script: HandingOnSetting["script"];
  // Rises when the switch loses its calls, so that agents' timers of before do not free an agent twice.
  #era = 0;

  constructor(setting: TrafficSetting) {
    this.#setting = setting;
    this.#board = setting.board;
    this.#schedule = setting.schedule;
    this.#random = new Random(setting.seed, "traffic");
    this.#calls = new CallFactory(setting.seed, setting.startUs);
    const { desks, agents } = setting.board;
    this.#pool = new AgentPool(this.#random, desks === null ? agents : []);
    this.#script = {
      next: (call, seconds, act, busy) => this.#next(call, seconds, act, busy),
      talk: (min, max) => this.#talk(min, max),
      dial: (call, agent, otherDn) => this.#dial(call, agent, otherDn),
      converse: (call, party, agent) => this.#converseAlone(call, party, agent),
      hangUp: (call, party, agent) => this.#hangUp(call, [party], [agent]),
      finish: (call) => this.#finish(call),
      rest: (agent, isTold) => this.#rest(agent, isTold),
    };
    this.#full = desks === null ? null : this.#inFull(desks);
    this.#handingOn = new HandingOn({
      ...{ board: this.#board, calls: this.#calls, random: this.#random, script: this.#script },
    });
  }

  #inFull(desks: AgentDesks): VoiceInFull {
    return new VoiceInFull({
      ...{ ...this.#setting, desks, pool: this.#pool, calls: this.#calls },
      script: {
        next: (call, seconds, act, busy) => this.#next(call, seconds, act, busy),
        offer: (call, queued, agent, noAnswers) => this.#offer(call, queued, agent, noAnswers),
        queue: (call, dn) => this.#seekAgent(call, this.#queue(call, dn), 0),
        abandon: (call) => this.#abandon(call),
      },
      callOut: (agent) => this.#callOut(agent),
      outsideScript: { ...this.#script, seekAgent: (call, queued) => this.#seekAgent(call, queued, 0) },
    });
  }

  begin(): void {
    this.#full?.shifts.begin();
    this.#planArrival();
  }

  /** The switch lost its calls; agents are free, new calls keep arriving. */
  dropCalls(): void {
    this.#era++;
    this.#board.dropCalls();
    if (this.#full === null) this.#pool.reset(this.#board.agents);
    else this.#full.shifts.dropCalls();
  }

  #planArrival(): void {
    this.#after(this.#random.exponential(1 / this.#setting.callsPerSourceSecond), () => {
      const kind = this.#random.fraction();
      if (kind < 0.72) this.#inbound();
      else if (kind < 0.86) this.#internal();
      else if (this.#full?.outside.isPredictive()) this.#full.outside.predict();
      else this.#outbound();
      this.#planArrival();
    });
  }

  // ---- inbound

  #inbound(): void {
    const call = this.#calls.create(this.#board, 2);
    if (this.#full?.isRouted()) {
      // Some callers give up early whatever the centre does.
      if (this.#random.chance(0.08)) this.#after(this.#talk(0.1, 0.8), () => this.#abandon(call));
      return this.#full.routing.begin(call);
    }
    const hops = this.#random.pick([0, 0, 0, 0, 1, 1, 2]);
    const queued = this.#queue(call, this.#random.pick(this.#setting.queues));
    // Some callers give up early whatever the centre does.
    if (this.#random.chance(0.08)) {
      this.#after(this.#talk(0.1, 0.8), () => this.#abandon(call));
    }
    this.#wander(call, queued, hops);
  }

  #queue(call: Call, queue: string): Party {
    const facts = { uuid: this.#calls.partyUuid(), dn: queue, queue, ...sideOf(call) } as const;
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
      queue: queued.dn,
      ...sideOf(call),
    } as const;
    this.#board.leave(queued, "EventDiverted", 0);
    this.#ring(call, this.#board.enter(call, facts, "EventRinging"), agent, noAnswers);
  }

  #ring(call: Call, party: Party, agent: Agent, noAnswers: number): void {
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
    const queue = party.queue ?? party.parent?.dn ?? this.#setting.queues[0];
    const instead = this.#full?.isRedirected() ? this.#pool.take() : undefined;
    if (instead !== undefined) {
      this.#board.leave(party, "EventReleased", 22);
      // It rings there without a word of the queue that it came from.
      const facts = { uuid: this.#calls.partyUuid(), dn: instead.dn, queue: null, ...sideOf(call) };
      const ringing = this.#board.enter(call, { ...facts, parent: party.parent }, "EventRinging");
      this.#rest(agent, true);
      return this.#ring(call, ringing, instead, noAnswers + 1);
    }
    this.#board.leave(party, this.#random.chance(0.5) ? "EventReleased" : "EventDiverted", 7);
    if (this.#full?.routing.isRoutingPoint(queue)) {
      this.#full.routing.begin(call, queue, noAnswers + 1);
      return this.#rest(agent, true);
    }
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
    abandonRoute(this.#board, call);
    this.#finish(call);
  }

  // ---- internal and outbound

  #internal(): void {
    const caller = this.#pool.take();
    const called = this.#pool.take();
    if (caller === undefined || called === undefined) {
      if (caller !== undefined) this.#spare(caller);
      return;
    }
    const call = this.#calls.create(this.#board, 1, { ani: caller.dn, dnis: called.dn });
    const dialing = this.#dial(call, caller, called.dn);
    const outcome = this.#random.fraction();
    if (outcome < 0.08) {
      this.#spare(called);
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
    if (agent !== undefined) this.#callOut(agent);
  }

  #callOut(agent: Agent): void {
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
    this.#full?.data.accompany(holder);
    this.#talkOn(call, holder, holds, end);
  }

  /** An agent is the only party inside the switch. */
  #converseAlone(call: Call, party: Party, agent: Agent): void {
    this.#converse(call, [party], () => this.#hangUp(call, [party], [agent]));
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
    if (state === "connected" && this.#full?.isTransferredOutside()) {
      return this.#handingOn.transferOutside(call, party, agent);
    }
    if (state === "connected" && this.#full?.outside.goOn(call, party, agent, () => this.#pool.take())) return;
    // Without any share no chance is drawn: a seed's calls are the same as before there were transfers.
    const { transferShare } = this.#setting;
    const isHandedOn = transferShare > 0 && state === "connected" && this.#random.chance(transferShare);
    const second = isHandedOn ? this.#pool.take() : undefined;
    if (second === undefined) this.#hangUp(call, [party], [agent]);
    else this.#handingOn.handOn(call, party, agent, second);
  }

  #hangUp(call: Call, parties: readonly Party[], agents: readonly Agent[]): void {
    const release = this.#full?.release(call, parties);
    for (const party of parties) this.#board.leave(party, "EventReleased", 0, release?.of(party));
    this.#finish(call, release?.dn);
    this.#restAll(agents);
  }

  #finish(call: Call, releasedBy: string | null = null): void {
    call.step++;
    this.#board.endCall(call, releasedBy);
  }

  // ---- agents

  #restAll(agents: readonly Agent[]): void {
    for (const agent of agents) this.#rest(agent, this.#random.chance(0.15));
  }

  /** An agent leaves a call: free at once, or after some work that is told as not ready. */
  #rest(agent: Agent, isTold: boolean): void {
    if (this.#full !== null) return this.#full.shifts.afterCall(agent);
    if (this.#random.chance(0.04)) this.#board.tellAgent(agent, this.#random.pick(["EventDNDOn", "EventDNDOff"]));
    if (isTold) this.#board.tellAgent(agent, "EventAgentNotReady");
    const era = this.#era;
    this.#after(this.#talk(0.02, 0.2), () => {
      if (era !== this.#era) return;
      if (isTold) this.#board.tellAgent(agent, "EventAgentReady");
      this.#pool.release(agent);
    });
  }

  /** The agent was taken, and nothing came of it. */
  #spare(agent: Agent): void {
    if (this.#full === null) this.#pool.release(agent);
    else this.#full.shifts.spared(agent);
  }

  // ---- time

  /** Goes on with the call's script, unless the call has gone another way by then; `busy` is freed in that case. */
  #next(call: Call, seconds: number, act: () => void, busy?: Agent): void {
    const step = ++call.step;
    const era = this.#era;
    this.#after(seconds, () => {
      if (call.step === step) act();
      else if (busy !== undefined && era === this.#era) this.#spare(busy);
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

/** Of whoever is called for somebody outside: the party that calls, where the call goes out. */
function sideOf({ callType, ani, dnis }: Call): Pick<Party, "role" | "otherDn"> {
  return callType === 3 ? { role: 1, otherDn: dnis } : { role: 2, otherDn: ani };
}
