// One record of the persistent queue, taken into the live state and the rows. Pure: the same records give the same rows.

import { providerTags } from "../../schema/dictionary.ts";
import { purgeDetail, purgeKind } from "../../schema/purge-mark.ts";
import {
  decodeEnvelope,
  type Envelope,
  EnvelopeError,
  type FrameEnvelope,
  type MarkEnvelope,
  type ProjectionConfiguration,
} from "../event/envelope.ts";
import type { QualityCause } from "../event/happening.ts";
import { arrivalInstant, sourceInstant, timestampText } from "../event/instant.ts";
import { rewriteLoginSession } from "./agent.ts";
import { stepCallAndAgents } from "./agent-calls.ts";
import { stepAmiMark } from "./ami.ts";
import { stepAmiAgentsMark } from "./ami-agent.ts";
import { stepAmiFrame } from "./ami-frame.ts";
import { rewriteCall } from "./call.ts";
import { noteClockDifference, noteHostClockStep } from "./clocks.ts";
import { breakCoverage, coverFromHere, loseLink } from "./coverage.ts";
import { rewriteStates } from "./custom-state.ts";
import { forgetPurgedLinks, rewriteLinks } from "./inter-site-join.ts";
import { writeMark } from "./mark.ts";
import { configurationFor, putInForce, writeConfiguration, writeRemoteLocations } from "./put-in-force.ts";
import {
  closeSession,
  hearSession,
  loseSwitch,
  openSession,
  rewriteSession,
  type SessionEnding,
  type SessionState,
} from "./session.ts";
import { type SourceState, stepContext, updateSource } from "./source.ts";
import { passOverLine, stepTevent, switchLink } from "./tevent.ts";
import { rewriteStays } from "./virtual-queue.ts";
import { enterWindow, faultKeptWindows } from "./window.ts";
import type { World } from "./world.ts";

/** What holds for a whole IDB, chosen when it is made. */
export interface ProjectionSettings {
  /** Length of a window of the ledger, seconds. */
  readonly windowSeconds: number;
  /** Records are mapped with this configuration, whatever the marks say; null: with the one in force at the time. */
  readonly configuration?: ProjectionConfiguration | null;
}

/** Takes one record's payload in. Throws only if a machine has a bug; then nothing of the record may be kept. */
export function stepRecord(world: World, settings: ProjectionSettings, position: bigint, payload: Uint8Array): void {
  let envelope: Envelope;
  try {
    envelope = decodeEnvelope(payload);
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error;
    writeUndecoded(
      world,
      position,
      { session: null, source: null, arrivedAt: 0, frame: payload, isCut: false },
      error.message,
    );
    return;
  }
  if (envelope.kind === "frame") stepFrame(world, settings, position, envelope);
  else stepMark(world, settings, position, envelope);
}

/** Keeps a record whose projection failed; its window says so, everything else goes on. */
export function passOver(
  world: World,
  settings: ProjectionSettings,
  position: bigint,
  payload: Uint8Array,
  reason: string,
): void {
  let envelope: Envelope | null;
  try {
    envelope = decodeEnvelope(payload);
  } catch {
    envelope = null;
  }
  const session = envelope === null ? undefined : world.get("session", String(envelope.session));
  const source = session && world.get("source", session.source);
  if (source !== undefined && envelope !== null) {
    const context = stepContext(world, source, envelope.session, position);
    enterWindow(world, context, settings.windowSeconds, source.clock ?? sourceInstant(envelope.arrivedAt), {
      fault: "projection failed",
    });
    context.count("projection failed");
    breakCoverage(world, source, position, "projection failed");
    if (source.identity.kind === "tevent" && envelope.kind === "frame") {
      passOverLine(world, context, settings.windowSeconds, envelope);
    }
  }
  const frame = envelope?.kind === "frame" ? envelope.frame : payload;
  const isCut = envelope?.kind === "frame" && envelope.isCut;
  writeUndecoded(
    world,
    position,
    { session: envelope?.session ?? null, source: source ?? null, arrivedAt: envelope?.arrivedAt ?? 0, frame, isCut },
    reason,
  );
}

