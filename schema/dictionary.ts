// Every enumerated value that this program writes or explains, with its origin. A number never changes its meaning once
// it was shipped. Classes below 1000 carry the vendor's numbers; from 1000 on the class numbers are ours, for columns
// whose class the documents do not number. The constants are what the projection writes; the list is what G_DICTIONARY
// holds.

/** seen: in the vendor's documents. inferred: from them, or from third parties' SQL. ours: fixed here. */
export type Origin = "seen" | "inferred" | "ours";

export interface DictionaryValue {
  readonly value: number;
  readonly name: string;
  readonly origin: Origin;
  readonly description?: string;
}

export interface DictionaryClass {
  readonly type: number;
  readonly name: string;
  /** Columns that hold values of this class. */
  readonly usedBy: readonly string[];
  readonly values: readonly DictionaryValue[];
}

/** Class 1: G_CALL_HISTORY.CHANGETYPE. */
export const callChangeTypes = { created: 1, terminated: 2, merged: 3, failed: 4 } as const;

/** Class 3: G_IR_HISTORY.CHANGETYPE. */
export const irChangeTypes = { created: 1, terminated: 2, merged: 3 } as const;

/** Class 7: G_IR.STATE. */
export const irStates = { unknown: 0, active: 1, terminated: 2 } as const;

/** Class 8: STATE and PREVSTATE of G_PARTY and G_PARTY_HISTORY. */
export const partyStates = { null: 1, alerting: 2, connected: 3, hold: 4, queued: 5, dialing: 6 } as const;

/** Class 9: G_PARTY.TYPE. */
export const partyTypes = {
  unknown: 0,
  internal: 1,
  external: 2,
  multimediaPlace: 3,
  multimediaQueue: 4,
  multimediaWorkbin: 5,
  multimediaStrategy: 6,
} as const;

/** Class 10: G_PARTY.PROLE, T-Lib's TDNRole. */
export const partyRoles = {
  unknown: 0,
  origination: 1,
  destination: 2,
  conferenceMember: 3,
  newParty: 4,
  addedBy: 5,
  deletedBy: 6,
  transferredBy: 7,
  deletedParty: 8,
  conferencedBy: 9,
  observer: 10,
} as const;

/** Class 11: PARENTLINKTYPE of G_IR (always none) and G_PARTY. */
export const parentLinkTypes = { none: 0, transferred: 1, conferenced: 2, answering: 4 } as const;

/** Classes 30 and 86: MERGETYPE of G_CALL_ACTIVE and G_CALL. */
export const mergeTypes = { transferred: 1, conferenced: 2 } as const;

/** Class 26: G_PROV_CONTROL.PROVIDERTAG. */
export const providerTags = { cfg: 1, gcc: 2, gls: 3, gud: 4, gos: 5 } as const;

/** Class 1000 (ours): G_CALL.CALLTYPE, T-Lib's TCallType. */
export const callTypes = { unknown: 0, internal: 1, inbound: 2, outbound: 3, consult: 4 } as const;

/** Class 1001 (ours): G_PARTY_HISTORY.CHANGETYPE. */
export const partyChangeTypes = { created: 1, terminated: 2, changed: 3 } as const;

/** Class 1002 (ours): CCEVENT of G_PARTY and G_PARTY_HISTORY, T-Lib message numbers. */
export const ccEvents = {
  queued: 57,
  diverted: 58,
  abandoned: 59,
  ringing: 60,
  dialing: 61,
  destinationBusy: 63,
  established: 64,
  released: 65,
  held: 66,
  retrieved: 67,
  partyChanged: 68,
  routeRequest: 71,
  callCreated: 160,
  callDeleted: 162,
} as const;

