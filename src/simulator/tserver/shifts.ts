// What agents do beside their calls, with `voiceInFull`: log in for some queues, take breaks, work after calls, switch Do
// Not Disturb on, log out, and come again, perhaps at another desk.
//
//   off ──login──▶ away ──ready──▶ working ──break, after-call work, logging out──▶ away ──logout──▶ off
//
// Who is working is free in the pool, in a call, or about to be free again. Who is away takes no calls, but may make one
// during after-call work.

import type { AgentPool } from "./agent-pool.ts";
import { type AgentDesks, type LoginSession, openQueues, type Stance } from "./login-session.ts";
import type { Pace } from "./pace.ts";
import type { Agent, UserData } from "./switch-event.ts";

export interface ShiftsSetting {
  readonly pace: Pace;
  readonly desks: AgentDesks;
  readonly pool: AgentPool;
  readonly agents: readonly Agent[];
  readonly queues: readonly [string, ...string[]];
  /** DNs at which nobody sits at first. */
  readonly spareDns: readonly [string, ...string[]];
  /** The agent calls somebody outside; `afterCall` says when that is over. */
  readonly callOut: (agent: Agent) => void;
}

type Wish = "break" | "logout";

interface Duty {
  readonly agent: Agent;
  session: LoginSession | null;
  isWorking: boolean;
  /** What the agent does once the call is over. */
  wish: Wish | null;
  /** A call made while away; the agent stays away until it is over. */
  isCallingOut: boolean;
  /** Rises when the switch loses its calls, so that a timer of before does not free the agent twice. */
  era: number;
}

const breakReasons: readonly [UserData, ...UserData[]] = [
  [],
  [["Break", "coffee"]],
  [["Aux", "meeting"]],
  [
    ["Aux", "training"],
    ["Room", 4],
  ],
  [["Pause", [["Kind", "lunch"]]]],
];
const wrapUpReasons: readonly [UserData, ...UserData[]] = [[], [], [["WrapUp", "order"]], [["WrapUp", "Rückfrage"]]];

export class Shifts {
  readonly #setting: ShiftsSetting;
  readonly #pace: Pace;
  readonly #duties: ReadonlyMap<Agent, Duty>;
  readonly #spareDns: string[];

  constructor(setting: ShiftsSetting) {
    this.#setting = setting;
    this.#pace = setting.pace;
    const atRest = { session: null, isWorking: false, wish: null, isCallingOut: false, era: 0 };
    this.#duties = new Map(setting.agents.map((agent) => [agent, { agent, ...atRest }]));
    this.#spareDns = [...setting.spareDns];
  }

  /** Nobody is there yet. */
  begin(): void {
    for (const duty of this.#duties.values()) this.#pace.after(this.#pace.talk(0, 1), () => this.#login(duty));
  }

  /** A call has left the agent. */
  afterCall(agent: Agent): void {
    const duty = this.#dutyOf(agent);
    if (!duty.isWorking) {
      duty.isCallingOut = false;
      return;
    }
    if (isReady(duty) && duty.wish === null && this.#pace.random.chance(0.6)) return this.#workAfterCall(duty);
    const { era } = duty;
    this.#pace.after(this.#pace.talk(0.01, 0.1), () => {
      if (era === duty.era) this.#beFree(duty);
    });
  }

  /** The agent was taken for a call that came to nothing before it reached anybody. */
  spared(agent: Agent): void {
    this.#beFree(this.#dutyOf(agent));
  }

  /** The switch lost its calls. Agents stay logged in, in the state they were in. */
  dropCalls(): void {
    this.#setting.pool.reset([]);
    for (const duty of this.#duties.values()) {
      duty.era++;
      duty.isCallingOut = false;
      if (duty.isWorking) this.#beFree(duty);
    }
  }

  // ---- coming and going

