// Whatever agents, calls, links and the source's clock do: an endpoint's states follow on one another, its totals are the
// sum of its history, no row ends before it began, and neither batches nor restarts change a row.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { agentStates } from "../../schema/dictionary.ts";
import { defaultAgentOptions } from "../../src/event/envelope.ts";
import { batchedRows } from "../harness/batched-rows.ts";
import { Story } from "../harness/story.ts";

const dn = fc.constantFrom("5001", "5002");
const agent = fc.constantFrom("A7", "A8", undefined);
const queue = fc.constantFrom(undefined, "8001", "8002");
const call = fc.constantFrom("1", "2", "3");
const mode = fc.constantFrom(undefined, 1, 3, 4);
const reasons = fc.constantFrom(undefined, { Break: "coffee" }, { Aux: "meeting" });

const agentEvent = fc.record({
  id: fc.constantFrom(
    ...["EventAgentLogin", "EventAgentReady", "EventAgentNotReady", "EventAgentLogout", "EventQueueLogout"],
    ...["EventAgentLogin", "EventAgentReady", "EventAgentNotReady", "EventDNDOn", "EventDNDOff"],
    "EventAgentIdleReasonSet",
  ),
  members: fc.record({ ThisDN: dn, AgentID: agent, ThisQueue: queue, AgentWorkMode: mode, Reasons: reasons }),
});
const callEvent = fc
  .record({
    id: fc.constantFrom(
      "EventRinging",
      "EventDialing",
      "EventEstablished",
      "EventHeld",
      "EventRetrieved",
      "EventReleased",
    ),
    dn,
    call,
  })
  .map(({ id, dn: ThisDN, call: number }) => ({
    id,
    members: { ThisDN, ThisDNRole: 2, PartyUUID: `P${number}/${ThisDN}`, ConnID: `0${number}`, CallUUID: `C${number}` },
  }));
const steps = fc.array(
  fc.record({
    // Tenths of a second: now and then nothing passes, or the clock steps back a little or far.
    after: fc.constantFrom(0, 0, 3, 17, 100, 456, -2, -40, -600),
    act: fc.oneof(
      { weight: 8, arbitrary: agentEvent },
      { weight: 6, arbitrary: callEvent },
      { weight: 1, arbitrary: fc.constant("cut" as const) },
    ),
    present: fc.array(agentEvent, { maxLength: 3 }),
  }),
  { maxLength: 40 },
);

const presentIds = new Set(["EventAgentLogin", "EventAgentReady", "EventAgentNotReady", "EventDNDOn"]);

function storyOf(
  given: typeof steps extends fc.Arbitrary<infer T> ? T : never,
  options: { readonly isAcwOfFirstCall: boolean; readonly isBusyOverAcw: boolean },
  role: readonly string[],
): Story {
  const story = new Story({ role, agents: { ...defaultAgentOptions, ...options } });
  let tenths = 0;
  let sequence = 0;
  for (const { after, act, present } of given) {
    tenths = Math.max(0, tenths + after);
    if (act === "cut") {
      story.close("connection lost").open();
      const lines = present.filter(({ id }) => presentIds.has(id));
      story.snapshot(sequence, ...lines.map(({ id, members }) => [tenths / 10, id, members] as const));
    } else {
      story.events([tenths / 10, act.id, act.members]);
      sequence += 1;
    }
  }
  return story.events(
    [tenths / 10 + 60, "EventAgentLogout", { ThisDN: "5001" }],
    [tenths / 10 + 61, "EventAgentLogout", { ThisDN: "5002" }],
  );
}

const setting = fc.record({
  isAcwOfFirstCall: fc.boolean(),
  isBusyOverAcw: fc.boolean(),
  writesActiveReasons: fc.boolean(),
});
const role = fc.constantFrom(["gcc", "gls"], ["gls"]);

test("an endpoint's states follow on one another without gap or overlap, and its totals are their sum", () => {
  fc.assert(
    fc.property(steps, setting, role, (given, options, roles) => {
      const story = storyOf(given, options, roles);
      const history = story.rows("G_AGENT_STATE_HISTORY", "ID");
      for (const endpoint of story.rows("GX_SESSION_ENDPOINT", "ID")) {
        const { LOGINSESSIONID, ENDPOINTDN, QUEUEDN, CREATED, TERMINATED } = endpoint;
        expect(TERMINATED).not.toBeNull();
        const of = history.filter(
          (row) => row.LOGINSESSIONID === LOGINSESSIONID && row.ENDPOINTDN === ENDPOINTDN && row.QUEUEDN === QUEUEDN,
        );
        let state: number = agentStates.null;
        let since = 0;
        for (const row of of) {
          const now = Date.parse(row.ADDED ?? "");
          expect(now).toBeGreaterThanOrEqual(since);
          expect(row.PREVSTATE).toBe(state);
          if (row.TYPE !== 5) expect(row.STATE).toBe(state);
          state = row.STATE;
          since = now;
        }
        expect(state).toBe(agentStates.null);
        expect(of.some(({ ADDED }) => (ADDED ?? "") >= (CREATED ?? ""))).toBe(true);
        expect(of.some(({ ADDED, STATE }) => ADDED === TERMINATED && STATE === agentStates.null)).toBe(true);
      }
      expectTotals(story);
    }),
    { numRuns: 200 },
  );
});

