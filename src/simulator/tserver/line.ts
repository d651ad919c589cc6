// How the simulated T-Server writes its lines. Most events are written one way, members in the order `id`,
// `EventSequenceNumber`, `time`, the rest; a seeded share uses the other encodings that link.md allows, so that a
// receiver which knows only one way is found out.

import type { AgentStretch, LoginSession } from "./login-session.ts";
import { deskOf, told } from "./login-session.ts";
import type { Random } from "./random.ts";
import type {
  Agent,
  Call,
  Desk,
  EventNumber,
  Party,
  SwitchEvent,
  ThirdParty,
  UserData,
  UserDataValue,
  VirtualStay,
  Words,
} from "./switch-event.ts";
import { agentWorkModeNames, callStateNames, callTypeNames, dnRoleNames, thirdPartyRoleNames } from "./switch-event.ts";

export interface LineSetting {
  readonly serverName: string;
  readonly hasCallUuid: boolean;
  readonly hasPartyUuid: boolean;
}

/** Which of the legal encodings one event uses; all false is the usual one. */
interface Encoding {
  readonly sequenceAsHexadecimal: boolean;
  readonly time: "number" | "string" | "structure";
  readonly enumsAsNames: boolean;
  readonly userDataAsList: boolean;
  readonly carriageReturn: boolean;
}

const usual: Encoding = {
  sequenceAsHexadecimal: false,
  time: "number",
  enumsAsNames: false,
  userDataAsList: false,
  carriageReturn: false,
};

const varietyShare = 0.1;

// Attached data travels with the events that change who deals with a call; on the others a missing member says nothing.
const carriesUserData = new Set<string>([
  "EventCallCreated",
  "EventQueued",
  "EventRinging",
  "EventDialing",
  "EventEstablished",
  "EventRouteRequest",
]);

const carriesLinks = new Set<string>([
  "EventCallCreated",
  "EventCallDataChanged",
  "EventRinging",
  "EventTransactionStatus",
]);

/** Writes events of one simulated server. Returns lines without their LF. */
export class LineWriter {
  readonly #setting: LineSetting;
  readonly #variety: Random | null;
  readonly #server: string;
  // What every event of a call repeats is encoded once.
  readonly #callHeads = new WeakMap<Call, string>();

  /** `variety` null: always the usual encoding. */
  constructor(setting: LineSetting, variety: Random | null) {
    this.#setting = setting;
    this.#variety = variety;
    this.#server = `"Server":${JSON.stringify(setting.serverName)}`;
  }

  event(event: SwitchEvent, seq: number): string {
    const encoding = this.#chooseEncoding();
    const number = encoding.sequenceAsHexadecimal ? `"${seq.toString(16).padStart(16, "0")}"` : String(seq);
    let line = `{"id":"${event.id}","EventSequenceNumber":${number},"time":${timeText(event.atUs, encoding.time)},${this.#server}`;
    if (event.call !== null) line += this.#call(event.call, encoding);
    if (event.party !== null) line += this.#party(event.party, encoding, event.words?.otherDn);
    const { words } = event;
    if (words?.virtual !== undefined && event.call !== null)
      line += virtualMembers(event.call, words.virtual, encoding);
    if (event.left !== null) line += `,"PreviousConnID":"${event.left.call.connId}"`;
    else if (event.call !== null && event.call.consultOf !== null)
      line += `,"PreviousConnID":"${event.call.consultOf}"`;
    if (words?.thirdParty != null) line += namedParty(words.thirdParty, encoding.enumsAsNames);
    else if (event.party?.thirdParty != null && words?.thirdParty !== null)
      line += thirdPartyMembers(event.party.thirdParty, encoding.enumsAsNames);
    if (event.callState !== null && (event.callState !== 0 || encoding.enumsAsNames)) {
      line += `,"CallState":${encoding.enumsAsNames ? `"${callStateNames[event.callState]}"` : event.callState}`;
    }
    if (event.agent !== null) line += agentMembers(event.agent, event.id, encoding.enumsAsNames);
    if (words?.desk !== undefined) line += deskMembers(words.desk, encoding.enumsAsNames);
    if (event.call !== null) line += userDataMember(event.call, event, encoding.userDataAsList);
    if (event.call !== null && carriesLinks.has(event.id)) line += linksMember(event.call, encoding.userDataAsList);
    if (words !== null) line += wordMembers(words, encoding.userDataAsList);
    return encoding.carriageReturn ? `${line}}\r` : `${line}}`;
  }

