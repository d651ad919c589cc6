import { expect, test } from "bun:test";
import { decodeEnvelope } from "../../src/event/envelope.ts";
import type { Log } from "../../src/log.ts";
import { AmiSession } from "../../src/source/ami-session.ts";
import { DataSource } from "../../src/source/data-source.ts";
import { Intake } from "../../src/source/intake.ts";
import { FakeClock, settle } from "../harness/fake-clock.ts";
import { FakeNetwork, seeded } from "../harness/fake-network.ts";
import { SlowDisk } from "../harness/slow-disk.ts";

const greeting = "Asterisk Call Manager/13.0.0\r\n";
const loggedIn = "Response: Success\r\nActionID: icon-login\r\nMessage: Authentication accepted\r\n\r\n";
const secret = "s3cret";

function setUp(silenceMs: number | null = null) {
  const clock = new FakeClock();
  const network = new FakeNetwork(5);
  const disk = new SlowDisk();
  const intake = new Intake(clock);
  intake.attach(disk);
  const logged: string[] = [];
  const say = (sentence: string, fields: object = {}) => void logged.push(`${sentence} ${JSON.stringify(fields)}`);
  const log: Log = { error: say, warn: say, info: say, debug: say };
  const source = new DataSource({
    identity: { name: "pbx", kind: "ami", dbid: 301, primaryDbid: 301, switchDbid: 31, dsType: 101 },
    addresses: [{ host: "127.0.0.1", port: 5038 }],
    reconnect: { minMs: 1000, maxMs: 8000 },
    silenceMs,
    instance: { name: "icon-a", dbid: 9001 },
    intake,
    network,
    clock,
    log,
    random: seeded(1),
    converse: (parts) => new AmiSession(parts, { username: "icon", secret }),
  });
  const stop = new AbortController();
  const running = source.run(stop.signal);
  return { clock, network, disk, source, stop, running, logged };
}

async function connected(silenceMs: number | null = null) {
  const all = setUp(silenceMs);
  await settle();
  all.network.last.send(greeting);
  all.network.last.send(loggedIn);
  await settle();
  return all;
}

const actions = (texts: readonly string[]) => texts.map((text) => /^Action: (\w+)/.exec(text)?.[1]);
const actionIdOf = (texts: readonly string[], action: string) =>
  texts.findLast((text) => text.startsWith(`Action: ${action}\r`))?.match(/ActionID: (\S+)/)?.[1] ?? "";

test("after login both lists are asked for, each behind a mark that says where in the stream", async () => {
  const { network, disk } = await connected();
  expect(actions(network.last.received)).toEqual(["Login", "CoreShowChannels", "QueueStatus", "Ping"]);
  const kinds = disk.records.map(decodeEnvelope).map((each) => (each.kind === "mark" ? each.mark.mark : each.kind));
  expect(kinds).toEqual(["session opened", "frame", "list requested", "list requested"]);
});

test("a login that is refused is an alarm, is tried again late, and nowhere shows the secret", async () => {
  const { clock, network, disk, source, logged } = setUp();
  await settle();
  network.last.send(greeting);
  network.last.send("Response: Error\r\nActionID: icon-login\r\nMessage: Authentication failed\r\n\r\n");
  await clock.advance(7_900);
  expect(network.peers.length).toBe(1);
  expect(source.status().lastTrouble).toBe(
    "protocol error: manager refuses the login; check the credentials file and manager.conf",
  );
  expect(logged.join("\n") + disk.marks().join("\n")).not.toContain(secret);
  await clock.advance(200);
  expect(network.peers.length).toBe(2);
});

test("another protocol's port is told from a manager", async () => {
  const { network, source } = setUp();
  await settle();
  network.last.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  await settle();
  expect(source.status().lastTrouble).toContain("expected Asterisk's manager greeting");
});

test("a list that stays unanswered is asked for again, and one that is refused is said and not asked for again", async () => {
  const { clock, network, logged } = await connected();
  const refused = actionIdOf(network.last.received, "QueueStatus");
  network.last.send(`Response: Error\r\nActionID: ${refused}\r\nMessage: Permission denied\r\n\r\n`);
  await clock.advance(9_000);
  network.last.send("Event: Newstate\r\nUniqueid: 1\r\n\r\n");
  await clock.advance(15_000);
  network.last.send("Event: Newstate\r\nUniqueid: 1\r\n\r\n");
  await clock.advance(7_000);
  const asked = actions(network.last.received);
  expect(asked.filter((action) => action === "CoreShowChannels").length).toBe(2);
  expect(asked.filter((action) => action === "QueueStatus").length).toBe(1);
  expect(logged.filter((line) => line.startsWith("manager refuses to say what is there")).length).toBe(1);
});

