import { expect, test } from "bun:test";
import { observablePath, parseAddress } from "../../src/simulator/tserver/link-server.ts";
import type { TserverOptions } from "../../src/simulator/tserver/options.ts";
import { startSimulatedTserver } from "../../src/simulator/tserver/simulated-tserver.ts";
import { LinkClient, type LinkLine, microsecondsOf, sequenceOf } from "../harness/link-client.ts";

const quick: Partial<TserverOptions> = {
  startTime: "2026-11-23T08:00:00.000Z",
  rate: 2_000,
  asFastAsPossible: true,
  lingerSeconds: 0,
  clientsMin: 1,
  finalAckMs: 2_000,
};

async function linesOf(options: Partial<TserverOptions>): Promise<LinkLine[]> {
  const server = await startSimulatedTserver({ ...quick, ...options });
  using client = await LinkClient.connect(server.address);
  await client.hello();
  client.acksAtOnce = true;
  client.open({ client: "icon-a" });
  await client.until(() => client.isClosed);
  await server.finished;
  return client.lines;
}

const textOf = (lines: readonly LinkLine[]) =>
  lines
    .filter(({ json }) => "id" in json)
    .map(({ raw }) => raw)
    .join("\n");

test("the same seed and start time give the same events byte for byte, another seed gives others", async () => {
  const once = textOf(await linesOf({ seed: 7, events: 5_000 }));
  const again = textOf(await linesOf({ seed: 7, events: 5_000 }));
  const other = textOf(await linesOf({ seed: 8, events: 5_000 }));
  expect(once.length).toBeGreaterThan(100_000);
  expect(again === once).toBe(true);
  expect(other === once).toBe(false);
});

test("events are numbered by one from 1 and their times never step back, in whichever legal encoding", async () => {
  const events = (await linesOf({ events: 20_000 })).filter(({ json }) => "id" in json && json["snapshot"] !== true);
  expect(events.length).toBeGreaterThanOrEqual(20_000);
  expect(events.map(({ json }) => sequenceOf(json))).toEqual(events.map((_, index) => index + 1));

  const times = events.map(({ json }) => microsecondsOf(json["time"]));
  expect(times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0))).toBe(true);

  const kinds = new Set(events.map(({ json }) => json["id"]));
  for (const id of [
    "EventCallCreated",
    "EventQueued",
    "EventDiverted",
    "EventAbandoned",
    "EventRinging",
    "EventDialing",
    "EventEstablished",
    "EventHeld",
    "EventRetrieved",
    "EventReleased",
    "EventCallDeleted",
    "EventAttachedDataChanged",
    "EventAgentReady",
  ]) {
    expect(kinds).toContain(id);
  }
  const hasSome = (fits: (json: LinkLine["json"]) => boolean) => events.some(({ json }) => fits(json));
  expect(hasSome((json) => /^[0-9a-f]{16}$/.test(String(json["EventSequenceNumber"])))).toBe(true);
  expect(hasSome((json) => typeof json["time"] === "string")).toBe(true);
  expect(hasSome((json) => typeof json["time"] === "object")).toBe(true);
  expect(hasSome((json) => json["CallType"] === "CallTypeInbound")).toBe(true);
  expect(hasSome((json) => json["CallState"] === 7)).toBe(true);
  expect(hasSome((json) => Array.isArray(json["UserData"]))).toBe(true);
});

