// Agents of a server whose every event is known beforehand: they log in to queues, leave them and come back, are ready or not
// for one reason or another, are on calls, switch Do Not Disturb, and log out. Random, by seed.

import { defaultAgentOptions } from "../../src/event/envelope.ts";
import { Story } from "../harness/story.ts";
import { Dice } from "../simulation/dice.ts";
import { type Line, type ScriptedEvent, SpelledServer, secondOf, timeOf } from "./scripted-server.ts";

export interface AgentScript {
  readonly seed: number;
  readonly agents: number;
  /** Each agent does so many things. */
  readonly steps: number;
  /** Longest time between two of them, seconds. */
  readonly pauseSeconds: number;
  /** Snapshots tell with which event somebody logged in; without, a session that is found has a key of the copy's own. */
  readonly hasOrigins: boolean;
  /** Of the instances that hear it; default: gcc and gls. */
  readonly role?: readonly string[];
}

const run = "run-1";
const queues = ["8001", "8002"] as const;

/** What a snapshot would tell of one DN. */
interface Desk {
  readonly login: { readonly seq: number; readonly at: number };
  /** Since when in it, and what was told there last; null: nothing yet. */
  readonly queues: Map<string, { readonly at: number; told: { readonly at: number; readonly members: Line } | null }>;
  dndSince: number | null;
  party: { readonly at: number; readonly members: Line } | null;
}

export class ScriptedAgents extends SpelledServer {
  readonly events: readonly ScriptedEvent[];
  readonly endSeconds: number;
  readonly #script: AgentScript;

  constructor(script: AgentScript) {
    super();
    this.#script = script;
    const dice = new Dice(script.seed);
    const unnumbered = Array.from({ length: script.agents }, (_, agent) => lifeOf(agent, script, dice)).flat();
    this.events = unnumbered
      .toSorted((one, other) => one.at - other.at)
      .map((event, index) => ({ ...event, seq: index + 1 }));
    this.endSeconds = Math.ceil((this.events.at(-1)?.at ?? 0) + 20);
  }

  protected override story(instance: { readonly name: string; readonly dbid: number }): Story {
    const options = { agents: { ...defaultAgentOptions, writesActiveReasons: true } };
    const { role = ["gcc", "gls"] } = this.#script;
    return new Story({ callDeletionTimeoutSeconds: 1, instance, role, options });
  }

  protected snapshotLines(seq: number): readonly Line[] {
    const desks = new Map<string, Desk>();
    for (const event of this.events.slice(0, seq)) takeEvent(desks, event);
    return [...desks].flatMap(([dn, { login, queues: own, dndSince, party }]) => {
      const about = { AgentID: `A${dn}`, ThisDN: dn };
      const origin = this.#script.hasOrigins ? { origin: { run, seq: login.seq, time: secondOf(login.at) } } : {};
      const logins = [...own].map(([queue, { at }]) =>
        line("EventAgentLogin", at, { ...about, ThisQueue: queue, ...origin }),
      );
      const told = [...own].flatMap(([queue, each]) =>
        each.told === null ? [] : [{ ...each.told.members, ThisQueue: queue, time: timeOf(each.told.at), ...origin }],
      );
      const dnd = dndSince === null ? [] : [line("EventDNDOn", dndSince, about)];
      return [...logins, ...told, ...dnd, ...(party === null ? [] : [{ ...party.members, time: timeOf(party.at) }])];
    });
  }
}

function line(id: string, at: number, members: Line): Line {
  return { id, ...members, time: timeOf(at) };
}

function takeEvent(desks: Map<string, Desk>, { seq, at, members }: ScriptedEvent): void {
  const [id, dn, queue] = [String(members["id"]), String(members["ThisDN"]), String(members["ThisQueue"])];
  const desk = desks.get(dn);
  switch (id) {
    case "EventAgentLogin": {
      const known = desk ?? { login: { seq, at }, queues: new Map(), dndSince: null, party: null };
      desks.set(dn, known);
      // What all of its queues were told holds for one that is added.
      const told = [...known.queues.values()][0]?.told ?? null;
      known.queues.set(queue, { at, told: null });
      if (told !== null) known.queues.set(queue, { at, told: { ...told, at } });
      return;
    }
    case "EventQueueLogout":
      desk?.queues.delete(queue);
      return;
    case "EventAgentLogout":
      desks.delete(dn);
      return;
    case "EventDNDOn":
    case "EventDNDOff":
      if (desk !== undefined) desk.dndSince = id === "EventDNDOn" ? at : null;
      return;
    case "EventDialing":
    case "EventEstablished":
      if (desk !== undefined) desk.party = { at, members };
      return;
    case "EventReleased":
      if (desk !== undefined) desk.party = null;
      return;
    default:
      for (const each of desk?.queues.values() ?? []) each.told = { at, members };
  }
}

type Unnumbered = Omit<ScriptedEvent, "seq">;

function lifeOf(agent: number, { steps, pauseSeconds }: AgentScript, dice: Dice): Unnumbered[] {
  const dn = String(5001 + agent);
  const about = { AgentID: `A${dn}`, ThisDN: dn };
  const events: Unnumbered[] = [];
  let at = 10 + dice.next() * 4;
  let calls = 0;
  let inQueues: string[] = [];
  let party: Line | null = null;
  let isDnd = false;
  const say = (id: string, members: Line) => {
    at += 0.2 + dice.next() * pauseSeconds;
    // No two events of one millisecond, and none on a window's border.
    const hundredths = Math.floor(at * 100) % 100 === 0 ? at + 0.01 : at;
    events.push({ at: Math.floor(hundredths * 100) / 100 + (agent + 1) / 1000, members: { id, ...members } });
  };
  for (let step = 0; step < steps; step += 1) {
    const [first] = inQueues;
    if (first === undefined) {
      say("EventAgentLogin", { ...about, ThisQueue: queues[0] });
      inQueues = [queues[0]];
    } else if (party !== null) {
      if (dice.chance(0.4)) say("EventAgentNotReady", { ...about, AgentWorkMode: 3 });
      say("EventReleased", { ...party, CallState: 0 });
      party = null;
    } else {
      const chosen = dice.below(10);
      if (chosen < 3) say("EventAgentReady", about);
      else if (chosen < 6)
        say("EventAgentNotReady", { ...about, AgentWorkMode: 4, Reasons: { Break: `b${dice.below(3)}` } });
      else if (chosen < 7) {
        calls += 1;
        party = {
          ...{ ThisDN: dn, ThisDNRole: 1, ConnID: `0${dn}${String(calls).padStart(4, "0")}`, CallType: 3 },
          ...{ CallUUID: `C${dn}-${calls}`, PartyUUID: `P${dn}-${calls}` },
        };
        say("EventDialing", party);
        say("EventEstablished", party);
      } else if (chosen < 8) {
        isDnd = !isDnd;
        say(isDnd ? "EventDNDOn" : "EventDNDOff", about);
      } else if (chosen < 9) {
        const [queue] = queues.filter((each) => !inQueues.includes(each));
        if (queue === undefined) {
          say("EventQueueLogout", { ...about, ThisQueue: queues[1] });
          inQueues = [queues[0]];
        } else {
          say("EventAgentLogin", { ...about, ThisQueue: queue });
          inQueues = [...inQueues, queue];
        }
      } else if (dice.chance(0.4)) {
        say("EventAgentLogout", about);
        inQueues = [];
        isDnd = false;
      }
    }
  }
  if (party !== null) say("EventReleased", { ...party, CallState: 0 });
  if (inQueues.length > 0) say("EventAgentLogout", about);
  return events;
}
