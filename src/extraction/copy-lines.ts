// What a copy answers, as an instance hands it out over HTTP (GET /api/v1/extract): NDJSON, one JSON value a line.
//
//   {"icon":"copy","format":1,"instance":"…","identity":{…}}        first: whose and what it is, and how far it has come
//   {"window":{…}}  {"span":{…}}  {"session":{…}}  {"mark":{…}}     of a ledger, rows as they stand; a session says which
//                                                                   tables have it: "providers":["gcc","gls"]
//   {"call":{…}}  {"loginSession":{…}}                              of calls or login sessions, each whole
//   {"end":"whole"}                                                 last; without such a line the answer was cut short
//
// The last line may also be {"end":"cut","after":{…}}: a bound was reached, ask for what comes after that one; or
// {"end":"failed","kind":"passing","reason":"…"}, as in CopyError. What comes from outside is held against the schema.

import { type FamilyName, families, familyNames } from "../../schema/life.ts";
import { type Provider, providers } from "../../schema/session.ts";
import type { Place } from "../idb/find-subjects.ts";
import type { CopyError, CopyIdentity, Ledger, Subject } from "./copy.ts";
import { plainClause } from "./plain-line.ts";
import { joinedRowOf, rowOf } from "./row-shape.ts";

/** Raised when a reader of the one before would misunderstand an answer. */
export const copyFormat = 1;

export type CopyEnd =
  | { readonly end: "whole" }
  | { readonly end: "cut"; readonly after: Place }
  | { readonly end: "failed"; readonly kind: CopyError["kind"]; readonly reason: string };

export interface LedgerRows {
  readonly window: Ledger["windows"][number];
  readonly span: Ledger["spans"][number];
  readonly session: Ledger["sessions"][number];
  readonly mark: Ledger["marks"][number];
}

export type CopyLine =
  | { readonly kind: "head"; readonly identity: CopyIdentity; readonly instance: string | null }
  | { [Kind in keyof LedgerRows]: { readonly kind: Kind; readonly row: LedgerRows[Kind] } }[keyof LedgerRows]
  | { readonly kind: "subject"; readonly subject: Subject }
  | { readonly kind: "end"; readonly end: CopyEnd };

/** How a line names what it is of, and its key. */
const members: Readonly<Record<FamilyName, { readonly line: string; readonly key: string }>> = {
  call: { line: "call", key: "callId" },
  "login session": { line: "loginSession", key: "loginSessionId" },
};

/** A line is none of this format. The message is a clause, without a value of the line's. */
export class CopyLineError extends Error {
  override readonly name = "CopyLineError";
}

/** As it goes over the wire, with its end. */
export function headLine(identity: CopyIdentity, instance: string): string {
  return `${JSON.stringify({ icon: "copy", format: copyFormat, instance, identity })}\n`;
}

export function subjectLine({ family, key, ...told }: Subject): string {
  const names = members[family];
  return `${JSON.stringify({ [names.line]: { [names.key]: key, ...told } })}\n`;
}

export function endLine(end: CopyEnd): string {
  return `${JSON.stringify(end)}\n`;
}

/** The rows of a ledger, spans before windows. */
export function* ledgerLines({ spans, sessions, marks, windows }: Ledger): Generator<string> {
  for (const span of spans) yield `${JSON.stringify({ span })}\n`;
  for (const session of sessions) yield `${JSON.stringify({ session })}\n`;
  for (const mark of marks) yield `${JSON.stringify({ mark })}\n`;
  for (const window of windows) yield `${JSON.stringify({ window })}\n`;
}

/** One line without its end. Throws CopyLineError. */
export function parseCopyLine(text: string): CopyLine {
  try {
    return lineOf(objectOf(JSON.parse(text)));
  } catch (error) {
    if (error instanceof CopyLineError) throw error;
    // A parser's own words could hold a piece of the line.
    const reason = error instanceof SyntaxError ? "a line is no JSON" : (error as Error).message;
    throw new CopyLineError(reason);
  }
}

