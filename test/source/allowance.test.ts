import { expect, test } from "bun:test";
import { Allowance } from "../../src/source/allowance.ts";
import { FakeClock, settle } from "../harness/fake-clock.ts";
import { SlowDisk } from "../harness/slow-disk.ts";

function setUp(bytesMax = 100) {
  const clock = new FakeClock();
  const sink = new SlowDisk();
  const asked: string[] = [];
  const allowance = new Allowance({ bytesMax, sink, clock, goesOn: () => asked.push("goes on") });
  allowance.attach({
    write: () => {},
    pause: () => asked.push("pause"),
    resume: () => asked.push("resume"),
    destroy: () => {},
  });
  const read = (bytes: number) => allowance.took(bytes, sink.append(new Uint8Array(1)));
  return { clock, sink, asked, allowance, read };
}

test("a source is not read beyond its allowance, and again when half of it is durable", async () => {
  const { sink, asked, allowance, read } = setUp();
  read(60);
  read(40);
  expect(asked).toEqual([]);
  read(1);
  expect(asked).toEqual(["pause"]);
  expect(allowance.pendingBytes).toBe(101);
  await sink.sync();
  expect(asked).toEqual(["pause", "goes on", "resume"]);
  expect(allowance.pendingBytes).toBe(0);
});

test("one source's allowance is its own: another's records do not count, whoever's they are made durable with", async () => {
  const sink = new SlowDisk();
  const clock = new FakeClock();
  const make = () => new Allowance({ bytesMax: 100, sink, clock, goesOn: () => {} });
  const [flood, normal] = [make(), make()];
  flood.took(1000, sink.append(new Uint8Array(1)));
  normal.took(10, sink.append(new Uint8Array(1)));
  expect([flood.isReading, normal.isReading]).toEqual([false, true]);
  await sink.sync();
  expect([flood.isReading, normal.isReading]).toEqual([true, true]);
});

test("a queue without room holds every source back, and lets each go on when there is room again", async () => {
  const { sink, asked, read } = setUp();
  sink.isFull = true;
  read(1);
  expect(asked).toEqual(["pause"]);
  await sink.sync();
  expect(asked).toEqual(["pause"]);
  await sink.makeRoom();
  expect(asked).toEqual(["pause", "goes on", "resume"]);
});

test("room that is gone again before it could be used is waited for once more", async () => {
  const { sink, asked, read } = setUp();
  read(200);
  sink.isFull = true;
  await sink.sync();
  expect(asked).toEqual(["pause"]);
  await sink.makeRoom();
  expect(asked.at(-1)).toBe("resume");
});

test("a server that ends the connection after it was not read for long did so because of us, until it has shown that it is still there", async () => {
  const { clock, sink, allowance, read } = setUp();
  expect(allowance.cutOffBecause(null)).toBeNull();
  read(200);
  await clock.advance(900);
  expect(allowance.cutOffBecause(null)).toBeNull();
  await clock.advance(300);
  expect(allowance.cutOffBecause(null)).toBe("not read for 1.2 s: more than 100 bytes of it were not durable yet");
  await sink.sync();
  await clock.advance(500);
  expect(allowance.cutOffBecause(null)).toBe("not read for 1.2 s: more than 100 bytes of it were not durable yet");
  // Asked while it was not read it may have answered before it gave up; asked afterwards it had not given up.
  expect(allowance.cutOffBecause(1_000)).not.toBeNull();
  expect(allowance.cutOffBecause(1_300)).toBeNull();
});

test("a stop that was long ago is no server's reason any more", async () => {
  const { clock, sink, allowance, read } = setUp();
  sink.isFull = true;
  read(1);
  await clock.advance(5_000);
  sink.isFull = false;
  await sink.sync();
  await sink.makeRoom();
  await settle();
  expect(allowance.cutOffBecause(null)).toContain("the persistent queue had no room");
  await clock.advance(31_000);
  expect(allowance.cutOffBecause(null)).toBeNull();
});
