// What the pure machines see of the world: the live state of what is still open, and a place for the rows they write.
// The shell (projector.ts) supplies it, makes each record's step all-or-nothing, and commits. Nothing here has a clock:
// time comes in the envelope and the event.

import type { RowOf, TableName } from "../../schema/tables.ts";
import type { ColumnTable } from "../event/attached-data.ts";
import type { CallId } from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import type { AmiAgents, AmiMember } from "./ami-agent.ts";
import type { AmiCallState, AmiSourceState } from "./ami-state.ts";
import type { Call } from "./call.ts";
import type { CallData } from "./call-data.ts";
import type { ClosedAgent } from "./closed-agent.ts";
import type { ConfigurationInForce } from "./configuration.ts";
import type { Coverage, Span } from "./coverage.ts";
import type { OpenStates } from "./custom-state.ts";
import type { InterSiteLink, LinkedCall } from "./inter-site.ts";
import type { LoginSession } from "./login-session.ts";
import type { SessionState } from "./session.ts";
import type { SourceState } from "./source.ts";
import type { SnapshotItem } from "./tevent-snapshot.ts";
import type { DeviceCalls } from "./user-event.ts";
import type { CallStays } from "./virtual-queue.ts";
import type { WindowState } from "./window.ts";

/** Live state by kind; each value is plain JSON and replaced, never edited. */
export interface Entities {
  /** key: source name */
  source: SourceState;
  /** key: session id; open sessions only */
  session: SessionState;
  /** key: CALLID; from creation until the ending is written */
  call: Call;
  /** key: source and CALLID; see virtual-queue.ts */
  "virtual queue": CallStays;
  /** key: CALLID; what is attached to it, as far as it is stored; from its first pair until the ending is written */
  "call data": CallData;
  /** key: source and DN; the calls that had events there, while user events are stored */
  "device calls": DeviceCalls;
  /** key: source and DN; states of the site's own that are open there */
  "custom states": OpenStates;
  /** key: LINKID; until all that it ties together is settled; see inter-site-join.ts */
  "inter-site link": InterSiteLink;
  /** key: CALLID; a call that has such links, as long as they are remembered */
  "linked call": LinkedCall;
  /** key: "in force" */
  configuration: ConfigurationInForce;
  /** key: source, run and ConnID of a call whose key comes from an earlier run */
  "call alias": { readonly callId: CallId };
  /** key: source, and the agent's login id or else the DN; from the first login to the last logout */
  "login session": LoginSession;
  /** key: source and DN; where somebody is logged in */
  "agent dn": { readonly session: string };
  /** key: source and DN; whose login session ended at a bound */
  "closed agent": ClosedAgent;
  /** key: session id and running number; between a snapshot's begin and end */
  "snapshot item": SnapshotItem;
  /** key: source name; what Asterisk told us outside of calls */
  "ami source": AmiSourceState;
  /** key: Linkedid; an Asterisk call's channels and queue stays */
  "ami call": AmiCallState;
  /** key: source, queue and interface; the members of Asterisk's queues */
  "ami member": AmiMember;
  /** key: source name; what is remembered of its members together */
  "ami agents": AmiAgents;
  /** key: cluster, run, switch and window start; windows not yet left behind */
  window: WindowState;
  /** key: source name; the stretch of its time that is vouched for and goes on */
  span: Span;
  /** key: source name; what is remembered of its spans */
  coverage: Coverage;
}

/** Rows of a call that had ended were written again: whoever follows has to read it once more. */
export interface LateChange {
  readonly callId: CallId;
  readonly cluster: number;
  readonly switchDbid: number;
  /** Queue position of the change. */
  readonly version: number;
}

/** Tables of what is active now, what the configuration lists, and those with a row of attached data that changes until its call ends. */
export type ErasedTable =
  | "G_CALL_ACTIVE"
  | "G_IR_ACTIVE"
  | "G_AGENT_STATE_RC_A"
  | "GSYS_DNPREMOTELOCATION"
  | ColumnTable;

export type EntityKind = keyof Entities;

/** Raised whenever the JSON of an entity changes shape; a restart with another version rebuilds (or later: migrates). */
export const liveStateVersion = 4;

export interface World {
  get<K extends EntityKind>(kind: K, key: string): Entities[K] | undefined;
  put<K extends EntityKind>(kind: K, key: string, entity: Entities[K]): void;
  remove(kind: EntityKind, key: string): void;
  /** A copy, in the order of the keys, so that the same queue gives the same rows and a machine may change what it goes through. */
  all<K extends EntityKind>(kind: K): readonly (readonly [key: string, entity: Entities[K]])[];
  /** What was put since the last batch was taken, and is still there. */
  changed<K extends EntityKind>(kind: K): readonly (readonly [key: string, entity: Entities[K]])[];
  count(kind: EntityKind): number;
  /** The call of this source that has this ConnID; of several, which only servers without CallUUID have, the newest. */
  callByConnId(source: string, connId: string): Call | undefined;
  /** The open calls of this source on which this DN is, in the order of their CALLIDs. */
  callsOfDn(source: string, dn: string): readonly Call[];
  /** The next value of the sequence behind row ids, GSYS_SEQ and GSYS_USEQ: rises by one. */
  nextRowId(): number;
  /** Writes one whole row of a table, new or changed; the last one written for a key stands. */
  write<T extends TableName>(table: T, row: RowOf<T>): void;
  /** A row refers to this step of G_TIMECODE: it has to be there. */
  refer(timecode: number): void;
  /** Deletes a row by its ID. */
  erase(table: ErasedTable, id: number): void;
  /** The window of the call's end counts as changed (late-change.ts). Of several for one call the last stands. */
  noteLateChange(change: LateChange): void;
  /** Looks at this call again once the source's clock has reached `at`; scheduling again does not undo an earlier one. */
  schedule(source: string, at: SourceInstant, callId: string): void;
  /**
   * Takes the calls whose time has come at `now`, the earliest first; the caller looks whether they are still due. Login
   * sessions have reminders too, by their keys and under a name of their own (agent-bounds.ts).
   */
  takeDue(source: string, now: SourceInstant): readonly string[];
}
