// Thirty days of a contact centre as the two instances of a pair have them: one simulated T-Server tells its calls and login
// sessions as fast as it can, and both take all of it into their persistent queues. Made once and kept beside the
// bench's own folder; delete it when nobody wants it.

import { Database } from "bun:sqlite";
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lives } from "../../schema/life.ts";
import { type Measured, MeasuredInstance } from "./measured-instance.ts";
import type { Setting } from "./setting.ts";

export interface MonthData {
  /** Folders that each hold a data directory, of instances 9001 and 9002. Only to be copied from. */
  readonly own: string;
  readonly other: string;
  readonly queueLines: string;
  /** Milliseconds since 1970 at which the second day begins. */
  readonly secondDay: number;
  readonly days: number;
  /** Of the tables that a purge deletes from. */
  readonly rows: number;
  /** That ended on the first day. */
  readonly dayCalls: number;
  readonly daySessions: number;
}

const startTime = "2026-06-01T00:00:00.000Z";
// What is applied goes soon: what is copied for each run is the IDB, and not what it was made of.
const queueLines = 'segment_bytes = "16MiB"\nretention_bytes = "32MiB"';
const segmentsKept = 4;
// Of its own, so that no call has a key of the load's.
const seed = 4711;

export async function monthData(setting: Setting): Promise<MonthData> {
  const { days, daySeconds, rate } = setting.month;
  const directory = join(setting.keptDirectory, `icon-bench-month-${days}-${daySeconds}-${rate}`);
  const [own, other] = [join(directory, "a"), join(directory, "b")];
  if (!existsSync(directory)) {
    const making = `${directory}.new`;
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { recursive: true, mode: 0o700 });
    await record(setting, making);
    renameSync(making, directory);
  }
  const secondDay = Date.parse(startTime) + daySeconds * 1000;
  using idb = new Database(idbOf(own), { readonly: true });
  const count = (sql: string) => idb.query<{ count: number }, []>(sql).get()?.count ?? 0;
  const rowsOf = (table: string) => count(`SELECT count(*) AS count FROM "${table}"`);
  const endedOnFirstDay = (table: string) =>
    count(`SELECT count(*) AS count FROM ${table} WHERE TERMINATED_TS < ${secondDay / 1000}`);
  return {
    own,
    other,
    queueLines,
    secondDay,
    days,
    rows: Object.keys(lives).reduce((sum, table) => sum + rowsOf(table), 0),
    dayCalls: endedOnFirstDay("G_CALL"),
    daySessions: endedOnFirstDay("G_LOGIN_SESSION"),
  };
}

/** An instance's data directory in `to`, as the one of `from`, which nobody uses. */
export function copyMonth(from: string, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  cpSync(join(from, "data"), join(to, "data"), { recursive: true });
}

function idbOf(folder: string): string {
  return join(folder, "data", "idb.db");
}

async function record(setting: Setting, directory: string): Promise<void> {
  const { icon, say } = setting;
  const { days, daySeconds, rate } = setting.month;
  say(`recording ${days} days of a contact centre, twice at the same time`);
  const words = ["--plain", "--voice-in-full", "--as-fast-as-possible", "--clients-min", "2", "--linger", "60"];
  const centre = [
    "--seed",
    `${seed}`,
    "--start-time",
    startTime,
    "--seconds",
    `${days * daySeconds}`,
    "--rate",
    `${rate}`,
  ];
  const simulator = Bun.spawn([icon, "simulate", "tserver", ...words, ...centre, "--heartbeat-ms", "30000"], {
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    const { value } = await simulator.stdout.getReader().read();
    const { listening: address } = JSON.parse(new TextDecoder().decode(value)) as { listening: string };
    await using own = await Recording.start(setting, {
      directory: join(directory, "a"),
      name: "a",
      dbid: 9001,
      address,
    });
    await using other = await Recording.start(setting, {
      directory: join(directory, "b"),
      name: "b",
      dbid: 9002,
      address,
    });
    if ((await simulator.exited) !== 0) throw new Error("Cannot record a month: the simulated T-Server failed");
    for (const recording of [own, other]) await recording.finish();
  } finally {
    simulator.kill();
  }
}

/** What arrives is taken into the queue alone, and becomes rows by `icon rebuild`: the same rows, in a part of the time. */
class Recording implements AsyncDisposable {
  private constructor(
    private readonly setting: Setting,
    private readonly measured: Measured,
    private readonly instance: MeasuredInstance,
    private readonly lock: Disposable,
  ) {}

  static async start(
    setting: Setting,
    place: Required<Pick<Measured, "directory" | "name" | "dbid" | "address">>,
  ): Promise<Recording> {
    const measured: Measured = { icon: setting.icon, loadPath: null, queue: queueLines, ...place };
    const instance = await MeasuredInstance.start(measured);
    await instance.until(async () => (await instance.report()).idb.state === "open");
    return new Recording(setting, measured, instance, instance.lockIdb());
  }

  async finish(): Promise<void> {
    const { setting, measured, instance } = this;
    const { directory, name } = measured;
    await instance.end("SIGTERM");
    this.lock[Symbol.dispose]();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${instance.idbPath}${suffix}`, { force: true });
    setting.say(`making the rows of ${name}`);
    const log = Bun.file(join(directory, "rebuild.log"));
    const rebuilding = Bun.spawn([setting.icon, "rebuild", join(directory, "data")], { stdout: "ignore", stderr: log });
    if ((await rebuilding.exited) !== 0) throw new Error("Cannot record a month: icon rebuild failed");
    // What is applied goes now.
    await using again = await MeasuredInstance.start({ ...measured, address: "127.0.0.1:9" });
    await again.until(async () => {
      const { queue, idb } = await again.report();
      return idb.commits > 0 && queue.segments <= segmentsKept;
    });
    await again.readable();
    await again.end("SIGTERM");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.instance.end("SIGKILL");
    this.lock[Symbol.dispose]();
  }
}