  /** A snapshot's word on one party. `origin` null: this server does not know where the party came from. */
  presentParty(
    party: Party,
    eventId: string,
    sinceUs: number,
    origin: (EventNumber & { atUs: number }) | null,
  ): string {
    const from = originMember(origin);
    const consultOf = party.call.consultOf === null ? "" : `,"PreviousConnID":"${party.call.consultOf}"`;
    const third = party.thirdParty === null ? "" : thirdPartyMembers(party.thirdParty, false);
    return (
      `{"id":"${eventId}","snapshot":true,"time":${secondsText(sinceUs)}${from},${this.#server}` +
      `${this.#call(party.call, usual)}${this.#party(party, usual)}${consultOf}${third}${linksMember(party.call, false)}` +
      `${userDataMember(party.call, { id: "EventEstablished" }, false)}}`
    );
  }

  /** A snapshot's word on one stay in a virtual queue. */
  presentVirtualStay(stay: VirtualStay, origin: VirtualStay["origin"] | null): string {
    return (
      `{"id":"EventQueued","snapshot":true,"time":${secondsText(stay.fromUs)}${originMember(origin)},${this.#server}` +
      `${this.#call(stay.call, usual)}${virtualMembers(stay.call, stay, usual)}` +
      `${userDataMember(stay.call, { id: "EventQueued" }, false)},"Extensions":${objectText([["VQID", stay.vqid]])}}`
    );
  }

  /**
   * A snapshot's words on one login session: its queues, its state and that Do Not Disturb is on, each with the time since
   * when that is so and the event that began the session.
   */
  presentSession(session: LoginSession, origin: LoginSession["origin"] | null): string[] {
    const from = `${originMember(origin)},${this.#server}`;
    const desk = deskOf(session);
    const open = session.queues.filter(({ toUs }) => toUs === null);
    const lines = open.map(({ queue, fromUs }) => presentDesk("EventAgentLogin", fromUs, from, { ...desk, queue }));
    const state = session.states.at(-1);
    if (state !== undefined && state.state !== "logged in") {
      const id = state.state === "ready" ? "EventAgentReady" : "EventAgentNotReady";
      lines.push(presentDesk(id, state.fromUs, from, { ...desk, workMode: state.workMode }, state));
    }
    const dnd = session.dnd.at(-1);
    if (dnd !== undefined && dnd.toUs === null) lines.push(presentDesk("EventDNDOn", dnd.fromUs, from, desk));
    return lines;
  }

  presentAgent(agent: Agent): string {
    const id = agent.isReady ? "EventAgentReady" : "EventAgentNotReady";
    return `{"id":"${id}","snapshot":true,"time":${secondsText(agent.sinceUs)},${this.#server}${agentMembers(agent, id, false)}}`;
  }

  #chooseEncoding(): Encoding {
    const random = this.#variety;
    if (random === null || !random.chance(varietyShare)) return usual;
    return {
      sequenceAsHexadecimal: random.chance(0.4),
      time: random.pick(["number", "string", "structure"]),
      enumsAsNames: random.chance(0.5),
      userDataAsList: random.chance(0.5),
      carriageReturn: random.chance(0.1),
    };
  }

  #call(call: Call, encoding: Encoding): string {
    if (encoding.enumsAsNames) return this.#callHead(call, `"${callTypeNames[call.callType]}"`);
    let head = this.#callHeads.get(call);
    if (head === undefined) {
      head = this.#callHead(call, String(call.callType));
      this.#callHeads.set(call, head);
    }
    return head;
  }

  #callHead(call: Call, callType: string): string {
    const uuid = this.#setting.hasCallUuid ? `,"CallUUID":"${call.uuid}"` : "";
    const ani = call.ani === null ? "" : `,"ANI":"${call.ani}"`;
    const dnis = call.dnis === null ? "" : `,"DNIS":"${call.dnis}"`;
    return `,"ConnID":"${call.connId}"${uuid},"CallID":${call.switchCallId},"CallType":${callType}${ani}${dnis}`;
  }

  #party(party: Party, encoding: Encoding, otherDn: string | null = party.otherDn): string {
    const uuid = this.#setting.hasPartyUuid ? `,"PartyUUID":"${party.uuid}"` : "";
    const role = encoding.enumsAsNames ? `"${dnRoleNames[party.role]}"` : party.role;
    const queue = party.queue === null ? "" : `,"ThisQueue":"${party.queue}"`;
    const other = otherDn === null ? "" : `,"OtherDN":"${otherDn}"`;
    return `${uuid},"ThisDN":"${party.dn}","ThisDNRole":${role}${queue}${other}`;
  }
}

/** Seconds since 1970 with six decimals: the microseconds exactly as the switch counts them. */
export function secondsText(us: number): string {
  const seconds = Math.floor(us / 1_000_000);
  return `${seconds}.${String(us - seconds * 1_000_000).padStart(6, "0")}`;
}

function timeText(us: number, encoding: Encoding["time"]): string {
  switch (encoding) {
    case "number":
      return secondsText(us);
    case "string":
      return `"${secondsText(us)}"`;
    case "structure": {
      const seconds = Math.floor(us / 1_000_000);
      return `{"sec":${seconds},"usec":${us - seconds * 1_000_000}}`;
    }
  }
}

