// Data source sessions: per stay connected to a source one row of G_DSS_GCC_PROVIDER, G_DSS_GLS_PROVIDER and
// G_DSS_GUD_PROVIDER, each with its role alone, and of ICON_DSS for what those have no columns for; from the marks that the
// sessions themselves put into the persistent queue.

import { connectionTypes, providerTags } from "../../schema/dictionary.ts";
import { type Provider, providers, providerTables } from "../../schema/session.ts";
import type { MarkEnvelope, SessionEndCause, SessionId } from "../event/envelope.ts";
import type { QualityCause } from "../event/happening.ts";
import { arrivalInstant, type SourceInstant, sourceInstant, timestampText, utcSeconds } from "../event/instant.ts";
import { breakCoverage, coverSession, ledgerRun } from "./coverage.ts";
import type { SourceState } from "./source.ts";
import type { World } from "./world.ts";

export interface SessionState {
  readonly session: SessionId;
  /** Whose rows the session has: of every role that was on while it went on. */
  readonly providers: readonly Provider[];
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
  // An earlier version may have opened the session: it did not remember what follows.
  readonly address?: string;
  readonly serverName?: string | null;
  readonly run?: string | null;
  /** When the server lost its CTI link, by our clock: what came afterwards was not of the switch. */
  readonly switchLostAt?: number;
  /** The source's clock against ours: as first measured in this session, and as last. */
  readonly clocks?: { readonly first: ClockDifference; readonly last: ClockDifference };
}

/** Source minus ours; the true value is within the uncertainty. */
export interface ClockDifference {
  readonly differenceMs: number;
  readonly uncertaintyMs: number;
}

/** How a session ended. `endedAt` is by our clock. */
export interface SessionEnding {
  readonly endedAt: number;
  readonly cause: SessionEndCause;
  readonly detail: string | null;
}

/** An event whose data was stored, by both clocks. */
export interface StoredEvent {
  readonly arrivedAt: number;
  readonly at: SourceInstant;
  readonly sequence: number | null;
}

type Opened = Extract<MarkEnvelope["mark"], { mark: "session opened" }>;

/** Opens the session's row and returns what is remembered of the source from now on. */
export function openSession(
  world: World,
  source: SourceState,
  position: bigint,
  envelope: MarkEnvelope,
  mark: Opened,
): SourceState {
  const isNewRun = source.run !== null && (mark.run !== source.run || mark.dbid !== source.lastDbid);
  const state: SessionState = {
    session: envelope.session,
    providers: providersOf(source),
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
    address: mark.address,
    serverName: mark.serverName,
    run: mark.run,
  };
  world.put("session", String(state.session), state);
  coverSession(world, source, position, { isNewRun, isSameConnection: mark.isSwitchReconnection === true });
  if (mark.run === null) breakCoverage(world, source, position, "session ended");
  const next: SourceState = {
    ...source,
    instance: { ...source.instance, sessions: source.instance.sessions + 1 },
    run: mark.run,
    appliedSequence: isNewRun ? null : source.appliedSequence,
    heardUntil: source.clock,
    missedBecause: isNewRun && source.lastDbid === mark.dbid ? "source restart" : source.missedBecause,
    openSession: state.session,
    lastDbid: mark.dbid,
    lastAddress: mark.address,
    snapshotLines: null,
    isSnapshotDamaged: false,
    newestWindow: isNewRun ? null : source.newestWindow,
    wholeUntil: isNewRun ? null : (source.wholeUntil ?? null),
  };
  world.put("source", source.identity.name, next);
  return next;
}

function providersOf({ writesCalls, writesAgents, writesUserData }: SourceState): readonly Provider[] {
  const isOn: Readonly<Record<Provider, boolean>> = { gcc: writesCalls, gls: writesAgents, gud: writesUserData };
  return providers.filter((provider) => isOn[provider]);
}

/** Roles changed while a session goes on: it has rows of all that it was ever recorded for. */
export function addProviders(world: World, source: SourceState): void {
  const session = source.openSession === null ? undefined : world.get("session", String(source.openSession));
  if (session === undefined) return;
  const all = new Set([...session.providers, ...providersOf(source)]);
  if (all.size > session.providers.length)
    world.put("session", String(session.session), { ...session, providers: [...all] });
}

function connectionType(source: SourceState, mark: Opened, isNewRun: boolean): number {
  if (mark.isSwitchReconnection) return connectionTypes.switchReconnect;
  if (source.instance.sessions === 0) return connectionTypes.first;
  if (isOtherServer(source, mark)) return connectionTypes.switchover;
  return isNewRun ? connectionTypes.sourceRestart : connectionTypes.reconnect;
}

/** Servers of a pair have DBIDs of their own. One that names no run names no DBID either: then its address must do. */
function isOtherServer(source: SourceState, mark: Opened): boolean {
  if (source.lastDbid !== mark.dbid) return true;
  return mark.run === null && source.lastAddress !== undefined && source.lastAddress !== mark.address;
}

/** Closes the session's rows. */
export function closeSession(
  world: World,
  session: SessionState,
  ending: SessionEnding,
  missedBecause: QualityCause,
): void {
  writeRows(world, session, ending);
  world.remove("session", String(session.session));
  const source = world.get("source", session.source);
  if (source === undefined) return;
  dropSnapshot(world, source, session.session);
  world.put("source", session.source, { ...source, openSession: null, snapshotLines: null, missedBecause });
}

/** The server lost its CTI link: what the rows vouch for ends here, though the connection may go on. */
export function loseSwitch(world: World, session: SessionState, at: number): void {
  if (session.switchLostAt !== undefined) return;
  world.put("session", String(session.session), { ...session, switchLostAt: at });
}

