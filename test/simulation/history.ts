// One short history from one number: sources work, connections break, the disk fails, the process dies at any step and
// starts again from what the disk has, until everything is mended and all that was promised must be true.
//
// What can happen is chosen by dice of which each part has its own, so that more throws in one do not change the others.

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { QueueFailedError } from "../../src/queue/error.ts";
import { RecordScanner } from "../../src/queue/scanner.ts";
import { readHeader, segmentsAmong } from "../../src/queue/segment.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { type DiskCall, FakeDisk, PowerOffError } from "../harness/fake-disk.ts";
import { SimulatedAsterisk } from "./asterisk.ts";
import { Dice } from "./dice.ts";
import { Finding, promise } from "./finding.ts";
import { leaveIdb } from "./idb-disk.ts";
import { type IdbFailure, IdbFaults, ProcessGoneError } from "./idb-faults.ts";
import { queueDirectory, SimulatedInstance, windowSeconds } from "./instance.ts";
import { Journal } from "./journal.ts";
import { checkLedger, type Vouched } from "./ledger.ts";
import { SimulatedNetwork } from "./network.ts";
import { differences, eventsInWindows, foldUndisturbed, readRows } from "./rows.ts";
import { SimulatedServer } from "./server.ts";

export interface HistoryOutcome {
  readonly seed: number;
  readonly lives: number;
  readonly records: number;
  readonly events: number;
  /** Of Asterisk's manager, recorded. */
  readonly messages: number;
  /** Windows that the IDB vouched for at the end, as they are. */
  readonly vouched: Vouched;
  /** What happened, line by line; the same for the same seed. */
  readonly trace: readonly string[];
}

const startMs = Date.parse("2026-11-23T08:00:00.000Z");
// The rarer of them the more they end: most of a history should be spent at work.
const happenings = {
  work: 30,
  move: 40,
  turn: 25,
  time: 12,
  record: 25,
  trim: 3,
  cut: 2,
  refuse: 1,
  "clock step": 0.5,
  "CTI link": 6,
  "server restart": 0.7,
  gap: 0.7,
  "slow disk": 3,
  kill: 1.5,
  "power cut": 2,
  "power off in a call": 2.5,
  "failing call": 1.5,
  "IDB fails": 3,
  "dies in the IDB": 2,
  "IDB lost": 0.3,
  "bit rot": 0.6,
  stop: 0.7,
};
// Drawn by dice of their own, so that a seed tells what it told before there were these.
const laterHappenings = { "IDB put back": 1, "recorder dies": 3 };
const laterShare = 0.02;
/** How often a while passes in which the sources work and nothing fails: only then whole windows can be vouched for. */
const calmShare = 0.006;
/** How often the ledger is held against the truth between two lives; at the end it always is. */
const lookShare = 0.1;
const identityOf = (name: string, dbid: number) =>
  ({ name, kind: "tevent", dbid, primaryDbid: dbid, switchDbid: dbid - 100, dsType: 1 }) as const;

export interface Telling {
  /** Only what there was in the first histories: for seeds that found something then. */
  readonly isPlain?: boolean;
  readonly trace?: string[];
}

const asteriskDbid = 201;
const asteriskIdentity = {
  name: "asterisk",
  kind: "ami",
  dbid: asteriskDbid,
  primaryDbid: asteriskDbid,
  switchDbid: 2,
  dsType: 101,
} as const;

/** Rejects with what was broken. `directory` takes the IDBs, which are gone afterwards. */
export async function liveThrough(
  seed: number,
  directory: string,
  { isPlain = false, trace = [] }: Telling = {},
): Promise<HistoryOutcome> {
  const history = new History({ seed, directory, isPlain, trace });
  try {
    return await history.live();
  } finally {
    history.cleanUp();
  }
}

class History {
  private readonly seed: number;
  private readonly directory: string;
  private readonly trace: string[];
  readonly #dice: Dice;
  readonly #later: Dice | null;
  /** Null in the first histories. */
  readonly #calm: Dice | null;
  /** No CTI link is lost: else hardly a second could be vouched for, and the ledger would not be put to the test. */
  readonly #isSwitchSteady: boolean;
  /** A second kind of source, in some histories. */
  readonly #asterisk: SimulatedAsterisk | null = null;
  readonly #disk: FakeDisk;
  readonly #clock = new FakeClock(startMs);
  readonly #network: SimulatedNetwork;
  readonly #servers = new Map<number, SimulatedServer>();
  readonly #journal = new Journal();
  readonly #faults = new IdbFaults();
  readonly #idbPaths: string[] = [];
  #life: SimulatedInstance | null = null;
  /** A copy of the IDB as it was at the end of some life. */
  #earlier: { readonly path: string; readonly applied: bigint } | null = null;
  #lives = 0;
  /** Rows can no longer be compared: what an IDB lost for good, or a record that rotted before it was applied. */
  #isIdbIncomplete = false;

