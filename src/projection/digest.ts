// What two copies compare to know that they have the same events, without reading them: per window the sum of a hash of
// each event. A sum does not depend on the order; an event that is missing, differs or has another number changes it.
//
// 1. The hash is of a canonical text: what means the same on the link gives the same text, however it was written. Members
//    stand in the order of their names; enumerations are numbers; key-value lists are lists, in the order of their keys.
//    A member that is null is not there.
// 2. Left out is what a server says to one client alone. Everything else counts, whether or not this program reads it.
// 3. It begins with the run and then has 24 bytes: sequence number, microseconds since 1970, hash of the names. After
//    them control characters stand between its parts. Where they stand in a line's own texts they are written otherwise.
// 4. Copies of different versions of this program are compared: a change of the text or of the hash makes all earlier
//    digests differ from later ones. test/projection/digest.test.ts holds some of them.

import type { AmiFields } from "../event/ami-message.ts";
import type { SourceInstant } from "../event/instant.ts";
import { type EnumeratedAttribute, enumerationNumber, enumerations } from "../protocol/tevent/enums.ts";
import { CanonicalText, escaped } from "./canonical-text.ts";

/** 128 bits as four unsigned 32-bit numbers, the lowest first. */
export type Digest = readonly [number, number, number, number];

export const emptyDigest: Digest = [0, 0, 0, 0];

/** Modulo 2^128. */
export function addDigest(a: Digest, b: Digest): Digest {
  const s0 = a[0] + b[0];
  const s1 = a[1] + b[1] + (s0 > 0xffffffff ? 1 : 0);
  const s2 = a[2] + b[2] + (s1 > 0xffffffff ? 1 : 0);
  const s3 = a[3] + b[3] + (s2 > 0xffffffff ? 1 : 0);
  return [s0 >>> 0, s1 >>> 0, s2 >>> 0, s3 >>> 0];
}

/** 32 hexadecimal digits, in lower case. */
export function digestText([s0, s1, s2, s3]: Digest): string {
  return hexadecimal(s3) + hexadecimal(s2) + hexadecimal(s1) + hexadecimal(s0);
}

function hexadecimal(lane: number): string {
  return lane.toString(16).padStart(8, "0");
}

/** One event of the T-Event link: its members as they stand in the line. */
export interface NumberedEvent {
  /** The server run as the ledger names it. */
  readonly run: string;
  readonly id: string;
  readonly sequence: number | null;
  readonly at: SourceInstant;
  readonly members: Readonly<Record<string, unknown>>;
}

export function hashEvent(event: NumberedEvent): Digest {
  writeEvent(event);
  return hashText(text.written);
}

/** A message of Asterisk's manager: its lines as they came, whatever their order. */
export function hashMessage(name: string, { entries }: AmiFields): Digest {
  const lines: string[] = [];
  for (const [field, value] of entries) {
    const key = field.toLowerCase();
    if (key !== "actionid") lines.push(`${key}:${value}`);
  }
  // A line can hold anything but its own end.
  return hashText(`${name}\n${lines.sort().join("\n")}`);
}

const eightBytes = new BigUint64Array(2);
const lanes = new Uint32Array(eightBytes.buffer);
// Within 32 bits: the runtime takes no more for this one.
const seedLow = 0x5f3b_8d21n;
const seedHigh = 0x9d6f_03c8_b2e4_7715n;

// Two hashes of different kinds, each with a published definition.
function hashText(text: string | Uint8Array): Digest {
  eightBytes[0] = Bun.hash.xxHash3(text, seedLow);
  eightBytes[1] = Bun.hash.xxHash64(text, seedHigh);
  return [lanes[0] ?? 0, lanes[1] ?? 0, lanes[2] ?? 0, lanes[3] ?? 0];
}

// ---- canonical text

/** How the value of a member is written. */
type Form = "any" | "whole number" | "pairs" | EnumeratedAttribute;

interface Member {
  /** Where its value stands among the line's. */
  readonly at: number;
  readonly form: Form;
}

/** A line with these members, in this order. */
interface Shape {
  readonly keys: readonly string[];
  readonly members: readonly Member[];
  /** What stands in the text for the id and the names of the members, which are half of it: the halves of their hash. */
  readonly namesLow: number;
  readonly namesHigh: number;
}

/** Said to one client alone, or said otherwise in the text. */
const leftOut: ReadonlySet<string> = new Set(["ReferenceID", "ClientID", "EventSequenceNumber", "id", "time"]);
const keyValueLists: ReadonlySet<string> = new Set(["UserData", "Extensions", "Reasons"]);

// A server writes an event of one kind in a few ways at most. Only what is usual is kept.
const shapesPerIdMax = 8;
const idsMax = 256;
const shapesById = new Map<string, Shape[]>();

// The control characters between the parts of a text.
const controls = {
  part: 0x01,
  value: 0x02,
  number: 0x03,
  constant: 0x04,
  list: 0x05,
  end: 0x06,
  object: 0x07,
  pairs: 0x08,
  tooDeep: 0x0e,
} as const;

const text = new CanonicalText();

function writeEvent({ run, id, sequence, at, members }: NumberedEvent): void {
  // The runtime keeps both for objects of one layout: a loop over the names costs twice as much.
  const keys = Object.keys(members);
  const values = Object.values(members);
  const shape = shapeOf(id, keys, values);
  text.begin(run);
  writeWhole(sequence ?? 0);
  writeWhole(Math.round(at * 1000));
  text.word(shape.namesLow);
  text.word(shape.namesHigh);
  for (const { at: place, form } of shape.members) {
    const value = values[place];
    text.control(controls.part);
    // Most are texts and small numbers.
    if (form === "any" && typeof value === "string") text.string(value);
    else writeValue(form, value);
  }
}

