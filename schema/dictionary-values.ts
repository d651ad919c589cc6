// What G_DICTIONARY holds: each class of enumerated values with the columns that use it, and each value's name and origin.

import {
  agentWorkModes,
  ccEventCauses,
  ccEvents,
  type DictionaryClass,
  type DictionaryValue,
  linkChangeTypes,
  linkMergeStates,
  linkStates,
  linkTypes,
  mergeTypes,
  type Origin,
  partyRoles,
  providerTags,
  reasonKinds,
  releasingParties,
  routeResults,
  userDataKeyTypes,
  virtualQueueStatuses,
} from "./dictionary.ts";

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
    type: 21,
    name: "inter-site link state",
    usedBy: ["G_IS_LINK.STATE", "G_IS_LINK_HISTORY.STATE"],
    values: named(linkStates, "seen"),
  },
  {
    type: 22,
    name: "inter-site link change type",
    usedBy: ["G_IS_LINK_HISTORY.CHANGETYPE"],
    values: named(linkChangeTypes, "seen"),
  },
  {
    type: 26,
    name: "provider class",
    usedBy: ["G_PROV_CONTROL.PROVIDERTAG", "G_SYNC_CONTROL.PROVIDERTAG"],
    values: named(providerTags, "ours"),
  },
  { type: 27, name: "inter-site link type", usedBy: ["G_IS_LINK.ISLINKTYPE"], values: named(linkTypes, "seen") },
  {
    type: 29,
    name: "route target type",
    usedBy: ["G_ROUTE_RESULT.RTARGETTYPESELECTED"],
    // The router's own numbers are stored as they come; the others were not seen.
    values: [
      {
        value: 2,
        name: "agent group or skill expression",
        origin: "inferred",
        description: "traces of the router show it so",
      },
    ],
  },
  {
    type: 30,
    name: "call merge type (G_CALL_ACTIVE)",
    usedBy: ["G_CALL_ACTIVE.MERGETYPE"],
    values: named(mergeTypes, "ours"),
  },
  {
    type: 83,
    name: "agent state reason kind",
    usedBy: ["G_AGENT_STATE_RC.HWFLAG", "G_AGENT_STATE_RC_A.HWFLAG"],
    values: named(reasonKinds, "seen"),
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
      { value: 0, name: "null", origin: "seen", description: "logged off" },
      { value: 1, name: "logged in", origin: "seen", description: "ready or not is not known" },
      { value: 2, name: "not ready", origin: "seen" },
      { value: 3, name: "ready", origin: "seen" },
      { value: 4, name: "after-call work", origin: "seen" },
      { value: 5, name: "busy", origin: "seen", description: "on a call" },
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
      { value: -1, name: "unknown", origin: "seen" },
      { value: 0, name: "normal", origin: "seen", description: "reserved" },
      { value: 5, name: "agent state", origin: "seen" },
      { value: 6, name: "pending state", origin: "seen" },
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
