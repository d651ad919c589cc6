// With `voiceInFull` the simulated T-Server tells of agents, routing and attached data; what it tells, folded by somebody
// else, is what it says was true.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Centre } from "../../src/simulator/tserver/centre.ts";
import { LineWriter } from "../../src/simulator/tserver/line.ts";
import { type TserverOptions, tserverDefaults } from "../../src/simulator/tserver/options.ts";
import { Random } from "../../src/simulator/tserver/random.ts";
import { ServerRun } from "../../src/simulator/tserver/server-run.ts";
import type { EventSink } from "../../src/simulator/tserver/switch-event.ts";
import { Truth } from "../../src/simulator/tserver/truth.ts";
import { VoiceFold } from "../harness/voice-fold.ts";
import { readCallDetails, readSessionStories } from "../harness/voice-truth.ts";

type Members = Readonly<Record<string, unknown>>;

/** The contact centre without its port: what it tells goes to the truth and into a fold. */
class Told implements Disposable {
  readonly lines: string[] = [];
  readonly fold = new VoiceFold();
  readonly centre: Centre;
  run: ServerRun;
  readonly #directory = mkdtempSync(join(tmpdir(), "icon-voice-"));
  readonly #truthPath = join(this.#directory, "truth.ndjson");
  readonly #truth: Truth;
  readonly #options: TserverOptions;
  readonly #writer: LineWriter;

