import { expect, test } from "bun:test";
import { decodeEnvelope } from "../../src/event/envelope.ts";
import { silentLog } from "../../src/log.ts";
import { DataSource } from "../../src/source/data-source.ts";
import { Intake } from "../../src/source/intake.ts";
import { TeventSession } from "../../src/source/tevent-session.ts";
import { FakeClock, settle } from "../harness/fake-clock.ts";
import { FakeNetwork, seeded } from "../harness/fake-network.ts";
import { SlowDisk } from "../harness/slow-disk.ts";

const run = "2026-11-23T08:00:00.000Z";
const hello = (over: object = {}) =>
  `${JSON.stringify({
    hello: "tevent/1",
    server: "TServer_North",
    type: "TServer",
    dbid: 101,
    primaryDbid: 101,
    switch: "North",
    switchDbid: 1,
    startTime: run,
    role: "primary",
    lastSeq: 0,
    oldestSeq: null,
    heartbeatMs: 1000,
    ...over,
  })}\n`;
/** How a server answers that takes us and has nothing for us. */
const taken = '{"snapshot":"begin"}\n{"snapshot":"end","lastSeq":0}\n';
const event = (sequence: number) =>
  `{"id":"EventRinging","EventSequenceNumber":${sequence},"time":1795423798.5,"ConnID":"006c02462a161006","ThisDN":"5001"}\n`;

function setUp(addresses = [{ host: "127.0.0.1", port: 7001 }], silenceMs: number | null = null) {
  const clock = new FakeClock();
  const network = new FakeNetwork(7);
  const disk = new SlowDisk();
  const intake = new Intake(clock);
  intake.attach(disk);
  const source = new DataSource({
    identity: { name: "north", kind: "tevent", dbid: 101, primaryDbid: 101, switchDbid: 1, dsType: 1 },
    addresses,
    reconnect: { minMs: 1000, maxMs: 8000 },
    silenceMs,
    instance: { name: "icon-a", dbid: 9001 },
    intake,
    network,
    clock,
    log: silentLog,
    random: seeded(1),
    converse: (parts) => new TeventSession(parts, null),
  });
  const stop = new AbortController();
  const running = source.run(stop.signal);
  return { clock, network, disk, intake, source, stop, running };
}

test("an event is acknowledged after the disk has it, and not before", async () => {
  const { network, disk } = setUp();
  await settle();
  network.last.send(hello());
  await disk.sync();
  network.last.send(event(1) + event(2));
  await settle();
  expect(network.last.received.filter((line) => line.includes("ack"))).toEqual([]);
  await disk.sync();
  expect(network.last.received.at(-1)).toBe('{"ack":2}\n');
});

test("only the contiguous prefix is acknowledged, and a snapshot's end covers what came before it", async () => {
  const { network, disk } = setUp();
  await settle();
  network.last.send(hello());
  await disk.sync();
  network.last.send(event(1) + event(4));
  await disk.sync();
  expect(network.last.received.at(-1)).toBe('{"ack":1}\n');
  network.last.send('{"snapshot":"begin"}\n{"snapshot":"end","lastSeq":9}\n');
  network.last.send(event(10));
  await disk.sync();
  expect(network.last.received.at(-1)).toBe('{"ack":10}\n');
});

test("after a cut the instance resumes after what is durable, naming the run", async () => {
  const { clock, network, disk } = setUp();
  await settle();
  network.last.send(hello());
  await disk.sync();
  network.last.send(event(1) + event(2));
  await disk.sync();
  network.last.close(new Error("reset"));
  await clock.advance(2000);
  network.last.send(hello({ lastSeq: 5 }));
  await disk.sync();
  expect(JSON.parse(network.last.received[0] ?? "")).toEqual({
    open: "tevent/1",
    client: "icon-a",
    dbid: 9001,
    resumeAfter: 2,
    run,
  });
});

test("a server that was restarted is asked for everything anew", async () => {
  const { clock, network, disk } = setUp();
  await settle();
  network.last.send(hello());
  await disk.sync();
  network.last.send(event(1));
  await disk.sync();
  network.last.close(null);
  await clock.advance(2000);
  network.last.send(hello({ startTime: "2026-11-23T09:00:00.000Z" }));
  await disk.sync();
  expect(JSON.parse(network.last.received[0] ?? "")).toMatchObject({ resumeAfter: null });
  expect(network.last.received[0]).not.toContain('"run"');
});

test("a new process resumes from the last segment's head and the records after it", async () => {
  const { network, disk, intake } = setUp();
  await settle();
  network.last.send(hello());
  await disk.sync();
  network.last.send(event(1) + event(2));
  await settle();
  const head = intake.head();
  const since = disk.records.length;
  network.last.send(event(3));
  await settle();
  const again = new Intake(new FakeClock(0));
  again.recover(
    head,
    disk.records.slice(since).map((payload) => ({ payload })),
  );
  expect(again.source("north")).toEqual(intake.source("north"));
  expect(again.source("north")?.contiguous).toBe(3);
  expect(again.source("north")?.arrivalNumber).toBe(4);
});