test("with plain on, every event starts with id, EventSequenceNumber and time as numbers", async () => {
  const events = (await linesOf({ events: 3_000, plain: true })).filter(
    ({ json }) => "id" in json && json["snapshot"] !== true,
  );
  expect(events.length).toBeGreaterThanOrEqual(3_000);
  expect(events.every(({ raw }) => /^\{"id":"Event\w+","EventSequenceNumber":\d+,"time":\d+\.\d{6},/.test(raw))).toBe(
    true,
  );
});

test("names that older servers do not give are left out on request", async () => {
  const lines = await linesOf({ events: 500, hasCallUuid: false, hasPartyUuid: false, hasCallMonitoring: false });
  const text = textOf(lines);
  expect(text).not.toContain("CallUUID");
  expect(text).not.toContain("PartyUUID");
  expect(text).not.toContain("EventCallCreated");
  expect(text).toContain("ConnID");
});

// ---- connections

/** The centre has done its work before anybody connects; `events` of them are there, up to `resendEvents` to resend. */
async function restingServer(options: Partial<TserverOptions>) {
  const server = await startSimulatedTserver({
    ...quick,
    clientsMin: 0,
    events: 3_000,
    lingerSeconds: 3_600,
    asFastAsPossible: false,
    clockSpeed: 20,
    rate: 100_000,
    ...options,
  });
  while (!server.progress().isCentreOver) await Bun.sleep(5);
  return server;
}

test("a client that resumes is sent exactly what it lacks, from its own position", async () => {
  const server = await restingServer({});
  const lastSeq = server.progress().events;
  using one = await LinkClient.connect(server.address);
  using two = await LinkClient.connect(server.address);
  const hello = (await one.hello()).json;
  expect(hello).toMatchObject({ type: "TServer", role: "primary", lastSeq, oldestSeq: 1 });
  const run = String(hello["startTime"]);
  one.open({ client: "icon-a", resumeAfter: 1_234, run });
  two.open({ client: "icon-b", resumeAfter: lastSeq - 1, run });
  await one.until(() => one.lastSeq === lastSeq && two.lastSeq === lastSeq);

  expect(one.lines[1]?.json).toEqual({ resumed: 1_234 });
  expect(one.events.map(({ json }) => sequenceOf(json))).toEqual(
    Array.from({ length: lastSeq - 1_234 }, (_, index) => 1_235 + index),
  );
  expect(two.events.map(({ json }) => sequenceOf(json))).toEqual([lastSeq]);
  server.stop();
  await server.finished;
});

test("a client that asks for what is forgotten is told the gap and gets a snapshot", async () => {
  const server = await restingServer({ resendEvents: 100 });
  const lastSeq = server.progress().events;
  using client = await LinkClient.connect(server.address);
  const hello = (await client.hello()).json;
  expect(hello).toMatchObject({ lastSeq, oldestSeq: lastSeq - 99 });
  client.open({ client: "icon-a", resumeAfter: lastSeq - 101, run: String(hello["startTime"]) });
  const end = await client.find(({ json }) => json["snapshot"] === "end");
  expect(client.lines[1]?.json).toEqual({ gap: { from: lastSeq - 100, to: lastSeq } });
  expect(client.lines[2]?.json).toEqual({ snapshot: "begin" });
  expect(end.json).toEqual({ snapshot: "end", lastSeq });
  expect(client.events).toEqual([]);

  using other = await LinkClient.connect(server.address);
  await other.hello();
  other.open({ client: "icon-b", resumeAfter: lastSeq - 100, run: String(hello["startTime"]) });
  await other.until(() => other.lastSeq === lastSeq);
  expect(other.events).toHaveLength(100);
  server.stop();
  await server.finished;
});

test("that it lost a connection, or has it back, is told to whoever is served, with the time and what it is to", async () => {
  const server = await restingServer({});
  using client = await LinkClient.connect(server.address);
  await client.hello();
  client.open({ client: "icon-a" });
  await client.find(({ json }) => json["snapshot"] === "end");
  server.control.link("down");
  server.control.cti("down");
  server.control.link("up");
  await client.find(({ json }) => json["link"] === "up");
  const said = client.lines.map(({ json }) => json).filter((json) => "link" in json || "cti" in json);
  const to = { type: "TServer", dbid: 201 };
  expect(said).toMatchObject([
    { link: "down", to },
    { cti: "down", switch: "Sim" },
    { link: "up", to },
  ]);
  for (const { time } of said) expect(Number(time)).toBeGreaterThan(Date.parse("2026-11-23T08:00:00.000Z") / 1000);
  server.stop();
  await server.finished;
});

test("what is asked of another run or above the last event is answered with a snapshot and no gap", async () => {
  const server = await restingServer({});
  for (const [client, resumeAfter, ofRun] of [
    ["other-run", 10, "2020-01-01T00:00:00.000Z"],
    ["too-high", 1_000_000, null],
  ] as const) {
    using link = await LinkClient.connect(server.address);
    const run = ofRun ?? String((await link.hello()).json["startTime"]);
    link.open({ client, resumeAfter, run });
    await link.find(({ json }) => json["snapshot"] === "end");
    expect(link.lines.some(({ json }) => "gap" in json || "resumed" in json)).toBe(false);
  }
  server.stop();
  await server.finished;
});

test("a snapshot says what folding the events up to its last one says", async () => {
  const server = await restingServer({ plain: true });
  using client = await LinkClient.connect(server.address);
  const run = String((await client.hello()).json["startTime"]);
  client.open({ client: "icon-a", resumeAfter: 0, run });
  await client.until(() => client.lastSeq === server.progress().events);
  const present = new Map<string, Readonly<Record<string, unknown>>>();
  for (const { json } of client.events) {
    const key = String(json["PartyUUID"]);
    const time = microsecondsOf(json["time"]);
    switch (json["id"]) {
      case "EventQueued":
      case "EventDialing":
      case "EventRinging":
        present.set(key, { id: json["id"], time, origin: { run, seq: sequenceOf(json), time } });
        break;
      case "EventEstablished":
      case "EventHeld":
      case "EventRetrieved":
        present.set(key, { ...present.get(key), id: String(json["id"]).replace("Retrieved", "Established"), time });
        break;
      case "EventReleased":
      case "EventDiverted":
      case "EventAbandoned":
        present.delete(key);
    }
  }
  expect(present.size).toBeGreaterThan(20);

  using newcomer = await LinkClient.connect(server.address);
  await newcomer.hello();
  newcomer.open({ client: "icon-b" });
  await newcomer.find(({ json }) => json["snapshot"] === "end");
  const parties = newcomer.snapshotEvents.filter(({ json }) => "PartyUUID" in json);
  const told = parties.map(({ json }) => {
    const origin = json["origin"] as { run: string; seq: number; time: number };
    const time = microsecondsOf(json["time"]);
    return [
      String(json["PartyUUID"]),
      { id: json["id"], time, origin: { ...origin, time: microsecondsOf(origin.time) } },
    ] as const;
  });
  expect(new Map<string, unknown>(told)).toEqual(new Map<string, unknown>(present));
  const agents = newcomer.snapshotEvents.filter(({ json }) => String(json["id"]).startsWith("EventAgent"));
  expect(agents.length).toBeGreaterThan(10);
  expect(newcomer.snapshotEvents.every(({ json }) => sequenceOf(json) === null)).toBe(true);
  server.stop();
  await server.finished;
});

test("heartbeats go on when nothing happens, pings are answered, and unknown lines are passed over", async () => {
  const server = await restingServer({ heartbeatMs: 20 });
  using client = await LinkClient.connect(server.address);
  await client.hello();
  client.open({ client: "icon-a" });
  client.send({ weather: "fine" });
  client.send({ ping: 17 });
  const pong = await client.find(({ json }) => "pong" in json);
  expect(pong.json["pong"]).toBe(17);
  const heartbeats = () => client.lines.filter(({ json }) => "heartbeat" in json);
  await client.until(() => heartbeats().length >= 4);
  const times = heartbeats().map(({ json }) => Number(json["heartbeat"]));
  expect(times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0))).toBe(true);
  expect(times.at(-1)).toBeGreaterThan(times[0] ?? Number.POSITIVE_INFINITY);
  expect(heartbeats().every(({ json }) => json["lastSeq"] === server.progress().events)).toBe(true);
  server.stop();
  const bye = await client.find(({ json }) => "bye" in json);
  expect(bye.json).toMatchObject({ bye: "shutdown" });
  await server.finished;
});

