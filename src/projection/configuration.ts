// The configuration that rows depend on, as the last mark put it in force, where it is the instance's and no source's.

import { isStored } from "../../schema/roles.ts";
import type { TableName } from "../../schema/tables.ts";
import type { AttachedDataMapping } from "../event/attached-data.ts";
import type { InterSiteOptions } from "../event/inter-site.ts";
import type { UserEventMapping } from "../event/user-events.ts";
import type { World } from "./world.ts";

export interface ConfigurationInForce {
  readonly role: readonly string[];
  /** Null: no attached data is stored. */
  readonly attachedData: AttachedDataMapping | null;
  /** Null: nothing of user events is. */
  readonly userEvents: UserEventMapping | null;
  /** Absent: an earlier version took the mark in. */
  readonly interSite?: InterSiteOptions;
}

const key = "in force";

/** Undefined: no mark was taken in yet, or an earlier version took it in. */
export function configurationInForce(world: Pick<World, "get">): ConfigurationInForce | undefined {
  return world.get("configuration", key);
}

export function rememberConfiguration(world: World, configuration: ConfigurationInForce): void {
  world.put("configuration", key, configuration);
}

/** Rows of a role that is off are left out here, where all rows come by. */
export function isRowStored(
  world: Pick<World, "get">,
  table: TableName,
  row: Readonly<Record<string, unknown>>,
): boolean {
  const inForce = configurationInForce(world);
  return inForce === undefined || isStored(inForce.role, table, row);
}
