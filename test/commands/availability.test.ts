import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { foldOn, storeCopy } from "../extraction/stored-copy.ts";
import { Story } from "../harness/story.ts";
import { query, tamper } from "../idb/temporary.ts";
import { runIcon } from "./run-icon.ts";

// Both listen from second 0 to 40; b is cut off from 12 to 20 and cannot be sent what it missed, and another event is
// missing in both at second 30.
const folder = mkdtempSync(join(tmpdir(), "icon-availability-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ring = (call: number) => ({ ConnID: `0${call}`, CallUUID: `C${call}`, ThisDN: `500${call}`, ThisDNRole: 2 });

function beginning(instance?: { name: string; dbid: number }): Story {
  const story = new Story({ ...(instance && { instance }) }).snapshot(0).heartbeat(0.5).heartbeat(5.2);
  return story.events([8.3, "EventRinging", ring(1)], [11.4, "EventEstablished", ring(1)]);
}

function ending(story: Story): Story {
  story
    .events([22.1, "EventReleased", ring(2)])
    .heartbeat(29.2)
    .skip(1)
    .events([31.5, "EventRinging", ring(3)]);
  return story.heartbeat(35.2).heartbeat(39.2);
}

beforeAll(async () => {
  const a = ending(
    beginning()
      .events([14.1, "EventRinging", ring(2)], [16.2, "EventEstablished", ring(2)])
      .heartbeat(20.2),
  );
  const b = beginning({ name: "icon-b", dbid: 9002 }).heartbeat(12).wait(12).close("connection lost").wait(8).open();
  b.line({ gap: { from: 3, to: 4 } }).snapshot(4, [14.1, "EventEstablished", ring(2)]);
  ending(b.heartbeat(20.2));
  await storeCopy({ directory: join(folder, "a"), payloads: a.payloads, windowSeconds: 1 });
  await storeCopy({ directory: join(folder, "b"), payloads: b.payloads, windowSeconds: 1 });
});

const icon = (...words: string[]) => runIcon(words, folder);
const pair = ["--idb", "a", "--idb", "b"];
const from = (seconds: number) => new Date(Date.parse("2026-11-23T08:00:00Z") + seconds * 1000).toISOString();

describe("icon availability", () => {
  test("says of each source what is whole, from which IDB, and ends with 3 where something is missing in all", async () => {
    const { stdout, stderr, exitCode } = await icon("availability", ...pair);
    expect(stderr).toBe("");
    expect(stdout.split("\n")).toEqual([
      "a: a",
      "b: b",
      "",
      "Source north, cluster 101, switch 1: 33 windows",
      "  complete       15.1515 %  5",
      "  silent         75.7575 %  25",
      "  incomplete      9.0909 %  3",
      "  confirmed      84.8484 %  28",
      "  to be taken: 30 from a, 0 from b",
      "  longest incomplete stretch: 2026-11-23T08:00:29Z to 08:00:32Z",
      "  2026-11-23T08:00:29Z to 08:00:32Z incomplete",
      "    a: numbers are missing; event 6 is missing",
      "    b: numbers are missing; event 6 is missing",
      "",
    ]);
    expect(exitCode).toBe(3);
  });

  test("a source's clock that was absurd once costs no eight thousand years, unless they are asked for", async () => {
    const heard = (instance?: { name: string; dbid: number }) => ending(beginning(instance)).heartbeat(200).payloads;
    const [plain, wild] = await Promise.all([
      storeCopy({ directory: join(folder, "plain"), payloads: heard() }),
      storeCopy({ directory: join(folder, "wild"), payloads: heard({ name: "icon-b", dbid: 9002 }) }),
    ]);
    tamper(wild, "UPDATE ICON_COVERAGE SET UNTIL_TIME = '9999-12-31T23:59:59.999Z'");
    const both = ["--idb", plain, "--idb", wild];
    const { stdout, stderr } = await icon("availability", ...both);
    expect(stderr).toMatch(
      /^Source "north" told of times up to 9999-12-31T23:59:00Z; looked through up to 20\d\d-\S+, a year from now: expected --to TIME for more\n$/,
    );
    expect(stdout).toContain("Source north, cluster 101, switch 1: ");
    const compared = await icon("compare", ...both);
    expect(compared.stderr).toBe("");
    expect(compared.stdout).toContain("0 differ");
    const [intervals] = query(wild, "SELECT count(*) FROM ICON_V_INTERVAL_15");
    // A year and what lies between that morning and today, and not 280 million.
    expect(Number(intervals?.[0])).toBeLessThan(200_000);
    const bounds = ["--from", "9000-01-01", "--to", "9000-01-02"];
    expect((await icon("availability", "--idb", wild, ...bounds)).stderr).toBe("");
  }, 30_000);

  test("ends with 0 where at least one IDB has everything", async () => {
    const { stdout, exitCode } = await icon("availability", ...pair, "--from", from(1), "--to", from(29));
    expect(stdout).toContain("28 windows");
    expect(exitCode).toBe(0);
    expect((await icon("availability", "--idb", "b", "--from", from(1), "--to", from(29))).exitCode).toBe(3);
  });

  test("has a line for each window with events, and for the stretches between", async () => {
    const { stdout } = await icon("availability", ...pair, "--windows", "--from", from(12), "--to", from(18));
    expect(stdout.split("\n").slice(2, 7)).toEqual([
      "2026-11-23T08:00:12Z to 08:00:13Z  101/1  silent  1 window  take a  confirmed",
      "2026-11-23T08:00:13Z to 08:00:14Z  101/1  silent  1 window  take a  confirmed",
      "2026-11-23T08:00:14Z to 08:00:15Z  101/1  complete  1 event  take a  alone",
      "2026-11-23T08:00:15Z to 08:00:16Z  101/1  silent  1 window  take a  confirmed",
      "2026-11-23T08:00:16Z to 08:00:17Z  101/1  complete  1 event  take a  alone",
    ]);
  });

  test("does not let an IDB and its rebuild confirm each other, and refuses two copies of one file", async () => {
    foldOn(join(folder, "a/queue"), join(folder, "again.db"), 1);
    const seconds = ["--from", from(1), "--to", from(29)];
    const { stdout, exitCode } = await icon("availability", "--idb", "a", "--idb", "again.db", ...seconds);
    expect(stdout).toContain("b was recorded by the same instance as a: they do not confirm each other\n");
    expect(stdout).toContain("  confirmed       0.0000 %  0\n");
    expect(exitCode).toBe(0);
    // Of three, the third tells.
    const all = await icon("availability", "--idb", "a", "--idb", "again.db", "--idb", "b", ...seconds);
    expect(all.stdout).toContain("  confirmed      92.8571 %  26\n");

    copyFileSync(join(folder, "a/idb.db"), join(folder, "copied.db"));
    const twice = ["--idb", "a", "--idb", "copied.db"];
    for (const words of [["availability"], ["compare"], ["explain", from(5)], ["extract", "--out", "out.db"]]) {
      const refused = await icon(...words, ...twice, ...(words[0] === "extract" ? seconds : []));
      expect([refused.exitCode, refused.stderr]).toEqual([
        65,
        expect.stringContaining("Cannot compare an IDB with itself: two copies have the IDB id"),
      ]);
    }
  });

  test("judges three IDBs together, and takes of each window the one that has it", async () => {
    // Only a has events 3 and 4, only c has event 6, and c lacks event 5, which the others have.
    const c = beginning({ name: "icon-c", dbid: 9003 }).heartbeat(12).wait(12).close("connection lost").wait(15).open();
    c.line({ gap: { from: 3, to: 5 } })
      .snapshot(5)
      .heartbeat(28.2);
    c.events([30.3, "EventRinging", ring(4)], [31.5, "EventRinging", ring(3)])
      .heartbeat(35.2)
      .heartbeat(39.2);
    await storeCopy({ directory: join(folder, "c"), payloads: c.payloads, windowSeconds: 1 });
    const { stdout, exitCode } = await icon("availability", "--idb", "b", "--idb", "c", "--idb", "a");
    expect(stdout.split("\n")).toEqual([
      "a: b",
      "b: c",
      "c: a",
      "",
      "Source north, cluster 101, switch 1: 33 windows",
      "  complete       21.2121 %  7",
      "  silent         78.7878 %  26",
      "  confirmed      90.9090 %  30",
      "  to be taken: 28 from a, 2 from b, 3 from c",
      "",
    ]);
    expect(exitCode).toBe(0);
    // Without the one or the other something is missing.
    expect((await icon("availability", "--idb", "b", "--idb", "a")).exitCode).toBe(3);
    expect((await icon("availability", "--idb", "b", "--idb", "c")).exitCode).toBe(3);
  });

  test("gives the same as JSON", async () => {
    const { stdout } = await icon("availability", ...pair, "--json");
    const told = JSON.parse(stdout);
    expect(told.idb).toEqual(["a", "b"]);
    expect(told.sources).toMatchObject([
      {
        cluster: 101,
        switchDbid: 1,
        names: ["north"],
        windows: { complete: 5, silent: 25, incomplete: 3, unknown: 0 },
      },
    ]);
  });

  test("does not know yet what lies behind the last word, however far one asks, and ends with 5", async () => {
    const { stdout, exitCode } = await icon("availability", ...pair, "--from", from(33), "--to", "9999-12-31");
    expect(stdout).toContain("not yet known  99.9999 %");
    expect(exitCode).toBe(5);
  });

  test("refuses what it cannot use, with the reason", async () => {
    expect(await icon("availability")).toEqual({
      exitCode: 64,
      stdout: "",
      stderr: "Cannot judge: expected --idb IDB, once or more\n",
    });
    const none = await icon("availability", ...pair, "--source", "south");
    expect([none.exitCode, none.stderr]).toEqual([66, 'Cannot judge: no IDB tells of a source "south"\n']);
    const zoneless = await icon("availability", ...pair, "--from", "2026-11-23T09:00");
    expect(zoneless.exitCode).toBe(64);
    expect(zoneless.stderr).toContain("has no zone: add Z for UTC");
    const reversed = await icon("availability", ...pair, "--from", from(9), "--to", from(1));
    expect([reversed.exitCode, reversed.stderr]).toEqual([64, expect.stringContaining("expected --from before --to")]);
    for (const words of [["availability"], ["compare", "--idb", "a"], ["explain", from(5)]]) {
      const away = await icon(...words, "--idb", "nowhere.db");
      expect([away.exitCode, away.stderr]).toEqual([
        66,
        expect.stringContaining('Cannot read IDB "nowhere.db": there is no such file'),
      ]);
    }
    const twice = await icon("availability", "--idb", "a", "--idb", "a");
    expect([twice.exitCode, twice.stderr]).toEqual([65, expect.stringContaining("Cannot compare an IDB with itself")]);
  });
});

describe("icon explain", () => {
  test("tells what happened to the IDB that lacks the window, and which one has it", async () => {
    const { stdout, exitCode } = await icon("explain", from(14.5), ...pair);
    expect(stdout.split("\n")).toEqual([
      "a: a",
      "b: b",
      "",
      "Source north, cluster 101, switch 1, window 2026-11-23T08:00:14Z to 08:00:15Z:",
      "  complete: 1 event; take a.",
      "  a: complete, 1 event",
      "  b: incomplete, 0 events",
      "    not whole 2026-11-23T08:00:14Z to 08:00:15Z",
      "    because the server could not send again what was missed",
      "    because another copy has events that are missing here",
      "    because event 3 is missing",
      "    2026-11-23T08:00:12.000Z* session 1001 ended: connection lost",
      "    2026-11-23T08:00:14.000Z  up to here everything is known, event 2 or a heartbeat after it",
      "    2026-11-23T08:00:14.999Z  from here on everything is known, from event 4 on",
      "    2026-11-23T08:00:20.000Z* session 1002 opened: connected again (127.0.0.1:7001)",
      "    2026-11-23T08:00:20.000Z* gap reported: events 3 to 4 cannot be resent",
      "    2026-11-23T08:00:20.000Z* snapshot taken in: 1 parties, as of event 4",
      "    (* by the clock of the instance's host)",
      "",
    ]);
    expect(exitCode).toBe(0);
  });

  test("says that all lack it, and ends with 3", async () => {
    const { stdout, exitCode } = await icon("explain", from(30), ...pair, "--source", "north");
    expect(stdout).toContain("  incomplete: no copy has all of it.\n");
    expect(stdout).toContain("    because event 6 is missing\n");
    expect(stdout).toContain("What no copy has is missing for good");
    expect(exitCode).toBe(3);
  });

  test("takes a time of today, and says when nobody can tell yet", async () => {
    const { stdout, exitCode } = await icon("explain", "00:00:01", ...pair, "--json");
    const { sources, at: asked } = JSON.parse(stdout);
    expect(sources.length).toBe(1);
    expect(asked).toMatch(/^\d{4}-\d{2}-\d{2}T00:00:01Z$/);
    const text = (await icon("explain", "00:00:01", ...pair)).stdout.split("\n");
    // Unless midnight came between the two.
    expect(text[0]).toBe(`at ${text[0]?.slice(3, 13)}T00:00:01Z: of today, UTC`);
    expect(Math.abs(Date.parse(text[0]?.slice(3, 23) ?? "") - Date.now())).toBeLessThan(86_400_000);
    expect(text[1]).toBe("a: a");
    expect(["unknown", "incomplete"]).toContain(sources[0].state);
    expect([3, 5]).toContain(exitCode);
  });
});
