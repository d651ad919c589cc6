import { expect, test } from "bun:test";
import { decodeEnvelope, type SessionId } from "../../src/event/envelope.ts";
import { Intake } from "../../src/source/intake.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { SlowDisk } from "../harness/slow-disk.ts";

const startMs = Date.parse("2026-11-23T08:00:00.000Z");

function setUp() {
  const clock = new FakeClock(startMs);
  const disk = new SlowDisk();
  const intake = new Intake(clock);
  intake.attach(disk);
  const session = intake.openSession({
    mark: "session opened",
    source: "north",
    address: "127.0.0.1:7001",
    serverName: null,
    dbid: 101,
    primaryDbid: 101,
    switchDbid: 1,
    dsType: 1,
    run: null,
    resumeAfter: null,
  });
  const stamps = () =>
    disk.records.map(decodeEnvelope).map((each) => ({
      what: each.kind === "frame" ? "frame" : each.mark.mark,
      at: each.arrivedAt - startMs,
    }));
  const arrive = (of: SessionId = session) => intake.frame(of, new Uint8Array([123, 125]), false);
  return { clock, disk, intake, arrive, stamps };
}

for (const [what, stepMs] of [
  ["forward", 3_600_000],
  ["back", -3_600_000],
] as const) {
  test(`a step ${what} of this host's clock is marked with its size before the first arrival of the new time`, async () => {
    const { clock, arrive, stamps, disk } = setUp();
    arrive();
    await clock.advance(20);
    clock.step(stepMs);
    arrive();
    arrive();
    expect(stamps()).toEqual([
      { what: "session opened", at: 0 },
      { what: "frame", at: 0 },
      { what: "host clock stepped", at: 20 + stepMs },
      { what: "frame", at: 20 + stepMs },
      { what: "frame", at: 20 + stepMs },
    ]);
    expect(disk.marks().at(-1)).toBe(`{"mark":"host clock stepped","stepMs":${stepMs}}`);
  });
}

test("what a time service slews away is no step, and a slow drift is none either", async () => {
  const { clock, intake, stamps } = setUp();
  clock.step(499);
  intake.now();
  expect(stamps().map(({ what }) => what)).toEqual(["session opened"]);
});

test("a step while nothing arrives is marked at the next look", async () => {
  const { clock, intake, disk } = setUp();
  clock.step(-750);
  intake.now();
  intake.now();
  expect(disk.marks().slice(1)).toEqual(['{"mark":"host clock stepped","stepMs":-750}']);
});
