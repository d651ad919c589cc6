// What an instance says of its own ledger and its peer's, read in a child process, the peer's over HTTP.

import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { PairReader } from "../../src/handing-out/pair-reader.ts";
import type { Peer } from "../../src/handing-out/question.ts";
import { storeCopy } from "../extraction/stored-copy.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { Story, startMs } from "../harness/story.ts";
import { TemporaryDirectory } from "../idb/temporary.ts";
import { ServedIdb } from "./served-idb.ts";

const second = (seconds: number) => startMs / 1000 + seconds;
const timeoutMs = 60_000;

const iconA = { name: "icon-a", dbid: 9001 };
const iconB = { name: "icon-b", dbid: 9002 };

/** An event every 20 s for 10 minutes, each a call of its own; those at these seconds never came. */
function story(instance: { readonly name: string; readonly dbid: number }, ...missed: readonly number[]): Story {
  const told = new Story({ instance }).snapshot(0);
  for (let at = 1; at <= 601; at += 20) {
    if (missed.includes(at)) told.skip(1);
    else
      told.events([at, "EventRinging", { ConnID: at.toString(16).padStart(16, "0"), CallUUID: `C${at}`, ThisDN: "5" }]);
  }
  return told.heartbeat(700);
}

const shared = new TemporaryDirectory();
const stored = (name: string, told: Story, windowSeconds = 60) =>
  storeCopy({ directory: join(shared.path, name), payloads: told.payloads, windowSeconds });
// The own IDB lacks numbers 16 and 17, of second 301 and 321; the peer's has all.
const ownPath = await stored("own", story(iconA, 301, 321));
const peerPath = await stored("peer", story(iconB));
const otherWindows = await stored("windows", story(iconB), 30);

const served = await ServedIdb.start({ idbPath: peerPath });
const tokenFile = join(shared.path, "peer.token");
writeFileSync(tokenFile, `${served.tokens.read}\n`, { mode: 0o600 });
const peer: Peer = { origin: served.origin, tokenFile, caFile: null };
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  shared[Symbol.dispose]();
});

const query = `from=${second(60)}&to=${second(600)}`;
const get = async (own: ServedIdb, path: string) => {
  const answer = await own.get(path, own.tokens.read);
  return [answer.status, (await answer.json()) as Record<string, unknown>] as const;
};

describe("a pair's availability", () => {
  test(
    "takes from the peer what the own IDB lacks, and says from whom and why",
    async () => {
      await using own = await ServedIdb.start({ idbPath: ownPath, peer });
      const [status, answer] = await get(own, `/api/v1/availability?${query}`);
      expect(status).toBe(200);
      expect(answer).toMatchObject({
        from: second(60),
        until: second(600),
        windowSeconds: 60,
        copies: [
          { name: "own", problem: null },
          { name: served.origin, problem: null },
        ],
      });
      const whole = { state: "complete", agreement: "confirmed", chosen: "own", causes: {} };
      expect(answer["sources"]).toEqual([
        {
          ...{ cluster: 101, switchDbid: 1, names: ["north"], isProven: true },
          windows: { complete: 9, silent: 0, incomplete: 0, unknown: 0 },
          confirmed: 8,
          divergent: 0,
          stretches: [
            { from: second(60), until: second(300), windows: 4, ...whole },
            { from: second(300), until: second(360), windows: 1, ...whole, agreement: "alone", chosen: served.origin },
            { from: second(360), until: second(600), windows: 4, ...whole },
          ],
        },
      ]);

      const [, windows] = await get(own, `/api/v1/windows?${query}&source=north`);
      const [source] = windows["sources"] as { readonly windows: readonly Record<string, unknown>[] }[];
      expect(source?.windows.length).toBe(9);
      expect(source?.windows[4]).toMatchObject({
        ...{ from: second(300), until: second(360), windows: 1, state: "complete", chosen: served.origin },
        copies: {
          own: { state: "incomplete", events: 1, missing: [{ from: 16, to: 17 }] },
          [served.origin]: { state: "complete", events: 3, causes: [], missing: [] },
        },
      });
    },
    timeoutMs,
  );

  test(
    "is explained for one moment, with what happened and in plain words",
    async () => {
      await using own = await ServedIdb.start({ idbPath: ownPath, peer });
      const [status, answer] = await get(own, `/api/v1/explain?at=${second(310)}`);
      expect([status, answer["at"], answer["windowSeconds"]]).toEqual([200, second(310), 60]);
      const [source] = answer["sources"] as Record<string, unknown>[];
      expect(source).toMatchObject({
        ...{ cluster: 101, switchDbid: 1, names: ["north"], state: "complete", agreement: "alone" },
        window: { from: second(300), until: second(360) },
        chosen: served.origin,
        copies: [
          {
            ...{
              name: "own",
              state: "incomplete",
              events: 1,
              isProven: true,
              causes: expect.arrayContaining(["hole"]),
            },
            because: expect.arrayContaining(["events 16 to 17 are missing"]),
            chain: expect.arrayContaining([
              expect.objectContaining({ kind: "last word", clock: "source", word: "hole" }),
            ]),
          },
          { name: served.origin, state: "complete", events: 3, because: [] },
        ],
        words: expect.arrayContaining([`  complete: 3 events; take ${served.origin}.`]),
      });
    },
    timeoutMs,
  );

  test(
    "of the own IDB alone names what is missing, without a peer and with one that is away",
    async () => {
      const away: Peer = { origin: "http://127.0.0.1:1", tokenFile: null, caFile: null };
      for (const [given, problem] of [
        [undefined, undefined],
        [away, "it refuses the connection"],
        [{ ...peer, tokenFile: null }, expect.stringContaining("it wants a token")],
        [{ ...peer, tokenFile: join(shared.path, "none") }, expect.stringContaining("ENOENT")],
      ] as const) {
        await using own = await ServedIdb.start({ idbPath: ownPath, ...(given === undefined ? {} : { peer: given }) });
        const [status, answer] = await get(own, `/api/v1/availability?${query}`);
        const problems = (answer["copies"] as { readonly problem: string | null }[]).map((each) => each.problem);
        expect([status, problems]).toEqual([200, problem === undefined ? [null] : [null, problem]]);
        const [source] = answer["sources"] as Record<string, unknown>[];
        expect(source).toMatchObject({
          // Alone, it can only say that they fell between second 281 and 341.
          windows: { complete: 7, silent: 0, incomplete: 2, unknown: 0 },
          stretches: [
            { windows: 3, state: "complete", agreement: "alone", chosen: "own" },
            {
              windows: 2,
              state: "incomplete",
              chosen: null,
              causes: { own: expect.arrayContaining(["events 16 to 17 are missing"]) },
            },
            { windows: 4, state: "complete" },
          ],
        });
      }
    },
    timeoutMs,
  );

  test(
    "does not judge a peer's windows of another length, and knows the sources that it has",
    async () => {
      await using other = await ServedIdb.start({ idbPath: otherWindows });
      writeFileSync(join(shared.path, "other.token"), `${other.tokens.read}\n`, { mode: 0o600 });
      const otherPeer = { origin: other.origin, tokenFile: join(shared.path, "other.token"), caFile: null };
      await using own = await ServedIdb.start({ idbPath: ownPath, peer: otherPeer });
      const [, answer] = await get(own, `/api/v1/availability?${query}`);
      expect(answer["copies"]).toMatchObject([{}, { problem: expect.stringContaining("windows of 60 s and of 30 s") }]);
      const [status, problem] = await get(own, `/api/v1/windows?${query}&source=south`);
      expect([status, problem["detail"]]).toEqual([
        409,
        "The ledger has nothing of a data source of this name in this stretch; expected one of north",
      ]);
    },
    timeoutMs,
  );
});