/** The source's clock was compared with ours. */
export function measureClock(world: World, session: SessionState, difference: ClockDifference): void {
  const clocks = { first: session.clocks?.first ?? difference, last: difference };
  world.put("session", String(session.session), { ...session, clocks });
}

/** A snapshot cut short is discarded. */
export function dropSnapshot(world: World, source: SourceState, session: SessionId): void {
  for (let line = 0; line < (source.snapshotLines ?? 0); line++) world.remove("snapshot item", `${session}/${line}`);
}

/** A frame arrived on this session. */
export function hearSession(world: World, session: SessionState, arrivedAt: number): void {
  world.put("session", String(session.session), { ...session, heardAt: arrivedAt, frames: session.frames + 1 });
}

/** Writes the rows of an open session as they stand. */
export function rewriteSession(world: World, session: SessionState): void {
  writeRows(world, session, null);
}

/** An event's data is stored: FEVENT_* once, LEVENT_* each time. */
export function storeEvent(world: World, session: SessionState, event: StoredEvent): void {
  world.put("session", String(session.session), { ...session, first: session.first ?? event, last: event });
}

function writeRows(world: World, state: SessionState, ending: SessionEnding | null): void {
  writeSessionRow(world, state, ending);
  writeSyncRow(world, state);
  const end = ending && causeOf(state, ending);
  world.write("ICON_DSS", {
    DSS_ID: state.session,
    ICON_DBID: state.iconDbid,
    SOURCE: state.source,
    ADDRESS: state.address ?? null,
    SERVER: state.serverName ?? null,
    RUN: runText(state.run, state.dbid),
    END_CAUSE: end?.cause ?? null,
    END_DETAIL: end?.detail ?? null,
    CLOCK_DIFFERENCE_MS: state.clocks?.last.differenceMs ?? null,
    CLOCK_UNCERTAINTY_MS: state.clocks?.last.uncertaintyMs ?? null,
    HEARD_UNTIL: timestampText(arrivalInstant(state.heardAt)),
    IS_END_SEEN: ending && (ending.cause === "our crash" ? 0 : 1),
  });
}

/** G_SYNC_CONTROL: the last event stored of the session's cluster, for each provider class that it is recorded for. */
function writeSyncRow(world: World, state: SessionState): void {
  const { iconDbid, dbid, primaryDbid, run, last, session } = state;
  if (last === null) return;
  const seconds = utcSeconds(last.at);
  for (const provider of state.providers) {
    world.write("G_SYNC_CONTROL", {
      DOMAINID: 0,
      PRIMARYID: iconDbid,
      PROVIDERTAG: providerTags[provider],
      CLUSTERID: primaryDbid,
      PROVIDERID: dbid,
      EVENTTIMESEC: seconds,
      EVENTTIMEUSEC: Math.floor(last.at) - seconds * 1000,
      SESSIONID: runText(run, dbid),
      EVENTID: last.sequence === null ? null : String(last.sequence),
      GSYS_DOMAIN: session,
    });
  }
}

function runText(run: string | null | undefined, dbid: number): string | null {
  return run == null ? null : ledgerRun({ run, lastDbid: dbid });
}

/** A session that ended while the CTI link was down had ended before. */
function causeOf({ switchLostAt }: SessionState, { cause, detail }: SessionEnding): Omit<SessionEnding, "endedAt"> {
  if (switchLostAt === undefined || cause === "CTI link down") return { cause, detail };
  return { cause: "CTI link down", detail: `then ${cause}${detail === null ? "" : `: ${detail}`}` };
}

/**
 * When the session opened, by the source's clock. The link gives no time at its opening: until the clocks were compared,
 * or when they are not further apart than the comparison can tell, it is our clock's [S: "ICON clock if not available"].
 */
function openedAtBySource({ openedAt, clocks }: SessionState): SourceInstant {
  const { differenceMs, uncertaintyMs } = clocks?.first ?? { differenceMs: 0, uncertaintyMs: 0 };
  return sourceInstant(openedAt + (Math.abs(differenceMs) > uncertaintyMs ? differenceMs : 0));
}

function writeSessionRow(world: World, state: SessionState, ending: SessionEnding | null): void {
  const openedAtSource = openedAtBySource(state);
  const ours = (ms: number | null) => (ms === null ? null : timestampText(arrivalInstant(ms)));
  const { first, last } = state;
  const row = {
    DSS_ID: state.session,
    ICON_DBID: state.iconDbid,
    DS_DBID: state.dbid,
    DS_DBID_PRIM: state.primaryDbid,
    DS2_DBID: state.switchDbid,
    DS_TYPE: state.dsType,
    ICON_STIME: ours(state.iconStartedAt),
    DSCONN_STIME: ours(state.openedAt),
    DSCONN_SDSTIME: timestampText(openedAtSource),
    DSCONN_SDSTS: utcSeconds(openedAtSource),
    DSCONN_TYPE: state.connectionType,
    ICON_ETIME: ours(ending?.cause === "our stop" ? ending.endedAt : null),
    DSCONN_ETIME: ours(state.switchLostAt ?? ending?.endedAt ?? null),
    FEVENT_ITIME: ours(first?.arrivedAt ?? null),
    FEVENT_DSTIME: first && timestampText(first.at),
    FEVENT_DSSEQ: first?.sequence == null ? null : String(first.sequence),
    FEVENT_DSTS: first && utcSeconds(first.at),
    LEVENT_ITIME: ours(last?.arrivedAt ?? null),
    LEVENT_DSTIME: last && timestampText(last.at),
    LEVENT_DSSEQ: last?.sequence == null ? null : String(last.sequence),
    LEVENT_DSTS: last && utcSeconds(last.at),
  };
  for (const provider of state.providers) world.write(providerTables[provider], row);
}