/** Records `from` to `to` can no longer be read: every source that was listening may have lost something. */
export function stepDamage(world: World, settings: ProjectionSettings, from: bigint, to: bigint, reason: string): void {
  for (const [name, source] of world.all("source")) {
    // A session of any of them may have been opened there.
    breakCoverage(world, source, to, "damaged record");
    if (source.openSession === null) continue;
    const context = stepContext(world, source, source.openSession, from);
    const openedAt = world.get("session", String(source.openSession))?.openedAt ?? 0;
    const since = source.clock ?? sourceInstant(openedAt);
    enterWindow(world, context, settings.windowSeconds, since, { fault: "damaged record" });
    updateSource(world, name, { damagedSince: source.damagedSince ?? since });
    const arrivedAt = since - source.clockDifferenceMs;
    writeMark(world, context, arrivedAt, "damaged record", `records ${from} to ${to}: ${reason}`);
    context.count("damaged record");
  }
}

/** The persistent queue is not the one that the IDB followed, or lacks a part of it: nothing about that time is guessed. */
export function stepQueueLost(world: World, settings: ProjectionSettings, position: bigint, detail: string): void {
  for (const [name, source] of world.all("source")) {
    breakCoverage(world, source, position, "queue lost");
    if (source.clock !== null) {
      const context = stepContext(world, source, source.openSession ?? (0 as never), position);
      enterWindow(world, context, settings.windowSeconds, source.clock, { fault: "queue lost" });
      writeMark(world, context, source.clock - source.clockDifferenceMs, "queue lost", detail);
    }
    const open = source.openSession === null ? undefined : world.get("session", String(source.openSession));
    if (open !== undefined)
      endSession(world, open, position, { endedAt: open.heardAt, cause: "our crash", detail: "persistent queue lost" });
    const now = world.get("source", name);
    if (now !== undefined) world.put("source", name, { ...now, missedBecause: "queue lost" });
  }
}

/** The oldest record kept is not the first there was: what was open before it is known from its segment's head alone. */
export function stepHistoryTrimmed(world: World, position: bigint): void {
  for (const [name, source] of world.all("source")) {
    breakCoverage(world, source, position, "history not kept");
    world.put("source", name, { ...source, missedBecause: "history not kept" });
    const detail = `records before position ${position} are no longer in the persistent queue`;
    writeMark(world, { position, source }, source.instance.startedAt, "history not kept", detail);
  }
}

/**
 * The live state of a segment's beginning was put into an IDB without rows: the rows of what is open then are written,
 * and what says that their past is not here.
 */
export function stepBegunFromState(world: World, settings: ProjectionSettings, position: bigint): void {
  for (const [, session] of world.all("session")) rewriteSession(world, session);
  writeRemoteLocations(world, 0);
  for (const [, source] of world.all("source")) {
    const now = source.clock ?? sourceInstant(source.instance.startedAt);
    const detail = `records before position ${position} are no longer in the persistent queue; what was open then is known`;
    writeMark(world, { position, source }, now - source.clockDifferenceMs, "history not kept", detail);
    const context = stepContext(world, source, source.openSession ?? (0 as never), position);
    coverFromHere(world, source, position);
    faultKeptWindows(world, source, position, "history not kept");
    if (source.clock !== null) {
      enterWindow(world, context, settings.windowSeconds, source.clock, { fault: "history not kept" });
    }
    for (const [, call] of world.all("call")) {
      if (call.source === source.identity.name) rewriteCall(world, context, call, now);
    }
    for (const [, session] of world.all("login session")) {
      if (session.source === source.identity.name) rewriteLoginSession(world, context, session, now);
    }
    rewriteStays(world, context);
    rewriteLinks(world, context);
    rewriteStates(world, context);
  }
}

/** Maps with this configuration from here on, whatever was in force when the live state came to be. */
export function obeyConfiguration(world: World, configuration: ProjectionConfiguration): void {
  const sources = world.all("source").map(([, { identity, options }]) => ({ ...identity, options }));
  const given = configurationFor(configuration, { ...configuration, sources });
  for (const each of given.sources) {
    const known = world.get("source", each.name);
    if (known !== undefined) putInForce(world, 0n, { ...given, sources: [each] }, () => known.instance);
  }
}

