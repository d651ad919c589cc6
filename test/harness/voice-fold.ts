// What the lines of a T-Event link say of agents and of calls' details, folded as docs/link.md has it and in no other way:
// from the lines' own members, sharing no code with the simulator or the program. It gives the same words as the truth.

type Members = Readonly<Record<string, unknown>>;
type Data = Readonly<Record<string, unknown>>;

interface FoldedSession {
  readonly agentId: string;
  readonly dn: string;
  readonly run: string;
  readonly seq: number;
  readonly loggedInAt: number;
  loggedOutAt: number | null;
  readonly queues: { queue: string | null; from: number; to: number | null }[];
  readonly states: unknown[];
  readonly dnd: { from: number; to: number | null }[];
  readonly userEvents: unknown[];
}

interface FoldedParty {
  readonly partyUuid: string;
  readonly dn: string;
  readonly from: number;
  releasingParty: unknown;
  readonly spent: Record<string, number>;
  state: string | null;
  sinceUs: number;
  readonly thirdRole: unknown;
  endEvent: string | null;
}

interface FoldedCall {
  readonly connId: string;
  readonly attached: unknown[];
  userData: Data;
  readonly remarks: unknown[];
  readonly virtualStays: {
    dn: string;
    vqid: string;
    from: number;
    to: number | null;
    endEvent: string | null;
    target: string | null;
  }[];
  readonly routes: {
    dn: string;
    from: number;
    to: number | null;
    outcome: string | null;
    target: string | null;
    keys: Data;
  }[];
  releasedBy: string | null;
  held: number;
  readonly parties: FoldedParty[];
}

const states: Readonly<Record<string, string>> = {
  EventQueued: "queued",
  EventDialing: "dialing",
  EventRinging: "alerting",
  EventEstablished: "connected",
  EventHeld: "held",
  EventRetrieved: "connected",
};
const workModes: Readonly<Record<string, number>> = {
  AgentManualIn: 1,
  AgentAutoIn: 2,
  AgentAfterCallWork: 3,
  AgentAuxWork: 4,
};
const roles: Readonly<Record<string, number>> = { RoleTransferredBy: 7, RoleConferencedBy: 9 };
const routerKeys = new Set(["ServiceType", "ServiceObjective"]);

export class VoiceFold {
  readonly #open = new Map<string, FoldedSession>();
  readonly #sessions: FoldedSession[] = [];
  readonly #calls = new Map<string, FoldedCall>();
  /** One line for each event that contradicts what came before. */
  readonly contradictions: string[] = [];

  /** An event of server run `run`, in order; not a line of a snapshot. */
  event(line: Members, run: string): void {
    const at = microseconds(line["time"]) / 1000;
    if (line["ConnID"] !== undefined) this.#callEvent(line, at);
    else this.#agentEvent(line, run, at);
  }

  get sessions(): readonly FoldedSession[] {
    return this.#sessions;
  }

  get openSessions(): readonly FoldedSession[] {
    return [...this.#open.values()];
  }

  /** By ConnID, as a CallDetail without `callUuid` and `run`. */
  get calls(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.#calls].map(([connId, call]) => [connId, detailOf(call)]));
  }

  /** Stays in virtual queues that are not over. */
  get openStays(): readonly { readonly connId: string; readonly dn: string; readonly vqid: string; from: number }[] {
    return [...this.#calls.values()].flatMap(({ connId, virtualStays }) =>
      virtualStays.filter(({ to }) => to === null).map(({ dn, vqid, from }) => ({ connId, dn, vqid, from })),
    );
  }

  #agentEvent(line: Members, run: string, at: number): void {
    const dn = String(line["ThisDN"]);
    const queue = (line["ThisQueue"] as string | undefined) ?? null;
    const session = this.#open.get(dn);
    if (line["id"] === "EventAgentLogin") return this.#login(line, session, { run, at, dn, queue });
    if (session === undefined || session.agentId !== line["AgentID"]) {
      this.contradictions.push(`${line["id"]} of agent ${line["AgentID"]} on ${dn}, who is not logged in there`);
      return;
    }
    switch (line["id"]) {
      case "EventAgentReady":
      case "EventAgentNotReady":
        session.states.push(stateOf(line, line["id"] === "EventAgentReady" ? "ready" : "not ready", at));
        return;
      case "EventDNDOn":
        session.dnd.push({ from: at, to: null });
        return;
      case "EventDNDOff": {
        const open = session.dnd.at(-1);
        if (open === undefined || open.to !== null) this.contradictions.push(`EventDNDOff on ${dn} without EventDNDOn`);
        else open.to = at;
        return;
      }
      case "EventUserEvent":
        session.userEvents.push({ at, userData: dataOf(line["UserData"]) });
        return;
      case "EventQueueLogout":
      case "EventAgentLogout": {
        for (const each of session.queues) if (queue === null || each.queue === queue) each.to ??= at;
        if (session.queues.some(({ to }) => to === null)) return;
        if (line["id"] === "EventQueueLogout") this.contradictions.push(`last queue of ${dn} left by EventQueueLogout`);
        session.loggedOutAt = at;
        this.#open.delete(dn);
        return;
      }
      default:
        this.contradictions.push(`${line["id"]} is not expected without ConnID`);
    }
  }