const refusals: readonly (readonly [string, Partial<TserverOptions>, string, string])[] = [
  [
    "the wrong token",
    { token: "right" },
    '{"open":"tevent/1","client":"a","resumeAfter":null,"token":"wrong"}',
    "auth",
  ],
  ["no token", { token: "right" }, '{"open":"tevent/1","client":"a","resumeAfter":null}', "auth"],
  ["an open at a backup", { role: "backup" }, '{"open":"tevent/1","client":"a","resumeAfter":null}', "role"],
  ["another protocol", {}, "GET / HTTP/1.1", "protocol"],
  ["another version", {}, '{"open":"tevent/2","client":"a","resumeAfter":null}', "protocol"],
  ["a position without its run", {}, '{"open":"tevent/1","client":"a","resumeAfter":5}', "protocol"],
  ["a line without end", {}, "x".repeat(70_000), "protocol"],
];

for (const [what, options, line, code] of refusals) {
  test(`${what} is refused with the code ${code} and the connection is closed`, async () => {
    const server = await startSimulatedTserver({ ...quick, ...options });
    using client = await LinkClient.connect(server.address);
    await client.hello();
    client.sendText(`${line}\n`);
    await client.until(() => client.isClosed);
    expect(client.lines.at(-1)?.json).toMatchObject({ error: { code } });
    server.stop();
    expect((await server.finished).clients).toEqual({});
  });
}

