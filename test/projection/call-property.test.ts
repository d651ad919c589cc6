// Whatever order a switch tells of its calls in, and whatever its clock does: each party has its call and each history row
// its party, nothing is open after its call's end or ends before it began, no duration is below zero, keys are unique,
// sequence numbers have no gaps, and neither batches nor restarts change a row.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { partyStates } from "../../schema/dictionary.ts";
import type { TableName } from "../../schema/tables.ts";
import { batchedRows } from "../harness/batched-rows.ts";
import { Story } from "../harness/story.ts";

const numbers = ["1", "2", "3"] as const;
const dns = ["5001", "5002", "8001"] as const;

const callEvent = fc.record({
  id: fc.constantFrom(
    ...["EventQueued", "EventRinging", "EventDialing", "EventEstablished", "EventHeld", "EventRetrieved"],
    ...["EventReleased", "EventReleased", "EventDiverted", "EventAbandoned", "EventDestinationBusy"],
    ...["EventRinging", "EventEstablished", "EventNetworkReached", "EventPartyAdded", "EventPartyDeleted"],
    ...["EventPartyChanged", "EventPartyChanged", "EventRouteRequest", "EventRouteUsed", "EventAttachedDataChanged"],
    ...["EventCallCreated", "EventCallDeleted"],
  ),
  members: fc.record(
    {
      ThisDN: fc.constantFrom<string>(...dns, "x".repeat(300)),
      ThisDNRole: fc.constantFrom(1, 2, 3, 7, 999),
      ThisQueue: fc.constantFrom("8001", "5001"),
      // As often another party's as its own.
      PartyUUID: fc.constantFrom("P1", "P2", "P3", "P4"),
      OtherDN: fc.constantFrom<string>(...dns, "4155550100"),
      ThirdPartyDN: fc.constantFrom<string>(...dns),
      ThirdPartyDNRole: fc.constantFrom(5, 7, 9),
      CallType: fc.constantFrom(1, 2, 3, 4),
      CallState: fc.constantFrom(0, 1, 2, 22, 23),
      PreviousConnID: fc.constantFrom<string>(...numbers, "ffff"),
      RefCallUUID: fc.constantFrom<string>(...numbers, "unheard"),
      ReleasingParty: fc.constantFrom(1, 2, 3),
      CtrlParty: fc.constantFrom<string>(...dns),
      ANI: fc.constantFrom("4155550100", "5001", "9".repeat(2000)),
      UserData: fc.constantFrom({ RTargetAgentSelected: "A7" }, { Nested: { k: 1 } }, {}),
    },
    { requiredKeys: [] },
  ),
  call: fc.constantFrom(...numbers),
});

const steps = fc.array(
  fc.record({
    // Tenths of a second: now and then nothing passes, or the clock steps back a little or far.
    after: fc.constantFrom(0, 0, 3, 17, 100, 456, -2, -40, -600),
    act: fc.oneof({ weight: 30, arbitrary: callEvent }, { weight: 1, arbitrary: fc.constant("cut" as const) }),
    present: fc.array(callEvent, { maxLength: 3 }),
  }),
  { maxLength: 40 },
);

const presentIds = new Set(["EventQueued", "EventRinging", "EventDialing", "EventEstablished", "EventHeld"]);

type CallEvent = typeof callEvent extends fc.Arbitrary<infer T> ? T : never;
type Given = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** A call that is over does not come back: its number is the next call's, which has identifiers of its own. */
class Calls {
  readonly #hasCallUuid: boolean;
  readonly #calls = new Map<string, number>();

  constructor(hasCallUuid: boolean) {
    this.#hasCallUuid = hasCallUuid;
  }

