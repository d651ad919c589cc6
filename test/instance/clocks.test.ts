// The clocks of two hosts, down to the rows: a simulated T-Server whose clock is told to step, and a whole instance.

import { expect, test } from "bun:test";
import { startSimulatedTserver } from "../../src/simulator/tserver/simulated-tserver.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { Site, sourceSection } from "../harness/site.ts";

test("a source's clock is compared with ours, and a step of it stands in the marks, in the windows and on the page", async () => {
  using directory = new TemporaryDirectory("clocks");
  const north = await startSimulatedTserver({ rate: 40, heartbeatMs: 500, lingerSeconds: 0, finalAckMs: 0 });
  try {
    // As a server whose clock is wrong from the beginning.
    north.control.stepClock(90_000);
    const sources = sourceSection("north", [north.address], 101);
    await using site = new Site({ directory: directory.at("data"), sources });
    const [session] = await site.untilSessions("the clocks are compared", ([row]) => row?.CLOCK_DIFFERENCE_MS != null);
    const { CLOCK_DIFFERENCE_MS = 0, CLOCK_UNCERTAINTY_MS = 0, DSCONN_STIME = "", DSCONN_SDSTIME = "" } = session ?? {};
    // The simulator's own time is at most a tick of 5 ms old, more when this machine is busy.
    const toleranceMs = (CLOCK_UNCERTAINTY_MS ?? 0) + 1_000;
    expect(Math.abs((CLOCK_DIFFERENCE_MS ?? 0) - 90_000)).toBeLessThan(toleranceMs);
    expect(Math.abs(Date.parse(DSCONN_SDSTIME) - Date.parse(DSCONN_STIME) - 90_000)).toBeLessThan(toleranceMs);
    expect(await site.pageText()).toMatch(/Its clock is 1 min \d+ s ahead \(± \d+/);
    expect((await site.get("/metrics")).text).toMatch(
      /icon_source_clock_difference_seconds\{source="north"\} (89|90|91)\b/,
    );

    north.control.stepClock(-3_600_000);
    const isStepped = (rows: readonly { readonly CLOCK_DIFFERENCE_MS: number | null }[]) =>
      (rows[0]?.CLOCK_DIFFERENCE_MS ?? 0) < -3_000_000;
    await site.untilSessions("the step is noticed", isStepped);
    const marks = site.query("SELECT SOURCE, DETAIL FROM ICON_MARK WHERE KIND = 'source clock stepped'");
    expect(marks).toEqual([{ SOURCE: "north", DETAIL: expect.stringMatching(/^3\d{3}\.\d{3} s back; /) }]);
    const flagged = site.query("SELECT count(*) AS n FROM ICON_WINDOW WHERE FAULTS LIKE '%source clock stepped%'");
    expect((flagged[0] as { n: number }).n).toBeGreaterThan(0);
  } finally {
    north.stop();
    await north.finished;
  }
}, 60_000);
