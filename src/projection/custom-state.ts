// States that a site defined for its agents (AgentRecordUserTypes), as their desktops tell them: G_CUSTOM_STATES.
//
// 1. A state begins with the value "+" of its key and ends with "-", or when the agent leaves the DN. What comes with its
//    events meanwhile, as far as AgentUserFields names it, stands in FIELDS; the last value counts.
// 2. An agent who left while nobody saw it took the states along: they end within the same bounds, and ICON_ROW_QUALITY
//    says so. With role gls the login session tells it, else a complete snapshot of the source.

import type { LoginSessionId } from "../event/agent-happening.ts";
import type { Unseen } from "../event/happening.ts";
import { type SourceInstant, sourceInstant, timestampText } from "../event/instant.ts";
import type { TEvent } from "../event/tevent.ts";
import type { UserEventMapping } from "../event/user-events.ts";
import type { AgentItem } from "./agent-snapshot.ts";
import { span, stamps } from "./call-rows.ts";
import { sessionAt } from "./login-session.ts";
import { noteQuality } from "./quality.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** The states that are open on a DN, by their code. */
export interface OpenStates {
  readonly states: Readonly<Record<string, CustomState>>;
}

export interface CustomState {
  readonly rowId: number;
  readonly createdAt: SourceInstant;
  readonly stay: Stay;
  /** LOGINSESSIONID with which it began. Null or absent: none was known. */
  readonly session?: LoginSessionId | null;
  readonly fields: Readonly<Record<string, string>>;
}

/** The call and party that something is stored with, as far as there is one. */
export interface Stay {
  readonly callId: string | null;
  readonly partyId: string | null;
  readonly guid: string | null;
  /** Of the party's next change; 0: there is none, or it has none any more. */
  readonly sequence: number;
}

export function changeStates(
  world: World,
  context: StepContext,
  mapping: UserEventMapping,
  { at }: TEvent,
  dn: string,
  stay: Stay,
  data: ReadonlyMap<string, string>,
): void {
  const key = deviceKey(context.source.identity.name, dn);
  const states = { ...world.get("custom states", key)?.states };
  const said = mapping.fields.filter(([, name]) => data.has(name));
  const news = Object.fromEntries(said.map(([field, name]) => [field, data.get(name) ?? ""]));
  const session = sessionAt(world, context.source.identity.name, dn)?.sessionId ?? null;
  const touched = new Set<string>(said.length > 0 ? Object.keys(states) : []);
  for (const [code, name] of mapping.states) {
    const value = data.get(name);
    if (value !== "+" && value !== "-") continue;
    const isOpen = states[code] !== undefined;
    if (isOpen === (value === "+")) {
      context.count("custom state that does not follow");
      continue;
    }
    touched.add(String(code));
    if (value === "+") states[code] = { rowId: world.nextRowId(), createdAt: at, stay, session, fields: {} };
  }
  for (const code of touched) {
    const open = states[code];
    if (open === undefined) continue;
    const state = { ...open, fields: { ...open.fields, ...news } };
    const isEnding = mapping.states.some(([each, name]) => String(each) === code && data.get(name) === "-");
    // A source's clock may step back.
    const endedAt = sourceInstant(Math.max(at, state.createdAt));
    writeState(world, context, dn, code, state, isEnding ? endedAt : null);
    if (isEnding) delete states[code];
    else states[code] = state;
  }
  keepStates(world, key, states);
}

/** Whoever has logged out of a DN is in no state there. `unseen`: nobody saw it. */
export function endStates(
  world: World,
  context: StepContext,
  dn: string,
  at: SourceInstant,
  unseen: Unseen | null = null,
): void {
  const key = deviceKey(context.source.identity.name, dn);
  for (const [code, state] of Object.entries(world.get("custom states", key)?.states ?? {})) {
    // The agent was there when the state began.
    const endedAt = sourceInstant(Math.max(at, state.createdAt));
    if (unseen !== null) {
      const bounds = { ...unseen, earliest: endedAt, latest: sourceInstant(Math.max(unseen.latest, endedAt)) };
      noteQuality(world, context, "G_CUSTOM_STATES", doubtedBy(dn, code, state), "end not seen", bounds);
    }
    writeState(world, context, dn, code, state, endedAt);
  }
  world.remove("custom states", key);
}

/**
 * Ends what a complete snapshot of the source does not vouch for: states on a DN at which it names no agent, or none that
 * was logged in already when we last heard of the source. Where login sessions are followed, theirs have ended with them.
 */
export function closeUnnamedStates(
  world: World,
  context: StepContext,
  agents: readonly AgentItem[],
  unseen: Unseen,
): void {
  const source = context.source.identity.name;
  const named = new Set(
    agents.flatMap((item) => {
      if (item.kind !== "agent present") return [];
      return item.origin !== null && item.origin.at > unseen.earliest ? [] : [item.place.dn];
    }),
  );
  for (const [key, { states }] of world.all("custom states")) {
    const dn = dnOf(source, key);
    if (dn === null || named.has(dn)) continue;
    const now = context.source.writesAgents ? sessionAt(world, source, dn)?.sessionId : undefined;
    if (now !== undefined && Object.values(states).every(({ session }) => session === now)) continue;
    endStates(world, context, dn, unseen.earliest, unseen);
  }
}

/** Writes the rows of the source's states that are open, in an IDB that has none of them. */
export function rewriteStates(world: World, context: StepContext): void {
  for (const [key, { states }] of world.all("custom states")) {
    const dn = dnOf(context.source.identity.name, key);
    if (dn === null) continue;
    for (const [code, state] of Object.entries(states)) writeState(world, context, dn, code, state, null);
  }
}

function keepStates(world: World, key: string, states: OpenStates["states"]): void {
  if (Object.keys(states).length > 0) world.put("custom states", key, { states });
  else world.remove("custom states", key);
}

function writeState(
  world: World,
  context: StepContext,
  dn: string,
  code: string,
  { rowId, createdAt, stay, session, fields }: CustomState,
  terminatedAt: SourceInstant | null,
): void {
  world.write("G_CUSTOM_STATES", {
    ID: rowId,
    CALLID: stay.callId,
    PARTYID: stay.partyId,
    PSEQ: stay.sequence,
    ENDPOINTID: null,
    ENDPOINTDN: dn,
    LOGINSESSIONID: session ?? null,
    STATE: Number(code),
    FIELDS: Object.keys(fields).length === 0 ? null : JSON.stringify(fields),
    ...span(world, createdAt, terminatedAt),
    ...stamps(world, context, rowId),
  });
}

/** As schema/life.ts makes it of the row's columns. */
function doubtedBy(dn: string, code: string, { createdAt }: CustomState): string {
  return `${dn}/${code}/${timestampText(createdAt)}`;
}

export function deviceKey(source: string, dn: string): string {
  return `${source}/${dn}`;
}

/** The DN of a key of this source's; null: it is another source's. */
function dnOf(source: string, key: string): string | null {
  const lead = deviceKey(source, "");
  return key.startsWith(lead) ? key.slice(lead.length) : null;
}
