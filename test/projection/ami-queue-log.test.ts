// The oracle: what the projection makes of a recorded Asterisk, held against that server's own queue_log, call by call.
// Expectations are read from the log; nothing of them is written down here.

import { describe, expect, test } from "bun:test";
import { type Happening, partyTypes } from "../../src/event/happening.ts";
import { foldRecording } from "../harness/ami-fold.ts";
import { type LoggedStay, loadRecording, readQueueLog } from "../harness/ami-recording.ts";
import { countByQueue, sawWhole } from "../harness/ami-whole.ts";

interface ToldStay {
  readonly callId: string;
  readonly queue: string;
  readonly enteredAt: number;
  readonly outcome: "answered" | "abandoned" | "left" | "unknown" | "open";
  readonly endedAt: number;
  readonly isMarked: boolean;
  readonly talk: { readonly dn: string; readonly startedAt: number; readonly endedAt: number } | null;
}

/** Waits and talks as a reader of the rows would find them; seconds. */
function toldStays(happenings: readonly Happening[]): readonly ToldStay[] {
  const stays = new Map<string, ToldStay & { readonly linkedId: string }>();
  const talks = new Map<string, { linkedId: string; dn: string; startedAt: number; endedAt: number; seen: boolean }>();
  for (const happening of happenings) {
    if (happening.kind !== "party" && happening.kind !== "party present") continue;
    const { party, step, call } = happening;
    const at = happening.at / 1000;
    const guid = String(party.guid);
    const isMarked = happening.kind === "party present" || happening.unseen !== null;
    const stay = stays.get(guid);
    if (step === "queued") {
      const [channel] = party.channels;
      const begun = { callId: channel?.uniqueId ?? "", queue: party.dn, enteredAt: at, linkedId: call.callId };
      stays.set(guid, { ...begun, outcome: "open", endedAt: Number.NaN, isMarked, talk: null });
    } else if (stay !== undefined) {
      stays.set(guid, { ...stay, outcome: outcomeOf(happening), endedAt: at, isMarked: stay.isMarked || isMarked });
    } else if (step === "established" && party.type === partyTypes.internal) {
      talks.set(guid, { linkedId: call.callId, dn: party.dn, startedAt: at, endedAt: Number.NaN, seen: !isMarked });
    } else if (step === "released") {
      const talk = talks.get(guid);
      if (talk !== undefined) talks.set(guid, { ...talk, endedAt: at, seen: talk.seen && !isMarked });
    }
  }
  return [...stays.values()].map((stay) => {
    const talk = [...talks.values()].find(
      (each) => each.linkedId === stay.linkedId && each.startedAt === stay.endedAt && stay.outcome === "answered",
    );
    return talk === undefined ? stay : { ...stay, talk, isMarked: stay.isMarked || !talk.seen };
  });
}

function outcomeOf(happening: Extract<Happening, { kind: "party" | "party present" }>): ToldStay["outcome"] {
  if (happening.kind === "party present") return "open";
  if (happening.step === "abandoned") return "abandoned";
  if (happening.step === "diverted") return happening.ccCause === 0 ? "answered" : "left";
  return "unknown";
}

describe.each(["ami", "a", "b"] as const)("recording %s against its queue_log", (name) => {
  const logged = readQueueLog(name);
  const told = toldStays(foldRecording(loadRecording(name)).happenings);
  const whole = logged.filter(sawWhole(name));
  const toldOf = (stay: LoggedStay) => told.filter((each) => each.callId === stay.callId && each.queue === stay.queue);

  test("calls seen whole are counted per queue as entered, answered and abandoned exactly as the server counted", () => {
    const wholeIds = new Set(whole.map((stay) => stay.callId));
    const toldWhole = told.filter((stay) => wholeIds.has(stay.callId));
    expect(whole.length).toBeGreaterThan(0);
    expect(countByQueue(toldWhole)).toEqual(countByQueue(whole));
  });

  test("the wait and the talk of each call seen whole agree within one second, with the same agent", () => {
    for (const stay of whole) {
      const [one, ...others] = toldOf(stay);
      expect(others).toEqual([]);
      if (one === undefined) throw new Error(`Nothing is told of ${stay.callId}`);
      expect({ callId: stay.callId, outcome: one.outcome, isMarked: one.isMarked }).toEqual({
        callId: stay.callId,
        outcome: stay.outcome,
        isMarked: false,
      });
      expect(Math.abs(one.endedAt - one.enteredAt - (stay.endedAt - stay.enteredAt))).toBeLessThan(1);
      expect(one.talk === null).toBe(stay.talk === null);
      if (one.talk === null || stay.talk === null) continue;
      const loggedSeconds = stay.talk.endedAt - stay.talk.startedAt;
      expect(Math.abs(one.talk.endedAt - one.talk.startedAt - loggedSeconds)).toBeLessThan(1);
      expect(stay.talk.member).toEndWith(one.talk.dn);
    }
  });

  test("nothing is told that the server did not log, and what is told of a call seen in part is marked", () => {
    for (const stay of told) {
      const matching = logged.filter((each) => each.callId === stay.callId && each.queue === stay.queue);
      expect(matching).toHaveLength(1);
      const [match] = matching;
      if (match === undefined || stay.isMarked) continue;
      expect({ callId: stay.callId, outcome: stay.outcome }).toEqual({ callId: stay.callId, outcome: match.outcome });
    }
  });
});