test("a message whose rest never comes is kept as cut", async () => {
  const { network, disk } = await connected();
  network.last.send("Event: Hangup\r\nUniqueid: pbx1-1.1\r\nCau");
  network.last.close(new Error("reset"));
  await settle();
  const last = disk.records.map(decodeEnvelope).findLast((each) => each.kind === "frame");
  if (last?.kind !== "frame") throw new Error("Expected a frame");
  expect([new TextDecoder().decode(last.frame), last.isCut]).toEqual([
    "Event: Hangup\r\nUniqueid: pbx1-1.1\r\nCau",
    true,
  ]);
  expect(disk.marks().at(-1)).toContain('"cause":"connection lost"');
});

test("pings that nobody answers end the session as silence", async () => {
  const { clock, disk } = await connected();
  await clock.advance(41_000);
  expect(disk.marks().find((mark) => mark.includes("session closed"))).toContain('"cause":"silence"');
});

test("a silence shorter than the usual pings is noticed in its own time, and an idle manager that answers is not silent", async () => {
  const { clock, network, disk } = await connected(6000);
  let answered = 0;
  for (let second = 0; second < 60; second++) {
    await clock.advance(1000);
    const pings = network.last.received.filter((text) => text.startsWith("Action: Ping\r"));
    for (const ping of pings.slice(answered)) {
      network.last.send(`Response: Success\r\n${ping.match(/ActionID: .*\r\n/)?.[0]}Ping: Pong\r\n\r\n`);
    }
    answered = pings.length;
  }
  expect(answered).toBeLessThan(40);
  expect(disk.marks().join("")).not.toContain("session closed");
  await clock.advance(9000);
  expect(disk.marks().find((mark) => mark.includes("session closed"))).toContain('"cause":"silence"');
});

test("at a stop the manager is told goodbye", async () => {
  const { network, disk, stop, running } = await connected();
  stop.abort();
  await running;
  expect(actions(network.last.received).at(-1)).toBe("Logoff");
  expect(disk.marks().at(-1)).toContain('"cause":"our stop"');
});

const lastClosed = (disk: SlowDisk) =>
  disk
    .marks()
    .map((mark) => JSON.parse(mark) as { mark: string; cause?: string; detail?: string | null })
    .findLast(({ mark }) => mark === "session closed");

test("a manager that shuts down, one that is lost and one that falls silent are told apart", async () => {
  const shutDown = await connected();
  shutDown.network.last.send("Event: Shutdown\r\nShutdown: Cleanly\r\nRestart: False\r\n\r\n");
  await settle();
  expect(lastClosed(shutDown.disk)).toMatchObject({ cause: "source shutdown" });

  const lost = await connected();
  lost.network.last.close(new Error("connection reset"));
  await settle();
  expect(lastClosed(lost.disk)).toMatchObject({ cause: "connection lost", detail: "connection reset" });

  const silent = await connected();
  await silent.clock.advance(41_000);
  expect(lastClosed(silent.disk)).toMatchObject({
    cause: "silence",
    detail: "pings unanswered, nothing heard for 40 s",
  });
});

test("after the host stood still what waits in the socket is read before silence is looked for", async () => {
  const { clock, network, disk } = await connected();
  clock.standStill(120_000);
  await clock.advance(0);
  network.last.send("Event: Newstate\r\nUniqueid: 1\r\n\r\n");
  await clock.advance(15_000);
  expect(lastClosed(disk)).toBeUndefined();
  await clock.advance(30_000);
  expect(lastClosed(disk)).toMatchObject({ cause: "silence" });
});

test("a manager that ends the connection while it is not read has done so because of us", async () => {
  const { clock, network, disk } = await connected();
  disk.isFull = true;
  network.last.send("Event: Newstate\r\nUniqueid: 1\r\n\r\n");
  await clock.advance(45_000);
  expect(lastClosed(disk)).toBeUndefined();
  network.last.close(null);
  await settle();
  expect(lastClosed(disk)).toMatchObject({
    cause: "our back-pressure",
    detail: "not read for 45.0 s: the persistent queue had no room; server closed the connection",
  });
});

test("the manager's clock is told from its answers to Ping; one that leaves the time out says nothing of it", async () => {
  const { clock, network, disk, source } = await connected();
  const pong = (actionId: string, time: string) =>
    network.last.send(`Response: Success\r\nActionID: ${actionId}\r\nPing: Pong\r\n${time}\r\n`);
  pong(actionIdOf(network.last.received, "Ping"), "");
  await settle();
  expect(source.status().clock).toBeNull();
  await clock.advance(10_000);
  const actionId = actionIdOf(network.last.received, "Ping");
  await clock.advance(40);
  pong(actionId, `Timestamp: ${((clock.now() - 20 - 2_000) / 1000).toFixed(6)}\r\n`);
  await settle();
  expect(source.status().clock).toEqual({ differenceMs: -2_000, uncertaintyMs: 21 });
  expect(disk.marks().at(-1)).toContain('"mark":"clock difference","source":"pbx","differenceMs":-2000');
});
