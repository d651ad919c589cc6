// User events: what an agent's desktop sends about what its agent does. Their data is theirs and no call's, but it is
// stored with the call that is on the DN, or the one that was there last.
//
// 1. Of a DN the last calls that had events there are remembered (max-party-info; of each DN: our choice, the reference
//    does not say of what). The latest one that still has its party there is meant, else the latest of all.
// 2. States of the site's own are custom-state.ts.
// 3. Lists within the list are left out [S: EventData]; all else is stored as text.
// 4. Extensions are stored beside UserData, in the same table [S: store-event-extensions]: a key that both have is two
//    rows. They make no state, and none of them is a key of GlobalData.

import type { CallId } from "../event/happening.ts";
import type { TEvent } from "../event/tevent.ts";
import type { UserEventMapping } from "../event/user-events.ts";
import { keyValues } from "../protocol/tevent/key-values.ts";
import type { Call } from "./call.ts";
import { added, stamps } from "./call-rows.ts";
import { configurationInForce } from "./configuration.ts";
import { changeStates, deviceKey, endStates, type Stay } from "./custom-state.ts";
import { isInside, partyGuid } from "./party.ts";
import type { StepContext } from "./source.ts";
import { valueText } from "./value-text.ts";
import type { World } from "./world.ts";

/** What is remembered of a DN: its calls, the latest last. */
export interface DeviceCalls {
  readonly calls: readonly { readonly callId: CallId; readonly partyId: string; readonly guid: string }[];
}

const noStay: Stay = { callId: null, partyId: null, guid: null, sequence: 0 };
const userEvent = "EventUserEvent";
const logout = "EventAgentLogout";

/** Takes what concerns user events out of any event: their data, the calls of DNs, the end of states. */
export function takeUserEvent(
  world: World,
  context: StepContext,
  event: TEvent,
  members: Readonly<Record<string, unknown>>,
): void {
  if (!context.source.writesUserData || event.thisDn === null) return;
  const mapping = configurationInForce(world)?.userEvents;
  if (mapping == null) return;
  if (event.id === userEvent) storeUserEvent(world, context, mapping, event, event.thisDn, members);
  else if (event.id === logout) endStates(world, context, event.thisDn, event.at);
  else rememberCall(world, context, mapping, event, event.thisDn);
}

function rememberCall(world: World, context: StepContext, mapping: UserEventMapping, event: TEvent, dn: string): void {
  const call = callOf(world, context, event);
  if (call !== undefined) remember(world, context, mapping, call, dn);
}

/** As the events of a call tell which DNs it is on, so does a snapshot. */
export function rememberPresent(world: World, context: StepContext, callId: CallId, dn: string): void {
  const mapping = context.source.writesUserData ? configurationInForce(world)?.userEvents : null;
  const call = world.get("call", callId);
  if (mapping != null && call !== undefined) remember(world, context, mapping, call, dn);
}

function remember(world: World, context: StepContext, mapping: UserEventMapping, call: Call, dn: string): void {
  const party = Object.values(call.parties).find((each) => each.dn === dn && isInside(each));
  if (party === undefined) return;
  const key = deviceKey(context.source.identity.name, dn);
  const known = world.get("device calls", key)?.calls ?? [];
  const last = known.at(-1);
  if (last?.callId === call.callId && last.partyId === party.partyId) return;
  const others = known.filter(({ callId }) => callId !== call.callId);
  const calls = [...others, { callId: call.callId, partyId: party.partyId, guid: partyGuid(party) }].slice(
    -mapping.callsMax,
  );
  world.put("device calls", key, { calls });
}

function storeUserEvent(
  world: World,
  context: StepContext,
  mapping: UserEventMapping,
  event: TEvent,
  dn: string,
  members: Readonly<Record<string, unknown>>,
): void {
  const data = textsOf(members["UserData"]);
  const extensions = mapping.storeExtensions === undefined ? noTexts : textsOf(members["Extensions"]);
  if (data.size === 0 && extensions.size === 0) return;
  const stay = stayOf(world, context, event, dn);
  for (const [key, value] of data) {
    const isGlobal = mapping.globalKeys.includes(key);
    const isOwn = mapping.store === "all" || (mapping.store === "conf" && mapping.eventKeys.includes(key));
    if (isGlobal) writeData(world, context, "G_CUSTOM_DATA_P", { event, dn, stay, key, value });
    else if (isOwn) writeData(world, context, "G_CUSTOM_DATA_S", { event, dn, stay, key, value });
  }
  for (const [key, value] of extensions) {
    const isOwn = mapping.storeExtensions === "all" || mapping.extensionKeys?.includes(key) === true;
    if (isOwn) writeData(world, context, "G_CUSTOM_DATA_S", { event, dn, stay, key, value });
  }
  if (mapping.states.length > 0) changeStates(world, context, mapping, event, dn, stay, data);
}

const noTexts: ReadonlyMap<string, string> = new Map();

/** The first value of each key. */
function textsOf(member: unknown): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { key, value } of keyValues(member) ?? []) {
    if (typeof value === "object" && value !== null) continue;
    if (!texts.has(key)) texts.set(key, valueText(value));
  }
  return texts;
}

function callOf(world: World, { source }: StepContext, { callUuid, connId }: TEvent) {
  const named = callUuid === null ? undefined : world.get("call", callUuid as CallId);
  return named ?? (connId === null ? undefined : world.callByConnId(source.identity.name, connId));
}

function stayOf(world: World, context: StepContext, event: TEvent, dn: string): Stay {
  const onDn = (callId: string | undefined) =>
    Object.values((callId === undefined ? undefined : world.get("call", callId))?.parties ?? {}).find(
      (party) => party.dn === dn && isInside(party),
    );
  const named = callOf(world, context, event);
  const own = onDn(named?.callId);
  if (named !== undefined && own !== undefined) {
    return { callId: named.callId, partyId: own.partyId, guid: partyGuid(own), sequence: own.changes + 1 };
  }
  const known = world.get("device calls", deviceKey(context.source.identity.name, dn))?.calls ?? [];
  const active = known.findLast(({ callId }) => onDn(callId) !== undefined);
  const party = onDn(active?.callId);
  if (active !== undefined && party !== undefined) {
    return { callId: active.callId, partyId: party.partyId, guid: partyGuid(party), sequence: party.changes + 1 };
  }
  const last = known.at(-1);
  return last === undefined ? noStay : { ...last, sequence: 0 };
}

function writeData(
  world: World,
  context: StepContext,
  table: "G_CUSTOM_DATA_P" | "G_CUSTOM_DATA_S",
  { event, dn, stay, key, value }: { event: TEvent; dn: string; stay: Stay; key: string; value: string },
): void {
  const id = world.nextRowId();
  world.write(table, {
    ID: id,
    CALLID: stay.callId,
    PARTYID: stay.guid,
    PSEQ: stay.sequence,
    ENDPOINTID: null,
    ENDPOINTDN: dn,
    AGENTID: null,
    KEYNAME: key,
    VALUE: value,
    ...added(world, event.at),
    ...stamps(world, context, id),
  });
}