  constructor(options: Partial<TserverOptions>) {
    this.#options = { ...tserverDefaults, seed: 11, rate: 400, talkSeconds: 2, ...options };
    const sink: EventSink = {
      emit: (event) => {
        const { number, line } = this.run.tell(event);
        this.#truth.event(number, event.atUs, line);
        this.lines.push(line);
        this.fold.event(JSON.parse(line), number.run);
        return number;
      },
      callOver: (call) => this.#truth.call(call),
      sessionOver: (session) => this.#truth.session(session),
    };
    this.#writer = new LineWriter(this.#options, new Random(this.#options.seed, "encoding"));
    this.#truth = new Truth(this.#truthPath, this.#options);
    this.centre = new Centre(this.#options, Date.parse("2026-11-23T08:00:00.000Z") * 1000, sink);
    this.run = this.#newRun("2026-11-23T08:00:00.000Z");
  }

  work(seconds: number): void {
    this.centre.advance(this.centre.board.nowUs + seconds * 1_000_000, () => false);
  }

  restart(startTime: string): void {
    this.centre.dropCalls();
    this.run = this.#newRun(startTime);
  }

  /** The lines of a snapshot that name a thing. */
  snapshot(): Members[] {
    const text = new TextDecoder().decode(this.run.snapshot().bytes);
    return text
      .split("\n")
      .slice(1, -2)
      .map((line): Members => JSON.parse(line));
  }

  /** Of a centre with `voiceInFull`. */
  truth() {
    for (const call of this.centre.board.liveCalls) this.#truth.call(call);
    for (const session of this.centre.board.desks?.sessions ?? []) this.#truth.session(session);
    this.#truth.close();
    return { calls: readCallDetails(this.#truthPath), sessions: readSessionStories(this.#truthPath) };
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }

  #newRun(startTime: string): ServerRun {
    const { resendEvents, hasCallUuid } = this.#options;
    const board = this.centre.board;
    return new ServerRun({ startTime, resendEvents, lines: this.#writer, board, hasCallUuid, keepsEvents: false });
  }
}

const full = { voiceInFull: true, transferPercent: 20 } as const;

for (const [seed, options] of [
  [11, {}],
  [12, { hasCallMonitoring: false }],
  [13, { plain: true, talkSeconds: 0.5 }],
] as const) {
  test(`folded, the events of agents and calls are the truth, seed ${seed}`, () => {
    using told = new Told({ ...full, seed, ...options });
    told.work(40);
    const { calls, sessions } = told.truth();
    expect(told.fold.contradictions).toEqual([]);
    expect(sessions.length).toBeGreaterThan(150);
    const byOrigin = (one: { seq: number }, other: { seq: number }) => one.seq - other.seq;
    expect(told.fold.sessions as unknown).toEqual(sessions.toSorted(byOrigin));

    expect(calls.length).toBeGreaterThan(500);
    const details = calls.map(({ callUuid: _, run: __, ...detail }) => [detail.connId, detail]);
    // Without call monitoring nobody says who hung up; the switch knows it all the same.
    const isTold = !("hasCallMonitoring" in options);
    const expected = isTold
      ? details
      : details.map(([name, detail]) => [name, { ...(detail as object), releasedBy: null }]);
    expect(told.fold.calls).toEqual(Object.fromEntries(expected));
  }, 20_000);
}

test("the truth holds each kind of thing that agents do", () => {
  using told = new Told(full);
  told.work(60);
  const { sessions, calls } = told.truth();
  const states = sessions.flatMap((session) => session.states);
  const pairs = sessions.flatMap(({ states: each }) =>
    each.slice(1).map((state, index) => [each[index], state] as const),
  );
  const parties = calls.flatMap((call) => call.parties);
  const attached = calls.flatMap((call) => call.attached);
  const stays = calls.flatMap((call) => call.virtualStays);
  const routes = calls.flatMap((call) => call.routes);
  const isWithin = (at: number, session: (typeof sessions)[number], workMode: number | null) => {
    const state = session.states.findLast(({ from }) => from < at);
    const isThere = at > session.loggedInAt && (session.loggedOutAt === null || at < session.loggedOutAt);
    return isThere && state?.state === "not ready" && state.workMode === workMode;
  };
  const duringState = (workMode: number) =>
    parties.filter(({ dn, from }) => sessions.some((each) => each.dn === dn && isWithin(from, each, workMode)));
  const dnsOf = Map.groupBy(sessions, ({ agentId }) => agentId);
  const agentsOf = Map.groupBy(sessions, ({ dn }) => dn);
  const counted = {
    withoutQueue: sessions.filter(({ queues }) => queues[0]?.queue === null),
    severalQueues: sessions.filter(({ queues }) => queues.filter(({ from }) => from === queues[0]?.from).length > 1),
    queueLater: sessions.filter(({ queues, loggedInAt }) => queues.some(({ from }) => from > loggedInAt)),
    queueLeft: sessions.filter(({ queues, loggedOutAt }) => queues.some(({ to }) => to !== null && to !== loggedOutAt)),
    anotherDn: [...dnsOf.values()].filter((each) => new Set(each.map(({ dn }) => dn)).size > 1),
    anotherAgent: [...agentsOf.values()].filter((each) => new Set(each.map(({ agentId }) => agentId)).size > 1),
    notReadyAtLogout: sessions.filter((each) => each.loggedOutAt !== null && each.states.at(-1)?.state === "not ready"),
    readyAtLogout: sessions.filter((each) => each.loggedOutAt !== null && each.states.at(-1)?.state === "ready"),
    afterCallWork: states.filter(({ workMode }) => workMode === 3),
    auxWork: states.filter(({ workMode }) => workMode === 4),
    withoutWorkMode: states.filter(({ state, workMode }) => state === "not ready" && workMode === null),
    readyInMode: states.filter(({ state, workMode }) => state === "ready" && workMode !== null),
    software: states.filter(({ reasons }) => Object.keys(reasons).length > 1),
    nested: states.filter(({ reasons }) => Object.values(reasons).some((each) => typeof each === "object")),
    both: states.filter(({ reasons, hardwareReason }) => hardwareReason !== null && Object.keys(reasons).length > 0),
    reasonChanged: pairs.filter(
      ([was, is]) => was?.state === "not ready" && is.state === "not ready" && was.workMode === is.workMode,
    ),
    modeChanged: pairs.filter(([was, is]) => was?.workMode === 3 && is.workMode === 4),
    dnd: sessions.filter(({ dnd }) => dnd.some(({ to }) => to !== null)),
    callDuringAfterCallWork: duringState(3),
    userEvents: sessions.flatMap(({ userEvents }) => userEvents),

    added: attached.filter(({ dn, value }) => dn !== null && value !== null),
    deleted: attached.filter(({ value }) => value === null),
    byThirdParty: attached.filter(({ thirdPartyDn }) => thirdPartyDn !== null),
    emptied: calls.filter(({ attached: each, userData }) => each.length > 0 && Object.keys(userData).length === 0),
    reasons: calls.filter(({ remarks }) => remarks.some(({ reasons }) => Object.keys(reasons).length > 0)),
    routed: routes.filter(({ outcome, target }) => outcome === "routed" && target !== null),
    byDefault: routes.filter(({ outcome }) => outcome === "default"),
    abandoned: routes.filter(({ outcome }) => outcome === "abandoned"),
    againAfterNoAnswer: calls.filter((call) => call.routes.length > 1),
    stayRouted: stays.filter(({ target }) => target !== null),
    stayCleared: stays.filter(({ endEvent, target }) => endEvent === "EventDiverted" && target === null),
    stayAbandoned: stays.filter(({ endEvent }) => endEvent === "EventAbandoned"),
    severalStays: calls.filter(({ virtualStays }) => virtualStays.length > 1),
    hungUp: parties.filter(({ releasingParty }) => releasingParty === 1),
    hungUpByOther: parties.filter(({ releasingParty }) => releasingParty === 2),
    releasedByOutside: calls.filter(({ releasedBy }) => releasedBy?.startsWith("4155")),
    releasedByAgent: calls.filter(({ releasedBy }) => releasedBy !== null && /^[56]0/.test(releasedBy)),
    releasedByNobodyKnown: calls.filter(
      ({ releasedBy, parties: [party] }) => releasedBy === null && party !== undefined,
    ),
  };
  expect(Object.entries(counted).filter(([, found]) => found.length === 0)).toEqual([]);
}, 20_000);

test("a snapshot names who is logged in, in which state and for which queues, and which calls wait in virtual queues", () => {
  using told = new Told(full);
  const originOf = ({ run, seq, loggedInAt }: { run: string; seq: number; loggedInAt: number }) => ({
    run,
    seq,
    loggedInAt,
  });
  let waiting = 0;
  let named = 0;
  for (const [index, restart] of [null, null, "2026-11-23T08:00:10.000Z", null].entries()) {
    told.work(4.321);
    if (restart !== null) told.restart(restart);
    // A restart loses the calls, and nobody tells; agents stay.
    const lines = told.snapshot();
    const agents = lines.filter((line) => line["AgentID"] !== undefined);
    const sessions = Map.groupBy(agents, (line) => line["ThisDN"]);
    expect([...sessions.keys()].toSorted()).toEqual(told.fold.openSessions.map(({ dn }) => dn).toSorted());
    for (const session of told.fold.openSessions) {
      const of = sessions.get(session.dn) ?? [];
      const since = (line: Members) => Math.round(Number(line["time"]) * 1_000_000) / 1000;
      const logins = of.filter((line) => line["id"] === "EventAgentLogin");
      expect(
        logins.map((line) => ({ queue: line["ThisQueue"] ?? null, from: since(line), to: null })) as unknown,
      ).toEqual(session.queues.filter(({ to }) => to === null));
      const state = session.states.at(-1) as { state: string; from: number };
      const present = of.filter((line) => /Ready$/.test(String(line["id"])));
      expect(present.map((line) => stateIn(line, since(line))) as unknown[]).toEqual(
        state.state === "logged in" ? [] : [state],
      );
      const dnd = of.filter((line) => line["id"] === "EventDNDOn").map((line) => ({ from: since(line), to: null }));
      expect(dnd).toEqual(session.dnd.filter(({ to }) => to === null) as typeof dnd);
      for (const line of of) {
        const { run, seq, time } = line["origin"] as { run: string; seq: number; time: number };
        expect({ run, seq, loggedInAt: Math.round(time * 1_000_000) / 1000 }).toEqual(originOf(session));
      }
      named++;
    }
    if (index < 2) {
      const stays = lines.filter((line) => (line["Extensions"] as Members | undefined)?.["VQID"] !== undefined);
      const told_ = told.fold.openStays.map(({ connId, dn, vqid }) => `${connId} ${dn} ${vqid}`);
      const names = stays.map(
        (line) => `${line["ConnID"]} ${line["ThisDN"]} ${(line["Extensions"] as Members)["VQID"]}`,
      );
      expect(names.toSorted()).toEqual(told_.toSorted());
      waiting += names.length;
    }
  }
  expect(waiting).toBeGreaterThan(0);
  expect(named).toBeGreaterThan(100);
  expect(told.fold.contradictions).toEqual([]);
}, 20_000);

function stateIn(line: Members, from: number): unknown {
  const extensions = line["Extensions"] as Members | undefined;
  return {
    state: line["id"] === "EventAgentReady" ? "ready" : "not ready",
    from,
    workMode: line["AgentWorkMode"] ?? null,
    reasons: line["Reasons"] ?? {},
    hardwareReason: extensions?.["ReasonCode"] ?? null,
  };
}

test("after a restart that loses the calls agents go on as they were, and free ones take the next calls", () => {
  using told = new Told(full);
  told.work(15);
  told.restart("2026-11-23T08:00:15.000Z");
  const before = told.lines.length;
  told.work(15);
  const established = told.lines.slice(before).filter((line) => line.startsWith('{"id":"EventEstablished"'));
  expect(established.length).toBeGreaterThan(100);
  expect(told.fold.contradictions.filter((each) => !/attached data/.test(each))).toEqual([]);
  const { sessions, calls } = told.truth();
  const runs = new Set(sessions.map(({ run }) => run));
  expect(runs.size).toBe(2);
  expect(
    calls.flatMap((call) => call.virtualStays).filter(({ to, endEvent }) => to !== null && !endEvent).length,
  ).toBeGreaterThan(0);
  const onTwoCalls = overlappingTalks(told.lines.slice(before));
  expect(onTwoCalls).toEqual([]);
}, 20_000);

/** DNs at which two calls ring or talk at once that are not a consultation and its call. */
function overlappingTalks(lines: readonly string[]): string[] {
  const open = new Map<string, Map<string, string | undefined>>();
  const found: string[] = [];
  for (const line of lines) {
    const { id, ThisDN, ConnID, PreviousConnID } = JSON.parse(line) as Record<string, string>;
    if (ThisDN === undefined || ConnID === undefined || !/^[56]0/.test(ThisDN)) continue;
    const calls = open.get(ThisDN) ?? new Map<string, string | undefined>();
    open.set(ThisDN, calls);
    if (id === "EventRinging" || id === "EventDialing") {
      for (const other of calls.keys()) if (other !== PreviousConnID) found.push(`${ThisDN}: ${other}, ${ConnID}`);
      calls.set(ConnID, PreviousConnID);
    } else if (id === "EventReleased" || id === "EventAbandoned" || id === "EventDiverted") calls.delete(ConnID);
    else if (id === "EventPartyChanged" && PreviousConnID !== undefined) {
      calls.delete(PreviousConnID);
      calls.set(ConnID, undefined);
    }
  }
  return found;
}

test("without voiceInFull a seed's events and snapshots are what they were before there was that option", () => {
  const hash = new Bun.CryptoHasher("sha256");
  using told = new Told({ seed: 7, rate: 800, talkSeconds: 6 });
  told.work(10);
  hash.update(told.lines.map((line) => `${line}\n`).join(""));
  hash.update(told.run.snapshot().bytes);
  expect(told.lines.length).toBeGreaterThan(4_000);
  expect(hash.digest("hex")).toBe("5c861eafbd14eb6d3afb3ac20713b39e6a02ec355bee0c91c2adfa6736db46a7");
});
