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
} as const;

/** The number of a value given as number, decimal string or T-Lib name, with or without its prefix; undefined: none. */
export function enumerationNumber(attribute: keyof typeof enumerations, value: unknown): number | undefined {
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