/** Class 1003 (ours): CCEVENTCAUSE of G_PARTY and G_PARTY_HISTORY, T-Lib's TCallState. */
export const ccEventCauses = {
  ok: 0,
  transferred: 1,
  conferenced: 2,
  generalError: 3,
  systemError: 4,
  remoteRelease: 5,
  busy: 6,
  noAnswer: 7,
  sitDetected: 8,
  answeringMachineDetected: 9,
  allTrunksBusy: 10,
  sitInvalidNumber: 11,
  sitVacant: 12,
  sitIntercept: 13,
  sitUnknown: 14,
  sitNoCircuit: 15,
  sitReorder: 16,
  faxDetected: 17,
  queueFull: 18,
  cleared: 19,
  overflowed: 20,
  abandoned: 21,
  redirected: 22,
  forwarded: 23,
  consult: 24,
  pickedUp: 25,
  dropped: 26,
  droppedNoAnswer: 27,
  unknown: 28,
  covered: 29,
  converseOn: 30,
  bridged: 31,
  deafened: 49,
  held: 50,
} as const;

/** Class 1004 (ours): G_DSS_GCC_PROVIDER.DS_TYPE. */
export const dataSourceTypes = {
  tServer: 1,
  interactionServer: 2,
  outboundContactServer: 3,
  configurationServer: 100,
  asterisk: 101,
} as const;

/** Class 1005 (ours): G_DSS_GCC_PROVIDER.DSCONN_TYPE. */
export const connectionTypes = {
  first: 1,
  reconnect: 2,
  sourceRestart: 3,
  switchReconnect: 4,
  switchover: 5,
} as const;

/** Class 1006 (ours): G_PARTY_STAT.RELEASINGPARTY. */
export const releasingParties = { local: 1, remote: 2, unknown: 3 } as const;

/** Class 1007 (ours): states of an agent on a DN. */
export const agentStates = { null: 0, login: 1, notReady: 2, ready: 3, afterCallWork: 4, busy: 5 } as const;

/** Class 1008 (ours): T-Lib's TAgentWorkMode. */
export const agentWorkModes = {
  unknown: 0,
  manualIn: 1,
  autoIn: 2,
  afterCallWork: 3,
  auxWork: 4,
  noCallDisconnect: 5,
  walkAway: 6,
  returnBack: 7,
} as const;

/** Class 1009 (ours): G_AGENT_STATE_HISTORY.TYPE. */
export const agentChangeTypes = {
  unknown: -1,
  normal: 0,
  state: 5,
  pendingState: 6,
  workMode: 7,
  callConnected: 8,
  callDisconnected: 9,
} as const;

/** Class 1010: CHANGETYPE of the attached-data histories. */
export const userDataChangeTypes = { added: 1, deleted: 2, changed: 3 } as const;

/** Class 1011 (ours): KEYTYPE of the attached-data histories. */
export const userDataKeyTypes = { userData: 1, reasons: 2, extensions: 3 } as const;

/** Class 1012 (ours): G_VIRTUAL_QUEUE.STATUS. */
export const virtualQueueStatuses = { waiting: 1, left: 2 } as const;

/** Class 1013 (ours): G_VIRTUAL_QUEUE.CAUSE. */
export const virtualQueueCauses = { normal: 1, abandoned: 2, notSeen: 3 } as const;

/** Class 1014 (ours): G_ROUTE_RESULT.RESULT. */
export const routeResults = { routed: 1, abandoned: 2, other: 3 } as const;

/** Class 1015 (ours): STATE of G_LOGIN_SESSION and GX_SESSION_ENDPOINT. */
export const loginStates = { over: 0, active: 1 } as const;

/** Class 1016 (ours): HWFLAG of the agent state reasons. */
export const reasonKinds = { software: 0, hardware: 1 } as const;

/** Class 1017 (ours): G_IS_LINK.ISLINKTYPE. */
export const linkTypes = { bidirectional: 0, unidirectional: 1, source: 2, target: 3 } as const;

/** Class 1018 (ours): STATE of G_IS_LINK and G_IS_LINK_HISTORY. */
export const linkStates = { unknown: 0, active: 1, terminated: 2, failed: 3 } as const;

/** Class 1019 (ours): G_IS_LINK_HISTORY.CHANGETYPE. */
export const linkChangeTypes = { unknown: 0, added: 1, moved: 2, deleted: 3 } as const;

