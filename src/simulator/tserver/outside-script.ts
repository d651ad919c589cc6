// What `voiceInFull` adds to calls on both sides of the switch: calls dialed for agents who are not there yet, consultations
// with somebody outside, conferences in one step with an agent or somebody outside.

import type { CallFactory } from "./call-factory.ts";
import type { HandingOnSetting } from "./handing-on.ts";
import { carryOutside, comeFromOutside, leaveOutside } from "./outside.ts";
import type { Random } from "./random.ts";
import type { Agent, Call, CallState, Party } from "./switch-event.ts";
import type { Switchboard } from "./switchboard.ts";

export interface OutsideScriptSetting {
  readonly board: Switchboard;
  readonly calls: CallFactory;
  readonly random: Random;
  readonly queues: readonly [string, ...string[]];
  readonly script: HandingOnSetting["script"] & {
    /** The call stands in a queue and waits for an agent. */
    seekAgent(call: Call, queued: Party): void;
  };
}

/** What becomes of a call that nobody picks up, or a machine. */
const failures = [6, 7, 7, 9] as const satisfies readonly CallState[];

const consultedShare = 0.06;
const conferencedShare = 0.04;

export class OutsideScript {
  readonly #setting: OutsideScriptSetting;

  constructor(setting: OutsideScriptSetting) {
    this.#setting = setting;
  }

  /** Of calls that go out. */
  isPredictive(): boolean {
    return this.#setting.random.chance(0.4);
  }

  /** A dialer calls somebody for an agent whom a queue finds once the call is answered. */
  predict(): void {
    const { board, calls, random, queues, script } = this.#setting;
    const dn = random.pick(queues);
    const number = calls.outsideNumber();
    const call = calls.create(board, 3, { ani: dn, dnis: number });
    const facts = { uuid: calls.partyUuid(), dn, role: 1, queue: dn, otherDn: number } as const;
    const party = board.enter(call, facts, "EventDialing");
    script.next(call, script.talk(0.05, 0.4), () => {
      if (random.chance(0.4)) {
        board.leave(party, "EventReleased", random.pick(failures));
        script.finish(call);
        return;
      }
      if (random.chance(0.5)) board.remark(party, "EventNetworkReached");
      board.change(party, "EventQueued");
      script.next(call, script.talk(0.01, 0.1), () => script.seekAgent(call, party));
    });
  }

  /** An agent who talks turns to somebody else; false: he does not. */
  goOn(call: Call, party: Party, agent: Agent, takeSecond: () => Agent | undefined): boolean {
    const { random } = this.#setting;
    if (random.chance(consultedShare)) {
      this.#consult(call, party, agent);
      return true;
    }
    if (!random.chance(conferencedShare)) return false;
    const second = random.chance(0.5) ? takeSecond() : undefined;
    if (second === undefined) this.#addOutside(call, party, agent);
    else this.#addAgent(call, party, agent, second);
    return true;
  }

  /** The other side waits on hold while the agent calls somebody outside. */
  #consult(call: Call, party: Party, agent: Agent): void {
    const { board, calls, random, script } = this.#setting;
    const number = calls.outsideNumber();
    board.change(party, "EventHeld");
    const consult = calls.create(board, 4, { ani: agent.dn, dnis: number }, call);
    const asking = script.dial(consult, agent, number);
    script.next(consult, script.talk(0.05, 0.3), () => {
      board.change(asking, "EventEstablished");
      if (asking.stretches.at(-1)?.state === "connected") comeFromOutside(consult, number, board.nowUs);
      script.next(consult, script.talk(0.1, 0.6), () => {
        const outcome = random.fraction();
        if (outcome < 0.3) return this.#resume(call, consult, { party, asking }, agent);
        if (outcome < 0.6) return this.#transfer(call, consult, { party, asking }, agent);
        this.#conference(call, consult, { party, asking }, agent, number);
      });
    });
  }

  #resume(call: Call, consult: Call, { party, asking }: Asking, agent: Agent): void {
    const { board, script } = this.#setting;
    board.leave(asking, "EventReleased", 0);
    script.finish(consult);
    board.change(party, "EventRetrieved");
    script.next(call, script.talk(0.1, 0.5), () => script.hangUp(call, party, agent), agent);
  }

  /** Both sides are outside then, and nothing more is told. */
  #transfer(call: Call, consult: Call, { party, asking }: Asking, agent: Agent): void {
    const { board, script } = this.#setting;
    board.leave(asking, "EventReleased", 1);
    if (asking.end !== null) carryOutside(consult, call, 1, board.nowUs);
    board.leave(party, "EventReleased", 1);
    script.finish(consult);
    script.finish(call);
    script.rest(agent, false);
  }

  #conference(call: Call, consult: Call, { party, asking }: Asking, agent: Agent, number: string): void {
    const { board, script } = this.#setting;
    board.leave(asking, "EventReleased", 2);
    if (asking.end !== null) carryOutside(consult, call, 2, board.nowUs);
    board.change(party, "EventRetrieved");
    board.tellMembers(call, "EventPartyAdded", { dn: number }, agent.dn);
    script.finish(consult);
    this.#stayUntilGone(call, party, agent, number);
  }

  #addOutside(call: Call, party: Party, agent: Agent): void {
    const { board, calls } = this.#setting;
    const number = calls.outsideNumber();
    if (board.tellMembers(call, "EventPartyAdded", { dn: number }, agent.dn)) {
      comeFromOutside(call, number, board.nowUs, 2);
    }
    this.#stayUntilGone(call, party, agent, number);
  }

  #stayUntilGone(call: Call, party: Party, agent: Agent, number: string): void {
    const { board, random, script } = this.#setting;
    script.next(call, script.talk(0.1, 0.6), () => {
      // Some stay until the end.
      if (random.chance(0.7) && board.tellMembers(call, "EventPartyDeleted", { dn: number }, number)) {
        leaveOutside(call, number, board.nowUs);
      }
      script.converse(call, party, agent);
    });
  }

  #addAgent(call: Call, party: Party, agent: Agent, second: Agent): void {
    const { board, calls, script } = this.#setting;
    const facts = { uuid: calls.partyUuid(), dn: second.dn, role: 2, queue: null, otherDn: party.otherDn } as const;
    const member = board.enter(call, { ...facts, thirdParty: { dn: agent.dn, role: 9 } }, "EventRinging");
    script.next(call, script.talk(0.02, 0.1), () => {
      board.change(member, "EventEstablished");
      board.tellMembers(call, "EventPartyAdded", member, agent.dn);
      script.next(call, script.talk(0.1, 0.6), () => {
        board.leave(member, "EventReleased", 0);
        board.tellMembers(call, "EventPartyDeleted", member, member.dn);
        script.rest(second, false);
        script.converse(call, party, agent);
      });
    });
  }
}

interface Asking {
  readonly party: Party;
  readonly asking: Party;
}
