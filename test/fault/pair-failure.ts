// The table of failures: what befalls a pair in each row, and what its sessions must say. A row is played against two
// instances of the binary; what came of it is read from their IDBs and queues afterwards.

import { cp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { tserverTypes } from "../../src/config/file.ts";
import { openReading } from "../../src/idb/reading.ts";
import { startSimulatedTserver } from "../../src/simulator/tserver/simulated-tserver.ts";
import { EventLog } from "../harness/event-log.ts";
import { heardEvents } from "../harness/heard-events.ts";
import { readOracle } from "../harness/oracle.ts";
import { Pair, type PairOptions, type Side } from "../harness/pair.ts";
import { type InstanceSetting, idbPathOf, queueDirectoryOf, until } from "../harness/processes.ts";
import { IdbLock } from "../harness/processes-idb-lock.ts";
import { runCommand } from "../harness/run-command.ts";
import { SmallDisk } from "../harness/small-disk.ts";
import { auditWindows, type JudgedWindow, readCountedWindows, type WindowAudit } from "./pair-audit.ts";
import { auditCalls, type CallAudit, type ExtractReport, extract } from "./pair-extract.ts";
import { readJudgedWindows } from "./pair-judged.ts";
import { auditStuck, type StuckAudit } from "./pair-stuck.ts";

/** A session of one side, from its rows: [DSCONN_TYPE, DS_DBID, END_CAUSE]. */
export type SessionWords = readonly [type: number, dbid: number, cause: string | null];

/** What is expected of one; several causes: chance decides which is seen first. */
export type ExpectedWords = readonly [type: number, dbid: number, cause: string | readonly string[]];

/** What the rows are played with. */
export interface FailureSource {
  readonly name: string;
  /** As the configuration has it. */
  readonly type: keyof typeof tserverTypes;
  /** Starts a simulated one; null: there is none yet. */
  readonly simulate: typeof startSimulatedTserver | null;
}

export const failureSources: readonly FailureSource[] = [
  { name: "a T-Server", type: "TServer", simulate: startSimulatedTserver },
  { name: "an Interaction Server", type: "InteractionServer", simulate: null },
  { name: "an OCS", type: "OCServer", simulate: null },
];

export interface FailureRow {
  readonly name: string;
  readonly options?: Partial<Pick<PairOptions, "simulator" | "hasStandby" | "instance" | "bySide" | "clockAheadMs">>;
  /** Instance a has its data on a disk of its own that can be filled up. */
  readonly hasSmallDisk?: true;
  /** What happens, between two stretches of undisturbed work. */
  act(pair: Pair): Promise<void>;
  /** While it happens the server does not see its switch: nobody has what happened there, whatever was told. */
  readonly isBlind?: true;
  /** What both sides' sessions say. Others in between, of a connection that fell silent on a busy host, change nothing. */
  readonly sessions: { readonly a: readonly ExpectedWords[]; readonly b: readonly ExpectedWords[] };
  /** What neither copy has of it. "tail": what a server told last, and the next one first, nobody may have heard. */
  readonly lost: "nothing" | "something" | "tail";
  /**
   * What `icon explain` must say of the first window that instance a has not whole. Null: of that one, and where there is
   * none of the middle of what happened, that everything is there.
   */
  readonly explains: readonly string[] | null;
  /** What it says instead where the pair happens to lack something of that window. */
  readonly orExplains?: readonly string[];
  /** Words of ICON_MARK.KIND that must stand there, on side a. */
  readonly marks?: readonly string[];
  /** Its queue was lost: what was heard cannot be read from it. */
  readonly isQueueLost?: boolean;
}

export interface Played {
  readonly sessions: Readonly<Record<"a" | "b", readonly SessionWords[]>>;
  /** DS_TYPE of every session of both. */
  readonly dsTypes: readonly number[];
  readonly marks: readonly string[];
  readonly judged: readonly JudgedWindow[];
  readonly audit: WindowAudit;
  /** By side. */
  readonly stuck: readonly StuckAudit[];
  /** What the extraction handed out, against the truth. */
  readonly calls: CallAudit;
  readonly report: ExtractReport;
  /** What `icon explain` says of the first moment at which something is wrong in copy a, else of the middle of what happened. */
  readonly explained: Explained;
  /** What neither copy has. */
  readonly lost: Lost;
  /** The same of the middle of the longest stretch that is lost; null: nothing is. */
  readonly lostExplained: Explained | null;
  /** While it happened, until both were served again. */
  readonly while: { readonly from: number; readonly until: number };
}

export interface Explained {
  readonly exitCode: number;
  readonly text: string;
}

export interface Lost {
  /** Windows with events that neither copy has. */
  readonly windows: ReadonlySet<number>;
  /** The longest stretch of numbers that follow each other; null: nothing is lost. */
  readonly longest: LostRange | null;
}

export interface LostRange {
  readonly from: number;
  readonly to: number;
  /** Of the first and the last of them. */
  readonly firstWindowTs: number;
  readonly lastWindowTs: number;
}

const usual = {
  rate: 60,
  talkSeconds: 1,
  // Three of them missed are silence: the link is dead.
  heartbeatMs: 1_000,
  lingerSeconds: 7,
};
const quietMs = 3_000;

/** A row that was played, before anybody has looked at what came of it. */
export interface Ended {
  readonly row: FailureRow;
  readonly directory: string;
  readonly listeningFrom: number;
  readonly truthPath: string;
  readonly settings: readonly InstanceSetting[];
  readonly while: { readonly from: number; readonly until: number };
  /** In the order of the sides; read before a disk of its own is gone. */
  readonly idbPaths: readonly string[];
}

export interface Place {
  readonly directory: string;
  readonly isNamespaced: boolean;
  readonly seed: number;
}

/** Plays a row to its end. What came of it is looked at afterwards: that would keep other rows' servers from their work. */
export async function play(
  row: FailureRow,
  source: FailureSource,
  { directory, isNamespaced, seed }: Place,
): Promise<Ended> {
  const { type, simulate } = source;
  if (simulate === null) throw new Error(`Cannot play a row with ${source.name}: there is no such source yet`);
  const { simulator, ...options } = row.options ?? {};
  using disk = row.hasSmallDisk ? new SmallDisk(`${directory}-disk`, smallDiskBytes) : null;
  const onDisk = disk === null ? {} : { bySide: { a: { dataDirectory: join(disk.path, "data") } } };
  await using pair = await Pair.start({
    directory,
    isNamespaced,
    source: { type, simulate },
    ...options,
    ...onDisk,
    simulator: { ...usual, seed, ...simulator },
  });
  await pair.pass(quietMs);
  const from = pair.sourceNow() / 1000;
  await row.act(pair);
  await untilServed(pair);
  const happened = { from, until: pair.sourceNow() / 1000 };
  await pair.pass(quietMs);
  await pair.end();
  const settings: InstanceSetting[] = [];
  for (const { setting } of pair.both) {
    const kept = `${directory}-kept`;
    const isOnDisk = disk !== null && setting.dataDirectory !== undefined;
    // Nothing here may hold up this process: other rows' servers run in it.
    if (isOnDisk) await cp(setting.dataDirectory, kept, { recursive: true });
    settings.push(isOnDisk ? { ...setting, dataDirectory: kept } : setting);
  }
  const { listeningFrom, truthPath } = pair;
  return { row, directory, listeningFrom, truthPath, settings, idbPaths: settings.map(idbPathOf), while: happened };
}

export async function look(ended: Ended): Promise<Played> {
  const { row, directory, listeningFrom, truthPath, settings, idbPaths } = ended;
  const log = EventLog.read(truthPath);
  const stretch = { from: listeningFrom, until: log.untilSeconds };
  const judged = await readJudgedWindows(idbPaths, stretch);
  const out = `${directory}.db`;
  const report = await extract(idbPaths, stretch, out);
  const [a = "", b = ""] = idbPaths;
  const lost = row.isQueueLost === true ? nothingLost : lostOf(settings, log, listeningFrom);
  const wrong = judged.find(({ copies: [said] }) => said === "incomplete")?.windowTs;
  const middle = Math.floor((ended.while.from + ended.while.until) / 2);
  const { longest } = lost;
  return {
    sessions: { a: sessionsOf(a), b: sessionsOf(b) },
    dsTypes: idbPaths.flatMap(dsTypesOf),
    marks: marksOf(a),
    judged,
    audit: auditWindows(log, stretch.from, judged, idbPaths.map(readCountedWindows)),
    stuck: idbPaths.map((path) => auditStuck(path, readOracle(truthPath))),
    calls: auditCalls(out, stretch, readOracle(truthPath), judged),
    report,
    explained: await explain(idbPaths, wrong ?? middle),
    lost,
    lostExplained: longest === null ? null : await explain(idbPaths, middleOf(longest)),
    while: ended.while,
  };
}

async function explain(idbPaths: readonly string[], windowTs: number): Promise<Explained> {
  const time = new Date((windowTs + 0.5) * 1000).toISOString();
  const words = ["explain", time, ...idbPaths.flatMap((path) => ["--idb", path])];
  const { exitCode, stdout, stderr } = await runCommand(words);
  if (stdout === "") throw new Error(`icon explain ended with ${exitCode}: ${stderr}`);
  return { exitCode, text: stdout };
}

function rowsOf<T>(idbPath: string, sql: string): T[] {
  const reading = openReading(idbPath);
  try {
    return reading.database.prepare(sql).all() as T[];
  } finally {
    reading.close();
  }
}

function sessionsOf(idbPath: string): SessionWords[] {
  return rowsOf<{ DSCONN_TYPE: number; DS_DBID: number; END_CAUSE: string | null }>(
    idbPath,
    "SELECT d.DSCONN_TYPE, d.DS_DBID, i.END_CAUSE FROM G_DSS_GCC_PROVIDER d JOIN ICON_DSS i USING (DSS_ID, ICON_DBID) ORDER BY DSS_ID",
  ).map((row) => [row.DSCONN_TYPE, row.DS_DBID, row.END_CAUSE]);
}

function dsTypesOf(idbPath: string): number[] {
  return rowsOf<{ DS_TYPE: number }>(idbPath, "SELECT DS_TYPE FROM G_DSS_GCC_PROVIDER").map(({ DS_TYPE }) => DS_TYPE);
}

function marksOf(idbPath: string): string[] {
  return rowsOf<{ KIND: string }>(idbPath, "SELECT KIND FROM ICON_MARK ORDER BY ID").map(({ KIND }) => KIND);
}

function middleOf({ firstWindowTs, lastWindowTs }: LostRange): number {
  return Math.floor((firstWindowTs + lastWindowTs) / 2);
}

const nothingLost: Lost = { windows: new Set(), longest: null };

function lostOf(settings: readonly InstanceSetting[], log: EventLog, from: number): Lost {
  const heard = settings.map((setting) => heardEvents(queueDirectoryOf(setting)));
  const windows = new Set<number>();
  let longest: LostRange | null = null;
  for (const [run, events] of log.runs) {
    let range: LostRange | null = null;
    for (const { seq, at } of events) {
      const windowTs = Math.floor(at / 1000);
      if (windowTs < from || heard.some((each) => each.get(run)?.has(seq))) {
        range = null;
        continue;
      }
      windows.add(windowTs);
      const begun: LostRange = range ?? { from: seq, to: seq, firstWindowTs: windowTs, lastWindowTs: windowTs };
      range = { ...begun, to: seq, lastWindowTs: windowTs };
      if (longest === null || range.to - range.from > longest.to - longest.from) longest = range;
    }
  }
  return { windows, longest };
}

const cutMs = 5_000;
// A lock of up to 5 s costs a little delay and is not marked.
const lockMs = 8_000;
/** A server that cannot send again what a cut has cost, and drops whoever falls behind. */
export const forgetful = { resendEvents: 20 };
const mib = 1024 * 1024;
const smallDiskBytes = 192 * mib;
// The program's default, and the room that it leaves for what is there already.
const reserveBytes = 64 * mib;
const undisturbed: readonly ExpectedWords[] = [[1, 101, "source shutdown"]];

async function pulled(pair: Pair, sides: readonly Side[]): Promise<void> {
  for (const side of sides) side.cable.pull();
  await pair.pass(cutMs);
  for (const side of sides) side.cable.plug();
}

async function killed(pair: Pair, sides: readonly Side[], downMs = 1_500): Promise<void> {
  await Promise.all(sides.map((side) => side.kill()));
  await pair.pass(downMs);
  await Promise.all(sides.map((side) => side.start()));
}

async function untilServed({ simulator }: Pair): Promise<void> {
  await until("both are served again", 20_000, () => simulator.progress().clientsServed === 2);
}

const crashed: readonly ExpectedWords[] = [
  [1, 101, "our crash"],
  [1, 101, "source shutdown"],
];

export const failureRows: readonly FailureRow[] = [
  {
    name: "the connection of one instance falls silent, and the server sends again what it missed",
    explains: null,
    act: (pair) => pulled(pair, [pair.sides.a]),
    sessions: {
      a: [
        [1, 101, "silence"],
        [2, 101, "source shutdown"],
      ],
      b: undisturbed,
    },
    lost: "nothing",
  },
  {
    name: "the connection of one instance falls silent, and the server cannot send again what it missed",
    explains: ["take b", "the server could not send again what was missed", "silence", "gap reported"],
    options: { simulator: forgetful },
    act: (pair) => pulled(pair, [pair.sides.a]),
    sessions: {
      a: [
        [1, 101, "silence"],
        [2, 101, "source shutdown"],
      ],
      b: undisturbed,
    },
    lost: "nothing",
    marks: ["gap reported"],
  },
  {
    name: "the connection of one instance is reset",
    explains: null,
    act: async ({ sides }) => sides.a.reset(),
    sessions: {
      a: [
        [1, 101, "connection lost"],
        [2, 101, "source shutdown"],
      ],
      b: undisturbed,
    },
    lost: "nothing",
  },
  {
    name: "the connections of both instances fall silent one after the other",
    explains: ["take b", "the server could not send again what was missed", "silence"],
    options: { simulator: forgetful },
    act: async (pair) => {
      await pulled(pair, [pair.sides.a]);
      await untilServed(pair);
      await pair.pass(3_000);
      await pulled(pair, [pair.sides.b]);
    },
    sessions: {
      a: [
        [1, 101, "silence"],
        [2, 101, "source shutdown"],
      ],
      b: [
        [1, 101, "silence"],
        [2, 101, "source shutdown"],
      ],
    },
    lost: "nothing",
    marks: ["gap reported"],
  },
  {
    name: "the connections of both instances fall silent at once",
    explains: [
      "no copy has all of it",
      "the server could not send again what was missed",
      "silence",
      "missing for good",
    ],
    options: { simulator: forgetful },
    act: (pair) => pulled(pair, pair.both),
    sessions: {
      a: [
        [1, 101, "silence"],
        [2, 101, "source shutdown"],
      ],
      b: [
        [1, 101, "silence"],
        [2, 101, "source shutdown"],
      ],
    },
    lost: "something",
    marks: ["gap reported"],
  },
  {
    name: "the server loses its CTI link and has it back",
    explains: ["no copy has all of it", "the CTI link was down"],
    isBlind: true,
    act: async (pair) => {
      pair.simulator.control.cti("down");
      await pair.pass(cutMs);
      pair.simulator.control.cti("up");
    },
    sessions: {
      a: [
        [1, 101, "CTI link down"],
        [4, 101, "source shutdown"],
      ],
      b: [
        [1, 101, "CTI link down"],
        [4, 101, "source shutdown"],
      ],
    },
    lost: "nothing",
    marks: ["CTI link down", "CTI link up"],
  },
  {
    name: "the server loses its connection to another server and has it back",
    explains: ["no copy has all of it", "the server's link to another server was down", "to TServer 201"],
    isBlind: true,
    act: async (pair) => {
      pair.simulator.control.link("down");
      await pair.pass(cutMs);
      pair.simulator.control.link("up");
    },
    sessions: { a: undisturbed, b: undisturbed },
    lost: "nothing",
    marks: ["link to another server down", "link to another server up"],
  },
  {
    name: "the active server of a pair is lost and its standby takes over",
    explains: ["no copy has all of it", "another took over", "connection lost", "another server of the pair"],
    options: { hasStandby: true },
    act: async ({ simulator }) => simulator.control.switchOver("lost"),
    sessions: {
      a: [
        [1, 101, "connection lost"],
        [5, 102, "source shutdown"],
      ],
      b: [
        [1, 101, "connection lost"],
        [5, 102, "source shutdown"],
      ],
    },
    lost: "tail",
  },
  {
    name: "the servers of a pair change their roles in order",
    explains: null,
    orExplains: ["no copy has all of it", "another took over", "switchover", "another server of the pair"],
    options: { hasStandby: true },
    act: async ({ simulator }) => simulator.control.switchOver("role"),
    sessions: {
      a: [
        [1, 101, "switchover"],
        [5, 102, "source shutdown"],
      ],
      b: [
        [1, 101, "switchover"],
        [5, 102, "source shutdown"],
      ],
    },
    lost: "tail",
  },
  {
    name: "one instance is killed and started again",
    explains: null,
    act: (pair) => killed(pair, [pair.sides.a]),
    sessions: { a: crashed, b: undisturbed },
    lost: "nothing",
  },
  {
    name: "one instance is killed and started again, and the server cannot send again what it missed",
    explains: ["take b", "the server could not send again what was missed", "our crash", "gap reported"],
    options: { simulator: forgetful },
    act: (pair) => killed(pair, [pair.sides.a], cutMs),
    sessions: { a: crashed, b: undisturbed },
    lost: "nothing",
    marks: ["gap reported"],
  },
  {
    name: "both instances are killed and started again one after the other",
    explains: ["take b", "the server could not send again what was missed", "our crash", "gap reported"],
    options: { simulator: forgetful },
    act: async (pair) => {
      await killed(pair, [pair.sides.a], cutMs);
      await untilServed(pair);
      await pair.pass(quietMs);
      await killed(pair, [pair.sides.b], cutMs);
    },
    sessions: { a: crashed, b: crashed },
    lost: "nothing",
    marks: ["gap reported"],
  },
  {
    name: "both instances are killed at once and started again",
    explains: ["no copy has all of it", "our crash", "gap reported", "missing for good"],
    options: { simulator: forgetful },
    act: (pair) => killed(pair, pair.both, cutMs),
    sessions: { a: crashed, b: crashed },
    lost: "something",
    marks: ["gap reported"],
  },
  {
    name: "the host of one instance stands still and goes on",
    explains: null,
    act: async (pair) => {
      pair.sides.a.freeze();
      await pair.pass(cutMs);
      pair.sides.a.thaw();
    },
    // What the server sent meanwhile is read at once, in the same session or in the next.
    sessions: { a: undisturbed, b: undisturbed },
    lost: "nothing",
  },
  {
    name: "the host of one instance stands still, and the server gives its connection up and cannot send again what it missed",
    explains: ["take b", "the server could not send again what was missed", "gap reported"],
    options: { simulator: forgetful },
    act: async (pair) => {
      const { a } = pair.sides;
      a.freeze();
      await pair.pass(quietMs);
      a.reset();
      await pair.pass(quietMs);
      a.thaw();
    },
    sessions: {
      a: [
        [1, 101, ["silence", "connection lost"]],
        [2, 101, "source shutdown"],
      ],
      b: undisturbed,
    },
    lost: "nothing",
    marks: ["gap reported"],
  },
  {
    name: "the IDB of one instance is locked for a while",
    explains: null,
    act: async (pair) => {
      const lock = await IdbLock.take(pair.sides.a.idbPath);
      await pair.pass(lockMs);
      lock.release();
    },
    sessions: { a: undisturbed, b: undisturbed },
    lost: "nothing",
    marks: ["idb lost", "idb back"],
  },
  {
    name: "the IDB of one instance is deleted while it runs",
    explains: null,
    act: async ({ sides }) => sides.a.deleteIdb(),
    sessions: { a: undisturbed, b: undisturbed },
    lost: "nothing",
    marks: ["idb lost", "idb back"],
  },
  {
    name: "the disk of one instance is full for a while",
    explains: null,
    hasSmallDisk: true,
    // So much that a segment is full within seconds.
    options: { simulator: { rate: 1_500 } },
    act: async ({ sides }) => {
      const filler = join(dirname(sides.a.dataDirectory), "neighbour");
      await writeFile(filler, new Uint8Array(smallDiskBytes - reserveBytes - 4 * mib));
      await until("the disk is full", 60_000, async () => (await sides.a.instance.status()).queue.state === "full");
      await Bun.sleep(2_000);
      await rm(filler);
      await until("there is room", 20_000, async () => (await sides.a.instance.status()).queue.state !== "full");
    },
    sessions: { a: undisturbed, b: undisturbed },
    lost: "nothing",
  },
  {
    name: "the persistent queue of one instance is lost",
    explains: ["take b", "the persistent queue was lost", "our crash", "queue lost"],
    act: async (pair) => {
      const { a } = pair.sides;
      await a.kill();
      a.deleteQueue();
      await pair.pass(1_500);
      await a.start();
    },
    sessions: { a: crashed, b: undisturbed },
    lost: "nothing",
    marks: ["queue lost"],
    isQueueLost: true,
  },
];
