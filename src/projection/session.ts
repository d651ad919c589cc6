// Data source sessions: one row of G_DSS_GCC_PROVIDER per stay connected to a source, from the marks that the sessions
// themselves put into the persistent queue.

import type { MarkEnvelope, SessionId } from "../event/envelope.ts";
import type { QualityCause } from "../event/happening.ts";
import { arrivalInstant, type SourceInstant, timestampText, utcSeconds } from "../event/instant.ts";
import type { SourceState } from "./source.ts";
import type { World } from "./world.ts";

/** DSCONN_TYPE [S: data-source-sessions]; 4 (switch reconnection) is not told apart yet. */
export const connectionTypes = {
  first: 1,
  reconnect: 2,
  sourceRestarted: 3,
  switchReconnected: 4,
  switchover: 5,
} as const;

export interface SessionState {
  readonly session: SessionId;
  readonly source: string;
  readonly iconDbid: number;
  readonly iconStartedAt: number;
  readonly dbid: number;
  readonly primaryDbid: number;
  readonly switchDbid: number;
  readonly dsType: number;
  readonly connectionType: number;
  readonly openedAt: number;
  /** The last arrival on this session, by our clock: after a crash, the last instant known to be good. */
  readonly heardAt: number;
  /** Frames on this session so far. */
  readonly frames: number;
  readonly first: StoredEvent | null;
  readonly last: StoredEvent | null;
}

/** An event whose data was stored, by both clocks. */
export interface StoredEvent {
  readonly arrivedAt: number;
  readonly at: SourceInstant;
  readonly sequence: number | null;
}

type Opened = Extract<MarkEnvelope["mark"], { mark: "session opened" }>;

/** Opens the session's row and returns what is remembered of the source from now on. */
export function openSession(world: World, source: SourceState, envelope: MarkEnvelope, mark: Opened): SourceState {
  const isNewRun = source.run !== null && (mark.run !== source.run || mark.dbid !== source.lastDbid);
  const state: SessionState = {
    session: envelope.session,
    source: source.identity.name,
    iconDbid: source.instance.dbid,
    iconStartedAt: source.instance.startedAt,
    dbid: mark.dbid,
    primaryDbid: mark.primaryDbid,
    switchDbid: mark.switchDbid,
    dsType: mark.dsType,
    connectionType: connectionType(source, mark, isNewRun),
    openedAt: envelope.arrivedAt,
    heardAt: envelope.arrivedAt,
    frames: 0,
    first: null,
    last: null,
  };
  world.put("session", String(state.session), state);
  writeSessionRow(world, state, null, null);
  const next: SourceState = {
    ...source,
    instance: { ...source.instance, sessions: source.instance.sessions + 1 },
    run: mark.run,
    appliedSequence: isNewRun ? null : source.appliedSequence,
    heardUntil: source.clock,
    missedBecause: isNewRun && source.lastDbid === mark.dbid ? "source restart" : source.missedBecause,
    openSession: state.session,
    lastDbid: mark.dbid,
    snapshotLines: null,
    isSnapshotDamaged: false,
    newestWindow: isNewRun ? null : source.newestWindow,
  };
  world.put("source", source.identity.name, next);
  return next;
}

function connectionType(source: SourceState, mark: Opened, isNewRun: boolean): number {
  if (source.instance.sessions === 0) return connectionTypes.first;
  if (source.lastDbid !== mark.dbid) return connectionTypes.switchover;
  return isNewRun ? connectionTypes.sourceRestarted : connectionTypes.reconnect;
}

/** Closes the session's row. `endedAt` is by our clock; `isOurEnd`: the instance itself was shut down in order. */
export function closeSession(
  world: World,
  session: SessionState,
  end: { readonly endedAt: number; readonly isOurEnd: boolean; readonly missedBecause: QualityCause },
): void {
  writeSessionRow(world, session, end.endedAt, end.isOurEnd ? end.endedAt : null);
  world.remove("session", String(session.session));
  const source = world.get("source", session.source);
  if (source === undefined) return;
  dropSnapshot(world, source, session.session);
  world.put("source", session.source, {
    ...source,
    openSession: null,
    snapshotLines: null,
    missedBecause: end.missedBecause,
  });
}

/** A snapshot cut short is discarded. */
export function dropSnapshot(world: World, source: SourceState, session: SessionId): void {
  for (let line = 0; line < (source.snapshotLines ?? 0); line++) world.remove("snapshot item", `${session}/${line}`);
}

/** A frame arrived on this session. */
export function hearSession(world: World, session: SessionState, arrivedAt: number): void {
  world.put("session", String(session.session), { ...session, heardAt: arrivedAt, frames: session.frames + 1 });
}

/** Writes the row of an open session anew, in an IDB that has none of it. */
export function rewriteSession(world: World, session: SessionState): void {
  writeSessionRow(world, session, null, null);
}

/** An event's data is stored: FEVENT_* once, LEVENT_* each time. */
export function storeEvent(world: World, session: SessionState, event: StoredEvent): void {
  const next = { ...session, first: session.first ?? event, last: event };
  world.put("session", String(session.session), next);
  writeSessionRow(world, next, null, null);
}

function writeSessionRow(world: World, state: SessionState, endedAt: number | null, iconEndedAt: number | null): void {
  const ours = (ms: number | null) => (ms === null ? null : timestampText(arrivalInstant(ms)));
  const { first, last } = state;
  world.write("G_DSS_GCC_PROVIDER", {
    DSS_ID: state.session,
    ICON_DBID: state.iconDbid,
    DS_DBID: state.dbid,
    DS_DBID_PRIM: state.primaryDbid,
    DS2_DBID: state.switchDbid,
    DS_TYPE: state.dsType,
    ICON_STIME: ours(state.iconStartedAt),
    DSCONN_STIME: ours(state.openedAt),
    // The link gives no time at its opening, so this is our clock [S: "ICON clock if not available"].
    DSCONN_SDSTIME: ours(state.openedAt),
    DSCONN_SDSTS: utcSeconds(arrivalInstant(state.openedAt)),
    DSCONN_TYPE: state.connectionType,
    ICON_ETIME: ours(iconEndedAt),
    DSCONN_ETIME: ours(endedAt),
    FEVENT_ITIME: ours(first?.arrivedAt ?? null),
    FEVENT_DSTIME: first && timestampText(first.at),
    FEVENT_DSSEQ: first?.sequence == null ? null : String(first.sequence),
    FEVENT_DSTS: first && utcSeconds(first.at),
    LEVENT_ITIME: ours(last?.arrivedAt ?? null),
    LEVENT_DSTIME: last && timestampText(last.at),
    LEVENT_DSSEQ: last?.sequence == null ? null : String(last.sequence),
    LEVENT_DSTS: last && utcSeconds(last.at),
  });
}
