// A configuration is put in force: what is remembered of each source from then on, and what a role that was off until now
// begins with.

import type { MarkEnvelope, ProjectionConfiguration, SourceIdentity } from "../event/envelope.ts";
import { arrivalInstant, sourceInstant, timestampText } from "../event/instant.ts";
import { interSiteDefaults } from "../event/inter-site.ts";
import { configurationInForce, rememberConfiguration } from "./configuration.ts";
import { breakCoverage } from "./coverage.ts";
import { interSiteOptions } from "./inter-site.ts";
import { expectAnew, rescheduleLinks } from "./inter-site-join.ts";
import { beginRoles, endRoles, rolesOf } from "./role-change.ts";
import { addProviders } from "./session.ts";
import { remind } from "./session-bound.ts";
import { type SourceState, stepContext } from "./source.ts";
import type { World } from "./world.ts";

type InForce = Extract<MarkEnvelope["mark"], { mark: "instance started" | "configuration in force" }>;

/** What is in force from a mark on: the mark's own, or for a source that the given configuration names, the given one. */
export function configurationFor(
  configuration: ProjectionConfiguration | null | undefined,
  inForce: ProjectionConfiguration,
): ProjectionConfiguration {
  if (configuration == null) return inForce;
  const given = new Map(configuration.sources.map((source) => [source.name, source]));
  // A source that is configured no longer has nothing but its mark's word; one that came later has no records here.
  const sources = inForce.sources.map((source) => given.get(source.name) ?? source);
  return { ...configuration, sources };
}

export function putInForce(
  world: World,
  position: bigint,
  { role, sources, attachedData, userEvents, interSite = interSiteDefaults }: ProjectionConfiguration,
  instanceOf: (known: SourceState | undefined) => SourceState["instance"],
): void {
  const before = configurationInForce(world)?.interSite;
  const roles = rolesOf(role);
  endRoles(world, position, roles);
  rememberConfiguration(world, { role, attachedData: attachedData ?? null, userEvents: userEvents ?? null, interSite });
  writeRemoteLocations(world, before?.remoteLocations.length ?? 0);
  for (const { options, ...identity } of sources) {
    const known = world.get("source", identity.name);
    if (known !== undefined && !isSameSource(known.identity, identity)) {
      breakCoverage(world, known, position, "configuration changed");
    }
    const source: SourceState = {
      ...(known ?? newSource),
      identity,
      options,
      ...roles,
      instance: instanceOf(known),
    };
    world.put("source", identity.name, source);
    addProviders(world, source);
    if (known !== undefined) beginRoles(world, position, known, source);
    // A reminder of before may be too late for a shorter timeout; one that comes too early is put off when it comes.
    if (known !== undefined) rescheduleEndings(world, identity.name);
    if (known !== undefined)
      expectAnew(world, stepContext(world, source, source.openSession ?? (0 as never), position));
  }
}

/** GSYS_DNPREMOTELOCATION is what the configuration in force lists. `before`: so many rows there were. */
export function writeRemoteLocations(world: World, before: number): void {
  const { remoteLocations } = interSiteOptions(world);
  for (const [index, location] of remoteLocations.entries()) {
    world.write("GSYS_DNPREMOTELOCATION", { ID: index + 1, REMOTELOCATION: location });
  }
  for (let id = remoteLocations.length + 1; id <= before; id++) world.erase("GSYS_DNPREMOTELOCATION", id);
}

/** The ledger's rows name the source by these. */
function isSameSource(before: SourceIdentity, now: SourceIdentity): boolean {
  return before.kind === now.kind && before.primaryDbid === now.primaryDbid && before.switchDbid === now.switchDbid;
}

/** ICON_CONFIGURATION: from when on which configuration was in force. */
export function writeConfiguration(
  world: World,
  position: bigint,
  { arrivedAt }: MarkEnvelope,
  mark: InForce,
  isOverridden: boolean,
): void {
  world.write("ICON_CONFIGURATION", {
    ID: world.nextRowId(),
    POSITION: Number(position),
    ADDED: timestampText(arrivalInstant(arrivedAt)),
    CAUSE: mark.mark === "instance started" ? "start" : "reload",
    PROGRAM_VERSION: mark.programVersion,
    HASH: mark.configurationHash,
    CONFIGURATION: JSON.stringify({
      role: mark.role,
      sources: mark.sources,
      ...(mark.attachedData && { attachedData: mark.attachedData }),
      ...(mark.userEvents && { userEvents: mark.userEvents }),
      ...(mark.interSite && { interSite: mark.interSite }),
    }),
    IS_OVERRIDDEN: isOverridden ? 1 : 0,
  });
}

const newSource = {
  run: null,
  appliedSequence: null,
  clock: null,
  clockDifferenceMs: 0,
  heardUntil: null,
  missedBecause: "link down",
  openSession: null,
  lastDbid: null,
  snapshotLines: null,
  isSnapshotDamaged: false,
  newestWindow: null,
  sealDueAt: null,
  counters: {},
} as const;

/** After live state was read back, or a source's bounds were changed: what waits for its time is scheduled anew. */
export function rescheduleEndings(world: World, only?: string): void {
  for (const [, call] of world.all("call")) {
    const source = world.get("source", call.source);
    if (call.endedAt === null || source === undefined || (only !== undefined && call.source !== only)) continue;
    const dueAt = sourceInstant(call.endedAt + source.options.callDeletionTimeoutSeconds * 1000);
    world.schedule(call.source, dueAt, call.callId);
  }
  rescheduleLinks(world, only);
  for (const [, session] of world.all("login session")) {
    const source = world.get("source", session.source);
    if (source !== undefined && (only === undefined || session.source === only)) remind(world, source, session);
  }
}
