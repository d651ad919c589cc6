// What does not speak our languages, or speaks them wrongly: it is named clearly in log and status, what arrived is
// counted and kept, the instance goes on, and a source beside it loses nothing.

import { expect, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { openReading } from "../../src/idb/reading.ts";
import { Load } from "../harness/load.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  type SourceSetting,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

/** A port with something behind it that is no source of ours. */
class StrangePort {
  readonly #server: Server;
  connections = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(greet: (socket: Socket) => void): Promise<StrangePort> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      port.connections += 1;
      sockets.add(socket);
      socket.on("error", () => {}); // the instance may go at any time
      socket.on("close", () => sockets.delete(socket));
      socket.on("data", () => {});
      greet(socket);
    });
    const port = new StrangePort(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    server.on("close", () => {
      for (const socket of sockets) socket.destroy();
    });
    return port;
  }

  get address(): string {
    const bound = this.#server.address();
    if (bound === null || typeof bound === "string") throw new Error("Cannot tell on which port it listens");
    return `127.0.0.1:${bound.port}`;
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.#server.emit("close");
  }
}

const hello = (members: object = {}) =>
  `${JSON.stringify({
    hello: "tevent/1",
    server: "Strange",
    type: "TServer",
    dbid: 300,
    primaryDbid: 300,
    switch: "Strange",
    switchDbid: 300,
    startTime: "2026-11-23T08:00:00.000Z",
    role: "primary",
    lastSeq: 0,
    oldestSeq: null,
    heartbeatMs: 1_000,
    ...members,
  })}\n`;
const snapshot = '{"snapshot":"begin"}\n{"snapshot":"end","lastSeq":0}\n';
const twoMiB = 2 * 1024 * 1024;
const noise = (bytes: number) => crypto.getRandomValues(new Uint8Array(Math.min(bytes, 65_536)));
const http = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html><body>Bad Request</body></html>\r\n";
const ssh = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n";
const greeting = "Asterisk Call Manager/9.0.0\r\n";
const loggedIn = "Response: Success\r\nActionID: icon-login\r\nMessage: Authentication accepted\r\n\r\n";

interface Strange {
  readonly name: string;
  readonly kind: "tevent" | "ami";
  readonly greet: (socket: Socket) => void;
  /** What the operator must be able to read. */
  readonly trouble: RegExp;
}

const foreign = /is this another protocol's port\?/;
const neverASource: readonly Strange[] = [
  { name: "http-tevent", kind: "tevent", greet: (socket) => socket.end(http), trouble: foreign },
  { name: "http-ami", kind: "ami", greet: (socket) => socket.end(http), trouble: foreign },
  { name: "ssh-tevent", kind: "tevent", greet: (socket) => socket.write(ssh), trouble: foreign },
  { name: "ssh-ami", kind: "ami", greet: (socket) => socket.write(ssh), trouble: foreign },
  {
    name: "ami-tevent",
    kind: "tevent",
    greet: (socket) => socket.write(greeting),
    trouble: foreign,
  },
  { name: "tevent-ami", kind: "ami", greet: (socket) => socket.write(hello()), trouble: foreign },
  {
    name: "noise-tevent",
    kind: "tevent",
    greet: (socket) => socket.write(Buffer.concat([noise(4096), Buffer.from("\n")])),
    trouble: /protocol error: line is not .*expected a tevent\/1 hello/,
  },
  {
    name: "noise-ami",
    kind: "ami",
    greet: (socket) => socket.write(Buffer.concat([noise(4096), Buffer.from("\r\n\r\n")])),
    trouble: foreign,
  },
  {
    name: "endless-tevent",
    kind: "tevent",
    greet: (socket) => socket.write("x".repeat(twoMiB)),
    trouble: /more than 1 MiB came without a line end|line is longer than/,
  },
  { name: "endless-ami", kind: "ami", greet: (socket) => socket.write("x".repeat(twoMiB)), trouble: foreign },
  {
    name: "half-tevent",
    kind: "tevent",
    greet: (socket) => socket.end(hello().slice(0, 60)),
    trouble: /server closed the connection/,
  },
  {
    name: "half-ami",
    kind: "ami",
    greet: (socket) => socket.end(greeting.slice(0, 10)),
    trouble: /server closed the connection/,
  },
  {
    name: "wrong-types-tevent",
    kind: "tevent",
    greet: (socket) => socket.write(hello({ startTime: 12, heartbeatMs: "soon", dbid: "x" })),
    trouble: /hello.*expected a tevent\/1 hello/,
  },
  {
    name: "wrong-version-tevent",
    kind: "tevent",
    greet: (socket) => socket.write(hello({ hello: "tevent/9" })),
    trouble: /expected a tevent\/1 hello/,
  },
  {
    name: "silent-tevent",
    kind: "tevent",
    greet: () => {},
    trouble: /nothing came within 10 s; expected a tevent\/1 hello/,
  },
  {
    name: "silent-ami",
    kind: "ami",
    greet: () => {},
    trouble: /nothing came within 10 s; expected a manager's greeting/,
  },
  {
    name: "no-login-ami",
    kind: "ami",
    greet: (socket) => socket.write(greeting),
    trouble: /nothing came within 10 s; expected an answer to Login/,
  },
];

