// Every enumerated value that this program writes. A number never changes its meaning once it was shipped. Classes below
// 1000 carry the vendor's numbers; from 1000 on the class numbers are ours, for columns whose class the documents do not
// number. What G_DICTIONARY says of them, with their origin: dictionary-values.ts.

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

/** Class 21: STATE of G_IS_LINK and G_IS_LINK_HISTORY. */
export const linkStates = { unknown: 0, active: 1, terminated: 2, failed: 3 } as const;

/** Class 22: G_IS_LINK_HISTORY.CHANGETYPE. */
export const linkChangeTypes = { unknown: 0, added: 1, moved: 2, deleted: 3 } as const;

/** Class 27: G_IS_LINK.ISLINKTYPE. */
export const linkTypes = { bidirectional: 0, unidirectional: 1, source: 2, target: 3 } as const;

/** Class 83: HWFLAG of the agent state reasons. */
export const reasonKinds = { software: 0, hardware: 1 } as const;

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
  networkReached: 62,
  destinationBusy: 63,
  established: 64,
  released: 65,
  held: 66,
  retrieved: 67,
  partyChanged: 68,
  partyAdded: 69,
  partyDeleted: 70,
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

/** Class 1020 (ours): G_IS_LINK.MERGESTATE. 1016 to 1019 are not used: what they held has numbers of the reference. */
export const linkMergeStates = { waiting: 0, merged: 1, notExpected: 2, timedOut: 3 } as const;
