import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { observablePath } from "../../src/simulator/tserver/link-server.ts";
import type { ObservedCall, ObservedParty } from "../../src/simulator/tserver/observable.ts";
import type { TserverOptions } from "../../src/simulator/tserver/options.ts";
import { startSimulatedTserver, type TserverSummary } from "../../src/simulator/tserver/simulated-tserver.ts";
import type { CallStory, EventStory, PartyStory } from "../../src/simulator/tserver/truth.ts";
import { FaithfulLinkClient, LinkClient, type LinkLine, microsecondsOf, sequenceOf } from "../harness/link-client.ts";

class Oracles {
  readonly #directory = mkdtempSync(join(tmpdir(), "icon-oracle-"));
  readonly truthPath = join(this.#directory, "truth.ndjson");
  readonly observablePath = join(this.#directory, "observable.ndjson");

  get calls(): CallStory[] {
    return readLines(this.truthPath);
  }

  get events(): EventStory[] {
    return readLines(`${this.truthPath}.events.ndjson`);
  }

  observed(client: string): ObservedCall[] {
    return readLines(observablePath(this.observablePath, client));
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function readLines<T>(path: string): T[] {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line): T => JSON.parse(line));
}

const quick: Partial<TserverOptions> = {
  startTime: "2026-11-23T08:00:00.000Z",
  seed: 11,
  rate: 800,
  seconds: 20,
  asFastAsPossible: true,
  lingerSeconds: 35,
  finalAckMs: 3_000,
};

async function play(
  oracles: Oracles,
  options: Partial<TserverOptions>,
  names: readonly string[] = ["icon-a"],
): Promise<{ summary: TserverSummary; clients: FaithfulLinkClient[] }> {
  const server = await startSimulatedTserver({
    ...quick,
    clientsMin: names.length,
    truth: oracles.truthPath,
    observable: oracles.observablePath,
    ...options,
  });
  const clients = names.map((name) => new FaithfulLinkClient(server.address, name));
  const runs = clients.map((client) => client.run());
  const summary = await server.finished;
  for (const client of clients) client.stop();
  await Promise.all(runs);
  return { summary, clients };
}

type CallsByName = Readonly<Record<string, unknown>>;

const byConnId = (calls: readonly { readonly connId: string; readonly run: string }[]): CallsByName =>
  Object.fromEntries(calls.map((call) => [`${call.run}/${call.connId}`, call]));

const eventsOf = (lines: readonly LinkLine[]) => lines.filter(({ json }) => "id" in json && json["snapshot"] !== true);

function shaOf(line: LinkLine): string {
  return new Bun.CryptoHasher("sha256").update(line.raw).digest("hex").slice(0, 16);
}

for (const [what, options] of [
  ["with all names and call monitoring", {}],
  ["without call monitoring", { hasCallMonitoring: false }],
  ["without party names", { hasPartyUuid: false }],
  ["with all of voice", { voiceInFull: true, transferPercent: 20, talkSeconds: 2 }],
  [
    "with all of voice and without any names",
    { voiceInFull: true, talkSeconds: 2, hasPartyUuid: false, hasCallUuid: false, hasCallMonitoring: false },
  ],
  ["without any names", { hasPartyUuid: false, hasCallUuid: false, hasCallMonitoring: false }],
] as const) {
  test(`what a client that was never cut off could know is the truth, ${what}`, async () => {
    using oracles = new Oracles();
    const { summary, clients } = await play(oracles, options);
    const truth = oracles.calls;
    expect(truth.length).toBe(summary.calls + summary.callsOpen);
    expect(summary.callsOpen).toBeGreaterThan(50);
    expect(truth.filter((call) => call.endedAt !== null).length).toBe(summary.calls);
    expect(byConnId(oracles.observed("icon-a"))).toEqual(byConnId(truth));

    const received = eventsOf(clients[0]?.lines ?? []);
    const told = received.map((line) => ({
      run: truth[0]?.run ?? "",
      seq: sequenceOf(line.json) ?? 0,
      at: microsecondsOf(line.json["time"]) / 1000,
      sha: shaOf(line),
    }));
    expect(told).toEqual(oracles.events);
  }, 20_000);
}

test("the pace, cuts and clients decide nothing of what happens: the events are the same", async () => {
  using paced = new Oracles();
  using hurried = new Oracles();
  const options = { rate: 4_000, seconds: 1, clockSpeed: 20, restartAt: [0.6], lingerSeconds: 0 };
  await play(paced, { ...options, asFastAsPossible: false, cutEvery: { min: 0.1, max: 0.2 } });
  await play(hurried, { ...options, clientsMin: 0 }, []);
  expect(paced.events.length).toBeGreaterThan(2_000);
  expect(paced.events).toEqual(hurried.events);
  expect(paced.calls).toEqual(hurried.calls);
});

test("the truth holds each kind of thing that happens to a call", async () => {
  using oracles = new Oracles();
  await play(oracles, { hasCallMonitoring: true });
  const calls = oracles.calls;
  const parties = calls.flatMap((call) => call.parties);
  const statesOf = (party: PartyStory) => party.states.map(({ state }) => state).join(" ");
  const counted = {
    severalQueues: calls.filter(
      (call) => new Set(call.parties.map(({ dn }) => dn).filter((dn) => dn < "9000")).size > 1,
    ),
    abandonedInQueue: parties.filter((party) => statesOf(party) === "queued" && party.endEvent === "EventAbandoned"),
    abandonedRinging: parties.filter((party) => statesOf(party) === "alerting" && party.endEvent === "EventAbandoned"),
    noAnswer: parties.filter((party) => statesOf(party) === "alerting" && party.callState === 7),
    busy: parties.filter((party) => statesOf(party) === "dialing" && party.callState === 6),
    heldTwice: parties.filter((party) => statesOf(party) === "alerting connected held connected held connected"),
    internal: calls.filter((call) => call.callType === 1 && call.parties.length === 2),
    outbound: calls.filter((call) => call.callType === 3 && call.parties.length === 1),
  };
  expect(Object.entries(counted).filter(([, found]) => found.length === 0)).toEqual([]);
}, 20_000);

test("cuts that the resend buffer covers change nothing of what a client can know", async () => {
  using oracles = new Oracles();
  const { summary, clients } = await play(oracles, {
    cutEvery: { min: 1, max: 3 },
    cutFor: { min: 0.1, max: 0.5 },
    resendEvents: 50_000,
  });
  expect(summary.clients["icon-a"]).toMatchObject({ gaps: 0, snapshots: 1 });
  expect(summary.clients["icon-a"]?.resumed).toBeGreaterThan(3);
  expect(byConnId(oracles.observed("icon-a"))).toEqual(byConnId(oracles.calls));
  // What was on its way when the connection was cut is sent again: numbers repeat, and none is missing.
  const numbers = new Set(eventsOf(clients[0]?.lines ?? []).map(({ json }) => sequenceOf(json)));
  expect(numbers.size).toBe(summary.events);
}, 20_000);

test("two clients that are served at once each know the truth", async () => {
  using oracles = new Oracles();
  const { summary } = await play(oracles, { seconds: 10, cutEvery: { min: 2, max: 3 } }, ["icon-a", "icon-b"]);
  const truth = byConnId(oracles.calls);
  expect(byConnId(oracles.observed("icon-a"))).toEqual(truth);
  expect(byConnId(oracles.observed("icon-b"))).toEqual(truth);
  expect(Object.keys(summary.clients).sort()).toEqual(["icon-a", "icon-b"]);
}, 20_000);

// ---- where something is missed

/** Stretches of source time, milliseconds, in which a client missed something. */
type Missed = readonly { readonly from: number; readonly to: number }[];

/** Every difference from the truth is marked, and what is marked contains the truth within its bounds. */
function expectExplained(truth: readonly CallStory[], observed: readonly ObservedCall[], missed: Missed): number {
  const isMissed = (at: number) => missed.some(({ from, to }) => at >= from && at <= to);
  const seen = new Map(observed.map((call) => [call.callUuid, call]));
  let differences = 0;
  for (const call of truth) {
    const own = seen.get(call.callUuid);
    if (own === undefined) {
      // It came and went while nobody listened.
      expect(isMissed(call.createdAt)).toBe(true);
      expect(call.endedAt !== null && isMissed(call.endedAt)).toBe(true);
      differences++;
      continue;
    }
    if (Bun.deepEquals(own, call)) continue;
    differences++;
    expectBounded(own.endedUnseen, call.endedAt);
    for (const party of call.parties) {
      const ownParty = own.parties.find(({ partyUuid }) => partyUuid === party.partyUuid);
      if (ownParty === undefined) expect(isMissed(party.states[0]?.from ?? 0)).toBe(true);
      else expectPartyExplained(party, ownParty, isMissed);
    }
  }
  expect(observed.filter((call) => !truth.some(({ callUuid }) => callUuid === call.callUuid))).toEqual([]);
  return differences;
}

function expectPartyExplained(party: PartyStory, own: ObservedParty, isMissed: (at: number) => boolean): void {
  if (own.endedUnseen === undefined) expect(own.endedAt).toBe(party.endedAt);
  expectBounded(own.endedUnseen, party.endedAt);
  for (const state of party.states) {
    const isSeen = own.states.some((each) => each.from === state.from && each.state === state.state);
    if (!isSeen) expect(isMissed(state.from)).toBe(true);
  }
  for (const state of own.states) {
    expect(party.states).toContainEqual(expect.objectContaining({ state: state.state, from: state.from }));
  }
}

function expectBounded(unseen: ObservedCall["endedUnseen"], endedAt: number | null): void {
  if (unseen === undefined) return;
  expect(unseen.earliestMax).toBeGreaterThanOrEqual(unseen.earliest);
  expect(endedAt).toBeGreaterThanOrEqual(unseen.earliest);
  expect(endedAt).toBeLessThanOrEqual(unseen.latest);
}

function missedIn(observed: readonly ObservedCall[]): Missed {
  const bounds = observed.flatMap((call) => [call, ...call.parties].flatMap(({ endedUnseen }) => endedUnseen ?? []));
  return [...new Map(bounds.map(({ earliest, latest }) => [latest, { from: earliest, to: latest }])).values()];
}

test("after a gap what a client can know differs from the truth only within the gap, and says so", async () => {
  using oracles = new Oracles();
  const { summary } = await play(oracles, { gapAt: [8, 15], cutFor: { min: 0.5, max: 1 } });
  expect(summary.clients["icon-a"]).toMatchObject({ connections: 3, gaps: 2, snapshots: 3 });
  const observed = oracles.observed("icon-a");
  const missed = missedIn(observed);
  expect(missed).toHaveLength(2);
  expect(expectExplained(oracles.calls, observed, missed)).toBeGreaterThan(50);
}, 20_000);

for (const restartKeepsCalls of [false, true]) {
  test(`after a restart that ${restartKeepsCalls ? "keeps" : "drops"} calls, numbers begin at 1 and the calls are accounted for`, async () => {
    using oracles = new Oracles();
    const { summary, clients } = await play(oracles, { restartAt: [7, 14], restartKeepsCalls });
    expect(summary.runs).toHaveLength(3);
    const events = oracles.events;
    for (const { run, lastSeq } of summary.runs) {
      const numbers = events.filter((event) => event.run === run).map(({ seq }) => seq);
      expect(numbers).toEqual(Array.from({ length: lastSeq }, (_, index) => index + 1));
    }
    const starts = (clients[0]?.lines ?? []).flatMap(({ json }) => ("hello" in json ? [json["startTime"]] : []));
    expect(starts).toEqual(summary.runs.map(({ run }) => run));

    const truth = oracles.calls;
    const dropped = truth.flatMap(({ parties }) => parties).filter((each) => each.endedAt !== null && !each.endEvent);
    expect(dropped.length > 0).toBe(!restartKeepsCalls);
    const observed = oracles.observed("icon-a");
    expect(expectExplained(truth, observed, missedIn(observed))).toBeGreaterThan(50);
  }, 20_000);
}

/** The names of the calls that the events up to this one tell of. */
const callsUpTo = (lines: readonly LinkLine[], seq: number) =>
  new Set(
    eventsOf(lines)
      .filter(({ json }) => (sequenceOf(json) ?? 0) <= seq)
      .flatMap(({ json }) => json["CallUUID"] ?? []),
  );

test("what was delivered and never acknowledged counts only as far as the next open says that it is durable", async () => {
  using oracles = new Oracles();
  const server = await startSimulatedTserver({
    ...quick,
    clientsMin: 1,
    truth: oracles.truthPath,
    observable: oracles.observablePath,
    seconds: null,
    events: 2_000,
    finalAckMs: 10_000,
  });
  const run = "2026-11-23T08:00:00.000Z";
  using client = await LinkClient.connect(server.address);
  await client.hello();
  client.open({ client: "icon-a" });
  await client.until(() => client.lastSeq >= 2_000);
  client.close();

  using again = await LinkClient.connect(server.address);
  await again.hello();
  again.open({ client: "icon-a", resumeAfter: 1_500, run });
  await again.until(() => again.events.length >= 500);
  server.stop();
  expect((await server.finished).clients["icon-a"]?.acked).toEqual({ [run]: 1_500 });
  const known = oracles.observed("icon-a").map(({ callUuid }) => callUuid);
  expect(new Set<unknown>(known)).toEqual(callsUpTo(client.lines, 1_500));
  expect(known.length).toBeLessThan(oracles.calls.length);
});

test("after a restart the open still says what of the run before is durable", async () => {
  using oracles = new Oracles();
  const server = await startSimulatedTserver({
    ...quick,
    clientsMin: 1,
    observable: oracles.observablePath,
    seconds: 6,
    restartAt: [4],
    finalAckMs: 10_000,
  });
  const run = "2026-11-23T08:00:00.000Z";
  using client = await LinkClient.connect(server.address);
  await client.hello();
  client.open({ client: "icon-a" });
  await client.until(() => client.isClosed);
  const durable = client.lastSeq - 100;

  using again = await LinkClient.connect(server.address);
  again.acksAtOnce = true;
  await again.hello();
  again.open({ client: "icon-a", resumeAfter: durable, run });
  await again.until(() => again.isClosed);
  expect((await server.finished).clients["icon-a"]?.acked[run]).toBe(durable);
  const known = oracles.observed("icon-a").filter((call) => call.run === run);
  expect(new Set<unknown>(known.map(({ callUuid }) => callUuid))).toEqual(callsUpTo(client.lines, durable));
  // Nothing of the old run was in the new one's snapshot: these calls were lost with the restart.
  expect(known.filter((call) => call.endedAt === null).every((call) => call.endedUnseen !== undefined)).toBe(true);
});

test("a standby takes over: it tells of the same calls, in a run of its own, and the lost server is the backup until it takes over in its turn", async () => {
  using oracles = new Oracles();
  const server = await startSimulatedTserver({
    ...quick,
    asFastAsPossible: false,
    clientsMin: 1,
    seconds: null,
    dbid: 101,
    primaryDbid: 101,
    standby: { listen: "127.0.0.1:0", dbid: 102 },
    truth: oracles.truthPath,
    lingerSeconds: 0,
    finalAckMs: 0,
  });
  const addresses = [server.address, server.standbyAddress ?? ""] as const;
  const served = async (address: string) => {
    const client = await LinkClient.connect(address);
    client.acksAtOnce = true;
    const { json } = await client.hello();
    client.open({ client: "icon-a" });
    return { client, hello: json };
  };
  const first = await served(addresses[0]);
  expect(first.hello).toMatchObject({ dbid: 101, role: "primary" });
  await first.client.until(() => first.client.lastSeq > 400);
  server.control.switchOver("lost");
  await first.client.until(() => first.client.isClosed);

  using second = (await served(addresses[1])).client;
  await second.until(() => second.lines.some(({ json }) => json["snapshot"] === "end"));
  const [hello] = second.lines;
  expect(hello?.json).toMatchObject({ dbid: 102, primaryDbid: 101, role: "primary" });
  const found = second.lines.filter(({ json }) => json["snapshot"] === true && json["ConnID"] !== undefined);
  const origins = new Set(found.map(({ json }) => (json["origin"] as { readonly run: string }).run));
  expect(origins.has(String(first.hello["startTime"]))).toBe(true);

  await second.until(() => second.events.length > 10);
  server.control.switchOver("role");
  await second.until(() => second.lines.some(({ json }) => json["role"] === "backup" && "time" in json));
  using third = (await served(addresses[0])).client;
  await third.until(() => third.lines.some(({ json }) => json["snapshot"] === "end"));
  await third.until(() => third.events.length > 10);
  server.stop();
  const { runs } = await server.finished;
  expect(runs).toHaveLength(3);
  expect(new Set(oracles.events.map(({ run }) => run))).toEqual(new Set(runs.map(({ run }) => run)));
});
