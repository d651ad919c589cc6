// ISLinkList of a call's event: its links to calls at other sites. That each link has an id, a location and a type is
// public; how a list of them is written is not. So whatever can be meant is taken (docs/link.md):
//
//   {"<link id>": {"location": "South", "type": "source"}, …}          or as a list of {key, value} of the same
//   [{"linkId": "…", "location": "South", "type": 2}, …]               or one of these alone
//   {"<link id>": "South", …}   ["<link id>", …]

import { type LinkKind, linkKinds, type ToldLink } from "../../event/inter-site.ts";
import { keyValues } from "./key-values.ts";

export interface ToldLinks {
  readonly links: readonly ToldLink[];
  /** Entries that name no link. */
  readonly unusable: number;
  /** Links with a type that is none. */
  readonly oddTypes: number;
}

// As long as the original's column [S: Table G_IS_LINK].
const linkIdLengthMax = 50;
const locationLengthMax = 255;

const idNames = ["linkid", "islinkid", "link", "islink", "id", "uuid"];
const locationNames = ["location", "loc", "remotelocation", "switch"];
const typeNames = ["type", "linktype", "islinktype"];

/** Null: the event says nothing of links. */
export function toldLinks(member: unknown): ToldLinks | null {
  if (member === undefined || member === null) return null;
  const entries = entriesOf(member);
  if (entries === null) return { links: [], unusable: 1, oddTypes: 0 };
  const links = new Map<string, ToldLink>();
  let unusable = 0;
  let oddTypes = 0;
  for (const { id, about } of entries) {
    if (typeof id !== "string" || id === "" || id.length > linkIdLengthMax) {
      unusable += 1;
      continue;
    }
    const type = attribute(about, typeNames);
    const kind = type === undefined ? null : kindOf(type);
    if (type !== undefined && kind === null) oddTypes += 1;
    links.set(id, { linkId: id, kind, location: locationOf(about) });
  }
  return { links: [...links.values()], unusable, oddTypes };
}

interface Entry {
  readonly id: unknown;
  readonly about: unknown;
}

function entriesOf(member: unknown): readonly Entry[] | null {
  if (typeof member === "string") return [{ id: member, about: null }];
  if (typeof member !== "object" || member === null) return null;
  if (Array.isArray(member) && !member.every(isPair)) {
    return member.map((each) =>
      typeof each === "object" && each !== null ? entryOf(each) : { id: each, about: null },
    );
  }
  // One link's own attributes, not a list by ids.
  if (attribute(member, idNames) !== undefined) return [entryOf(member)];
  return keyValues(member)?.map(({ key, value }) => ({ id: key, about: value })) ?? null;
}

function isPair(each: unknown): boolean {
  return typeof each === "object" && each !== null && "key" in each;
}

function entryOf(about: object): Entry {
  return { id: attribute(about, idNames), about };
}

/** The value under the first of these names, however it is spelt; undefined: there is none. */
function attribute(about: unknown, names: readonly string[]): unknown {
  const pairs = keyValues(about) ?? [];
  const found = pairs.find(({ key }) => names.includes(key.toLowerCase().replace(/[^a-z]/g, "")));
  return found?.value ?? undefined;
}

function locationOf(about: unknown): string | null {
  const location = typeof about === "string" ? about : attribute(about, locationNames);
  return typeof location === "string" && location !== "" ? location.slice(0, locationLengthMax) : null;
}

function kindOf(type: unknown): LinkKind | null {
  if (typeof type !== "string" && typeof type !== "number") return null;
  const text = String(type).toLowerCase();
  const number = Object.values(linkKinds).find((kind) => String(kind) === text);
  if (number !== undefined) return number;
  return Object.hasOwn(linkKinds, text) ? linkKinds[text as keyof typeof linkKinds] : null;
}

/** Whether EventTransactionStatus tells that a link came to be; null: it tells of something else. */
export function isLinkCreated(extensions: unknown): boolean | null {
  const step = (keyValues(extensions) ?? []).find(({ key }) => key.toLowerCase().endsWith("is-link-creation"));
  if (step === undefined) return null;
  return typeof step.value !== "string" || !/^(terminated|failed|error|rejected|none|0)$/i.test(step.value);
}

/** Where EventTransactionStatus has no ISLinkList of its own. */
export function linksInExtensions(extensions: unknown): unknown {
  return (keyValues(extensions) ?? []).find(({ key }) => /islinklist$/i.test(key))?.value;
}