function strangeSources(strange: readonly Strange[], ports: readonly StrangePort[]): SourceSetting[] {
  return strange.map(({ name, kind }, index) => ({
    name,
    kind,
    address: ports[index]?.address ?? "",
    dbid: 300 + index,
  }));
}

test("ports where something else or nothing answers are named clearly in log and status, and the source beside them loses nothing", async () => {
  await iconBinary();
  const { seed } = seededRandom("strange ports");
  using directory = new TemporaryDirectory("strange");
  using ports = new DisposableStack();
  const opened = await Promise.all(neverASource.map(({ greet }) => StrangePort.open(greet)));
  for (const port of opened) ports.use(port);
  await using north = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 400 });
  const setting: InstanceSetting = {
    directory: directory.path,
    sources: [{ name: "north", address: north.address, dbid: 101 }, ...strangeSources(neverASource, opened)],
  };
  await using instance = await Instance.start(setting);
  await until("the good source serves the instance", 10_000, () => north.isServed);
  north.flow();
  await until("every strange port has been judged", 20_000, async () => {
    const { sources } = await instance.status();
    return sources.every(({ name, lastTrouble }) => name === "north" || lastTrouble !== null);
  });
  const { sources } = await instance.status();
  const log = instance.log();
  for (const { name, trouble } of neverASource) {
    const status = sources.find((each) => each.name === name);
    expect(`${name}: ${status?.lastTrouble}`).toMatch(trouble);
    expect(status?.state).not.toBe("connected");
    const said = log.filter(({ event, source }) => event === "data source is not connected" && source === name);
    expect({ name, trouble: said.some((line) => trouble.test(String(line["trouble"]))) }).toEqual({
      name,
      trouble: true,
    });
    // What repeats is counted, not logged each time.
    const troubles = new Set(said.map((line) => String(line["trouble"])));
    expect({ name, lines: said.length }).toEqual({ name, lines: troubles.size });
  }
  north.complete();
  const late = await settle(instance, [north]);
  expect(await instance.stop()).toBe(0);
  const verdict = judge(instance, [north], late);
  announce("R15 strange ports", verdict);
  expect(verdict).toEqual(kept);
}, 90_000);

const event = (seq: unknown, members: object = {}) =>
  JSON.stringify({ id: "EventAgentReady", EventSequenceNumber: seq, time: 1795423790.1, ThisDN: "5001", ...members });

/** Lines of a T-Server that cannot be decoded; all are kept. */
const wrongLines: readonly string[] = [
  "not JSON at all",
  "{",
  '{"id":"EventRing',
  "[1,2,3]",
  "null",
  "42",
  '"text"',
  "\u0000\u0001\u0002",
  "[".repeat(100_000),
  '{"a":'.repeat(50_000),
  `{"pad":"${"x".repeat(twoMiB)}"}`,
  event("not a number"),
  event(1.5),
  event(-1),
  event({}),
  event(null),
  event(1, { time: "yesterday" }),
  event(2, { time: null }),
  event(3, { time: 1e30 }),
  event(4, { CallType: [4] }),
  event(5, { CallType: {} }),
  event(6, { id: 7 }),
  event(7, { ThisDNRole: [] }),
];
/** What may be wrong in an event and costs nothing but itself: the event counts. */
const oddButFine: readonly string[] = [
  event(8, { UserData: [] }),
  event(9, { unknown: { deep: [1, 2, { a: null }] }, CallType: "CallTypeMagic" }),
  event("000000000000000a"),
  event(11),
];

/** Messages of a manager that cannot be decoded. */
const wrongMessages: readonly string[] = [
  "no colon in this line",
  ": empty key",
  `Event: Big\r\nPad: ${"x".repeat(twoMiB)}`,
];

