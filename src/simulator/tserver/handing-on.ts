// Calls that are handed on to another agent: in one step, or by a consultation that ends in a transfer (also while it
// still rings), in a conference, or in nothing.

import type { CallFactory } from "./call-factory.ts";
import type { Random } from "./random.ts";
import type { Agent, Call, Party } from "./switch-event.ts";
import type { Switchboard } from "./switchboard.ts";

export interface HandingOnSetting {
  readonly board: Switchboard;
  readonly calls: CallFactory;
  readonly random: Random;
  /** What the calls' script goes on with. */
  readonly script: {
    /** Goes on with `act` unless the call has gone another way by then; `busy` is free in that case. */
    next(call: Call, seconds: number, act: () => void, busy?: Agent): void;
    /** A stretch between these shares of the mean talk, in seconds. */
    talk(min: number, max: number): number;
    dial(call: Call, agent: Agent, otherDn: string): Party;
    converse(call: Call, party: Party, agent: Agent): void;
    hangUp(call: Call, party: Party, agent: Agent): void;
    finish(call: Call): void;
    rest(agent: Agent, isTold: boolean): void;
  };
}

export class HandingOn {
  readonly #board: Switchboard;
  readonly #calls: CallFactory;
  readonly #random: Random;
  readonly #script: HandingOnSetting["script"];

  constructor({ board, calls, random, script }: HandingOnSetting) {
    this.#board = board;
    this.#calls = calls;
    this.#random = random;
    this.#script = script;
  }

  handOn(call: Call, party: Party, agent: Agent, second: Agent): void {
    if (this.#random.chance(0.2)) this.#transferInOneStep(call, party, agent, second);
    else this.#consult(call, party, agent, second);
  }

  #transferInOneStep(call: Call, party: Party, agent: Agent, second: Agent): void {
    const facts = { uuid: this.#calls.partyUuid(), dn: second.dn, role: 2, queue: null, otherDn: call.ani } as const;
    this.#board.leave(party, "EventReleased", 1);
    const next = this.#board.enter(call, { ...facts, thirdParty: { dn: agent.dn, role: 7 } }, "EventRinging");
    this.#script.rest(agent, false);
    this.#answer(call, next, second);
  }

  /** To a number outside the switch: of what comes then nothing is told. */
  transferOutside(call: Call, party: Party, agent: Agent): void {
    this.#board.leave(party, "EventReleased", 1);
    this.#script.finish(call);
    this.#script.rest(agent, false);
  }

  /** A telephone rings at the second agent, who has the call alone from then on. */
  #answer(call: Call, party: Party, agent: Agent): void {
    const act = () => {
      this.#board.change(party, "EventEstablished");
      this.#script.converse(call, party, agent);
    };
    this.#script.next(call, this.#script.talk(0.05, 0.3), act, agent);
  }

  /** The caller waits on hold while the agent calls the second one. */
  #consult(call: Call, party: Party, agent: Agent, second: Agent): void {
    this.#board.change(party, "EventHeld");
    const consult = this.#calls.create(this.#board, 4, { ani: agent.dn, dnis: second.dn }, call);
    const asking = this.#script.dial(consult, agent, second.dn);
    const facts = { uuid: this.#calls.partyUuid(), dn: second.dn, role: 2, queue: null, otherDn: agent.dn } as const;
    const asked = this.#board.enter(consult, facts, "EventRinging");
    const outcome = this.#random.fraction();
    this.#script.next(consult, this.#script.talk(0.05, 0.3), () => {
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
      this.#script.next(consult, this.#script.talk(0.1, 0.6), () => {
        if (outcome < 0.35) {
          for (const each of [asking, asked]) this.#board.leave(each, "EventReleased", 0);
          this.#resume(call, consult, party, agent, second);
        } else if (outcome < 0.75) {
          const moved = this.#transfer(call, consult, { party, asking, asked }, agent);
          this.#script.converse(call, moved, second);
        } else this.#conference(call, consult, { party, asking, asked }, agent, second);
      });
    });
  }

  /** The consultation came to nothing: back to the caller. */
  #resume(call: Call, consult: Call, party: Party, agent: Agent, second: Agent): void {
    this.#script.finish(consult);
    this.#script.rest(second, false);
    this.#board.change(party, "EventRetrieved");
    this.#script.next(call, this.#script.talk(0.1, 0.5), () => this.#script.hangUp(call, party, agent), agent);
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
    this.#script.finish(consult);
    this.#script.rest(agent, this.#random.chance(0.15));
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
    this.#board.tellMembers(call, "EventPartyAdded", moved, agent.dn);
    this.#script.finish(consult);
    this.#script.next(call, this.#script.talk(0.1, 0.6), () => {
      const [leaving, staying] = this.#random.chance(0.5) ? [party, moved] : [moved, party];
      const [first, last] = leaving === party ? [agent, second] : [second, agent];
      this.#board.leave(leaving, "EventReleased", 0);
      this.#board.tellMembers(call, "EventPartyDeleted", leaving, leaving.dn);
      this.#script.rest(first, false);
      this.#script.converse(call, staying, last);
    });
  }
}