test("the backup of a pair is left at once for the other address", async () => {
  const { clock, network } = setUp([
    { host: "127.0.0.1", port: 7001 },
    { host: "127.0.0.1", port: 7002 },
  ]);
  await settle();
  network.last.send(hello({ role: "backup" }));
  await clock.advance(0);
  expect(network.peers[0]?.received).toEqual(['{"bye":"backup"}\n']);
  expect(network.addresses.map(({ port }) => port)).toEqual([7001, 7002]);
});

test("when the roles of a pair change, the other one is asked at once, from either address", async () => {
  const { clock, network, disk } = setUp([
    { host: "127.0.0.1", port: 7001 },
    { host: "127.0.0.1", port: 7002 },
  ]);
  await settle();
  for (const port of [7001, 7002, 7001, 7002]) {
    expect(network.addresses.at(-1)?.port).toBe(port);
    network.last.send(hello({ dbid: port === 7001 ? 101 : 102 }));
    await disk.sync();
    network.last.send(taken);
    network.last.send('{"role":"backup","time":1795423808.0}\n');
    await clock.advance(1);
  }
  expect(network.addresses.map(({ port }) => port)).toEqual([7001, 7002, 7001, 7002, 7001]);
});

test("two servers that both say backup are not hammered", async () => {
  const { clock, network } = setUp([
    { host: "127.0.0.1", port: 7001 },
    { host: "127.0.0.1", port: 7002 },
  ]);
  await settle();
  for (let turn = 0; turn < 20; turn++) {
    network.last.send(hello({ role: "backup" }));
    await clock.advance(100);
  }
  expect(network.addresses.length).toBeLessThan(8);
});

test("three missed heartbeats end the session as silence", async () => {
  const { clock, network, disk } = setUp();
  await settle();
  network.last.send(hello());
  await disk.sync();
  await clock.advance(2900);
  expect(network.last.isOpen).toBe(true);
  await clock.advance(1200);
  expect(network.peers[0]?.isOpen).toBe(false);
  expect(disk.marks().at(-1)).toContain('"cause":"silence"');
});

test("a silence shorter than the heartbeats is noticed in its own time, and an idle server that answers pings is not silent", async () => {
  const { clock, network, disk } = setUp([{ host: "127.0.0.1", port: 7001 }], 6000);
  await settle();
  network.last.send(hello({ heartbeatMs: 3_600_000 }));
  await disk.sync();
  network.last.send(taken);
  let answered = 0;
  for (let second = 0; second < 60; second++) {
    await clock.advance(1000);
    const pings = network.last.received.filter((text) => text.startsWith('{"ping"'));
    for (const ping of pings.slice(answered)) network.last.send(ping.replace("ping", "pong"));
    answered = pings.length;
  }
  expect(network.last.isOpen).toBe(true);
  expect(answered).toBeLessThan(40);
  await clock.advance(9000);
  expect(network.peers[0]?.isOpen).toBe(false);
  expect(disk.marks().at(-1)).toContain('"cause":"silence"');
});

test("after the host stood still what waits in the socket is read first, and only then silence is", async () => {
  const { clock, network, disk } = setUp();
  await settle();
  network.last.send(hello());
  await disk.sync();
  clock.standStill(60_000);
  await clock.advance(0);
  expect(network.last.isOpen).toBe(true);
  network.last.send(event(1));
  await clock.advance(1_500);
  expect(network.last.isOpen).toBe(true);
  expect(network.peers).toHaveLength(1);
  await clock.advance(3_000);
  expect(network.peers[0]?.isOpen).toBe(false);
  expect(disk.marks().at(-1)).toContain('"cause":"silence"');
});

test("silence is not counted while it is us who do not read", async () => {
  const { clock, network, disk } = setUp();
  await settle();
  network.last.send(hello());
  await disk.sync();
  disk.isFull = true;
  network.last.send(event(1));
  expect(network.last.isPaused).toBe(true);
  await clock.advance(10_000);
  expect(network.last.isOpen).toBe(true);
  await disk.makeRoom();
  expect(network.last.isPaused).toBe(false);
});

test("a foreign protocol, a port that says nothing and a refusal each say what is wrong", async () => {
  const foreign = setUp();
  await settle();
  foreign.network.last.send("SSH-2.0-OpenSSH_9.2\r\n");
  await settle();
  expect(foreign.source.status().lastTrouble).toBe(
    "protocol error: line is not JSON; expected a tevent/1 hello: is this another protocol's port?",
  );
  const mute = setUp();
  await mute.clock.advance(10_001);
  expect(mute.source.status().lastTrouble).toBe("protocol error: nothing came within 10 s; expected a tevent/1 hello");
  const refused = setUp();
  await settle();
  refused.network.last.send(hello());
  await refused.disk.sync();
  refused.network.last.send('{"error":{"code":"auth","message":"bad token"}}\n');
  await settle();
  expect(refused.source.status().lastTrouble).toBe("protocol error: server refuses: auth: bad token");
  await refused.clock.advance(7_900);
  expect(refused.network.peers.length).toBe(1);
});

