// What a client could know of agents, attached data and virtual queues: the truth where it missed nothing, else what was told and the bounds of the rest.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CallDetail, SessionStory } from "../../src/simulator/tserver/call-detail.ts";
import { observablePath } from "../../src/simulator/tserver/link-server.ts";
import type { EndedUnseen } from "../../src/simulator/tserver/observable.ts";
import type { ObservedSession } from "../../src/simulator/tserver/observed-agents.ts";
import type { ObservedDetail } from "../../src/simulator/tserver/observed-details.ts";
import type { TserverOptions } from "../../src/simulator/tserver/options.ts";
import { startSimulatedTserver } from "../../src/simulator/tserver/simulated-tserver.ts";
import { FaithfulLinkClient } from "../harness/link-client.ts";
import {
  readCallDetails,
  readObservedDetails,
  readObservedSessions,
  readSessionStories,
} from "../harness/voice-truth.ts";

async function play(options: Partial<TserverOptions>) {
  const directory = mkdtempSync(join(tmpdir(), "icon-agents-"));
  try {
    const truth = join(directory, "truth.ndjson");
    const observable = join(directory, "observable.ndjson");
    const server = await startSimulatedTserver({
      ...{ startTime: "2026-11-23T08:00:00.000Z", seed: 21, rate: 500, seconds: 20, talkSeconds: 2 },
      ...{ asFastAsPossible: true, clientsMin: 1, voiceInFull: true, transferPercent: 20, finalAckMs: 3_000 },
      ...{ truth, observable },
      ...options,
    });
    const client = new FaithfulLinkClient(server.address, "icon-a");
    const served = client.run();
    const summary = await server.finished;
    client.stop();
    await served;
    return {
      summary,
      details: readCallDetails(truth),
      sessions: readSessionStories(truth),
      observed: readObservedSessions(observablePath(observable, "icon-a")),
      observedDetails: readObservedDetails(observablePath(observable, "icon-a")),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const nameOf = ({ run, seq }: { readonly run: string | null; readonly seq: number | null }) => `${run}/${seq}`;

test("what a client that missed nothing could know of login sessions, attached data and virtual queues is the truth", async () => {
  const { sessions, observed, details, observedDetails, summary } = await play({ cutEvery: { min: 2, max: 4 } });
  expect(summary.clients["icon-a"]).toMatchObject({ gaps: 0, snapshots: 1 });
  expect(details.length).toBe(summary.calls + summary.callsOpen);
  expect(sessions.length).toBeGreaterThan(100);
  const byName = (stories: readonly { readonly run: string | null; readonly seq: number | null }[]) =>
    Object.fromEntries(stories.map((story) => [nameOf(story), story]));
  expect(byName(observed)).toEqual(byName(sessions));

  const known = Object.fromEntries(observedDetails.map((detail) => [detail.connId, detail]));
  const real = details.map(({ connId, attached, userData, virtualStays }) => {
    return [connId, { connId, attached, userData, virtualStays }];
  });
  expect(known).toEqual(Object.fromEntries(real));
}, 20_000);

for (const [what, options] of [
  ["after gaps", { gapAt: [5, 9, 14], cutFor: { min: 0.5, max: 1.5 } }],
  ["after restarts that lose the calls", { restartAt: [6, 13], cutFor: { min: 0.5, max: 1.5 } }],
] as const) {
  test(`${what} what a client can know of them is true, and what it cannot know is marked`, async () => {
    const { sessions, observed, details, observedDetails } = await play(options);
    const truth = new Map(sessions.map((session) => [nameOf(session), session]));
    const missed = new Map(
      observed
        .flatMap((session) => [session, ...session.queues, ...session.dnd])
        .flatMap(({ endedUnseen }) => (endedUnseen === undefined ? [] : [[endedUnseen.latest, endedUnseen] as const])),
    );
    const isMissed = (at: number) =>
      [...missed.values()].some(({ earliest, latest }) => at >= earliest && at <= latest);
    let marked = 0;
    for (const session of observed) {
      const real = truth.get(nameOf(session));
      truth.delete(nameOf(session));
      if (real === undefined) throw new Error(`Session ${nameOf(session)} was never there`);
      if (Bun.deepEquals(session as unknown, real)) continue;
      marked++;
      expectTrue(session, real, isMissed);
    }
    // They came and went while nobody listened.
    for (const { loggedInAt, loggedOutAt } of truth.values()) {
      expect([isMissed(loggedInAt), loggedOutAt !== null && isMissed(loggedOutAt)]).toEqual([true, true]);
    }
    if ("gapAt" in options) expect(marked).toBeGreaterThan(20);
    expect(observed.length).toBeGreaterThan(100);

    const real = new Map(details.map((detail) => [detail.connId, detail]));
    const bounded = observedDetails.filter((detail) => expectDetailTrue(detail, real.get(detail.connId)));
    expect(bounded.length).toBeGreaterThan(5);
  }, 20_000);
}

/** True: something of it is told by bounds alone. */
function expectDetailTrue(detail: ObservedDetail, real: CallDetail | undefined): boolean {
  if (real === undefined) throw new Error(`Call ${detail.connId} was never there`);
  for (const change of detail.attached) {
    if (!("unseen" in change)) {
      expect(real.attached).toContainEqual(change);
      continue;
    }
    const { earliest, latest } = change.unseen;
    const same = real.attached.filter(({ key, at }) => key === change.key && at <= latest);
    expect(same.at(-1)?.value ?? null).toEqual(change.value);
    if (detail.seen === undefined) expect(same.at(-1)?.at).toBeGreaterThanOrEqual(earliest);
  }
  for (const { seen: _, endedUnseen, ...stay } of detail.virtualStays) {
    const same = real.virtualStays.find(({ vqid }) => vqid === stay.vqid);
    if (endedUnseen === undefined) expect(same).toEqual(stay);
    else expectEnd(null, endedUnseen, same?.to ?? null);
  }
  const isStayBounded = detail.virtualStays.some(({ endedUnseen }) => endedUnseen !== undefined);
  return isStayBounded || detail.attached.some((change) => "unseen" in change);
}

function expectTrue(session: ObservedSession, real: SessionStory, isMissed: (at: number) => boolean): void {
  expect([session.agentId, session.dn, session.loggedInAt]).toEqual([real.agentId, real.dn, real.loggedInAt]);
  expectEnd(session.loggedOutAt, session.endedUnseen, real.loggedOutAt);
  expectSpans(session.queues, real.queues, isMissed);
  expectSpans(session.dnd, real.dnd, isMissed);
  for (const { seen: _, ...state } of session.states) expect(real.states).toContainEqual(state);
  for (const state of real.states) {
    const isKnown = session.states.some(({ from }) => from === state.from);
    expect(isKnown || isMissed(state.from) || state.state === "logged in").toBe(true);
  }
  for (const each of session.userEvents) expect(real.userEvents).toContainEqual(each);
}

type Spans = readonly {
  readonly queue?: string | null;
  readonly from: number;
  readonly to: number | null;
  readonly endedUnseen?: EndedUnseen;
}[];

function expectSpans(spans: Spans, real: Spans, isMissed: (at: number) => boolean): void {
  for (const span of spans) {
    const same = real.find(({ from, queue }) => from === span.from && queue === span.queue);
    if (same === undefined) throw new Error(`Nothing began at ${span.from}`);
    // With its session's end a span ends as well, seen or not.
    if (span.to !== null || span.endedUnseen !== undefined) expectEnd(span.to, span.endedUnseen, same.to);
  }
  for (const { from, queue } of real) {
    expect(spans.some((span) => span.from === from && span.queue === queue) || isMissed(from)).toBe(true);
  }
}

function expectEnd(to: number | null, unseen: EndedUnseen | undefined, real: number | null): void {
  if (unseen === undefined) {
    expect(to).toBe(real);
    return;
  }
  expect(real).toBeGreaterThanOrEqual(unseen.earliest);
  expect(real).toBeLessThanOrEqual(unseen.latest);
}