describe.each(["a", "b"] as const)("observer %s, cut off in between", (name) => {
  const logged = readQueueLog(name);
  const { happenings } = foldRecording(loadRecording(name));
  const told = toldStays(happenings);
  const isWhole = sawWhole(name);

  test("what ended while it was cut off lies within its bounds, and so do the bounds within the cut", () => {
    const { connections } = loadRecording(name);
    const bounded = happenings.flatMap((each) => ("unseen" in each && each.unseen !== null ? [each.unseen] : []));
    expect(bounded.length).toBeGreaterThan(0);
    for (const unseen of bounded) {
      expect(unseen.earliest).toBeLessThanOrEqual(unseen.latest);
      expect(unseen.cause).toBe("link down");
      const cut = connections.findIndex(({ closedAt }) => closedAt >= unseen.earliest);
      expect(connections[cut]?.closedAt).toBeGreaterThanOrEqual(unseen.earliest);
      expect((connections[cut + 1]?.openedAt ?? 0) + 1000).toBeGreaterThanOrEqual(unseen.latest);
    }
  });

  test("calls seen in part are there: every one that waited or talked while it was connected", () => {
    const { connections } = loadRecording(name);
    const partial = logged.filter((stay) => !isWhole(stay));
    expect(partial.length).toBeGreaterThan(0);
    const linkedIds = new Set(happenings.map((each) => String(each.call.callId)));
    for (const stay of partial) {
      const end = Math.max(stay.endedAt, stay.talk?.endedAt ?? 0);
      const wasThere = connections.some(({ openedAt, closedAt }) => {
        const from = Math.max(stay.enteredAt + 1, openedAt / 1000 + 1);
        return from < Math.min(end, closedAt / 1000);
      });
      if (!wasThere) continue;
      // The Linkedid is the unique id of the caller's first half, the one before the waiting second half.
      const [, prefix = "", number = ""] = /^(.*\.)(\d+)$/.exec(stay.callId) ?? [];
      const neighbours = [...linkedIds].filter((id) => id.endsWith(`.${Number(number) - 1}`));
      expect({ prefix, callId: stay.callId, neighbours: neighbours.length }).toEqual({
        prefix,
        callId: stay.callId,
        neighbours: 1,
      });
    }
  });

  test("a wait whose end was not seen lies within its bounds", () => {
    for (const stay of logged.filter((each) => !isWhole(each))) {
      const [one] = told.filter((each) => each.callId === stay.callId);
      if (one === undefined) continue;
      expect(Math.abs(one.enteredAt - stay.enteredAt)).toBeLessThan(2);
      for (const each of happenings) {
        if (each.kind !== "party" || each.unseen === null || each.party.channels[0]?.uniqueId !== stay.callId) continue;
        if (each.party.dn !== stay.queue) continue;
        expect(stay.endedAt + 1).toBeGreaterThanOrEqual(each.unseen.earliest / 1000);
        expect(stay.endedAt).toBeLessThanOrEqual(each.unseen.latest / 1000);
      }
    }
  });

  test("every call is over when the recording is, and nothing is left open", () => {
    const { world } = foldRecording(loadRecording(name));
    expect([...world.all("ami call")]).toEqual([]);
  });
});