test("a line without an end is not kept beyond its bound, and one that is too long is stored cut", async () => {
  const { network, disk } = setUp();
  await settle();
  network.last.send(hello());
  await disk.sync();
  network.last.send(`{"id":"${"x".repeat(2 * 1024 * 1024)}"}\n${event(1)}`);
  await disk.sync();
  const frames = disk.records.map(decodeEnvelope).filter((each) => each.kind === "frame");
  expect(frames.map((each) => (each.kind === "frame" ? [each.frame.length > 1000, each.isCut] : []))).toEqual([
    [false, false],
    [true, true],
    [false, false],
  ]);
  expect(network.last.received.at(-1)).toBe('{"ack":1}\n');
});

test("at a stop the last durable event is acknowledged and the server is told goodbye", async () => {
  const { network, disk, stop, running } = setUp();
  await settle();
  network.last.send(hello());
  await disk.sync();
  network.last.send(event(1));
  await settle();
  stop.abort();
  await disk.sync();
  await running;
  expect(network.last.received.slice(-2)).toEqual(['{"ack":1}\n', '{"bye":"shutdown"}\n']);
  expect(disk.marks().at(-1)).toContain('"cause":"our stop"');
});

test("after a failed fdatasync nothing is acknowledged any more, at a stop neither", async () => {
  const { network, disk, stop, running } = setUp();
  await settle();
  network.last.send(hello());
  await disk.sync();
  network.last.send(event(1));
  await disk.sync();
  network.last.send(event(2) + event(3));
  await disk.fail();
  stop.abort();
  await disk.fail();
  await running;
  const acks = network.last.received.filter((line) => line.includes("ack"));
  expect(acks).toEqual(['{"ack":1}\n']);
});

const pair = [
  { host: "127.0.0.1", port: 7001 },
  { host: "127.0.0.1", port: 7002 },
];

test("a second primary is looked for by its hello alone, more often while there is one, and forgotten when it gives way", async () => {
  const { clock, network, disk, source } = setUp(pair);
  await settle();
  network.last.send(hello());
  await disk.sync();
  network.last.send(taken);
  const first = network.last;
  await clock.advance(2_000);
  expect(network.addresses.map(({ port }) => port)).toEqual([7001, 7002]);
  network.last.send(hello({ dbid: 102 }));
  await settle();
  expect(network.last.received).toEqual(['{"bye":"shutdown"}\n']);
  expect(network.last.isOpen).toBe(false);
  expect(source.status().alarms.map(({ kind }) => kind)).toEqual(["two primaries"]);
  expect(disk.marks().at(-1)).toBe(
    '{"mark":"two primaries","source":"north","detail":"recorded from 127.0.0.1:7001; 127.0.0.1:7002 says that it is the primary too"}',
  );
  // It does not answer: that is no sign that it has given way.
  network.refuses = ({ port }) => (port === 7002 ? new Error("connection refused") : null);
  const beat = () => first.send('{"heartbeat":1795423798.5,"lastSeq":0}\n');
  for (let second = 0; second < 30; second++) {
    beat();
    await clock.advance(1_000);
  }
  expect(source.status().alarms).toHaveLength(1);
  network.refuses = () => null;
  for (let second = 0; second < 30; second++) {
    beat();
    await clock.advance(1_000);
  }
  network.last.send(hello({ dbid: 102, role: "backup" }));
  await settle();
  expect(network.last.received).toEqual(['{"bye":"backup"}\n']);
  expect(source.status()).toMatchObject({ state: "connected", alarms: [] });
});

test("a server that refuses us is left alone for the longest wait, and stays an alarm until it takes us", async () => {
  const { clock, network, disk, source } = setUp();
  await settle();
  network.last.send(hello());
  await disk.sync();
  network.last.send('{"error":{"code":"auth","message":"bad token"}}\n');
  await settle();
  const alarms = () => source.status().alarms.map(({ kind, sentence }) => `${kind}: ${sentence}`);
  const sentence =
    "Source north and this instance do not accept each other: protocol error: server refuses: auth: bad token";
  expect(alarms()).toEqual([`refused: ${sentence}`]);
  await clock.advance(7_900);
  expect(network.peers.length).toBe(1);
  await clock.advance(200);
  expect(network.peers.length).toBe(2);
  expect(alarms()).toHaveLength(1);
  // A hello is said before the token is judged.
  network.last.send(hello());
  await disk.sync();
  expect(alarms()).toHaveLength(1);
  expect(source.status().state).toBe("connecting");
  network.last.send(taken);
  await settle();
  expect(alarms()).toEqual([]);
  expect(source.status().state).toBe("connected");
});

test("a server that became the backup between its hello and our open is left for the other one, after a wait", async () => {
  const { clock, network, disk, source } = setUp(pair);
  await settle();
  network.last.send(hello());
  await disk.sync();
  network.last.send('{"error":{"code":"role","message":"this server is the backup of its pair"}}\n');
  await settle();
  expect(source.status().lastEnd?.cause).toBe("switchover");
  expect(network.addresses).toHaveLength(1);
  await clock.advance(1_000);
  expect(network.addresses.map(({ port }) => port)).toEqual([7001, 7002]);
});
