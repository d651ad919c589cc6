// What the manager of the Asterisk that is not there said, through the projection into rows, and rows and truth as lines
// that can be compared.

import { mergeTypes, parentLinkTypes, partyStates } from "../../schema/dictionary.ts";
import type { RowOf, TableName } from "../../schema/tables.ts";
import { encodeEnvelope, type Mark, type SessionId } from "../../src/event/envelope.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import { stepRecord } from "../../src/projection/projection.ts";
import { decodeAmi } from "../../src/protocol/ami/message.ts";
import { LiveView } from "../../src/simulator/ami/live-view.ts";
import type { Said } from "./ami-pbx.ts";
import type { Truth } from "./ami-pbx-truth.ts";
import { MemoryWorld } from "./memory-world.ts";

const encoder = new TextEncoder();
const source = { name: "pbx1", kind: "ami", dbid: 201, primaryDbid: 201, switchDbid: 2, dsType: 101 } as const;
const options = {
  callDeletionTimeoutSeconds: 0,
  inboundContexts: ["from-trunk"],
  internalContexts: ["internal"],
  outboundContexts: [],
};

/** A stretch in which nobody listened; after it, lists of channels and of who waits are asked for. */
export interface Cut {
  readonly from: number;
  readonly until: number;
}

/** As records of a persistent queue. `times`: how often each event comes. */
export function recordsOf(
  said: readonly Said[],
  {
    times = 1,
    cut = null,
    role = ["gcc", "gls"],
    instance = { name: "icon-a", dbid: 9001 },
  }: {
    times?: number;
    cut?: Cut | null;
    role?: readonly string[];
    instance?: { readonly name: string; readonly dbid: number };
  } = {},
): Uint8Array[] {
  const records: Uint8Array[] = [];
  let session = 0;
  const mark = (at: number, each: Mark) =>
    records.push(
      encodeEnvelope({ kind: "mark", session: session as SessionId, arrivedAt: arrivalInstant(at), mark: each }),
    );
  let arrivalNumber = 0;
  const frame = (at: number, text: string) => {
    arrivalNumber += 1;
    const given = { kind: "frame", session: session as SessionId, arrivalNumber, isCut: false } as const;
    records.push(encodeEnvelope({ ...given, arrivedAt: arrivalInstant(at), frame: encoder.encode(text) }));
  };
  const open = (at: number) => {
    session += 1;
    const { name, kind: _kind, ...facts } = source;
    const opened = { address: "127.0.0.1:5038", serverName: null, run: null, resumeAfter: null } as const;
    mark(at, { mark: "session opened", source: name, ...opened, ...facts });
  };
  const start = said[0]?.at ?? 0;
  mark(start, {
    mark: "instance started",
    programVersion: "0.1.0",
    instance,
    queueId: "q",
    queueState: "new",
    role,
    sources: [{ ...source, options }],
    configurationHash: "0".repeat(64),
  });
  open(start);
  const view = new LiveView();
  let isCut = false;
  const ask = (at: number, action: "CoreShowChannels" | "QueueStatus") => {
    const actionId = `${action}-${session}`;
    mark(at, { mark: "list requested", source: source.name, action, actionId });
    const answer = action === "QueueStatus" ? view.listWaiting(actionId, at) : view.listChannels(actionId, at);
    for (const text of answer.split("\r\n\r\n")) if (text !== "") frame(at, text);
  };
  const reopen = (at: number) => {
    isCut = false;
    open(at);
    frame(at, `Event: SuccessfulAuth\r\nTimestamp: ${(at / 1000).toFixed(6)}`);
    ask(at, "CoreShowChannels");
    ask(at, "QueueStatus");
  };
  for (const { at, text, isHidden } of said) {
    if (cut !== null && at >= cut.from && !isCut && session === 1) {
      mark(at, { mark: "session closed", source: source.name, cause: "connection lost", detail: null });
      isCut = true;
    }
    if (isCut && cut !== null && at >= cut.until) reopen(cut.until);
    view.observe(decodeAmi(encoder.encode(text)), at);
    for (let time = 0; !isCut && !isHidden && time < times; time += 1) frame(at, text);
  }
  if (isCut && cut !== null) reopen(cut.until);
  return records;
}

