// The digest of an event as docs/availability.md defines it, written for reading and not for speed, and sharing nothing
// with the program: members one after another, without a memory of what earlier lines looked like.

const callTypes = ["CallTypeUnknown", "CallTypeInternal", "CallTypeInbound", "CallTypeOutbound", "CallTypeConsult"];
const dnRoles = ["RoleUnknown", "RoleOrigination", "RoleDestination"];
const enumerations: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  CallType: numbered(callTypes),
  ThisDNRole: numbered(dnRoles),
  ThirdPartyDNRole: { ...numbered(dnRoles), RoleTransferredBy: 7, RoleConferencedBy: 9 },
  CallState: {
    CallStateOk: 0,
    CallStateTransferred: 1,
    CallStateConferenced: 2,
    CallStateBusy: 6,
    CallStateNoAnswer: 7,
  },
  AgentWorkMode: { AgentManualIn: 1, AgentAutoIn: 2, AgentAfterCallWork: 3, AgentAuxWork: 4 },
};
const pairLists = ["UserData", "Reasons", "Extensions"];
const leftOut = ["id", "EventSequenceNumber", "time", "ReferenceID", "ClientID"];
const seeds = { low: 0x5f3b_8d21n, high: 0x9d6f_03c8_b2e4_7715n };

function numbered(names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name, number) => [name, number]));
}

export interface TrueEvent {
  readonly run: string;
  readonly seq: number;
  readonly atUs: number;
  /** As the server wrote it. */
  readonly line: string;
}

/** 128 bits. `run` as the ledger names it. */
export function referenceHash(run: string, { seq, atUs, line }: TrueEvent): bigint {
  const members = JSON.parse(line) as Record<string, unknown>;
  const counted = Object.keys(members)
    .filter((key) => !leftOut.includes(key))
    .sort();
  const numbers = new DataView(new ArrayBuffer(24));
  numbers.setBigUint64(0, BigInt(seq), true);
  numbers.setBigUint64(8, BigInt(atUs), true);
  numbers.setBigUint64(16, Bun.hash.xxHash64([String(members["id"]), ...counted].join("\u0001"), seeds.high), true);
  const values = counted.map((key) => `\u0001${valueText(key, members[key])}`).join("");
  const text = Buffer.concat([Buffer.from(run), new Uint8Array(numbers.buffer), Buffer.from(values)]);
  return (Bun.hash.xxHash64(text, seeds.high) << 64n) | Bun.hash.xxHash3(text, seeds.low);
}

export function sumText(hashes: readonly bigint[]): string {
  const sum = hashes.reduce((total, each) => (total + each) % 2n ** 128n, 0n);
  return sum.toString(16).padStart(32, "0");
}

function valueText(key: string, value: unknown): string {
  const names = enumerations[key];
  if (names !== undefined && typeof value === "string") return `\u0003${names[value]}`;
  return pairLists.includes(key) ? pairsText(value) : plainText(value);
}

function plainText(value: unknown): string {
  if (typeof value === "string") return [...value].map(escaped).join("");
  if (typeof value === "number") return `\u0003${value}`;
  throw new Error(`The simulated server writes no ${JSON.stringify(value)}`);
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x20 ? `\u000f${String.fromCharCode(0x40 + code)}` : character;
}

/** The simulated server repeats no key. */
function pairsText(value: unknown): string {
  const pairs = Array.isArray(value)
    ? (value as { key: string; value: unknown }[]).map(({ key, value: of }) => [key, of] as const)
    : Object.entries(value as object);
  const texts = pairs
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, of]) => `\u0001${key}\u0002${typeof of === "object" ? pairsText(of) : plainText(of)}`);
  return `\u0008${texts.join("")}\u0006`;
}