/** Below 2^53, as eight bytes. */
function writeWhole(value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  text.word(value - high * 0x1_0000_0000);
  text.word(high);
}

function shapeOf(id: string, keys: readonly string[], values: readonly unknown[]): Shape {
  // A member that is null makes another line of it, too rare to be kept.
  if (values.includes(null)) return makeShape(id, keys, values);
  let shapes = shapesById.get(id);
  if (shapes !== undefined) for (const shape of shapes) if (isOfKeys(shape, keys)) return shape;
  const shape = makeShape(id, keys, values);
  if (shapes === undefined && shapesById.size < idsMax) {
    shapes = [];
    shapesById.set(id, shapes);
  }
  if (shapes !== undefined && shapes.length < shapesPerIdMax) shapes.push(shape);
  return shape;
}

function isOfKeys(shape: Shape, keys: readonly string[]): boolean {
  if (shape.keys.length !== keys.length) return false;
  for (let at = 0; at < keys.length; at += 1) if (shape.keys[at] !== keys[at]) return false;
  return true;
}

function makeShape(id: string, keys: readonly string[], values: readonly unknown[]): Shape {
  const named = keys
    .map((key, at) => ({ key, at, form: formOf(key) }))
    .filter(({ key, at }) => !leftOut.has(key) && values[at] !== null)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const names = Bun.hash.xxHash64([id, ...named.map(({ key }) => key)].map(escaped).join("\u0001"), seedHigh);
  return {
    keys,
    members: named.map(({ at, form }) => ({ at, form })),
    namesLow: Number(names & 0xffff_ffffn),
    namesHigh: Number(names >> 32n),
  };
}

function formOf(key: string): Form {
  if (keyValueLists.has(key)) return "pairs";
  if (key === "CallID") return "whole number";
  return Object.hasOwn(enumerations, key) ? (key as EnumeratedAttribute) : "any";
}

function writeValue(form: Form, value: unknown): void {
  switch (form) {
    case "any":
      return writeAny(value, 0);
    case "pairs":
      return writePairs(value, 0);
    case "whole number":
      return writeAny(typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value, 0);
    default:
      return writeAny(enumerationNumber(form, value) ?? value, 0);
  }
}

function writeKey(key: string): void {
  text.control(controls.part);
  text.string(key);
  text.control(controls.value);
}

const depthMax = 64;

function writeAny(value: unknown, depth: number): void {
  switch (typeof value) {
    case "string":
      return text.string(value);
    case "number":
      text.control(controls.number);
      return text.number(value);
    case "boolean":
      text.control(controls.constant);
      return text.string(value ? "t" : "f");
    default:
      if (value === null) {
        text.control(controls.constant);
        return text.string("n");
      }
      if (depth >= depthMax) return writeTooDeep(value);
      return Array.isArray(value) ? writeList(value, depth) : writeObject(value as object, depth);
  }
}

function writeList(values: readonly unknown[], depth: number): void {
  text.control(controls.list);
  for (const value of values) {
    text.control(controls.part);
    writeAny(value, depth + 1);
  }
  text.control(controls.end);
}

function writeObject(value: object, depth: number): void {
  text.control(controls.object);
  for (const key of Object.keys(value).sort()) {
    writeKey(key);
    writeAny((value as Record<string, unknown>)[key], depth + 1);
  }
  text.control(controls.end);
}

interface Pair {
  readonly key: string;
  readonly value: unknown;
  readonly type: unknown;
}

/** An object, or a list of {key, type, value}: the same pairs. Repeated keys of a list stand as they came. */
function writePairs(value: unknown, depth: number): void {
  const pairs = pairsOf(value);
  if (pairs === null || depth >= depthMax) return writeAny(value, depth);
  text.control(controls.pairs);
  for (const { key, value: of, type } of pairs) {
    writeKey(key);
    if (!isTypeOf(type, of)) {
      writeAny(type, depth + 1);
      text.control(controls.value);
    }
    if (typeof of === "object" && of !== null) writePairs(of, depth + 1);
    else writeAny(of, depth);
  }
  text.control(controls.end);
}

/** In the order of their keys; null: it is no list of pairs. */
function pairsOf(value: unknown): readonly Pair[] | null {
  if (typeof value !== "object" || value === null) return null;
  const pairs: Pair[] = [];
  if (!Array.isArray(value)) {
    for (const key of Object.keys(value)) {
      pairs.push({ key, value: (value as Record<string, unknown>)[key], type: undefined });
    }
    return pairs.sort(byKey);
  }
  for (const each of value as readonly unknown[]) {
    if (typeof each !== "object" || each === null || Array.isArray(each)) return null;
    const { key, value: of = null, type, ...rest } = each as Record<string, unknown>;
    if (typeof key !== "string" || Object.keys(rest).length > 0) return null;
    pairs.push({ key, value: of, type });
  }
  return pairs.sort(byKey);
}

function byKey(a: Pair, b: Pair): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/** The type that a list gives says no more than the value does. */
function isTypeOf(type: unknown, value: unknown): boolean {
  if (type === undefined || type === null) return true;
  if (typeof value === "string") return type === "string" || type === "str";
  if (typeof value === "number") return type === "int";
  return type === "list" && typeof value === "object" && value !== null;
}

/** A text nests so deep only to do harm. */
function writeTooDeep(value: unknown): void {
  text.control(controls.tooDeep);
  try {
    text.string(JSON.stringify(value));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}
