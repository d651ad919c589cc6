// After-call work and the calls around it: which call it belongs to, and what a call during it does.

import { expect, test } from "bun:test";
import { acw, agentStory, at5001, other5001, party5001, stretches } from "../harness/agent-story.ts";

const third5001 = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "P3", ConnID: "03", CallUUID: "C3" };

const callDuringWork = [
  [0, "EventAgentLogin", at5001],
  [1, "EventAgentReady", at5001],
  [10, "EventEstablished", party5001],
  [30, "EventReleased", party5001],
  [30, "EventAgentNotReady", acw],
  [40, "EventDialing", other5001],
  [50, "EventReleased", other5001],
  [60, "EventAgentReady", at5001],
] as const;

test.each([
  // gls-acw-first 0, gls-enable-acw-busy 1, the defaults: the second call interrupts, and takes the rest.
  [false, true, "afterCallWork (C1) 30, busy→afterCallWork (C2) 40, afterCallWork (C2) 50, ready 60"],
  // With the first call's rule no later call interrupts, whatever gls-enable-acw-busy says.
  [true, true, "afterCallWork (C1) 30, joined in afterCallWork (C2) 40, left in afterCallWork (C2) 50, ready 60"],
  // Nobody is busy during after-call work; with the last call's rule the rest of it is a stretch of its own.
  [false, false, "afterCallWork (C1) 30, joined in afterCallWork (C2) 40, afterCallWork (C2) 50, ready 60"],
  [true, false, "afterCallWork (C1) 30, joined in afterCallWork (C2) 40, left in afterCallWork (C2) 50, ready 60"],
] as const)(
  "a call during after-call work, of the first call %p, busy over it %p",
  (isAcwOfFirstCall, isBusyOverAcw, expected) => {
    const story = agentStory({ options: { isAcwOfFirstCall, isBusyOverAcw } }).events(...callDuringWork);
    expect(stretches(story)).toEqual([`5001: login 0, ready 1, busy→ready (C1) 10, ready (C1) 30, ${expected}`]);
  },
);

const consultation = [
  [0, "EventAgentLogin", at5001],
  [1, "EventAgentReady", at5001],
  [10, "EventEstablished", party5001],
  [12, "EventHeld", party5001],
  [12, "EventDialing", other5001],
  [18, "EventAgentNotReady", acw],
  [20, "EventReleased", party5001],
  [25, "EventReleased", other5001],
  [40, "EventAgentReady", at5001],
  [50, "EventEstablished", third5001],
  [60, "EventReleased", third5001],
  [60, "EventAgentAfterCallWork", at5001],
] as const;

test.each([
  [false, "C2"],
  [true, "C1"],
] as const)(
  "after-call work told while busy waits for the last call, and belongs, of the first call %p, to %s",
  (isAcwOfFirstCall, callId) => {
    for (const isBusyOverAcw of [true, false]) {
      const story = agentStory({ options: { isAcwOfFirstCall, isBusyOverAcw } }).events(...consultation);
      expect(stretches(story)).toEqual([
        "5001: login 0, ready 1, busy→ready (C1) 10, joined in busy→ready (C2) 12, pending busy→afterCallWork 18, " +
          `left in busy→afterCallWork (C1) 20, afterCallWork (${callId}) 25, ready 40, ` +
          // Ready was told in between: this is the work after another call.
          "busy→ready (C3) 50, ready (C3) 60, afterCallWork (C3) 60",
      ]);
    }
  },
);

test("after-call work ends with not ready for another reason, also during a call, and with logout", () => {
  const begin = callDuringWork.slice(0, 6);
  const events = [
    ...begin,
    [45, "EventAgentNotReady", { ...at5001, AgentWorkMode: "AgentAuxWork" }],
    [50, "EventReleased", other5001],
    [55, "EventAgentNotReady", acw],
    [58, "EventAgentLogout", at5001],
  ] as const;
  const word = (isBusyOverAcw: boolean) => stretches(agentStory({ options: { isBusyOverAcw } }).events(...events));
  const before = "5001: login 0, ready 1, busy→ready (C1) 10, ready (C1) 30, afterCallWork (C1) 30";
  const after = "notReady (C2) 50, afterCallWork (C2) 55, null 58";
  expect(word(true)).toEqual([`${before}, busy→afterCallWork (C2) 40, pending busy→notReady 45, ${after}`]);
  expect(word(false)).toEqual([`${before}, joined in afterCallWork (C2) 40, busy→notReady (C2) 45, ${after}`]);
});

test("after-call work that no call came before names none, nor does a call during it become its first one", () => {
  const story = agentStory({ options: { isAcwOfFirstCall: true } }).events(
    [0, "EventAgentLogin", at5001],
    [5, "EventAgentNotReady", acw],
    [40, "EventDialing", other5001],
    [50, "EventReleased", other5001],
  );
  expect(stretches(story)).toEqual([
    "5001: login 0, afterCallWork 5, joined in afterCallWork (C2) 40, left in afterCallWork (C2) 50",
  ]);
});
