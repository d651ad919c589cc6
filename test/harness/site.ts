// A whole instance in this process, on real sockets and a real disk, with what the tests want to have in hand of it: the
// disk held up, the configuration read again, the IDB and the page looked at.

import { join } from "node:path";
import Database from "libsql";
import { systemClock } from "../../src/clock.ts";
import { type Config, judgeConfig } from "../../src/config.ts";
import { runInstance } from "../../src/instance.ts";
import { silentLog } from "../../src/log.ts";
import type { Disk, DiskFile } from "../../src/queue/disk.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { systemNetwork } from "../../src/source/network.ts";
import type { SourceStatus } from "../../src/status/report.ts";
import { seeded } from "./fake-network.ts";
import { until } from "./processes.ts";

export interface SiteSetting {
  /** Of the data; made when it is not there. */
  readonly directory: string;
  /** Sections [[source]] as they stand in the file. */
  readonly sources: string;
}

/** A section [[source]] of the kind tevent. */
export function sourceSection(name: string, addresses: readonly string[], dbid: number, lines = ""): string {
  return `[[source]]
name = "${name}"
kind = "tevent"
addresses = ${JSON.stringify(addresses)}
dbid = ${dbid}
switch_dbid = 1
reconnect_min = "0.1s"
reconnect_max = "0.2s"
${lines}
`;
}

/** What the IDB says of one data source session. */
export interface SessionRow {
  readonly SOURCE: string;
  readonly DSCONN_TYPE: number;
  readonly DS_DBID: number;
  readonly DS_DBID_PRIM: number;
  readonly DSCONN_STIME: string;
  readonly DSCONN_SDSTIME: string;
  readonly DSCONN_ETIME: string | null;
  readonly ICON_ETIME: string | null;
  readonly LEVENT_ITIME: string | null;
  readonly END_CAUSE: string | null;
  readonly END_DETAIL: string | null;
  readonly IS_END_SEEN: number | null;
  readonly CLOCK_DIFFERENCE_MS: number | null;
  readonly CLOCK_UNCERTAINTY_MS: number | null;
}

export class Site {
  readonly #setting: SiteSetting;
  readonly #disk = new HeldDisk();
  readonly #stop = new AbortController();
  readonly #page = Promise.withResolvers<string>();
  readonly #running: Promise<void>;
  #config: Config;
  #reload: () => void = () => {};

  constructor(setting: SiteSetting) {
    this.#setting = setting;
    this.#config = this.#configWith(setting.sources);
    const surroundings = {
      clock: systemClock,
      log: silentLog,
      disk: this.#disk,
      network: systemNetwork,
      random: seeded(3),
      reload: {
        onRequest: (listener: () => void) => {
          this.#reload = listener;
          return () => {};
        },
        load: () => this.#config,
        setLogLevel: () => {},
        reloading: () => () => {},
      },
      ready: (status: { readonly host: string; readonly port: number } | null) =>
        this.#page.resolve(`http://${status?.host}:${status?.port}`),
      alive: () => {},
    };
    this.#running = runInstance(this.#config, surroundings as never, this.#stop.signal);
    this.#running.catch(this.#page.reject);
  }

  get queueDirectory(): string {
    return join(this.#setting.directory, "queue");
  }

  /** From now on nothing more becomes durable, until `goOn`. */
  get disk(): { hold(): void; goOn(): void } {
    return this.#disk;
  }

  reload(sources: string): void {
    this.#config = this.#configWith(sources);
    this.#reload();
  }

  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${await this.#page.promise}${path}`);
    return { status: response.status, text: await response.text() };
  }

  /** What the status says of the first source, or the one named. */
  async source(name?: string): Promise<SourceStatus> {
    const { sources } = JSON.parse((await this.get("/api/v1/status")).text) as { sources: SourceStatus[] };
    const found = sources.find((each) => name === undefined || each.name === name);
    if (found === undefined) throw new Error(`The status has no source "${name ?? ""}"`);
    return found;
  }

  /** The page as it is read, without its markup. */
  async pageText(): Promise<string> {
    const { text } = await this.get("/");
    return text.replace(/<[^>]*>/g, "").replaceAll("&#39;", "'");
  }

  /** The IDB's sessions in the order in which they began; none while there is no IDB. */
  sessions(): SessionRow[] {
    return this.query(
      `SELECT d.*, i.SOURCE, i.END_CAUSE, i.END_DETAIL, i.IS_END_SEEN, i.CLOCK_DIFFERENCE_MS, i.CLOCK_UNCERTAINTY_MS
       FROM G_DSS_GCC_PROVIDER d JOIN ICON_DSS i USING (DSS_ID, ICON_DBID) ORDER BY DSS_ID`,
    ) as SessionRow[];
  }

  query(sql: string): unknown[] {
    try {
      const database = new Database(join(this.#setting.directory, "idb.db"), { readonly: true });
      try {
        return database.prepare(sql).all() as unknown[];
      } finally {
        database.close();
      }
    } catch {
      return []; // it is not there yet, or being made
    }
  }

  /** Waits until the sessions in the IDB are as `wanted` says, and returns them. */
  async untilSessions(what: string, wanted: (rows: readonly SessionRow[]) => boolean): Promise<SessionRow[]> {
    let rows: SessionRow[] = [];
    await until(what, 15_000, () => {
      rows = this.sessions();
      return wanted(rows);
    });
    return rows;
  }

  async stop(): Promise<void> {
    this.#disk.goOn();
    this.#stop.abort();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #configWith(sources: string): Config {
    const text = `[instance]
name = "icon-a"
dbid = 9001
data_dir = ${JSON.stringify(this.#setting.directory)}
[idb]
window = "1s"
[http]
listen = "127.0.0.1:0"
${sources}`;
    return judgeConfig(text, join(this.#setting.directory, "icon.toml")).config;
  }
}

/** The system's disk, whose commits can be held up. */
class HeldDisk implements Disk {
  readonly createDirectory = (path: string) => systemDisk.createDirectory(path);
  readonly list = systemDisk.list;
  readonly rename = systemDisk.rename;
  readonly unlink = systemDisk.unlink;
  readonly syncDirectory = (path: string) => systemDisk.syncDirectory(path);
  readonly freeBytes = systemDisk.freeBytes;
  readonly lock = systemDisk.lock;
  #isHeld = false;
  #held: (() => void)[] = [];

  hold(): void {
    this.#isHeld = true;
  }

  goOn(): void {
    this.#isHeld = false;
    for (const release of this.#held.splice(0)) release();
  }

  readonly open = (path: string): DiskFile => this.#wrap(systemDisk.open(path));
  readonly create = (path: string): DiskFile => this.#wrap(systemDisk.create(path));

  #wrap(file: DiskFile): DiskFile {
    return {
      size: () => file.size(),
      modifiedMs: () => file.modifiedMs(),
      read: (target, offset) => file.read(target, offset),
      write: (bytes, offset) => file.write(bytes, offset),
      allocate: (bytes) => file.allocate(bytes),
      truncate: (bytes) => file.truncate(bytes),
      commit: (bytes, offset, done) =>
        file.commit(bytes, offset, (error) => {
          if (this.#isHeld) this.#held.push(() => done(error));
          else done(error);
        }),
      settleCommits: () => file.settleCommits(),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  }
}