/** Class 1020 (ours): G_IS_LINK.MERGESTATE. */
export const linkMergeStates = { waiting: 0, merged: 1, notExpected: 2, timedOut: 3 } as const;

export const dictionaries: readonly DictionaryClass[] = [
  {
    type: 1,
    name: "call change type",
    usedBy: ["G_CALL_HISTORY.CHANGETYPE"],
    values: listed({ 1: "call_created", 2: "call_terminated", 3: "call_merged", 4: "call_trfailed" }, "seen"),
  },
  {
    type: 3,
    name: "interaction record change type",
    usedBy: ["G_IR_HISTORY.CHANGETYPE"],
    values: listed({ 1: "ir_created", 2: "ir_terminated", 3: "ir_merged" }, "seen"),
  },
  {
    type: 7,
    name: "interaction record state",
    usedBy: ["G_IR.STATE", "G_IR_ACTIVE.STATE"],
    values: listed({ 0: "unknown", 1: "active", 2: "terminated" }, "seen"),
  },
  {
    type: 8,
    name: "party state",
    usedBy: ["G_PARTY.STATE", "G_PARTY.PREVSTATE", "G_PARTY_HISTORY.STATE", "G_PARTY_HISTORY.PREVSTATE"],
    values: [
      { value: 1, name: "null", origin: "ours", description: "not on the call: before it came, after it left" },
      {
        value: 2,
        name: "alerting",
        origin: "inferred",
        description: "ringing; third-party SQL reads previous state 2 as ringing",
      },
      { value: 3, name: "connected", origin: "ours" },
      { value: 4, name: "hold", origin: "ours" },
      {
        value: 5,
        name: "queued",
        origin: "inferred",
        description: "waiting in a queue; third-party SQL reads previous state 5 so",
      },
      { value: 6, name: "dialing", origin: "ours" },
    ],
  },
  {
    type: 9,
    name: "party type",
    usedBy: ["G_PARTY.TYPE"],
    values: listed(
      {
        0: "unknown",
        1: "internal",
        2: "external",
        3: "multimedia place",
        4: "multimedia interaction queue",
        5: "multimedia interaction workbin",
        6: "multimedia routing strategy",
      },
      "seen",
    ),
  },
  { type: 10, name: "party role", usedBy: ["G_PARTY.PROLE"], values: named(partyRoles, "ours") },
  {
    type: 11,
    name: "parent link type",
    usedBy: ["G_PARTY.PARENTLINKTYPE", "G_IR.PARENTLINKTYPE", "G_IR_ACTIVE.PARENTLINKTYPE"],
    values: [
      { value: 0, name: "none", origin: "seen" },
      {
        value: 1,
        name: "transferred",
        origin: "ours",
        description: "the parent transferred this party, or was it before",
      },
      {
        value: 2,
        name: "conferenced",
        origin: "ours",
        description: "the parent brought this party in, or was it before",
      },
      {
        value: 4,
        name: "answering party",
        origin: "inferred",
        description:
          "the parent is the stay in the queue from which this party was reached; third-party SQL filters on 4 to find agents' answering parties",
      },
    ],
  },
  {
    type: 26,
    name: "provider class",
    usedBy: ["G_PROV_CONTROL.PROVIDERTAG", "G_SYNC_CONTROL.PROVIDERTAG"],
    values: named(providerTags, "ours"),
  },
  {
    type: 30,
    name: "call merge type (G_CALL_ACTIVE)",
    usedBy: ["G_CALL_ACTIVE.MERGETYPE"],
    values: named(mergeTypes, "ours"),
  },
  { type: 86, name: "call merge type", usedBy: ["G_CALL.MERGETYPE"], values: named(mergeTypes, "ours") },
  {
    type: 1000,
    name: "call type",
    usedBy: ["G_CALL.CALLTYPE", "G_CALL_ACTIVE.CALLTYPE"],
    values: [
      { value: 0, name: "unknown", origin: "inferred" },
      { value: 1, name: "internal", origin: "inferred" },
      { value: 2, name: "inbound", origin: "inferred", description: "third-party SQL reads it so" },
      { value: 3, name: "outbound", origin: "inferred", description: "third-party SQL reads it so" },
      { value: 4, name: "consult", origin: "inferred" },
    ],
  },
  {
    type: 1001,
    name: "party change type",
    usedBy: ["G_PARTY_HISTORY.CHANGETYPE"],
    values: listed({ 1: "party_created", 2: "party_terminated", 3: "party_changed" }, "ours"),
  },
  {
    type: 1002,
    name: "call control event",
    usedBy: ["G_PARTY.CCEVENT", "G_PARTY_HISTORY.CCEVENT"],
    values: named(ccEvents, "ours", "Event"),
  },
  {
    type: 1003,
    name: "cause of a call control event",
    usedBy: ["G_PARTY.CCEVENTCAUSE", "G_PARTY_HISTORY.CCEVENTCAUSE"],
    values: named(ccEventCauses, "ours", "CallState"),
  },
  {
    type: 1004,
    name: "data source type",
    usedBy: ["G_DSS_GCC_PROVIDER.DS_TYPE", "G_DSS_GLS_PROVIDER.DS_TYPE", "G_DSS_GUD_PROVIDER.DS_TYPE"],
    values: [
      { value: 1, name: "T-Server", origin: "seen" },
      { value: 2, name: "Interaction Server", origin: "seen" },
      { value: 3, name: "Outbound Contact Server", origin: "seen" },
      { value: 100, name: "Configuration Server", origin: "ours" },
      { value: 101, name: "Asterisk", origin: "ours" },
    ],
  },
  {
    type: 1005,
    name: "connection type",
    usedBy: ["G_DSS_GCC_PROVIDER.DSCONN_TYPE", "G_DSS_GLS_PROVIDER.DSCONN_TYPE", "G_DSS_GUD_PROVIDER.DSCONN_TYPE"],
    values: listed(
      {
        1: "first connection",
        2: "reconnect",
        3: "data source server restart",
        4: "switch reconnection",
        5: "switchover",
      },
      "seen",
    ),
  },
  {
    type: 1006,
    name: "releasing party",
    usedBy: ["G_PARTY_STAT.RELEASINGPARTY"],
    values: named(releasingParties, "inferred"),
  },
  {
    type: 1007,
    name: "agent state",
    usedBy: [
      ...["G_AGENT_STATE_HISTORY.STATE", "G_AGENT_STATE_HISTORY.PENDINGSTATE", "G_AGENT_STATE_HISTORY.PREVSTATE"],
      ...["G_AGENT_STATE_RC.AGENTSTATE", "G_AGENT_STATE_RC_A.AGENTSTATE", "G_DND_HISTORY.AGENTSTATE"],
      ...["GS_AGENT_STAT.AGENTSTATE", "GS_AGENT_STAT_WM.AGENTSTATE"],
    ],
    values: [
      { value: 0, name: "null", origin: "inferred", description: "logged off" },
      { value: 1, name: "login", origin: "inferred", description: "logged in; ready or not is not known" },
      { value: 2, name: "not ready", origin: "inferred" },
      { value: 3, name: "ready", origin: "inferred" },
      { value: 4, name: "after-call work", origin: "inferred" },
      { value: 5, name: "busy", origin: "inferred", description: "on a call" },
    ],
  },
  {
    type: 1008,
    name: "agent work mode",
    usedBy: [
      ...["G_AGENT_STATE_HISTORY.WORKMODE", "G_AGENT_STATE_HISTORY.PREVWORKMODE"],
      ...["G_AGENT_STATE_RC.WORKMODE", "G_AGENT_STATE_RC_A.WORKMODE", "GS_AGENT_STAT_WM.WORKMODE"],
    ],
    values: named(agentWorkModes, "inferred"),
  },
  {
    type: 1009,
    name: "agent change type",
    usedBy: ["G_AGENT_STATE_HISTORY.TYPE"],
    values: [
      { value: -1, name: "unknown", origin: "inferred" },
      { value: 0, name: "normal", origin: "inferred", description: "reserved" },
      { value: 5, name: "agent state change", origin: "inferred" },
      { value: 6, name: "pending state change", origin: "inferred" },
      { value: 7, name: "work mode change", origin: "ours" },
      { value: 8, name: "call connected", origin: "ours", description: "the agent is on one call more" },
      { value: 9, name: "call disconnected", origin: "ours", description: "the agent is on one call less" },
    ],
  },
  {
    type: 1010,
    name: "attached data change type",
    usedBy: ["G_USERDATA_HISTORY.CHANGETYPE", "G_SECURE_USERDATA_HISTORY.CHANGETYPE"],
    values: [
      { value: 1, name: "added", origin: "inferred" },
      { value: 2, name: "deleted", origin: "inferred" },
      { value: 3, name: "changed", origin: "inferred", description: "an update is said to be 3; 2 is what is left" },
    ],
  },
  {
    type: 1011,
    name: "attached data key type",
    usedBy: ["G_USERDATA_HISTORY.KEYTYPE", "G_SECURE_USERDATA_HISTORY.KEYTYPE"],
    values: named(userDataKeyTypes, "ours"),
  },
  {
    type: 1012,
    name: "virtual queue status",
    usedBy: ["G_VIRTUAL_QUEUE.STATUS"],
    values: named(virtualQueueStatuses, "ours"),
  },
  {
    type: 1013,
    name: "virtual queue cause",
    usedBy: ["G_VIRTUAL_QUEUE.CAUSE"],
    values: [
      { value: 1, name: "normal", origin: "inferred", description: "diverted: routed, or taken out of this queue" },
      { value: 2, name: "abandoned", origin: "inferred" },
      { value: 3, name: "not seen", origin: "ours", description: "it ended with its call, or while nobody listened" },
    ],
  },
  {
    type: 1014,
    name: "route result",
    usedBy: ["G_ROUTE_RESULT.RESULT"],
    values: named(routeResults, "ours"),
  },
  {
    type: 1015,
    name: "login session state",
    usedBy: ["G_LOGIN_SESSION.STATE", "GX_SESSION_ENDPOINT.STATE"],
    values: [
      { value: 0, name: "over", origin: "ours" },
      { value: 1, name: "active", origin: "inferred", description: "third-party SQL reads it so" },
    ],
  },
  {
    type: 1016,
    name: "agent state reason kind",
    usedBy: ["G_AGENT_STATE_RC.HWFLAG", "G_AGENT_STATE_RC_A.HWFLAG"],
    values: named(reasonKinds, "inferred"),
  },
  { type: 1017, name: "inter-site link type", usedBy: ["G_IS_LINK.ISLINKTYPE"], values: named(linkTypes, "inferred") },
  {
    type: 1018,
    name: "inter-site link state",
    usedBy: ["G_IS_LINK.STATE", "G_IS_LINK_HISTORY.STATE"],
    values: named(linkStates, "inferred"),
  },
  {
    type: 1019,
    name: "inter-site link change type",
    usedBy: ["G_IS_LINK_HISTORY.CHANGETYPE"],
    values: named(linkChangeTypes, "inferred"),
  },
  {
    type: 1020,
    name: "inter-site link merge state",
    usedBy: ["G_IS_LINK.MERGESTATE"],
    values: named(linkMergeStates, "ours"),
  },
];

function listed(names: Readonly<Record<number, string>>, origin: Origin): readonly DictionaryValue[] {
  return Object.entries(names).map(([value, name]) => ({ value: Number(value), name, origin }));
}

/** Names the values as T-Lib does: the prefix, then the constant's name with a capital. */
function named(numbers: Readonly<Record<string, number>>, origin: Origin, prefix = ""): readonly DictionaryValue[] {
  return Object.entries(numbers).map(([name, value]) => ({
    value,
    name: prefix === "" ? name : `${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    origin,
  }));
}