/** G_PROV_CONTROL: how far the sequence behind GSYS_SEQ and GSYS_USEQ has come; one row per instance and provider. */
export function writeSequenceCounter(world: World, sequence: number): void {
  const [first] = world.all("source");
  if (first === undefined) return;
  const [, source] = first;
  world.write("G_PROV_CONTROL", {
    DOMAINID: 0,
    PRIMARYID: source.instance.dbid,
    PROVIDERTAG: providerTags.gcc,
    SEQCOUNTER: sequence,
    SEQCURRENT: sequence,
  });
}

function stepFrame(world: World, settings: ProjectionSettings, position: bigint, envelope: FrameEnvelope): void {
  const session = world.get("session", String(envelope.session));
  const source = session && world.get("source", session.source);
  if (session === undefined || source === undefined) {
    const about = { session: envelope.session, source: null, arrivedAt: envelope.arrivedAt, ...frameOf(envelope) };
    writeUndecoded(world, position, about, "frame of a data source session that is not known here");
    return;
  }
  hearSession(world, session, envelope.arrivedAt);
  const context = stepContext(world, source, envelope.session, position);
  const problem =
    source.identity.kind === "tevent"
      ? stepTevent(world, context, settings.windowSeconds, envelope)
      : stepAmiFrame(world, context, settings.windowSeconds, envelope);
  if (problem !== null) {
    context.count("undecodable frame");
    const about = { session: envelope.session, source, arrivedAt: envelope.arrivedAt, ...frameOf(envelope) };
    writeUndecoded(world, position, about, problem);
  }
}

function frameOf(envelope: FrameEnvelope) {
  return { frame: envelope.frame, isCut: envelope.isCut };
}

function stepMark(world: World, settings: ProjectionSettings, position: bigint, envelope: MarkEnvelope): void {
  const { mark, arrivedAt } = envelope;
  switch (mark.mark) {
    case "instance started":
      return startInstance(world, settings, position, envelope, mark);
    case "configuration in force":
      return reconfigure(world, settings, position, envelope, mark);
    case "instance stopped":
    case "idb back":
      return writeMark(world, { position, source: null }, arrivedAt, mark.mark, null);
    case "idb lost":
      return writeMark(world, { position, source: null }, arrivedAt, mark.mark, mark.detail);
    case "history trimmed early": {
      const { firstPosition, lastPosition, lastAt } = mark;
      const until = timestampText(arrivalInstant(lastAt));
      const detail = `records ${firstPosition} to ${lastPosition}, written until ${until}, were deleted before their retention was over: the disk was full; an IDB made anew knows what comes after them`;
      return writeMark(world, { position, source: null }, arrivedAt, mark.mark, detail);
    }
    case "purge": {
      // The row is all that is written: it says which rows go, and they go behind the projection (idb/purge-subjects.ts).
      forgetPurgedLinks(world, mark.before);
      const by = `by ${mark.by}${mark.isUnconfirmed ? ", whatever other copies have" : ""}`;
      return writeMark(world, { position, source: null }, arrivedAt, purgeKind, purgeDetail(mark.before, by));
    }
    case "session opened": {
      const source = world.get("source", mark.source);
      if (source === undefined) return;
      const next = openSession(world, source, position, envelope, mark);
      writeMark(world, { position, source: next }, arrivedAt, mark.mark, null);
      stepSourceMark(world, next, position, envelope);
      return;
    }
    case "session closed": {
      const session = world.get("session", String(envelope.session));
      if (session === undefined) return;
      const source = world.get("source", session.source);
      if (source !== undefined) stepSourceMark(world, source, position, envelope);
      endSession(world, session, position, { endedAt: arrivedAt, cause: mark.cause, detail: mark.detail });
      writeMark(world, { position, source: source ?? null }, arrivedAt, mark.mark, mark.cause);
      return;
    }
    case "switch disconnected": {
      const session = world.get("session", String(envelope.session));
      if (session === undefined) return;
      loseSwitch(world, session, arrivedAt);
      const source = world.get("source", session.source);
      if (source === undefined) return;
      loseLink(world, stepContext(world, source, envelope.session, position), switchLink, "cti link down");
      return;
    }
    case "list requested": {
      const source = world.get("source", mark.source);
      if (source !== undefined) stepSourceMark(world, source, position, envelope);
      return;
    }
    case "clock difference":
      return noteClockDifference(world, settings.windowSeconds, position, envelope, mark);
    case "no primary":
    case "two primaries": {
      const source = world.get("source", mark.source) ?? null;
      return writeMark(world, { position, source }, arrivedAt, mark.mark, mark.detail);
    }
    case "host clock stepped":
      return noteHostClockStep(world, settings.windowSeconds, position, arrivedAt, mark.stepMs);
  }
}