  linesOf({ members, call }: CallEvent): Readonly<Record<string, unknown>> {
    const { PreviousConnID: previous, RefCallUUID: into, ...rest } = members;
    return {
      ...rest,
      ConnID: this.#connId(call),
      CallUUID: this.#hasCallUuid ? this.#uuid(call) : undefined,
      ...(previous !== undefined && { PreviousConnID: this.#connId(previous) }),
      ...(into !== undefined && { RefCallUUID: this.#uuid(into) }),
    };
  }

  forgetEnded(story: Story): void {
    const open = new Set([...story.world.all("call")].map(([, { connId }]) => connId));
    const created = new Set(story.rows("G_CALL", "ID").map(({ CONNID }) => CONNID));
    for (const number of numbers) {
      const connId = this.#connId(number);
      if (created.has(connId) && !open.has(connId)) this.#calls.set(number, (this.#calls.get(number) ?? 0) + 1);
    }
  }

  #connId(number: string): string {
    return `0${number}f${this.#calls.get(number) ?? 0}`;
  }

  #uuid(number: string): string {
    return `C${number}.${this.#calls.get(number) ?? 0}`;
  }
}

const options = fc.record({
  callDeletionTimeoutSeconds: fc.constantFrom(0, 30),
  delivered: fc.constantFrom("dialing" as const, "established" as const, undefined),
  hasCallUuid: fc.boolean(),
});

type Chosen = typeof options extends fc.Arbitrary<infer T> ? T : never;

function storyOf(given: Given, { callDeletionTimeoutSeconds, delivered, hasCallUuid }: Chosen): Story {
  const calls = new Calls(hasCallUuid);
  const story = new Story({
    role: ["gcc", "gud"],
    callDeletionTimeoutSeconds,
    options: {
      ...(delivered && { delivered }),
      storesBusyDestinations: true,
      storesReleasingParty: true,
      linksSingleStepConferences: true,
    },
  });
  let tenths = 0;
  let sequence = 0;
  for (const { after, act, present } of given) {
    tenths = Math.max(0, tenths + after);
    // Calls whose time has come are over.
    story.heartbeat(tenths / 10);
    calls.forgetEnded(story);
    if (act === "cut") {
      story.close("connection lost").open();
      const lines = present.filter(({ id }) => presentIds.has(id));
      story.snapshot(sequence, ...lines.map((line) => [tenths / 10, line.id, calls.linesOf(line)] as const));
    } else {
      story.events([tenths / 10, act.id, calls.linesOf(act)]);
      sequence += 1;
    }
    calls.forgetEnded(story);
  }
  // Nothing is there any more, and the time for what comes late is over.
  story.close("connection lost").open().snapshot(sequence);
  return story.heartbeat(tenths / 10 + 60 + 4 * 600);
}

const keys: readonly (readonly [TableName, string])[] = [
  ["G_CALL", "CALLID"],
  ["G_IR", "IRID"],
  ["G_PARTY", "PARTYID"],
  ["G_PARTY_STAT", "PARTYID"],
  ["G_CALL_STAT", "CALLID"],
  ["G_VIRTUAL_QUEUE", "VQUEUEID"],
];

test("rows belong together and end, whatever order a switch tells things in", () => {
  fc.assert(
    fc.property(steps, options, (given, chosen) => {
      const story = storyOf(given, chosen);
      const calls = story.rows("G_CALL", "ID");
      const parties = story.rows("G_PARTY", "ID");
      const callOf = new Map(calls.map((row) => [row.CALLID, row]));
      const partyOf = new Map(parties.map((row) => [row.PARTYID, row]));
      for (const [table, column] of keys) {
        const rows = story.rows(table, "ID" as never) as readonly Record<string, unknown>[];
        const values = rows.map((row) => row[column]);
        expect([table, new Set(values).size]).toEqual([table, values.length]);
      }

      for (const row of [...calls, ...story.rows("G_IR", "ID"), ...parties, ...story.rows("G_VIRTUAL_QUEUE", "ID")]) {
        expect(row.TERMINATED ?? "open").not.toBe("open");
        expect(Date.parse(row.TERMINATED ?? "")).toBeGreaterThanOrEqual(Date.parse(row.CREATED ?? ""));
      }
      for (const party of parties) {
        const call = callOf.get(party.CALLID);
        expect(call).toBeDefined();
        expect(Date.parse(call?.TERMINATED ?? "")).toBeGreaterThanOrEqual(Date.parse(party.TERMINATED ?? ""));
      }
      const history = story.rows("G_PARTY_HISTORY", "PHID");
      const historyOf = Map.groupBy(history, ({ PARTYID }) => PARTYID);
      for (const [partyId, rows] of historyOf) {
        expect(partyOf.has(partyId)).toBe(true);
        expect(rows.map(({ PSEQ }) => PSEQ)).toEqual(rows.map((_, index) => index + 1));
        expect(rows.at(-1)?.STATE).toBe(partyStates.null);
        let state: number | null = null;
        let since = 0;
        for (const row of rows) {
          expect(state).not.toBe(partyStates.null);
          expect(row.PREVSTATE ?? null).toBe(state);
          expect(Date.parse(row.ADDED ?? "")).toBeGreaterThanOrEqual(since);
          state = row.STATE ?? null;
          since = Date.parse(row.ADDED ?? "");
        }
      }
      expect(historyOf.size).toBe(parties.length);
      for (const [, rows] of Map.groupBy(history, ({ PARTYID }) => partyOf.get(PARTYID)?.CALLID)) {
        expect(rows.map(({ CSEQ }) => CSEQ)).toEqual(rows.map((_, index) => index + 1));
      }
      for (const [callId, rows] of Map.groupBy(story.rows("G_CALL_HISTORY", "CHID"), ({ CALLID }) => CALLID)) {
        expect(callOf.has(callId)).toBe(true);
        expect(rows.map(({ CSEQ }) => CSEQ)).toEqual(rows.map((_, index) => index + 1));
      }
      for (const [, rows] of Map.groupBy(story.rows("G_IR_HISTORY", "IRHID"), ({ IRID }) => IRID)) {
        expect(rows.map(({ XSEQ }) => XSEQ)).toEqual(rows.map((_, index) => index + 1));
      }
      expect(story.rows("G_CALL_STAT", "ID")).toHaveLength(calls.length);
      expect(story.rows("G_PARTY_STAT", "ID")).toHaveLength(parties.filter(({ TYPE }) => TYPE === 1).length);
      for (const stat of story.rows("G_PARTY_STAT", "ID")) {
        const { TT_ALERTING, TT_CONNECTED, TT_HOLD, TT_QUEUED, TT_DIALING } = stat;
        const spent = [TT_ALERTING, TT_CONNECTED, TT_HOLD, TT_QUEUED, TT_DIALING].map(Number);
        expect(Math.min(...spent)).toBeGreaterThanOrEqual(0);
        const [first] = historyOf.get(stat.PARTYID) ?? [];
        const stay = (partyOf.get(stat.PARTYID)?.TERMINATED_TS ?? 0) - (first?.ADDED_TS ?? 0);
        expect(spent.reduce((sum, seconds) => sum + seconds, 0)).toBe(stay);
      }
      expect([...story.world.all("call")].map(([key]) => key)).toEqual([]);
    }),
    { numRuns: 300, seed: 7 },
  );
}, 20_000);

test("neither batches nor restarts change a row", () => {
  fc.assert(
    fc.property(steps, options, fc.integer({ min: 1, max: 7 }), (given, chosen, size) => {
      const { payloads } = storyOf(given, chosen);
      expect(batchedRows(payloads, size)).toEqual(batchedRows(payloads, payloads.length));
    }),
    { numRuns: 60, seed: 7 },
  );
}, 20_000);