describe("the page's time line", () => {
  const sources = () => [
    { name: "north", cluster: 101, switchDbid: 1 },
    { name: "asleep", cluster: 102, switchDbid: 1 },
  ];
  const clock = () => new FakeClock(second(660) * 1000);
  const ms = (seconds: number) => second(seconds) * 1000;

  test(
    "has the pair's verdict, the own IDB and the peer's, each in its own words",
    async () => {
      await using own = await ServedIdb.start({ idbPath: ownPath, peer });
      const reader = new PairReader({
        ...{ handingOut: own.handingOut, sources, peerOrigin: () => served.origin, clock: clock() },
      });
      const { sources: lines, ...report } = await reader.read(600_000);
      expect(report).toEqual({
        ...{ from: ms(60), until: ms(660), readAt: ms(660) },
        peer: { name: "icon-a", silentSince: null, reason: null },
      });
      const complete = { state: "complete", causes: [] } as const;
      const confirmed = { ...complete, chosen: "own", isConfirmed: true } as const;
      expect(lines).toEqual([
        {
          ...{ name: "north", isProven: true },
          verdict: [
            { from: ms(60), until: ms(300), ...confirmed },
            { from: ms(300), until: ms(360), ...complete, chosen: "peer", isConfirmed: false },
            { from: ms(360), until: ms(660), ...confirmed },
          ],
          own: [
            { from: ms(60), until: ms(300), ...complete },
            {
              from: ms(300),
              until: ms(360),
              state: "incomplete",
              causes: expect.arrayContaining(["events 16 to 17 are missing"]),
            },
            { from: ms(360), until: ms(660), ...complete },
          ],
          peer: [{ from: ms(60), until: ms(660), ...complete }],
        },
        { name: "asleep", isProven: true, verdict: [], own: [], peer: null },
      ]);
    },
    timeoutMs,
  );

  test(
    "goes on without the peer, and remembers since when it is silent",
    async () => {
      let isThere = false;
      const away: Peer = { origin: "http://127.0.0.1:1", tokenFile: null, caFile: null };
      const at = clock();
      await using own = await ServedIdb.start({ idbPath: ownPath, peer: () => (isThere ? peer : away) });
      const reader = new PairReader({
        ...{ handingOut: own.handingOut, sources, clock: at, peerOrigin: () => (isThere ? peer : away).origin },
      });
      const peerOf = async () => (await reader.read(600_000)).peer;
      const silent = { name: away.origin, silentSince: ms(660), reason: "it refuses the connection" };
      expect(await peerOf()).toEqual(silent);
      await at.advance(5_000);
      expect(await peerOf()).toEqual(silent);
      isThere = true;
      expect(await peerOf()).toEqual({ name: "icon-a", silentSince: null, reason: null });
    },
    timeoutMs,
  );

  test(
    "says why the own ledger cannot be read",
    async () => {
      await using own = await ServedIdb.start({ idbPath: join(shared.path, "none.db") });
      const reader = new PairReader({
        ...{ handingOut: own.handingOut, sources, peerOrigin: () => null, clock: systemClock },
      });
      await expect(reader.read(600_000)).rejects.toThrow("there is no such file");
    },
    timeoutMs,
  );
});
