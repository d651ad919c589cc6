// Machines are tested with what happened before, what happens now, what is written: a session is opened for a source,
// lines of the T-Event link go through the same steps as in the instance, and the rows of the last ones are looked at.

import { expect } from "bun:test";
import type { RowOf, TableName } from "../../schema/tables.ts";
import {
  type AgentOptions,
  encodeEnvelope,
  type Mark,
  type ProjectionConfiguration,
  type ProjectionOptions,
  type SessionEndCause,
  type SessionId,
} from "../../src/event/envelope.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import { stepRecord } from "../../src/projection/projection.ts";
import { MemoryWorld } from "./memory-world.ts";

export const startMs = Date.parse("2026-11-23T08:00:00.000Z");
/** `seconds` after the story's beginning, as TIMESTAMP columns show it. */
export const at = (seconds: number): string => new Date(startMs + seconds * 1000).toISOString();

type Line = Readonly<Record<string, unknown>>;

const settings = { windowSeconds: 60 };
const source = { name: "north", kind: "tevent", dbid: 101, primaryDbid: 101, switchDbid: 1, dsType: 1 } as const;

interface Given extends Partial<Omit<ProjectionConfiguration, "sources">> {
  readonly callDeletionTimeoutSeconds?: number;
  readonly options?: Partial<ProjectionOptions>;
}

export class Story {
  readonly world = new MemoryWorld();
  /** Every record so far, as the persistent queue would hold it. */
  readonly payloads: Uint8Array[] = [];
  #position = 0n;
  #session = 1000;
  #arrivalNumber = 0;
  #sequence = 0;
  #run: string | null = "run-1";
  #now = startMs;

  readonly #instance: { readonly name: string; readonly dbid: number };
  readonly #role: readonly string[];
  readonly #agents: AgentOptions | undefined;

  constructor({
    instance = { name: "icon-a", dbid: 9001 },
    role = ["gcc"],
    agents,
    ...given
  }: Given & { readonly instance?: { name: string; dbid: number }; readonly agents?: AgentOptions } = {}) {
    this.#instance = instance;
    this.#role = role;
    this.#agents = agents;
    this.start(given).open();
  }

  /** The instance starts, for the first time or once more, with the role that it had unless another one is given. */
  start(given: Given = {}): this {
    return this.mark({
      mark: "instance started",
      programVersion: "0.1.0",
      instance: this.#instance,
      queueId: "q",
      queueState: "new",
      ...this.#configurationOf(given),
      configurationHash: "0".repeat(64),
    });
  }

  /** The configuration is read again while the instance runs. */
  reload(change: Given): this {
    return this.mark({
      mark: "configuration in force",
      programVersion: "0.1.0",
      instance: this.#instance,
      startedAt: startMs,
      ...this.#configurationOf(change),
      configurationHash: "1".repeat(64),
    });
  }

  #configurationOf(given: Given): ProjectionConfiguration {
    const { callDeletionTimeoutSeconds = 30, role = this.#role, options, ...rest } = given;
    const contexts = { inboundContexts: [], internalContexts: [], outboundContexts: [] };
    const agents = this.#agents && { agents: this.#agents };
    const all = { callDeletionTimeoutSeconds, ...contexts, ...agents, ...options };
    return { role, sources: [{ ...source, options: all }], ...rest };
  }

  /** Our clock goes on; the source's is in its lines. */
  wait(seconds: number): this {
    this.#now += seconds * 1000;
    return this;
  }