  #login(
    line: Members,
    open: FoldedSession | undefined,
    {
      run,
      at,
      dn,
      queue,
    }: { readonly run: string; readonly at: number; readonly dn: string; readonly queue: string | null },
  ): void {
    if (open !== undefined) {
      if (open.agentId !== line["AgentID"]) this.contradictions.push(`two agents on ${dn}`);
      open.queues.push({ queue, from: at, to: null });
      return;
    }
    const session: FoldedSession = {
      ...{ agentId: String(line["AgentID"]), dn, run, seq: sequence(line["EventSequenceNumber"]) },
      ...{ loggedInAt: at, loggedOutAt: null, queues: [{ queue, from: at, to: null }] },
      ...{ states: [stateOf(line, "logged in", at)], dnd: [], userEvents: [] },
    };
    this.#open.set(dn, session);
    this.#sessions.push(session);
  }

  #callEvent(line: Members, at: number): void {
    const connId = String(line["ConnID"]);
    let call = this.#calls.get(connId);
    const isFirst = call === undefined;
    call ??= {
      ...{ connId, attached: [], userData: {}, remarks: [], virtualStays: [], routes: [], releasedBy: null },
      ...{ held: 0, parties: [] },
    };
    this.#calls.set(connId, call);
    this.#attach(call, line, at, isFirst);
    const extensions = { ...dataOf(line["Extensions"]) };
    const vqid = extensions["VQID"];
    delete extensions["VQID"];
    const reasons = dataOf(line["Reasons"]);
    if (Object.keys({ ...reasons, ...extensions }).length > 0) {
      call.remarks.push({ at, event: line["id"], dn: line["ThisDN"], reasons, extensions });
    }
    if (vqid !== undefined) return this.#virtual(call, line, String(vqid), at);
    if (line["id"] === "EventCallDeleted") call.releasedBy = (line["CtrlParty"] as string | undefined) ?? null;
    this.#route(call, line, at);
    this.#party(call, line, extensions);
  }

  #attach(call: FoldedCall, line: Members, at: number, isFirst: boolean): void {
    const isChange = line["id"] === "EventAttachedDataChanged";
    if (line["UserData"] === undefined && !isChange) return;
    const now = dataOf(line["UserData"]);
    if (!isFirst && !isChange) {
      if (!Bun.deepEquals(now, call.userData)) this.contradictions.push(`${line["id"]} has other attached data`);
      return;
    }
    const by = isFirst ? [null, null] : [line["ThisDN"], line["ThirdPartyDN"] ?? null];
    const tell = (key: string, value: unknown) =>
      call.attached.push({ at, key, value, dn: by[0], thirdPartyDn: by[1] });
    for (const key of Object.keys(call.userData)) if (!(key in now)) tell(key, null);
    for (const [key, value] of Object.entries(now)) if (!Bun.deepEquals(call.userData[key], value)) tell(key, value);
    call.userData = now;
  }

  #virtual(call: FoldedCall, line: Members, vqid: string, at: number): void {
    const dn = String(line["ThisDN"]);
    if (line["PartyUUID"] !== undefined) this.contradictions.push(`a stay in ${dn} has a PartyUUID`);
    if (line["id"] === "EventQueued") {
      call.virtualStays.push({ dn, vqid, from: at, to: null, endEvent: null, target: null });
      return;
    }
    const open = call.virtualStays.find((stay) => stay.vqid === vqid && stay.dn === dn && stay.to === null);
    if (open === undefined) this.contradictions.push(`${line["id"]} in ${dn} without EventQueued`);
    else Object.assign(open, { to: at, endEvent: String(line["id"]), target: line["ThirdPartyDN"] ?? null });
  }

  #route(call: FoldedCall, line: Members, at: number): void {
    const dn = String(line["ThisDN"]);
    const open = call.routes.findLast((route) => route.dn === dn && route.to === null);
    if (line["id"] === "EventRouteRequest") {
      call.routes.push({ dn, from: at, to: null, outcome: null, target: null, keys: {} });
    } else if (line["id"] === "EventRouteUsed" && open !== undefined) {
      // What the router decided stands in the attached data; of a call that it could not place, nothing new does.
      const isDecided = (call.attached as { at: number; key: string }[]).some(
        (each) => each.at === at && each.key === "RVQID",
      );
      const keys = Object.entries(call.userData).filter(([key]) => /^R[A-Z]/.test(key) || routerKeys.has(key));
      Object.assign(open, {
        ...{ to: at, outcome: isDecided ? "routed" : "default", target: line["ThirdPartyDN"] },
        keys: isDecided ? Object.fromEntries(keys) : {},
      });
    } else if (line["id"] === "EventAbandoned" && open !== undefined) {
      Object.assign(open, { to: at, outcome: "abandoned" });
    }
  }

  #party(call: FoldedCall, line: Members, extensions: Data): void {
    const id = String(line["id"]);
    const atUs = microseconds(line["time"]);
    const partyUuid = String(line["PartyUUID"]);
    let state = states[id];
    let party = call.parties.find((each) => each.partyUuid === partyUuid && each.endEvent === null);
    if (id === "EventPartyChanged") {
      const left = this.#calls.get(String(line["PreviousConnID"]));
      const was = left?.parties.find((each) => each.partyUuid === partyUuid && each.endEvent === null);
      if (was === undefined) return void this.contradictions.push(`party ${partyUuid} moved from nowhere`);
      state = was.state ?? "connected";
      leave(was, id, atUs);
    }
    if (state !== undefined) {
      if (party === undefined) {
        const role = line["ThirdPartyDNRole"];
        party = {
          ...{ partyUuid, dn: String(line["ThisDN"]), from: atUs / 1000, releasingParty: null },
          spent: { queued: 0, dialing: 0, alerting: 0, connected: 0, held: 0 },
          ...{ state: null, sinceUs: atUs, thirdRole: typeof role === "string" ? roles[role] : role, endEvent: null },
        };
        call.parties.push(party);
      }
      spend(party, atUs);
      party.state = state;
      if (state === "held") call.held++;
    } else if (["EventReleased", "EventDiverted", "EventAbandoned"].includes(id)) {
      if (party === undefined) return void this.contradictions.push(`${id} of nobody`);
      party.releasingParty = extensions["ReleasingParty"] ?? null;
      leave(party, id, atUs);
    }
  }
}

