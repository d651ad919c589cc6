// A routing server's decision, as it stands in the attached data of an event.

import type { RouteKeys } from "../../event/routing.ts";
import { keyValues } from "./key-values.ts";

const members: Readonly<Record<string, keyof RouteKeys>> = {
  RTargetRuleSelected: "rule",
  RTargetObjectSelected: "object",
  RTargetTypeSelected: "type",
  RTargetAgentSelected: "agent",
  RTargetPlaceSelected: "place",
  RStrategyName: "strategy",
  RVQID: "vqid",
};

/** Null: none of its keys is there. Of a key that is there several times the first one counts. */
export function routeKeysOf(userData: unknown): RouteKeys | null {
  const found: Partial<Record<keyof RouteKeys, string | number>> = {};
  for (const { key, value } of keyValues(userData) ?? []) {
    const member = Object.hasOwn(members, key) ? members[key] : undefined;
    if (member === undefined || found[member] !== undefined) continue;
    if (typeof value === "string" || (typeof value === "number" && Number.isFinite(value))) found[member] = value;
  }
  if (Object.keys(found).length === 0) return null;
  const text = (member: keyof RouteKeys) => (found[member] === undefined ? null : String(found[member]));
  const type = /^\d{1,9}$/.exec(text("type") ?? "")?.[0];
  return {
    rule: text("rule"),
    object: text("object"),
    type: type === undefined ? null : Number(type),
    agent: text("agent"),
    place: text("place"),
    strategy: text("strategy"),
    vqid: text("vqid"),
  };
}