  constructor({ seed, directory, isPlain, trace }: Required<Telling> & { seed: number; directory: string }) {
    this.seed = seed;
    this.directory = directory;
    this.trace = trace;
    this.#dice = new Dice(seed);
    this.#later = isPlain ? null : new Dice(seed + 5);
    this.#calm = isPlain ? null : new Dice(seed + 23);
    this.#isSwitchSteady = !isPlain && new Dice(seed + 17).chance(0.7);
    this.#disk = new FakeDisk(seed + 1);
    this.#network = new SimulatedNetwork(new Dice(seed + 2), (link, port) =>
      (port === asteriskDbid ? this.#asterisk : this.#servers.get(port))?.accept(link),
    );
    if (this.#later?.chance(0.25) === true) this.#asterisk = new SimulatedAsterisk(this.#later);
    const serverCount = this.#dice.chance(0.3) ? 2 : 1;
    for (let dbid = 101; dbid < 101 + serverCount; dbid++) {
      const dice = new Dice(seed + dbid);
      // Where little happens, whole windows are silent.
      const eventsPerSecond = !isPlain && new Dice(seed + 19 * dbid).chance(0.3) ? 2 : 60;
      const isHasty = !isPlain && new Dice(seed + 31 * dbid).chance(0.4);
      this.#servers.set(
        dbid,
        new SimulatedServer({ seed: seed + dbid, dbid, startMs, dice, eventsPerSecond, isHasty }),
      );
    }
    this.#newIdb();
  }

