// What a copy answers, as an instance hands it out over HTTP (GET /api/v1/extract): NDJSON, one JSON value a line.
//
//   {"icon":"copy","format":1,"instance":"…","identity":{…}}        first: whose and what it is, and how far it has come
//   {"window":{…}}  {"span":{…}}  {"session":{…}}  {"mark":{…}}     of a ledger, rows as they stand
//   {"call":{…}}                                                    of calls, each whole
//   {"end":"whole"}                                                 last; without such a line the answer was cut short
//
// The last line may also be {"end":"cut","after":{…}}: a bound was reached, ask for what comes after that call; or
// {"end":"failed","kind":"passing","reason":"…"}, as in CopyError. What comes from outside is held against the schema.

import { callTableNames } from "../../schema/life.ts";
import type { CallPlace } from "../idb/find-calls.ts";
import type { CopyError, CopyIdentity, Ledger, SessionRow, WholeCall } from "./copy.ts";
import { plainClause } from "./plain-line.ts";
import { joinedRowOf, rowOf } from "./row-shape.ts";

/** Raised when a reader of the one before would misunderstand an answer. */
export const copyFormat = 1;

export type CopyEnd =
  | { readonly end: "whole" }
  | { readonly end: "cut"; readonly after: CallPlace }
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
  | { readonly kind: "call"; readonly call: WholeCall }
  | { readonly kind: "end"; readonly end: CopyEnd };

/** A line is none of this format. The message is a clause, without a value of the line's. */
export class CopyLineError extends Error {
  override readonly name = "CopyLineError";
}

/** As it goes over the wire, with its end. */
export function headLine(identity: CopyIdentity, instance: string): string {
  return `${JSON.stringify({ icon: "copy", format: copyFormat, instance, identity })}\n`;
}

export function callLine(call: WholeCall): string {
  return `${JSON.stringify({ call })}\n`;
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
    const row: SessionRow = joinedRowOf("G_DSS_GCC_PROVIDER", "ICON_DSS", line["session"]);
    return { kind: "session", row };
  }
  if ("mark" in line) return { kind: "mark", row: rowOf("ICON_MARK", line["mark"]) };
  if ("call" in line) return { kind: "call", call: callOf(objectOf(line["call"])) };
  if ("end" in line) return { kind: "end", end: endOf(line) };
  throw new CopyLineError("a line is of no kind that this version knows");
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

function callOf(value: Readonly<Record<string, unknown>>): WholeCall {
  const { callId, isKeyLocal, sourceCluster, switchDbid, quality } = value;
  const rows = objectOf(value["rows"]);
  const isRight =
    typeof callId === "string" &&
    typeof isKeyLocal === "boolean" &&
    isNumberOrNull(sourceCluster) &&
    isNumberOrNull(switchDbid);
  if (!isRight) throw new CopyLineError("a call is none");
  return {
    callId,
    isKeyLocal,
    sourceCluster,
    switchDbid,
    rows: Object.fromEntries(
      callTableNames.map((table) => [table, listOf(rows[table]).map((row) => rowOf(table, row))]),
    ) as unknown as WholeCall["rows"],
    quality: listOf(quality).map((row) => rowOf("ICON_ROW_QUALITY", row)),
  };
}

function endOf({ end, after, kind, reason }: Readonly<Record<string, unknown>>): CopyEnd {
  if (end === "whole") return { end };
  if (end === "cut") {
    const place = callPlaceOf(after);
    if (place !== null) return { end, after: place };
  }
  if (end === "failed" && (kind === "passing" || kind === "lasting") && typeof reason === "string") {
    return { end, kind, reason };
  }
  throw new CopyLineError("its last line is none");
}

/** Where a call stands in an answer, from a value of JSON; null: it is none. */
export function callPlaceOf(value: unknown): CallPlace | null {
  if (typeof value !== "object" || value === null) return null;
  const { seconds, created, callId, id } = value as Readonly<Record<string, unknown>>;
  const isRight =
    Number.isSafeInteger(seconds) &&
    typeof created === "string" &&
    typeof callId === "string" &&
    Number.isSafeInteger(id);
  return isRight ? { seconds: seconds as number, created, callId, id: id as number } : null;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new CopyLineError("a line is no object");
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new CopyLineError("a call lacks the rows of a table");
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || (typeof value === "number" && Number.isFinite(value));
}