type Started = Extract<MarkEnvelope["mark"], { mark: "instance started" }>;

function startInstance(
  world: World,
  settings: ProjectionSettings,
  position: bigint,
  envelope: MarkEnvelope,
  mark: Started,
): void {
  // What is still open was left so by a crash: it was good up to the last arrival, and nothing is known after it.
  for (const [, session] of world.all("session")) {
    endSession(world, session, position, { endedAt: session.heardAt, cause: "our crash", detail: null });
    const source = world.get("source", session.source) ?? null;
    writeMark(world, { position, source }, envelope.arrivedAt, "session closed", "our crash");
  }
  const instance = { dbid: mark.instance.dbid, startedAt: envelope.arrivedAt, sessions: 0 };
  putInForce(world, position, configurationFor(settings.configuration, mark), () => instance);
  writeConfiguration(world, position, envelope, mark, settings.configuration != null);
  const detail = `version ${mark.programVersion}, persistent queue ${mark.queueState}, configuration ${mark.configurationHash.slice(0, 12)}`;
  writeMark(world, { position, source: null }, envelope.arrivedAt, mark.mark, detail);
  if (mark.restoredFrom !== undefined) {
    const restored = `what queue ${mark.restoredFrom} had recorded after the backup is known only as far as sources send it again`;
    writeMark(world, { position, source: null }, envelope.arrivedAt, "restored from backup", restored);
  }
}

type Reloaded = Extract<MarkEnvelope["mark"], { mark: "configuration in force" }>;

function reconfigure(
  world: World,
  settings: ProjectionSettings,
  position: bigint,
  envelope: MarkEnvelope,
  mark: Reloaded,
): void {
  const fresh = { dbid: mark.instance.dbid, startedAt: mark.startedAt, sessions: 0 };
  putInForce(world, position, configurationFor(settings.configuration, mark), (known) => known?.instance ?? fresh);
  writeConfiguration(world, position, envelope, mark, settings.configuration != null);
  const detail = `version ${mark.programVersion}, configuration ${mark.configurationHash.slice(0, 12)}`;
  writeMark(world, { position, source: null }, envelope.arrivedAt, mark.mark, detail);
}

function endSession(world: World, session: SessionState, position: bigint, ending: SessionEnding): void {
  const { cause } = ending;
  const source = world.get("source", session.source);
  // Where numbers do not tell what was missed meanwhile, nobody does.
  if (source !== undefined && session.run == null) breakCoverage(world, source, position, "session ended");
  // A lost queue stays the reason until a snapshot has put things right.
  const missedBecause: QualityCause =
    source?.missedBecause === "queue lost"
      ? "queue lost"
      : cause === "our stop" || cause === "our crash"
        ? "instance down"
        : "link down";
  closeSession(world, session, ending, missedBecause);
}

function stepSourceMark(world: World, source: SourceState, position: bigint, envelope: MarkEnvelope): void {
  if (source.identity.kind !== "ami") return;
  const context = stepContext(world, source, envelope.session, position);
  const ami = {
    source: source.identity.name,
    session: envelope.session,
    options: source.options,
    arrivedAt: envelope.arrivedAt,
  };
  if (source.writesAgents) stepAmiAgentsMark(world, context, envelope.mark);
  for (const happening of stepAmiMark(world, ami, envelope.mark)) stepCallAndAgents(world, context, happening);
}

function writeUndecoded(
  world: World,
  position: bigint,
  about: {
    readonly session: number | null;
    readonly source: SourceState | null;
    readonly arrivedAt: number;
    readonly frame: Uint8Array;
    readonly isCut: boolean;
  },
  reason: string,
): void {
  world.write("ICON_UNDECODED", {
    ID: world.nextRowId(),
    POSITION: Number(position),
    GSYS_DOMAIN: about.session,
    SOURCE: about.source?.identity.name ?? null,
    ARRIVED: timestampText(arrivalInstant(about.arrivedAt)),
    REASON: reason,
    FRAME: about.frame.slice(), // the record's memory is used again by the next read
    IS_CUT: about.isCut ? 1 : 0,
  });
}