/** The rows that stand in the end. */
export class Rows {
  readonly world = new MemoryWorld();

  constructor(records: readonly Uint8Array[]) {
    for (const [index, record] of records.entries()) {
      stepRecord(this.world, { windowSeconds: 60 }, BigInt(index + 1), record);
    }
  }

  of<T extends TableName>(table: T, id: string = "ID"): RowOf<T>[] {
    const byId = new Map<unknown, RowOf<T>>();
    for (const each of this.world.written) {
      if (each.table === table) byId.set((each.row as Record<string, unknown>)[id], each.row as RowOf<T>);
    }
    return [...byId.values()];
  }
}

const nameOf = (values: Readonly<Record<string, number>>, value: unknown) =>
  Object.entries(values).find(([, each]) => each === value)?.[0] ?? String(value);
const timeOf = (text: string | null | undefined) => (text == null ? "…" : String(Date.parse(text)));

export interface ToldParty {
  readonly line: string;
  readonly guid: string;
  readonly call: string;
  readonly dn: string;
  readonly partyId: string;
}

export function toldParties(rows: Pick<Rows, "of">): readonly ToldParty[] {
  const history = rows.of("G_PARTY_HISTORY", "PHID");
  const parties = rows.of("G_PARTY");
  const dns = new Map(parties.map((row) => [row.PARTYID, row.ENDPOINTDN]));
  return parties.map((row) => {
    const states = history
      .filter(({ PARTYID, STATE }) => PARTYID === row.PARTYID && STATE !== partyStates.null)
      .map(({ STATE, ADDED }) => `${nameOf(partyStates, STATE)} ${timeOf(ADDED)}`);
    const parent =
      row.PARENTPARTYID == null
        ? "none"
        : `${dns.get(row.PARENTPARTYID)} ${nameOf(parentLinkTypes, row.PARENTLINKTYPE)}`;
    const end = `${timeOf(row.TERMINATED)} ${row.TERMINATED == null ? "" : (row.CCEVENTCAUSE ?? "-")}`;
    const line = `${row.CALLID} ${row.ENDPOINTDN}: ${states.join(", ")} | ${end} < ${parent}`;
    return {
      line,
      guid: row.PARTYGUID ?? "",
      call: row.CALLID ?? "",
      dn: row.ENDPOINTDN ?? "",
      partyId: row.PARTYID ?? "",
    };
  });
}

export function trueParties(truth: Truth): readonly { readonly line: string; readonly person: string }[] {
  return truth.parties.map(({ call, dn, states, endedAt, cause, parent, person }) => {
    const told = states.map(([state, at]) => `${state} ${at}`).join(", ");
    const end = `${endedAt ?? "…"} ${endedAt === null ? "" : (cause ?? "-")}`;
    return { line: `${call} ${dn}: ${told} | ${end} < ${parent ?? "none"}`, person };
  });
}

export function toldCalls(rows: Pick<Rows, "of">): readonly string[] {
  const statistics = new Map(rows.of("G_CALL_STAT").map((row) => [row.CALLID, row]));
  return rows.of("G_CALL").map((row) => {
    const counts = statistics.get(row.CALLID);
    const merged = row.MERGECALLID == null ? "none" : `${row.MERGECALLID} ${nameOf(mergeTypes, row.MERGETYPE)}`;
    return [
      ...[row.CALLID, row.CALLTYPE, row.PARENTCALLID ?? "none", timeOf(row.CREATED), timeOf(row.TERMINATED), merged],
      `${counts?.CNT_TRANSFER} transfers, ${counts?.CNT_CONFERENCE} conferences`,
    ].join(" | ");
  });
}

export function trueCalls(truth: Truth): readonly string[] {
  return [...truth.calls.values()].map((call) => {
    const merged = call.merged === null ? "none" : `${call.merged.into} ${nameOf(mergeTypes, call.merged.type)}`;
    return [
      ...[call.id, call.type, call.parent ?? "none", call.createdAt, call.endedAt ?? "…", merged],
      `${call.transfers} transfers, ${call.conferences} conferences`,
    ].join(" | ");
  });
}