  open(
    given: {
      readonly run?: string | null;
      readonly dbid?: number;
      readonly address?: string;
      readonly isSwitchReconnection?: true;
    } = {},
  ): this {
    const { run = this.#run, dbid = 101, address = "127.0.0.1:7001", isSwitchReconnection } = given;
    if (run !== this.#run) this.#sequence = 0;
    this.#run = run;
    this.#session += 1;
    this.#arrivalNumber = 0;
    return this.mark({
      mark: "session opened",
      source: "north",
      address,
      serverName: "TServer_North",
      dbid,
      primaryDbid: 101,
      switchDbid: 1,
      dsType: 1,
      run,
      resumeAfter: null,
      ...(isSwitchReconnection && { isSwitchReconnection }),
    });
  }

  close(cause: SessionEndCause): this {
    return this.mark({ mark: "session closed", source: "north", cause, detail: null });
  }

  mark(mark: Mark): this {
    const session = (mark.mark.startsWith("instance") ? 0 : this.#session) as SessionId;
    return this.#step(encodeEnvelope({ kind: "mark", session, arrivedAt: arrivalInstant(this.#now), mark }));
  }

  /** Events of the run, numbered on from the last; `seconds` is the source's time. */
  events(...events: readonly (readonly [seconds: number, id: string, members: Line])[]): this {
    for (const [seconds, id, members] of events) {
      this.#sequence += 1;
      this.line({
        id,
        EventSequenceNumber: this.#sequence,
        time: time(seconds),
        ConnID: "01",
        CallUUID: "C1",
        ...members,
      });
    }
    return this;
  }

  /** The next event gets a number this much higher than the one after the last. */
  skip(events: number): this {
    this.#sequence += events;
    return this;
  }

  heartbeat(seconds: number): this {
    return this.line({ heartbeat: time(seconds), lastSeq: this.#sequence });
  }

  snapshot(lastSeq: number, ...parties: readonly (readonly [seconds: number, id: string, members: Line])[]): this {
    this.line({ snapshot: "begin" });
    for (const [seconds, id, members] of parties) {
      this.line({ id, snapshot: true, time: time(seconds), ConnID: "01", CallUUID: "C1", ...members });
    }
    this.#sequence = lastSeq;
    return this.line({ snapshot: "end", lastSeq });
  }

  line(members: Line | string): this {
    this.#arrivalNumber += 1;
    const text = typeof members === "string" ? members : JSON.stringify(members);
    return this.#step(
      encodeEnvelope({
        kind: "frame",
        session: this.#session as SessionId,
        arrivedAt: arrivalInstant(this.#now),
        arrivalNumber: this.#arrivalNumber,
        isCut: false,
        frame: new TextEncoder().encode(text),
      }),
    );
  }

  get session(): number {
    return this.#session;
  }

  /** The rows of a table as they stand: the last one written for each key. */
  rows<T extends TableName>(table: T, key: keyof RowOf<T>): RowOf<T>[] {
    const byKey = new Map<unknown, RowOf<T>>();
    for (const written of this.world.written) {
      if (written.table === table) byKey.set((written.row as RowOf<T>)[key], written.row as RowOf<T>);
    }
    return [...byKey.values()];
  }

  /** Each party's stay as "DN: state from, state from … | end", in the order in which they began. */
  parties(): string[] {
    const history = this.rows("G_PARTY_HISTORY", "PHID");
    return this.rows("G_PARTY", "ID").map((party) => {
      const states = history
        .filter((row) => row.PARTYID === party.PARTYID && row.STATE !== 1)
        .map((row) => `${stateWords[row.STATE ?? 0]} ${secondsOf(row.ADDED)}`);
      const end = party.TERMINATED == null ? "…" : secondsOf(party.TERMINATED);
      return `${party.ENDPOINTDN}: ${states.join(", ")} | ${end}`;
    });
  }

  doubts(): string[] {
    return this.rows("ICON_ROW_QUALITY", "ID").map(
      (row) => `${row.TABLE_NAME}: ${row.REASON}, ${row.CAUSE}, ${secondsOf(row.EARLIEST)}–${secondsOf(row.LATEST)}`,
    );
  }

  expectParties(...stays: readonly string[]): this {
    expect(this.parties()).toEqual([...stays]);
    return this;
  }

  #step(payload: Uint8Array): this {
    this.#position += 1n;
    this.payloads.push(payload);
    stepRecord(this.world, settings, this.#position, payload);
    return this;
  }
}

const stateWords = ["", "null", "alerting", "connected", "hold", "queued", "dialing"];

function time(seconds: number): number {
  return (startMs + seconds * 1000) / 1000;
}

function secondsOf(timestamp: string | null | undefined): string {
  return timestamp == null ? "?" : String((Date.parse(timestamp) - startMs) / 1000);
}
