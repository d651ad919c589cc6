// What Asterisk's names say: channels, interfaces, unique ids, numbers.

import { type SourceInstant, sourceInstant } from "../event/instant.ts";

/** What the two halves of a Local pair have in common; any other channel's own name. */
export function pairName(channelName: string): string {
  return channelName.replace(/;[12]$/, "");
}

/** The second half of a Local pair: the one that runs the dialplan. */
export function isSecondHalf(channelName: string): boolean {
  return channelName.endsWith(";2");
}

/** The DN behind a channel or an interface: Local/4001@agents-00000002;1 → 4001, PJSIP/6001-0000001a → 6001. */
export function dnOf(name: string): string {
  const [, address = name] = /^[^/]+\/(.+)$/.exec(pairName(name)) ?? [];
  const [user = address] = address.split("@");
  return user === address ? address.replace(/-[0-9a-f]{8}$/, "") : user;
}

/** A caller's number, or null where Asterisk knows none. */
export function knownNumber(text: string | undefined): string | null {
  return text === undefined || text === "" || text === "<unknown>" || text === "unknown" ? null : text;
}

/** The second in which a channel came to be, as its unique id says: [system-]seconds.number. */
export function creationSecond(uniqueId: string): SourceInstant | null {
  const [, seconds] = /(?:^|-)(\d{9,11})\.\d+$/.exec(uniqueId) ?? [];
  return seconds === undefined ? null : sourceInstant(Number(seconds) * 1000);
}

/** Unique ids in the order in which Asterisk gave them, so that any order of a list gives the same result. */
export function compareUniqueIds(one: string, other: string): number {
  const [, oneSecond = "0", oneNumber = "0"] = /(\d+)\.(\d+)$/.exec(one) ?? [];
  const [, otherSecond = "0", otherNumber = "0"] = /(\d+)\.(\d+)$/.exec(other) ?? [];
  return Number(oneSecond) - Number(otherSecond) || Number(oneNumber) - Number(otherNumber);
}

/** A duration of a list line, hours:minutes:seconds, in seconds; null: it is none. */
export function durationSeconds(text: string | undefined): number | null {
  const [, hours, minutes, seconds] = /^(\d+):(\d\d):(\d\d)$/.exec(text ?? "") ?? [];
  if (hours === undefined || minutes === undefined || seconds === undefined) return null;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** A whole number of a field; null: there is none. */
export function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