function lineOf(line: Readonly<Record<string, unknown>>): CopyLine {
  if (line["icon"] === "copy") {
    const instance = typeof line["instance"] === "string" ? plainClause(line["instance"]).slice(0, 64) : null;
    return { kind: "head", identity: identityOf(line), instance };
  }
  if ("window" in line) return { kind: "window", row: rowOf("ICON_WINDOW", line["window"]) };
  if ("span" in line) return { kind: "span", row: rowOf("ICON_COVERAGE", line["span"]) };
  if ("session" in line) {
    const row = joinedRowOf("G_DSS_GCC_PROVIDER", "ICON_DSS", line["session"]);
    return { kind: "session", row: { ...row, providers: providersOf(objectOf(line["session"])) } };
  }
  if ("mark" in line) return { kind: "mark", row: rowOf("ICON_MARK", line["mark"]) };
  for (const family of familyNames) {
    const { line: member } = members[family];
    if (member in line) return { kind: "subject", subject: subjectOf(family, objectOf(line[member])) };
  }
  if ("end" in line) return { kind: "end", end: endOf(line) };
  throw new CopyLineError("a line is of no kind that this version knows");
}

/** An instance of an earlier version does not say: all of its sessions are in the first table. */
function providersOf({ providers: told }: Readonly<Record<string, unknown>>): readonly Provider[] {
  if (told === undefined) return ["gcc"];
  if (!Array.isArray(told)) throw new CopyLineError("a session has no right providers");
  return providers.filter((provider) => told.includes(provider));
}

function identityOf({ format, identity }: Readonly<Record<string, unknown>>): CopyIdentity {
  if (format !== copyFormat) {
    throw new CopyLineError(
      `it speaks format ${typeof format === "number" ? format : "?"} and this program format ${copyFormat}; use the same version of the program on both sides`,
    );
  }
  const { idbId, queueId, version, schemaVersion, windowSeconds, iconDbids } = objectOf(identity);
  const isRight =
    typeof idbId === "string" &&
    (queueId === null || typeof queueId === "string") &&
    isCount(version) &&
    isCount(schemaVersion) &&
    isCount(windowSeconds) &&
    windowSeconds > 0 &&
    Array.isArray(iconDbids) &&
    iconDbids.every(isCount);
  if (!isRight) throw new CopyLineError("its identity is none");
  return { idbId, queueId, version, schemaVersion, windowSeconds, iconDbids };
}

function subjectOf(family: FamilyName, value: Readonly<Record<string, unknown>>): Subject {
  const { isKeyLocal, sourceCluster, switchDbid, quality } = value;
  const key = value[members[family].key];
  const rows = objectOf(value["rows"]);
  const isRight =
    typeof key === "string" &&
    typeof isKeyLocal === "boolean" &&
    isNumberOrNull(sourceCluster) &&
    isNumberOrNull(switchDbid);
  if (!isRight) throw new CopyLineError(`a ${family} is none`);
  return {
    family,
    key,
    isKeyLocal,
    sourceCluster,
    switchDbid,
    rows: Object.fromEntries(
      families[family].tables.map((table) => [table, listOf(rows[table], family).map((row) => rowOf(table, row))]),
    ),
    quality: listOf(quality, family).map((row) => rowOf("ICON_ROW_QUALITY", row)),
  };
}

function endOf({ end, after, kind, reason }: Readonly<Record<string, unknown>>): CopyEnd {
  if (end === "whole") return { end };
  if (end === "cut") {
    const place = placeOf(after);
    if (place !== null) return { end, after: place };
  }
  if (end === "failed" && (kind === "passing" || kind === "lasting") && typeof reason === "string") {
    return { end, kind, reason };
  }
  throw new CopyLineError("its last line is none");
}

/** Where one stands in an answer, from a value of JSON; null: it is none. */
export function placeOf(value: unknown): Place | null {
  if (typeof value !== "object" || value === null) return null;
  const { seconds, created, key, id } = value as Readonly<Record<string, unknown>>;
  const isRight =
    Number.isSafeInteger(seconds) && typeof created === "string" && typeof key === "string" && Number.isSafeInteger(id);
  return isRight ? { seconds: seconds as number, created, key, id: id as number } : null;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new CopyLineError("a line is no object");
}

function listOf(value: unknown, family: FamilyName): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new CopyLineError(`a ${family} lacks the rows of a table`);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || (typeof value === "number" && Number.isFinite(value));
}
