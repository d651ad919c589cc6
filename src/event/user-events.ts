// What of user events (EventUserEvent: what an agent's desktop sends) is stored, and which states of agents it makes.
// Part of the configuration that rows depend on.

export const eventDataStored = ["none", "all", "conf"] as const;

export interface UserEventMapping {
  /** store-event-data: of the keys in UserData none, all, or those of `eventKeys`, in G_CUSTOM_DATA_S. */
  readonly store: (typeof eventDataStored)[number];
  /** EventData */
  readonly eventKeys: readonly string[];
  /** store-event-extensions, likewise of the keys in Extensions; absent: none. */
  readonly storeExtensions?: "all" | "conf";
  /** EventExtensions; absent: none. */
  readonly extensionKeys?: readonly string[];
  /** GlobalData: in G_CUSTOM_DATA_P. */
  readonly globalKeys: readonly string[];
  /** AgentRecordUserTypes: a state begins with the value "+" of its key, and ends with "-". */
  readonly states: readonly (readonly [state: number, key: string])[];
  /** AgentUserFields: what is stored with a state. */
  readonly fields: readonly (readonly [field: string, key: string])[];
  /** max-party-info: so many calls are remembered of a DN. */
  readonly callsMax: number;
}

/** Nothing is ever stored by it. */
export function storesNoUserEvents({ store, storeExtensions, globalKeys, states }: UserEventMapping): boolean {
  return store === "none" && storeExtensions === undefined && globalKeys.length === 0 && states.length === 0;
}