  #login(duty: Duty): void {
    const { random } = this.#pace;
    const { agent } = duty;
    if (random.chance(0.4)) this.#moveDesk(agent);
    const stance: Stance = {
      reasons: random.chance(0.2) ? [["Shift", "early"]] : [],
      ...(random.chance(0.2) ? { workMode: 4 } : {}),
    };
    duty.session = this.#setting.desks.login(agent, this.#chooseQueues(), stance);
    if (duty.session === null) return;
    this.#pace.after(this.#pace.talk(0, 0.1), () => {
      if (random.chance(0.7)) this.#goReady(duty);
      else this.#rest(duty);
    });
    this.#planWish(duty, duty.session);
  }

  #moveDesk(agent: Agent): void {
    const index = this.#pace.random.below(this.#spareDns.length);
    const dn = this.#spareDns[index];
    if (dn === undefined) return;
    this.#spareDns[index] = agent.dn;
    agent.dn = dn;
  }

  #chooseQueues(): readonly (string | null)[] {
    const { random } = this.#pace;
    if (random.chance(0.1)) return [null];
    const { queues } = this.#setting;
    return [...new Set([1, 2, 3].slice(0, random.pick([1, 1, 2, 3])).map(() => random.pick(queues)))];
  }

  #logout(duty: Duty): void {
    const { random } = this.#pace;
    if (duty.session === null) return;
    duty.isWorking = false;
    this.#setting.desks.logout(
      duty.session,
      random.chance(0.3) ? [["LogoutReason", "end of shift"]] : [],
      random.chance(0.5),
    );
    duty.session = null;
    this.#pace.after(this.#pace.talk(0.3, 2), () => this.#login(duty));
  }

  // ---- breaks

  /** Some time later the agent wants something else than calls. */
  #planWish(duty: Duty, session: LoginSession): void {
    const { random } = this.#pace;
    this.#pace.after(this.#pace.about(5), () => {
      if (duty.session !== session) return;
      this.#planWish(duty, session);
      if (!duty.isWorking || duty.wish !== null) return;
      const wish: Wish = random.chance(0.65) ? "break" : "logout";
      if (this.#setting.pool.withdraw(duty.agent)) this.#fulfil(duty, wish);
      // Some say so while they are still in a call.
      else if (wish === "break" && random.chance(0.3)) this.#setting.desks.notReady(session, this.#breakStance());
      else duty.wish = wish;
    });
  }

  #fulfil(duty: Duty, wish: Wish): void {
    duty.wish = null;
    if (wish === "break" || this.#pace.random.chance(0.5)) this.#rest(duty);
    else this.#logout(duty);
  }

  /** Not ready, for whatever reason. */
  #rest(duty: Duty): void {
    if (duty.session === null) return;
    this.#setting.desks.notReady(duty.session, this.#breakStance());
    this.#restOn(duty);
  }

  /** The agent is not ready; what comes next? */
  #restOn(duty: Duty): void {
    const { random } = this.#pace;
    duty.isWorking = false;
    this.#pace.after(this.#pace.talk(0.1, 0.8), () => {
      const { session } = duty;
      if (session === null) return;
      const next = random.fraction();
      if (next < 0.2) this.#rest(duty);
      else if (next < 0.35) this.#notBeDisturbed(duty, session);
      else if (next < 0.5) this.#changeQueue(duty, session);
      else if (next < 0.65) this.#logout(duty);
      else this.#goReady(duty);
    });
  }

  #notBeDisturbed(duty: Duty, session: LoginSession): void {
    this.#setting.desks.switchDnd(session);
    this.#pace.after(this.#pace.talk(0.1, 0.5), () => {
      this.#setting.desks.switchDnd(session);
      this.#restOn(duty);
    });
  }

  #changeQueue(duty: Duty, session: LoginSession): void {
    const { random } = this.#pace;
    const others = openQueues(session)
      .slice(1)
      .flatMap(({ queue }) => queue ?? []);
    this.#setting.desks.changeQueue(session, random.pick([random.pick(this.#setting.queues), ...others]));
    this.#restOn(duty);
  }

  #breakStance(): Stance {
    const { random } = this.#pace;
    return {
      ...(random.chance(0.8) ? { workMode: 4 } : {}),
      reasons: random.pick(breakReasons),
      hardwareReason: random.pick([null, null, 1, 2, "07"]),
    };
  }

  // ---- after a call

  #workAfterCall(duty: Duty): void {
    duty.isWorking = false;
    if (duty.session === null) return;
    this.#setting.desks.notReady(duty.session, this.#wrapUpStance());
    if (this.#pace.random.chance(0.15)) {
      this.#pace.after(this.#pace.talk(0.01, 0.1), () => {
        duty.isCallingOut = true;
        this.#setting.callOut(duty.agent);
      });
    }
    this.#workOn(duty);
  }

  #workOn(duty: Duty): void {
    const { random } = this.#pace;
    this.#pace.after(this.#pace.talk(0.1, 0.4), () => {
      const next = random.fraction();
      if (duty.session === null) return;
      if (duty.isCallingOut) this.#workOn(duty);
      else if (next < 0.1) {
        this.#setting.desks.notReady(duty.session, this.#wrapUpStance());
        this.#workOn(duty);
      } else if (next < 0.2) this.#rest(duty);
      else if (next < 0.28) this.#logout(duty);
      else this.#goReady(duty);
    });
  }

  #wrapUpStance(): Stance {
    const { random } = this.#pace;
    return { workMode: 3, reasons: random.pick(wrapUpReasons), hardwareReason: random.pick([null, null, null, 9]) };
  }

  // ---- ready

  #goReady(duty: Duty): void {
    if (duty.session === null) return;
    const { random } = this.#pace;
    this.#setting.desks.ready(duty.session, random.chance(0.5) ? { workMode: random.pick([1, 2]) } : {});
    duty.isWorking = true;
    this.#beFree(duty);
  }

  #beFree(duty: Duty): void {
    if (!isReady(duty)) this.#restOn(duty);
    else if (duty.wish !== null) this.#fulfil(duty, duty.wish);
    else this.#setting.pool.release(duty.agent);
  }

  #dutyOf(agent: Agent): Duty {
    const duty = this.#duties.get(agent);
    if (duty === undefined) throw new RangeError(`Cannot find agent "${agent.id}": expected one of this centre`);
    return duty;
  }
}

function isReady({ session }: Duty): boolean {
  return session?.states.at(-1)?.state === "ready";
}
