// Reasons as an event of the T-Event link carries them, and when two are the same.

import type { AgentReason, Told } from "../event/agent-happening.ts";
import { keyValues, textUnder } from "../protocol/tevent/key-values.ts";
import { valueText } from "./value-text.ts";

// Where hardware reasons are, and what they are called in KEYNAME [S: G_AGENT_STATE_RC].
const hardwareKey = "ReasonCode";

// The documents give full key paths no separator.
const pathSeparator = "/";

// Lists in lists: deeper than any desktop makes them, and no stack is used up by one that is made to.
const depthMax = 8;

/** Extensions' ReasonCode, then the pairs of Reasons in their order; each once. */
export function reasonsOf(members: Readonly<Record<string, unknown>>): readonly AgentReason[] {
  const hardware = textUnder(members["Extensions"], hardwareKey);
  const reasons: AgentReason[] =
    hardware === null ? [] : [{ isHardware: true, key: hardwareKey, value: textOf(hardware) }];
  addSoftware(reasons, members["Reasons"], "", 1);
  return reasons;
}

function addSoftware(reasons: AgentReason[], list: unknown, path: string, depth: number): void {
  for (const { key, value } of keyValues(list) ?? []) {
    const fullKey = path === "" ? key : `${path}${pathSeparator}${key}`;
    if (depth < depthMax && keyValues(value) !== null) addSoftware(reasons, value, fullKey, depth + 1);
    else {
      const reason = { isHardware: false, key: fullKey, value: textOf(value) };
      if (!reasons.some((each) => isSameReason(each, reason))) reasons.push(reason);
    }
  }
}

/** As all values are stored; null: the key has none. */
function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : valueText(value);
}

export function isSameReason(one: AgentReason, other: AgentReason): boolean {
  return one.isHardware === other.isHardware && one.key === other.key && one.value === other.value;
}

export function isSameTold(one: Told, other: Told): boolean {
  return (
    one.state === other.state &&
    one.workMode === other.workMode &&
    one.reasons.length === other.reasons.length &&
    one.reasons.every((reason, index) => {
      const against = other.reasons[index];
      return against !== undefined && isSameReason(reason, against);
    })
  );
}
