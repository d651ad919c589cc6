// What a simulated T-Server says of calls' details and of login sessions, read whole.

import { readFileSync } from "node:fs";
import type { CallDetail, SessionStory } from "../../src/simulator/tserver/call-detail.ts";
import { observedPaths } from "../../src/simulator/tserver/observable.ts";
import type { ObservedSession } from "../../src/simulator/tserver/observed-agents.ts";
import type { ObservedDetail } from "../../src/simulator/tserver/observed-details.ts";
import { type CallStory, truthPaths } from "../../src/simulator/tserver/truth.ts";

/** Of a simulation with `voiceInFull` whose truth was written to `truthPath`. */
export function readCallDetails(truthPath: string): CallDetail[] {
  return readLines<CallDetail>(truthPaths(truthPath).details);
}

export function readCallStories(truthPath: string): CallStory[] {
  return readLines<CallStory>(truthPath);
}

export function readSessionStories(truthPath: string): SessionStory[] {
  return readLines<SessionStory>(truthPaths(truthPath).agents);
}

function readLines<T>(path: string): T[] {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line): T => JSON.parse(line));
}

/** What one client could know of login sessions; `observablePath` as `observablePath()` gives it. */
export function readObservedSessions(observablePath: string): ObservedSession[] {
  return readLines<ObservedSession>(observedPaths(observablePath).agents);
}

/** What one client could know of attached data and virtual queues. */
export function readObservedDetails(observablePath: string): ObservedDetail[] {
  return readLines<ObservedDetail>(observedPaths(observablePath).details);
}