function thirdPartyMembers({ dn, role }: ThirdParty, enumsAsNames: boolean): string {
  const roleText = enumsAsNames ? `"${thirdPartyRoleNames[role]}"` : role;
  return `,"ThirdPartyDN":"${dn}","ThirdPartyDNRole":${roleText}`;
}

function agentMembers(agent: Agent, eventId: string, enumsAsNames: boolean): string {
  const members = `,"ThisDN":"${agent.dn}","AgentID":"${agent.id}"`;
  if (eventId !== "EventAgentNotReady") return members;
  return `${members},"AgentWorkMode":${enumsAsNames ? '"AgentAfterCallWork"' : 3}`;
}

function originMember(origin: (EventNumber & { readonly atUs: number }) | null): string {
  if (origin === null) return "";
  return `,"origin":{"run":"${origin.run}","seq":${origin.seq},"time":${secondsText(origin.atUs)}}`;
}

const allRoleNames = { ...dnRoleNames, ...thirdPartyRoleNames };

function namedParty({ dn, role }: NonNullable<Words["thirdParty"]>, enumsAsNames: boolean): string {
  const roleText = role === null ? "" : `,"ThirdPartyDNRole":${enumsAsNames ? `"${allRoleNames[role]}"` : role}`;
  return `,"ThirdPartyDN":"${dn}"${roleText}`;
}

function virtualMembers(call: Call, { dn }: { readonly dn: string }, { enumsAsNames }: Encoding): string {
  const other = call.ani === null ? "" : `,"OtherDN":"${call.ani}"`;
  return `,"ThisDN":"${dn}","ThisDNRole":${enumsAsNames ? `"${dnRoleNames[2]}"` : 2},"ThisQueue":"${dn}"${other}`;
}

function deskMembers({ dn, agentId, queue, workMode }: Desk, enumsAsNames: boolean): string {
  const ofQueue = queue === null ? "" : `,"ThisQueue":"${queue}"`;
  const mode = workMode === null ? "" : enumsAsNames ? `"${agentWorkModeNames[workMode]}"` : workMode;
  return `,"ThisDN":"${dn}","AgentID":"${agentId}"${ofQueue}${workMode === null ? "" : `,"AgentWorkMode":${mode}`}`;
}

function presentDesk(id: string, sinceUs: number, from: string, desk: Desk, state?: AgentStretch): string {
  const words = state === undefined ? "" : wordMembers(told(state), false);
  return `{"id":"${id}","snapshot":true,"time":${secondsText(sinceUs)}${from}${deskMembers(desk, false)}${words}}`;
}

function wordMembers({ reasons = [], extensions = [], virtual, userData, ctrlParty }: Words, asList: boolean): string {
  const text = asList ? listText : objectText;
  const all: UserData = virtual === undefined ? extensions : [["VQID", virtual.vqid], ...extensions];
  let members = "";
  if (userData !== undefined) members += `,"UserData":${text(userData)}`;
  if (reasons.length > 0) members += `,"Reasons":${text(reasons)}`;
  if (all.length > 0) members += `,"Extensions":${text(all)}`;
  if (ctrlParty !== undefined) members += `,"CtrlParty":"${ctrlParty}"`;
  return members;
}

function userDataMember(
  call: Call,
  { id, words }: { readonly id: string; readonly words?: Words | null },
  asList: boolean,
): string {
  const isAsked = carriesUserData.has(id) || id === "EventAttachedDataChanged" || words?.virtual !== undefined;
  if (!isAsked || call.userData.length === 0) return "";
  return `,"UserData":${asList ? listText(call.userData) : objectText(call.userData)}`;
}

/** The whole of the call's links to other sites. */
function linksMember({ links }: Call, asList: boolean): string {
  if (links.length === 0) return "";
  const list = links.map(({ linkId, type, location }): [string, UserData] => [
    linkId,
    [
      ["location", location],
      ["type", asList ? (type === "source" ? 2 : 3) : type],
    ],
  ]);
  return `,"ISLinkList":${asList ? listText(list) : objectText(list)}`;
}

function objectText(data: UserData): string {
  const members = data.map(
    ([key, value]) => `${JSON.stringify(key)}:${isList(value) ? objectText(value) : JSON.stringify(value)}`,
  );
  return `{${members.join(",")}}`;
}

function listText(data: UserData): string {
  const members = data.map(([key, value]) => {
    const type = isList(value) ? "list" : typeof value === "number" ? "int" : "string";
    return `{"key":${JSON.stringify(key)},"type":"${type}","value":${isList(value) ? listText(value) : JSON.stringify(value)}}`;
  });
  return `[${members.join(",")}]`;
}

function isList(value: UserDataValue): value is UserData {
  return typeof value === "object";
}
