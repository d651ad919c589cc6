// An instance whose IDB holds a month, fed by the load generator, and its peer, which holds the same: so a day of it may be
// purged. The peer is stopped while nobody asks it, for its host would be another.

import { Database } from "bun:sqlite";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashToken, makeToken, type TokenRole } from "../../src/access/token.ts";
import { addToken } from "../../src/access/token-file.ts";
import { whenGone } from "../harness/processes.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import { copyMonth, type MonthData } from "./month-data.ts";
import { emptyPlace, type Setting, warmUpEvents } from "./setting.ts";

const walPollMs = 20;

export class Peer implements AsyncDisposable {
  private constructor(private readonly instance: MeasuredInstance) {}

  static async start({ icon, directory }: Setting, data: MonthData): Promise<Peer> {
    const place = join(directory, "peer");
    copyMonth(data.other, place);
    const instance = await MeasuredInstance.start({
      ...{ icon, directory: place, loadPath: null },
      ...{ queue: data.queueLines, dbid: 9002, name: "b" },
    });
    // It answers for its IDB once that is open.
    await instance.until(async () => (await instance.report()).idb.state === "open");
    // A bench that is killed would leave it stopped for ever.
    whenGone(["kill", "-9", String(instance.process.pid)]);
    const peer = new Peer(instance);
    peer.pause();
    return peer;
  }

  get address(): string {
    return new URL(this.instance.status).origin;
  }

  pause(): void {
    this.instance.process.kill("SIGSTOP");
  }

  goOn(): void {
    this.instance.process.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.instance.end("SIGKILL");
  }
}

/** What the instance logs at the end of a purge. */
export interface PurgeEnding {
  readonly calls: number;
  readonly loginSessions: number;
  readonly rows: number;
  readonly tookMs: number;
  readonly longestTurnMs: number;
}

export class PurgedInstance implements AsyncDisposable {
  private constructor(
    readonly instance: MeasuredInstance,
    private readonly setting: Setting,
    private readonly peer: Peer,
    private readonly tokenFile: string,
  ) {}

  /** With a fresh copy of the month; resolves when its warm-up is recorded to its end. */
  static async start(setting: Setting, data: MonthData, peer: Peer): Promise<PurgedInstance> {
    const { icon, load, windows } = setting;
    const directory = emptyPlace(setting);
    copyMonth(data.own, directory);
    const tokens = join(directory, "icon.tokens");
    const add = (role: TokenRole) => {
      const text = makeToken();
      addToken(tokens, { name: role, role, hash: hashToken(text) }, null);
      return text;
    };
    const tokenFile = join(directory, "act.token");
    writeFileSync(tokenFile, `${add("act")}\n`, { mode: 0o600 });
    const instance = await MeasuredInstance.start({
      ...{ icon, directory, loadPath: load.path, awaits: "source", name: "a", token: add("read"), logLevel: "info" },
      queue: data.queueLines,
      http: `tokens = ${JSON.stringify(tokens)}\npeer = ${JSON.stringify(peer.address)}`,
    });
    await instance.send({ events: warmUpEvents, windowBytes: Math.max(...windows) });
    await instance.readable();
    return new PurgedInstance(instance, setting, peer, tokenFile);
  }

  /** Asks for a purge and resolves when the first rows of it are gone. */
  async purge(beforeMs: number): Promise<void> {
    const { icon, directory } = this.setting;
    const before = new Date(beforeMs).toISOString();
    const words = ["purge", "--before", before, "--instance", new URL(this.instance.status).origin];
    this.peer.goOn();
    const child = Bun.spawn([icon, ...words, "--token-file", this.tokenFile], {
      cwd: directory,
      stdout: "ignore",
      stderr: "pipe",
    });
    const trouble = await new Response(child.stderr).text();
    const exitCode = await child.exited;
    this.peer.pause();
    if (exitCode !== 0) throw new Error(`Cannot measure a purge: icon ${words.join(" ")}: ${trouble}`);
    await this.instance.until(async () => (await this.deleted()).rows > 0);
  }

  async deleted(): Promise<{ readonly rows: number; readonly isOver: boolean }> {
    const { rows } = (await this.instance.report()).idb.purge;
    return { rows, isOver: this.ending() !== null };
  }

  /** Null: the purge is not over. */
  ending(): PurgeEnding | null {
    const path = join(this.instance.directory, "log.ndjson");
    const line = readFileSync(path, "utf8")
      .split("\n")
      .find((each) => each.includes('"purge of the IDB is over"'));
    return line === undefined ? null : (JSON.parse(line) as PurgeEnding);
  }

  /** The position up to which a reader finds rows. */
  applied(): number {
    using reader = new Database(this.instance.idbPath, { readonly: true });
    return reader.query<{ POSITION: number }, []>("SELECT POSITION FROM ICON_APPLIED").get()?.POSITION ?? 0;
  }

  /** Pages of the IDB as a reader sees them, those still in the WAL too. */
  pages(): { readonly all: number; readonly free: number; readonly bytes: number } {
    using reader = new Database(this.instance.idbPath, { readonly: true });
    const ask = (pragma: string) => Number(Object.values(reader.query(`PRAGMA ${pragma}`).get() ?? {})[0]);
    return { all: ask("page_count"), free: ask("freelist_count"), bytes: ask("page_size") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.instance.end("SIGKILL");
  }
}

/** The largest size of a WAL that was seen, looked at every 20 ms: it does not get smaller in between. */
export class WalWatch implements Disposable {
  bytesMax = 0;
  readonly #timer: Timer;

  constructor(idbPath: string) {
    const path = `${idbPath}-wal`;
    this.#timer = setInterval(() => {
      if (existsSync(path)) this.bytesMax = Math.max(this.bytesMax, statSync(path).size);
    }, walPollMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