  async live(): Promise<HistoryOutcome> {
    for (let steps = 60 + this.#dice.below(240); steps > 0; steps--) {
      await this.#aliveOrStarted();
      await this.#step();
      await turn();
      await this.#noteDeath();
    }
    await this.#mend();
    const vouched = await this.#check();
    const messages = this.#journal.messageCount;
    const events = [...this.#servers.values()].reduce((sum, { eventCount }) => sum + eventCount, 0);
    const { length: records } = this.#journal;
    return { seed: this.seed, lives: this.#lives, records, events, messages, vouched, trace: this.trace };
  }

  cleanUp(): void {
    this.#life?.end();
    this.#faults.processGone();
    for (const path of this.#idbPaths) for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
  }

  async #step(): Promise<void> {
    if (this.#calm?.chance(calmShare)) return this.#beCalm(this.#calm);
    const what = this.#later?.chance(laterShare)
      ? this.#later.weighted(laterHappenings)
      : this.#dice.weighted(happenings);
    const life = this.#life;
    if (life === null) return;
    const say = (detail: unknown = "") => this.#say(`${what} ${detail}`);
    switch (what) {
      case "work":
        for (const server of this.#servers.values()) server.work(5 + this.#dice.below(120));
        this.#asterisk?.work(this.#later?.below(24) ?? 0);
        return;
      case "move":
        return this.#network.move();
      case "turn":
        return turn(1 + this.#dice.below(4));
      case "time":
        return this.#pass(this.#dice.below(this.#dice.chance(0.1) ? 4_000 : 150));
      case "record":
        life.record();
        return;
      case "trim": {
        const applied = life.appliedPosition;
        const count = await this.#driven(life.trim(this.#dice.below(15_000)));
        return say(`${count} segments, applied ${applied}`);
      }
      case "cut":
        say();
        return this.#network.cut();
      case "refuse":
        this.#network.isRefusing = !this.#network.isRefusing;
        return say(this.#network.isRefusing);
      case "clock step": {
        const ms = this.#dice.below(20_000) - 10_000;
        this.#clock.step(ms);
        return say(`${ms} ms`);
      }
      case "CTI link":
        if (this.#isSwitchSteady) return;
        say();
        for (const server of this.#servers.values()) server.cti();
        return;
      case "server restart":
      case "gap": {
        say();
        for (const server of this.#servers.values()) {
          if (what === "gap") server.forget();
          else server.restart();
        }
        return;
      }
      case "slow disk":
        this.#disk.isHeld = !this.#disk.isHeld;
        say(this.#disk.isHeld);
        if (this.#disk.isHeld && this.#dice.chance(0.4)) await this.#cutWhileWriting();
        return;
      case "kill":
      case "power cut":
        return this.#endLife(what, what === "power cut");
      case "power off in a call": {
        const calls = 1 + this.#dice.below(12);
        this.#disk.powerOffAfter(calls);
        return say(calls);
      }
      case "failing call": {
        const calls: DiskCall[] = [
          "create",
          "rename",
          "unlink",
          "syncDirectory",
          "write",
          "allocate",
          "syncData",
          "sync",
        ];
        const call = calls[this.#dice.below(calls.length)] ?? "write";
        const code = this.#dice.chance(0.5) ? "EIO" : "ENOSPC";
        this.#disk.failNext(call, /./, Object.assign(new Error(`${code}: ${call}`), { code }));
        return say(`${call} ${code}`);
      }
      case "IDB fails": {
        const failure = (["busy", "ioError", "full"] as const satisfies IdbFailure[])[this.#dice.below(3)] ?? "busy";
        const statements = this.#dice.below(30);
        this.#faults.failAfter(statements, failure);
        return say(`${failure} after ${statements}`);
      }
      case "dies in the IDB": {
        const statements = this.#dice.below(this.#dice.chance(0.5) ? 6 : 40);
        const isAfter = this.#dice.chance(0.5);
        this.#faults.dieAfter(statements, isAfter);
        return say(`${isAfter ? "after" : "before"} statement ${statements}`);
      }
      case "IDB lost":
        await this.#endLife(what, false);
        this.#newIdb();
        // A new one begins with the oldest segment there is.
        this.#isIdbIncomplete ||= !this.#disk
          .list(queueDirectory)
          .some((name) => /^0{19}1\.(segment|open)$/.test(name));
        return;
      case "IDB put back":
        return this.#putBack();
      case "recorder dies":
        life.recorderDies();
        return say(`applied ${life.appliedPosition}`);
      case "bit rot":
        return this.#rot();
      case "stop":
        return this.#stop();
    }
  }

  // ---- lives

  async #aliveOrStarted(): Promise<void> {
    while (this.#life === null) {
      this.#lives += 1;
      this.#disk.isHeld = false;
      if (this.#dice.chance(0.15)) this.#disk.powerOffAfter(1 + this.#dice.below(15));
      try {
        this.#life = await SimulatedInstance.start({
          disk: this.#disk,
          clock: this.#clock,
          network: this.#network,
          journal: this.#journal,
          faults: this.#faults,
          dice: new Dice(this.seed + 7 * this.#lives),
          identities: [
            ...[...this.#servers.keys()].map((dbid) => identityOf(`source-${dbid}`, dbid)),
            ...(this.#asterisk === null ? [] : [asteriskIdentity]),
          ],
          idbPath: this.#idbPaths.at(-1) ?? "",
          segmentBytes: 6_000,
          pendingBytesMax: 4_000,
        });
        this.#say(`start: ${this.#life.queue.state}, durable ${this.#life.queue.durablePosition}`);
        this.#journal.checkAcknowledged(this.#servers);
      } catch (error) {
        await this.#startFailed(error);
      }
    }
  }

  async #startFailed(error: unknown): Promise<void> {
    if (!isOfTheWorld(error)) throw error;
    this.#say(`start failed: ${words(error)}`);
    this.#gone(this.#dice.chance(0.5) || error instanceof PowerOffError);
  }

  async #noteDeath(): Promise<void> {
    const death = this.#life?.death ?? null;
    if (death === null) return;
    if (!isOfTheWorld(death)) throw death;
    const isPowerOff = death instanceof PowerOffError || (death as Error).cause instanceof PowerOffError;
    await this.#endLife(`died: ${words(death)}`, isPowerOff || this.#dice.chance(0.4));
  }

  async #endLife(why: string, isPowerCut: boolean): Promise<void> {
    const position = this.#life?.queue.durablePosition;
    this.#say(`${why}${isPowerCut ? ", power cut" : ""}: durable ${position}, applied ${this.#life?.appliedPosition}`);
    this.#leaveIdb(isPowerCut);
    this.#life?.end();
    this.#life = null;
    this.#gone(isPowerCut);
    if (this.#calm?.chance(lookShare)) this.#checkLedgerSoFar();
  }

  /** The next life finds the IDB as the disk has it now. */
  #leaveIdb(isPowerCut: boolean): void {
    const from = this.#idbPaths.at(-1) ?? "";
    this.#newIdb();
    const dice = new Dice(this.seed + 13 * this.#lives);
    leaveIdb(from, this.#idbPaths.at(-1) ?? "", isPowerCut ? { dice } : null);
    const applied = this.#life?.appliedPosition ?? 0n;
    if (applied > 0n && dice.chance(0.2)) {
      const path = `${from}-earlier`;
      leaveIdb(from, path, null);
      this.#earlier = { path, applied };
      this.#idbPaths.push(path, this.#idbPaths.at(-1) ?? "");
    }
  }

  /** Somebody puts an older copy of the IDB in place: it is led on from where it stands. */
  async #putBack(): Promise<void> {
    const earlier = this.#earlier;
    if (earlier === null) return;
    await this.#endLife("IDB put back", this.#later?.chance(0.5) === true);
    this.#newIdb();
    leaveIdb(earlier.path, this.#idbPaths.at(-1) ?? "", null);
    this.#say(`its applied position is ${earlier.applied}`);
    const oldest = segmentsAmong(this.#disk.list(queueDirectory))[0]?.firstPosition ?? 1n;
    this.#isIdbIncomplete ||= oldest > earlier.applied + 1n;
  }

  #gone(isPowerCut: boolean): void {
    this.#network.abandonAll();
    if (isPowerCut) this.#disk.powerCut();
    else this.#disk.kill();
  }

  /** An orderly stop, during which everything else goes on. */
  async #stop(): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    this.#disk.isHeld = false;
    try {
      await this.#driven(life.stop());
      await this.#endLife("stopped", false);
    } catch (error) {
      if (!isOfTheWorld(error)) throw error;
      life.death ??= error;
    }
  }

  /** Waits for what needs the world to go on; undefined when it does not come while the process cannot go on. */
  async #driven<Result>(promised: Promise<Result>): Promise<Result | undefined> {
    let outcome: { readonly value: Result } | { readonly error: unknown } | null = null;
    promised.then(
      (value) => {
        outcome = { value };
      },
      (error: unknown) => {
        outcome = { error };
      },
    );
    for (let turns = 0; outcome === null && turns < 40; turns++) {
      await turn();
      this.#network.move();
    }
    const ended = outcome as { readonly value: Result } | { readonly error: unknown } | null;
    if (ended === null) return undefined;
    if ("error" in ended) throw ended.error;
    return ended.value;
  }

  // ---- what happens

  async #pass(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    for (const server of this.#servers.values()) {
      server.work(this.#dice.chance(0.5) ? ms / 4 : 0);
      server.heartbeat();
    }
  }

  /** One to four seconds of work that arrives. */
  async #beCalm(dice: Dice): Promise<void> {
    const isRecorded = dice.chance(0.7);
    this.#say(`calm${isRecorded ? "" : ", not recorded"}`);
    for (let steps = 10 + dice.below(30); steps > 0 && this.#life?.death === null; steps--) {
      await this.#clock.advance(100);
      for (const server of this.#servers.values()) {
        server.work(100);
        server.heartbeat();
      }
      this.#asterisk?.work(dice.below(3));
      this.#network.move(true);
      await turn();
      if (isRecorded) this.#life.record();
    }
  }

  /** What arrived waits for the disk, and its connection breaks: the next session may not count on it. */
  async #cutWhileWriting(): Promise<void> {
    for (const server of this.#servers.values()) server.work(60);
    this.#network.move(true);
    await turn(3);
    this.#network.cut();
    await this.#pass(450);
    this.#network.move(true);
    await turn(2);
  }

  /** Turns one bit of a record over that was durable, while the process is gone; the next start has to find it. */
  async #rot(): Promise<void> {
    await this.#endLife("bit rot", this.#dice.chance(0.5));
    const found: { readonly path: string; readonly bit: number; readonly position: bigint }[] = [];
    for (const name of this.#disk.list(queueDirectory).filter((each) => /\.(segment|open)$/.test(each))) {
      const path = join(queueDirectory, name);
      const file = this.#disk.open(path);
      const header = readHeader(file, path);
      if (header === undefined) continue;
      const scanner = new RecordScanner(file, header.salt);
      let candidates: typeof found = [];
      for (let record = scanner.recordAt(header.headerBytes); record; record = scanner.recordAt(record.endOffset)) {
        // What was written before a write began was durable; only of that can be told that it rotted, and only for as long
        // as the write that says so is there: one that is not durable itself the next power cut may take (seed 786).
        if (record.isWriteStart && record.position <= this.#journal.promised) {
          found.push(...candidates);
          candidates = [];
        }
        const bit = (record.offset + 16) * 8 + this.#dice.below(8 * (record.endOffset - record.offset - 16));
        candidates.push({ path, bit, position: record.position });
      }
    }
    const chosen = found[this.#dice.below(found.length)];
    if (chosen === undefined) return;
    this.#disk.flipBit(chosen.path, chosen.bit);
    this.#journal.rotten.add(chosen.position);
    this.#isIdbIncomplete = true;
    this.#say(`rotten: position ${chosen.position} in ${chosen.path}`);
  }

  #newIdb(): void {
    this.#idbPaths.push(join(this.directory, `${this.seed}-${this.#idbPaths.length}.db`));
  }

  // ---- the end

  /** No more faults: everything that was told arrives, and one event more. */
  async #mend(): Promise<void> {
    this.#say("mended");
    this.#network.isRefusing = false;
    this.#disk.isHeld = false;
    this.#disk.mend();
    this.#faults.mend();
    for (const server of this.#servers.values()) {
      for (const before = server.eventCount; server.eventCount === before; ) server.work(300);
    }
    for (let turns = 0; turns < 300; turns++) {
      await this.#aliveOrStarted();
      this.#network.move(true);
      await this.#clock.advance(100);
      for (const server of this.#servers.values()) server.heartbeat();
      // It has nothing to be caught up with: what happens while somebody listens is all there is.
      if (turns < 8) this.#asterisk?.work(20);
      for (let batches = 0; batches < 20 && this.#life?.death === null && this.#life.record(); batches++);
      await this.#noteDeath();
      this.#disk.mend();
      if (turns >= 8 && this.#life !== null && this.#isCaughtUp(this.#life)) return;
    }
    throw new Finding("a fresh event does not get through: not acknowledged 30 s after everything was mended");
  }

  #isCaughtUp(life: SimulatedInstance): boolean {
    const isApplied = life.appliedPosition === BigInt(this.#journal.length);
    return isApplied && [...this.#servers.values()].every((server) => server.isFullyAcknowledged);
  }

  async #check(): Promise<Vouched> {
    this.#journal.checkStreams(this.#servers, this.#asterisk?.connections ?? []);
    const expected = this.#journal.checkAcknowledged(this.#servers);
    this.#say(`${this.#journal.length} records, applied ${this.#life?.appliedPosition}`);
    await this.#endLife("end", true);
    const idbPath = this.#idbPaths.at(-1) ?? "";
    const vouched = this.#checkLedger(idbPath);
    if (this.#isIdbIncomplete) return vouched;
    const counted = eventsInWindows(idbPath);
    for (const dbid of this.#servers.keys()) {
      const [count, told] = [counted.get(dbid) ?? 0, expected.get(dbid) ?? 0];
      promise(count === told, () => `${count} events of source ${dbid} are in the IDB, not ${told}`);
    }
    const undisturbed = join(this.directory, `${this.seed}-undisturbed.db`);
    this.#idbPaths.push(undisturbed);
    const rows = await foldUndisturbed(this.#journal.payloads, undisturbed);
    const different = differences(readRows(idbPath), rows);
    promise(different.length === 0, () => `the IDB is not what the queue makes of it:\n${different.join("\n")}`);
    return vouched;
  }

  /** A look must not change what the next life finds. */
  #checkLedgerSoFar(): void {
    const looked = join(this.directory, `${this.seed}-looked.db`);
    leaveIdb(this.#idbPaths.at(-1) ?? "", looked, null);
    if (!existsSync(looked)) return;
    try {
      this.#checkLedger(looked);
    } finally {
      for (const end of ["", "-wal", "-shm"]) rmSync(looked + end, { force: true });
    }
  }

  /** At any moment, whatever else the IDB lacks: what it vouches for is there. */
  #checkLedger(idbPath: string): Vouched {
    const asterisk = this.#asterisk === null ? null : { dbid: asteriskDbid, manager: this.#asterisk };
    return checkLedger(idbPath, windowSeconds, this.#servers, asterisk);
  }

  #say(text: string): void {
    this.trace.push(`${String(Math.round(this.#clock.monotonic())).padStart(7)} ms  ${text}`);
  }
}

async function turn(turns = 1): Promise<void> {
  for (; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
}

/** The disk, the power or the process: everything else that ends a process is a fault of the program. */
function isOfTheWorld(error: unknown): boolean {
  if (error instanceof PowerOffError || error instanceof ProcessGoneError) return true;
  if (error instanceof QueueFailedError) return isOfTheWorld(error.cause);
  return error instanceof Error && "code" in error && (error.code === "EIO" || error.code === "ENOSPC");
}

function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.name}: ${error.cause.message}` : `${error.name}: ${error.message}`;
}