test("lines and messages that cannot be decoded are counted and kept, and what follows them is taken in", async () => {
  await iconBinary();
  const { seed } = seededRandom("garbage");
  using directory = new TemporaryDirectory("garbage");
  const answerOpen = (socket: Socket) => {
    socket.write(hello());
    let isOpen = false;
    socket.on("data", () => {
      if (isOpen) return;
      isOpen = true;
      socket.write(snapshot);
      for (const line of [...wrongLines, ...oddButFine]) socket.write(`${line}\n`);
      socket.write(Buffer.concat([Buffer.from('{"id":"Event'), Buffer.from([0xff, 0xfe, 0xc0]), Buffer.from('"}\n')]));
      socket.write(`{"heartbeat":1795423800.0,"lastSeq":11}\n`);
    });
  };
  const answerLogin = (socket: Socket) => {
    socket.write(greeting);
    let isLoggedIn = false;
    socket.on("data", (chunk) => {
      const text = chunk.toString("latin1");
      if (isLoggedIn || !text.includes("icon-login")) return;
      isLoggedIn = true;
      socket.write(loggedIn);
      for (const message of wrongMessages) socket.write(`${message}\r\n\r\n`);
      socket.write("Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n");
    });
  };
  using tserver = await StrangePort.open(answerOpen);
  using manager = await StrangePort.open(answerLogin);
  await using north = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 400 });
  const setting: InstanceSetting = {
    directory: directory.path,
    sources: [
      { name: "north", address: north.address, dbid: 101 },
      { name: "babble", address: tserver.address, dbid: 300 },
      { name: "mumble", kind: "ami", address: manager.address, dbid: 301 },
    ],
  };
  await using instance = await Instance.start(setting);
  await until("the good source serves the instance", 10_000, () => north.isServed);
  north.flow();
  const undecodableLines = wrongLines.length + 1;
  await until("everything strange has been looked at", 20_000, async () => {
    const { sources, undecodedTotal } = await instance.status();
    const [, babble, mumble] = sources;
    return babble?.lastSequence === 11 && (mumble?.undecodable ?? 0) >= 1 && undecodedTotal >= undecodableLines;
  });
  await Bun.sleep(500);
  const status = await instance.status();
  const [, babble, mumble] = status.sources;
  // All numbers from 1 to 11 came, so all are acknowledged, whether or not they could be decoded. The source's own count
  // is of lines in which not even the number could be read; the IDB's is of all that made no rows.
  expect(babble).toMatchObject({ state: "connected", ackedSequence: 11, undecodable: undecodableLines, reconnects: 0 });
  expect(status.undecodedTotal).toBe(undecodableLines + (mumble?.undecodable ?? 0));
  expect(mumble).toMatchObject({ state: "connected", reconnects: 0 });
  console.log(
    `garbage: ${undecodableLines} lines, ${mumble?.undecodable} of ${wrongMessages.length} messages undecodable`,
  );

  north.complete();
  const late = await settle(instance, [north]);
  expect(await instance.stop()).toBe(0);
  const verdict = judge(instance, [north], late);
  announce("R15 garbage", verdict);
  expect(verdict).toEqual(kept);

  const reading = openReading(idbPathOf(setting));
  const rows = <T>(sql: string) => reading.database.prepare(sql).all() as T[];
  const undecoded = rows<{ SOURCE: string; REASON: string; BYTES: number; IS_CUT: number }>(
    "SELECT SOURCE, REASON, length(FRAME) AS BYTES, IS_CUT FROM ICON_UNDECODED ORDER BY POSITION",
  );
  const [window] = rows<{ EVENTS: number; HOLES: string; FAULTS: string }>(
    "SELECT sum(EVENTS) AS EVENTS, max(HOLES) AS HOLES, max(FAULTS) AS FAULTS FROM ICON_WINDOW WHERE SOURCE_CLUSTER = 300",
  );
  reading.close();
  const lines = undecoded.filter(({ SOURCE }) => SOURCE === "babble");
  expect(lines).toHaveLength(undecodableLines);
  for (const { REASON } of lines) expect(REASON).not.toBe("");
  expect(lines.filter(({ IS_CUT }) => IS_CUT === 1)).toEqual([
    { SOURCE: "babble", REASON: "line is longer than 1048576 bytes", BYTES: 1024 * 1024, IS_CUT: 1 },
  ]);
  expect(undecoded.filter(({ SOURCE }) => SOURCE === "mumble")).toHaveLength(mumble?.undecodable ?? -1);
  expect(window).toMatchObject({ EVENTS: oddButFine.length });
  expect(window?.FAULTS).toContain("undecodable frame");
}, 60_000);
