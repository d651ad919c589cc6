// T-Lib enumerations that the link carries as numbers or as names; both are accepted [S: tlib-enums].

const callType: Readonly<Record<string, number>> = {
  CallTypeUnknown: 0,
  CallTypeInternal: 1,
  CallTypeInbound: 2,
  CallTypeOutbound: 3,
  CallTypeConsult: 4,
};

const dnRole: Readonly<Record<string, number>> = {
  RoleUnknown: 0,
  RoleOrigination: 1,
  RoleDestination: 2,
  RoleConferenceMember: 3,
  RoleNewParty: 4,
  RoleAddedBy: 5,
  RoleDeletedBy: 6,
  RoleTransferredBy: 7,
  RoleDeletedParty: 8,
  RoleConferencedBy: 9,
  RoleObserver: 10,
};

// Two names share a number: which is meant follows from the event.
const agentWorkMode: Readonly<Record<string, number>> = {
  AgentWorkModeUnknown: 0,
  AgentManualIn: 1,
  AgentAutoIn: 2,
  AgentLegalGuard: 2,
  AgentAfterCallWork: 3,
  AgentAuxWork: 4,
  AgentNoCallDisconnect: 5,
  AgentWalkAway: 6,
  AgentReturnBack: 7,
};

const callStateNames = [
  "Ok",
  "Transferred",
  "Conferenced",
  "GeneralError",
  "SystemError",
  "RemoteRelease",
  "Busy",
  "NoAnswer",
  "SitDetected",
  "AnsweringMachineDetected",
  "AllTrunksBusy",
  "SitInvalidnum",
  "SitVacant",
  "SitIntercept",
  "SitUnknown",
  "SitNocircuit",
  "SitReorder",
  "FaxDetected",
  "QueueFull",
  "Cleared",
  "Overflowed",
  "Abandoned",
  "Redirected",
  "Forwarded",
  "Consult",
  "Pickedup",
  "Dropped",
  "Droppednoanswer",
  "Unknown",
  "Covered",
  "ConverseOn",
  "Bridged",
] as const;

// Deafened and Held are 49 and 50, not 33 and 34 as one public tool has it [S: interface header, OCS call results].
const callState: Readonly<Record<string, number>> = {
  ...Object.fromEntries(callStateNames.map((name, number) => [`CallState${name}`, number])),
  CallStateDeafened: 49,
  CallStateHeld: 50,
};

export const enumerations = {
  CallType: { names: callType, prefix: "CallType" },
  CallState: { names: callState, prefix: "CallState" },
  ThisDNRole: { names: dnRole, prefix: "Role" },
  OtherDNRole: { names: dnRole, prefix: "Role" },
  ThirdPartyDNRole: { names: dnRole, prefix: "Role" },
  AgentWorkMode: { names: agentWorkMode, prefix: "Agent" },
} as const;

export type EnumeratedAttribute = keyof typeof enumerations;

/** The number of a value given as number, decimal string or T-Lib name, with or without its prefix; undefined: none. */
export function enumerationNumber(attribute: EnumeratedAttribute, value: unknown): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== "string") return undefined;
  if (/^-?\d{1,9}$/.test(value)) return Number(value);
  const { names, prefix } = enumerations[attribute];
  return Object.hasOwn(names, value)
    ? names[value]
    : Object.hasOwn(names, prefix + value)
      ? names[prefix + value]
      : undefined;
}