/** Recomputed from the history alone. */
function expectTotals(story: Story): void {
  const ms = new Map<string, number>();
  const lengths = new Map<string, number>();
  const last = new Map<string, { readonly state: number; readonly at: number }>();
  for (const row of story.rows("G_AGENT_STATE_HISTORY", "ID")) {
    const where = `${row.LOGINSESSIONID} ${row.ENDPOINTDN} ${row.QUEUEDN}`;
    const before = last.get(where);
    const now = Date.parse(row.ADDED ?? "");
    if (before !== undefined && before.state !== agentStates.null) {
      const lasted = now - before.at;
      ms.set(`${where} ${before.state}`, (ms.get(`${where} ${before.state}`) ?? 0) + lasted);
      lengths.set(where, (lengths.get(where) ?? 0) + lasted);
    }
    last.set(where, { state: row.STATE, at: now });
  }
  const sums = new Map<string, number>();
  const modes = new Map<string, number>();
  for (const row of story.rows("GS_AGENT_STAT_WM", "ID")) {
    const key = `${row.LOGINSESSIONID} ${row.ENDPOINTDN} ${row.QUEUEDN} ${row.AGENTSTATE}`;
    modes.set(key, (modes.get(key) ?? 0) + row.TT);
  }
  const totals = story.rows("GS_AGENT_STAT", "ID");
  for (const row of totals) {
    const where = `${row.LOGINSESSIONID} ${row.ENDPOINTDN} ${row.QUEUEDN}`;
    const key = `${where} ${row.AGENTSTATE}`;
    expect(Math.abs(row.TT - (ms.get(key) ?? 0) / 1000)).toBeLessThan(1);
    expect(row.CNT).toBeGreaterThan(0);
    expect(modes.get(key)).toBe(row.TT);
    sums.set(where, (sums.get(where) ?? 0) + row.TT);
  }
  const lasted = [...ms].filter(([, each]) => each > 0).map(([key]) => key);
  expect(totals.length).toBe(lasted.length);
  for (const [where, length] of lengths) expect(sums.get(where) ?? 0).toBe(Math.floor(length / 1000));
}

test("no row of an agent ends before it began, or outside of its session, and histories go forward", () => {
  fc.assert(
    fc.property(steps, setting, role, (given, options, roles) => {
      const story = storyOf(given, options, roles);
      const endpoints = story.rows("GX_SESSION_ENDPOINT", "ID");
      const changes = story.rows("G_AGENT_STATE_HISTORY", "ID");
      const reasonsGiven = story.rows("G_AGENT_STATE_RC", "ID");
      for (const session of story.rows("G_LOGIN_SESSION", "ID")) {
        const { LOGINSESSIONID } = session;
        const ofSession = (row: { readonly LOGINSESSIONID?: string | null }) => row.LOGINSESSIONID === LOGINSESSIONID;
        const own = endpoints.filter(ofSession);
        const ofReasons = reasonsGiven.filter(({ SESSIONID }) => SESSIONID === LOGINSESSIONID);
        for (const row of [...own, ...ofReasons]) expectForward(session.CREATED, row.CREATED, row.TERMINATED);
        expect(session.TERMINATED).toBe(
          own
            .map(({ TERMINATED }) => TERMINATED)
            .sort()
            .at(-1),
        );
        expectForward(...changes.filter(ofSession).map(({ ADDED }) => ADDED));
        expectForward(
          ...story
            .rows("G_DND_HISTORY", "ID")
            .filter(ofSession)
            .map(({ ADDED }) => ADDED),
        );
        for (const stays of Map.groupBy(own, ({ ENDPOINTDN, QUEUEDN }) => `${ENDPOINTDN}/${QUEUEDN}`).values()) {
          expectForward(...stays.flatMap(({ CREATED, TERMINATED }) => [CREATED, TERMINATED]));
        }
      }
      const doubts = story.rows("ICON_ROW_QUALITY", "ID").filter(({ REASON }) => REASON === "end not seen");
      for (const { EARLIEST, LATEST, TABLE_NAME } of doubts) {
        if (TABLE_NAME === "G_LOGIN_SESSION") expectForward(EARLIEST, LATEST);
      }
    }),
    { numRuns: 200 },
  );
});

function expectForward(...times: readonly (string | null | undefined)[]): void {
  expect([...times].sort()).toEqual([...times]);
}

test("batches and restarts change no row of an agent", () => {
  fc.assert(
    fc.property(steps, setting, role, fc.integer({ min: 1, max: 7 }), (given, options, roles, batchRecords) => {
      const { payloads } = storyOf(given, options, roles);
      expect(batchedRows(payloads, batchRecords)).toEqual(batchedRows(payloads, payloads.length));
    }),
    { numRuns: 60 },
  );
});
