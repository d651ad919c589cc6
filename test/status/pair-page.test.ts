// The time line as the page shows it, from reports made by hand.

import { expect, test } from "bun:test";
import type { Clock } from "../../src/clock.ts";
import { type Log, silentLog } from "../../src/log.ts";
import { createStatusApp, renderPageBody } from "../../src/status/app.tsx";
import { Live } from "../../src/status/live.ts";
import type { PairReport, ReadPair } from "../../src/status/pair-report.ts";
import { PairView } from "../../src/status/pair-view.tsx";
import { settle } from "../harness/fake-clock.ts";
import { lonelyPair, samplePair, stretch } from "./sample-pair.ts";
import { sampleNow, sampleReport } from "./sample-report.ts";

const stillClock: Clock = { now: () => sampleNow, monotonic: () => 0, after: () => () => {} };

/** An answer of 500 does not say why: here the reason fails the test. */
const failingLog: Log = {
  ...silentLog,
  error: (message, facts) => {
    throw new Error(`${message}: ${JSON.stringify(facts)}`);
  },
};

/** A page whose ledger is read by `read`; `get` asks twice, for the first asking only begins to read. */
function pageOn(read: ReadPair, clock: Clock = stillClock) {
  const pair = new PairView({ clock, read, instanceName: () => "icon-a" });
  const live = new Live({ clock, pagesMax: 1, render: () => renderPageBody(sampleReport, sampleNow) });
  const app = createStatusApp({
    ...{ report: () => sampleReport, clock, log: failingLog, live, pair },
    ...{ port: () => 8080, names: [], access: null, isEncrypted: false },
  });
  const once = async (path: string) => (await app.request(`http://127.0.0.1:8080${path}`)).text();
  const get = async (path = "/") => {
    await once(path);
    await settle();
    return once(path);
  };
  return { once, get };
}

const on = (report: PairReport) => pageOn(() => Promise.resolve(report)).get();

/** The text as a reader sees it. */
function textOf(html: string): string {
  return html
    .replace(/<title>[^<]*<\/title>/g, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");
}

/** Of each row its label, and what its pieces say of themselves. */
function rowsOf(html: string): { readonly label: string; readonly pieces: readonly string[] }[] {
  const rows = html.matchAll(/<svg class="line"[^>]* aria-label="([^"]*)">(.*?)<\/svg>/gs);
  return [...rows].map(([, label = "", inside = ""]) => ({
    label,
    pieces: [...inside.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title = ""]) => title),
  }));
}

test("each source has three rows, the pair's verdict on top, and each piece says when, what and why", async () => {
  const rows = rowsOf(await on(samplePair));
  expect(rows.map(({ label }) => label)).toEqual([
    ...["Pair, north", "icon-a, north", "icon-b, north"],
    ...["Pair, asterisk", "icon-a, asterisk", "icon-b, asterisk"],
  ]);
  expect(rows[0]?.pieces).toContain("Pair, north, 02:00:00 to 02:19:00 UTC (19 min 0 s): complete, confirmed by both");
  expect(rows[0]?.pieces).toContain("Pair, north, 02:19:00 to 02:22:00 UTC (3 min 0 s): complete");
  expect(rows[0]?.pieces).toContain(
    "Pair, north, 02:51:00 to 02:52:00 UTC (1 min 0 s): the copies differ: both call it complete: 41 events here, 40 there",
  );
  expect(rows[1]?.pieces).toContain(
    "icon-a, north, 02:19:00 to 02:22:00 UTC (3 min 0 s): incomplete: connection lost; events 118 202 to 118 961 are missing",
  );
  expect(rows[2]?.pieces).toContain("icon-b, north, 02:42:00 to 02:51:00 UTC (9 min 0 s): silent");
});

test("what is not yet known says why, while a cut goes on", async () => {
  const [north] = samplePair.sources;
  if (north === undefined) throw new Error("the sample has a source");
  const running = stretch(
    5,
    0,
    "unknown",
    "session ended: silence",
    "the source was not heard far enough beyond it yet",
  );
  const rows = rowsOf(await on({ ...samplePair, sources: [{ ...north, own: [running] }] }));
  expect(rows[1]?.pieces).toEqual([
    "icon-a, north, 02:55:00 to 03:00:00 UTC (5 min 0 s): not yet known: session ended: silence; the source was not heard far enough beyond it yet",
  ]);
});

test("a gap is told in words below the rows, and what is drawn of it is a link to them", async () => {
  const html = await on(samplePair);
  expect(textOf(html)).toContain(
    "2026-11-25 02:19:00 UTC 3 min 0 s icon-a whole connection lost; events 118 202 to 118 961 are missing",
  );
  expect(textOf(html)).toContain("2026-11-25 02:40:00 UTC 2 min 0 s both missing the CTI link was down");
  const links = [...html.matchAll(/<a href="#([^"]+)" aria-label="([^"]+)">/g)];
  expect(links).toHaveLength(5); // two of the pair, two of icon-a, one of icon-b
  for (const [, id, label] of links) {
    expect(html).toContain(` id="${id}"`);
    expect(label).toMatch(/incomplete: |the copies differ: /);
  }
});

test("what the verdict comes to stands beside the source's name", async () => {
  const text = textOf(await on(samplePair));
  expect(text).toContain("north 2 min 0 s missing, the copies differ in 1 min 0 s");
  expect(text).toContain("asterisk nothing missing, 8 min 0 s not known");
  expect(text).toContain(
    "Without sequence numbers: complete says that the source was listened to without interruption.",
  );
});