test("an acknowledgement of what was never sent is a protocol error", async () => {
  const server = await restingServer({});
  using client = await LinkClient.connect(server.address);
  await client.hello();
  client.open({ client: "icon-a" });
  await client.find(({ json }) => json["snapshot"] === "end");
  client.ack(1_000_000);
  await client.until(() => client.isClosed);
  expect(client.lines.at(-1)?.json).toMatchObject({ error: { code: "protocol" } });
  server.stop();
  await server.finished;
});

test("a client that comes again takes the place of its older connection", async () => {
  const server = await restingServer({});
  using older = await LinkClient.connect(server.address);
  await older.hello();
  older.open({ client: "icon-a" });
  await older.find(({ json }) => json["snapshot"] === "end");
  using newer = await LinkClient.connect(server.address);
  await newer.hello();
  newer.open({ client: "icon-a" });
  await newer.find(({ json }) => json["snapshot"] === "end");
  await older.until(() => older.isClosed);
  expect(server.progress().clientsServed).toBe(1);
  server.stop();
  expect((await server.finished).clients["icon-a"]).toMatchObject({ connections: 2, snapshots: 2 });
});

test("a client that stops reading is closed once it falls out of the resend buffer, and holds up nobody", async () => {
  const server = await startSimulatedTserver({
    ...quick,
    asFastAsPossible: false,
    rate: 20_000,
    clockSpeed: 20,
    seconds: 60,
    resendEvents: 8_000,
    clientsMin: 2,
  });
  using slow = await LinkClient.connect(server.address);
  using quickReader = await LinkClient.connect(server.address);
  quickReader.acksAtOnce = true;
  await slow.hello();
  await quickReader.hello();
  slow.open({ client: "slow" });
  await slow.find(({ json }) => json["snapshot"] === "end");
  slow.stopReading();
  quickReader.open({ client: "quick" });
  await quickReader.until(() => quickReader.lastSeq > 0);
  await quickReader.until(() => server.progress().clientsServed === 1, 30_000);
  const whenClosed = quickReader.lastSeq;
  await quickReader.until(() => quickReader.lastSeq > whenClosed + 10_000);
  expect(quickReader.isClosed).toBe(false);
  server.stop();
  const { clients } = await server.finished;
  expect(clients["slow"]).toMatchObject({ tooSlow: 1 });
  expect(clients["quick"]).toMatchObject({ connections: 1, tooSlow: 0 });
}, 40_000);

test("as fast as possible, the centre waits for a client that stops reading", async () => {
  const server = await startSimulatedTserver({ ...quick, rate: 50_000, resendEvents: 4_000 });
  using client = await LinkClient.connect(server.address);
  client.acksAtOnce = true;
  await client.hello();
  client.open({ client: "icon-a" });
  await client.until(() => client.lastSeq > 1_000);
  client.stopReading();
  let before = -1;
  for (; before !== server.progress().events; await Bun.sleep(100)) before = server.progress().events;
  client.readOn();
  await client.until(() => client.lastSeq > before + 10_000);
  server.stop();
  expect((await server.finished).clients["icon-a"]).toMatchObject({ connections: 1, tooSlow: 0 });
});

test("a client's name cannot lead its oracle into another folder", () => {
  expect(observablePath("/data/seen.ndjson", "../../etc/x")).toBe("/data/seen-.._.._etc_x.ndjson");
});

test("an address that nobody can listen on is named with what would be right", () => {
  expect(() => parseAddress("127.0.0.1:70000")).toThrow(
    'Cannot listen on "127.0.0.1:70000": expected host:port with a port from 0 to 65535',
  );
  expect(parseAddress("[::1]:80")).toEqual({ hostname: "::1", port: 80 });
});