function leave(party: FoldedParty, event: string, atUs: number): void {
  spend(party, atUs);
  party.state = null;
  party.endEvent = event;
}

// Whole microseconds, as the truth counts them; milliseconds only in the end.
function spend(party: FoldedParty, atUs: number): void {
  if (party.state !== null) party.spent[party.state] = (party.spent[party.state] ?? 0) + atUs - party.sinceUs;
  party.sinceUs = atUs;
}

function detailOf({ held, parties, ...call }: FoldedCall): unknown {
  const ended = (event: string) => parties.filter(({ endEvent }) => endEvent === event).length;
  const brought = (role: number) => parties.filter(({ thirdRole }) => thirdRole === role).length;
  return {
    ...call,
    counts: {
      ...{ held, transferredIn: brought(7), conferencedIn: brought(9) },
      ...{ diverted: ended("EventDiverted"), abandoned: ended("EventAbandoned") },
    },
    parties: parties.map(({ partyUuid, dn, from, releasingParty, spent }) => ({
      ...{ partyUuid, dn, from, releasingParty },
      spent: Object.fromEntries(Object.entries(spent).map(([state, us]) => [state, us / 1000])),
    })),
  };
}

function stateOf(line: Members, state: string, from: number): unknown {
  const mode = line["AgentWorkMode"];
  return {
    ...{ state, from, workMode: (typeof mode === "string" ? workModes[mode] : mode) ?? null },
    reasons: dataOf(line["Reasons"]),
    hardwareReason: dataOf(line["Extensions"])["ReasonCode"] ?? null,
  };
}

/** A list of {key, type, value} says the same as an object. */
function dataOf(value: unknown): Data {
  if (value === undefined) return {};
  if (!Array.isArray(value)) return value as Data;
  const pairs = value as { readonly key: string; readonly type: string; readonly value: unknown }[];
  return Object.fromEntries(pairs.map(({ key, type, value }) => [key, type === "list" ? dataOf(value) : value]));
}

function sequence(value: unknown): number {
  return typeof value === "string" ? Number.parseInt(value, 16) : Number(value);
}

function microseconds(time: unknown): number {
  if (typeof time === "object" && time !== null) {
    const { sec, usec } = time as { readonly sec: number; readonly usec: number };
    return sec * 1_000_000 + usec;
  }
  return Math.round(Number(time) * 1_000_000);
}
