// Many stories at once on the Asterisk that is not there, and its queue members.

import { Pbx, type Telling } from "./ami-pbx.ts";
import { meetInConference, parkAndFetch, pickUpCall, transferBlindly } from "./ami-pbx-joins.ts";
import { plainCall, type Reach, reachAgent, type Stage, type Talk } from "./ami-pbx-stories.ts";
import { codeEndings, orders, phoneEndings, transferByCodes, transferByPhone } from "./ami-pbx-transfers.ts";
import { Truth } from "./ami-pbx-truth.ts";

export const startMs = Date.parse("2026-11-23T08:00:00.000Z");
export const reaches: readonly Reach[] = ["device", "pair", "optimised"];

export function stageOf(seed: number): Stage {
  let state = seed >>> 0;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return { pbx: new Pbx(startMs), truth: new Truth(), random };
}

export function* withTalk(
  stage: Stage,
  number: string,
  dn: string,
  reach: Reach,
  then: (talk: Talk) => Telling,
): Telling {
  yield* then(yield* reachAgent(stage, number, dn, reach));
}

/** One story played alone. */
export function played(seed: number, story: (stage: Stage) => Telling): Stage {
  const stage = stageOf(seed);
  stage.pbx.plan(0, story(stage));
  stage.pbx.play();
  return stage;
}

/** So many stories, a new one each 1.7 s, each with DNs of its own. */
export function playedTraffic(seed: number, count: number): Stage {
  const stage = stageOf(seed);
  stage.pbx.plan(0, hireMembers(stage, 24));
  for (let index = 0; index < count; index += 1) stage.pbx.plan(100 + index * 1700, storyOf(stage, index));
  stage.pbx.play();
  return stage;
}

const agentDn = (index: number) => String(4001 + index);

function* hireMembers({ pbx }: Stage, count: number): Telling {
  for (let index = 0; index < count; index += 1) {
    const dn = agentDn(index);
    const loginTime = Math.floor(pbx.now / 1000);
    const member = { Queue: "support", MemberName: `Agent${dn}`, Interface: `PJSIP/${dn}`, Paused: 0, Wrapuptime: 0 };
    pbx.say("QueueMemberAdded", { ...member, LoginTime: loginTime });
    yield 1;
  }
}

function storyOf(stage: Stage, index: number): Telling {
  const { random } = stage;
  const pick = <T>(values: readonly T[]): T => values[random(values.length)] as T;
  const number = `3315550${1000 + index}`;
  // Nobody has two calls at once that are no consultation: agents come in turn, and stories last less than a round.
  const dn = agentDn(index % 40);
  const target = String(5001 + index);
  const reach = pick(reaches);
  switch (random(8)) {
    case 0:
      return plainCall(stage, number, dn, reach);
    case 1:
    case 2:
      return withTalk(stage, number, dn, reach, (talk) =>
        transferByPhone(stage, talk, target, pick(reaches), pick(phoneEndings), pick(orders)),
      );
    case 3:
    case 4:
      return withTalk(stage, number, dn, "optimised", (talk) =>
        transferByCodes(stage, talk, target, pick(codeEndings), pick(orders)),
      );
    case 5:
      return meetInConference(stage, `85${index}`, [number, `${number}1`, `${number}2`]);
    case 6:
      return withTalk(stage, number, dn, "device", (talk) =>
        parkAndFetch(stage, talk, `7${index}`, target, pick(["fetched", "given up", "timed out"] as const)),
      );
    default:
      return random(2) === 0 ? pickUpCall(stage, number, dn, target) : transferBlindly(stage, number, dn, target);
  }
}