test("the copy to take is marked in its row", async () => {
  const html = await on(samplePair);
  const [, own = "", peer = ""] = [...html.matchAll(/<svg class="line"[^>]* aria-label.*?<\/svg>/gs)].map(
    ([row]) => row,
  );
  const chosen = (row: string) =>
    [...row.matchAll(/<rect class="chosen" x="([^"]*)" width="([^"]*)"/g)].map((each) => each.slice(1));
  expect(chosen(peer)).toEqual([["31.667%", "5%"]]);
  expect(chosen(own)).toEqual([
    ["0%", "31.667%"],
    ["36.667%", "30%"],
    ["70%", "15%"],
    ["86.667%", "11.667%"],
  ]);
});

test("with the peer gone the page says since when and why, and the verdict is from the own ledger", async () => {
  const html = await on(lonelyPair);
  const text = textOf(html);
  expect(text).toContain(
    "icon-b does not answer since 2026-11-25 02:52:00 UTC : it refused the connection. The verdict is from icon-a alone.",
  );
  expect(text).toContain("icon-b does not answer since 02:52:00 UTC");
  expect(rowsOf(html).map(({ label }) => label)).toEqual([
    ...["Pair, north", "icon-a, north", "Pair, asterisk", "icon-a, asterisk"],
  ]);
  expect(text).toContain("north 5 min 0 s missing");
});

test("without a peer in the configuration there is one row a source, and no talk of a pair", async () => {
  const html = await on({ ...lonelyPair, peer: null });
  expect(rowsOf(html).map(({ label }) => label)).toEqual(["icon-a, north", "icon-a, asterisk"]);
  const text = textOf(html);
  expect(text).toContain("Time line 15 min");
  expect(text).not.toContain("pair");
  expect(text).not.toContain("the copy to take");
});

test("a peer that cannot be used is not one that is gone, and one without a source says so", async () => {
  const [north] = samplePair.sources;
  if (north === undefined) throw new Error("the sample has a source");
  const foreign = { name: "icon-b", silentSince: null, reason: "its windows are 1 s long, ours 60 s" };
  const sources = [{ ...north, peer: null }];
  const unusable = textOf(await on({ ...samplePair, peer: foreign, sources }));
  expect(unusable).toContain("The ledger of icon-b cannot be used : its windows are 1 s long, ours 60 s.");
  expect(unusable).not.toContain("does not answer");
  expect(textOf(await on({ ...samplePair, sources }))).toContain("icon-b does not have this source");
});

test("the page does not wait for the ledger, and says that it is being read", async () => {
  const { once } = pageOn(() => new Promise(() => {}));
  expect(textOf(await once("/"))).toContain("The ledger is being read.");
});

test("a ledger that cannot be read is told, and what is known of before stays", async () => {
  let monotonic = 0;
  let isFailing = false;
  const clock: Clock = { ...stillClock, monotonic: () => monotonic };
  const { get } = pageOn(() => {
    return isFailing
      ? Promise.reject(new Error("Cannot read the ledger: the IDB is locked"))
      : Promise.resolve(samplePair);
  }, clock);
  expect(textOf(await get())).not.toContain("cannot be read");
  isFailing = true;
  monotonic += 60_000;
  const text = textOf(await get());
  expect(text).toContain("The ledger cannot be read : Cannot read the ledger: the IDB is locked");
  expect(text).toContain("as of 2026-11-25 02:59:58 UTC");
  expect(text).toContain("north 2 min 0 s missing");
});

test("a ledger that was not read for long is called old", async () => {
  const old = { ...samplePair, readAt: sampleNow - 60_000 };
  expect(textOf(await on(old))).toContain("The ledger has not been read for a while : what stands here is old.");
  expect(textOf(await on(samplePair))).not.toContain("not been read for a while");
});

test("four spans by link, the one that is shown is marked, and anything else is an hour", async () => {
  const spans: number[] = [];
  const page = (path: string) =>
    pageOn((spanMs) => {
      spans.push(spanMs / 60_000);
      return Promise.resolve(samplePair);
    }).get(path);
  for (const [path, label] of [
    ["/?span=15m", "15 min"],
    ["/?span=1h", "1 h"],
    ["/?span=6h", "6 h"],
    ["/?span=24h", "24 h"],
    ["/", "1 h"],
    ["/?span=%3Cb%3E", "1 h"],
  ] as const) {
    expect(await page(path)).toContain(`aria-current="true">${label}</a>`);
  }
  expect(spans).toEqual([15, 60, 360, 1440, 60, 60]);
});

test("the newest ten gaps of a source are listed, and the others counted and still linked", async () => {
  const [north] = samplePair.sources;
  if (north === undefined) throw new Error("the sample has a source");
  const own = Array.from({ length: 14 }, (_, index) =>
    stretch(60 - 4 * index, 58 - 4 * index, "incomplete", "connection lost"),
  );
  const source = { ...north, verdict: [], own, peer: null };
  const html = await on({ ...samplePair, peer: null, sources: [source] });
  expect([...html.matchAll(/<tr id="gap-/g)]).toHaveLength(10);
  expect(textOf(html)).toContain("4 more before them: icon availability has all.");
  expect([...html.matchAll(/<a href="#gaps-0"/g)]).toHaveLength(4);
});

test("whatever stands in the report is escaped, and no style or script is inline", async () => {
  const [north] = samplePair.sources;
  if (north === undefined) throw new Error("the sample has a source");
  const own = [stretch(10, 5, "incomplete", '"><script>alert(1)</script>')];
  const peer = { name: "<img src=x>", silentSince: sampleNow, reason: "<b>" };
  const html = await on({ ...samplePair, peer, sources: [{ ...north, name: "<i>", own, peer: null }] });
  expect(html).not.toMatch(/<script>|<img|<b>|<i>|"><script/);
  expect(html).not.toMatch(/<script(?![^>]*src=)|<style| style="| on[a-z]+="/);
});
