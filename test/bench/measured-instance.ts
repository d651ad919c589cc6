// One instance that is measured: the binary as it ships, in a directory of its own, fed by the generator from a process of
// its own.

import { Database } from "bun:sqlite";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StatusReport } from "../../src/status/report.ts";
import type { Sending, Sent } from "./load-generator.ts";

export interface Measured {
  readonly icon: string;
  /** Made here when it is not there; what is in it is gone on with. */
  readonly directory: string;
  /** Null: the generator is not there. */
  readonly loadPath: string | null;
  /** Without a load: where the source's server is instead. Default: nobody is there. */
  readonly address?: string;
  /** Lines for the configuration's [queue]. */
  readonly queue?: string;
  /** Where its IDB is, when not in its data directory. */
  readonly idb?: string;
  /** Default: those with which all of voice is stored. */
  readonly role?: string;
  /** Default: 9001, and "bench". A server knows its clients apart by their names. */
  readonly dbid?: number;
  readonly name?: string;
  /** Lines for the configuration's [http]. */
  readonly http?: string;
  /** Shown by whoever asks for its status, where `http` names tokens. */
  readonly token?: string;
  /** Default: warn. */
  readonly logLevel?: string;
  /** What `start` waits for where there is a load, when not for the recording of the session's opening. */
  readonly awaits?: "source";
}

const pollMs = 5;
const patienceMs = 600_000;

export class MeasuredInstance implements AsyncDisposable {
  readonly queueDirectory: string;

  private constructor(
    readonly directory: string,
    readonly idbPath: string,
    readonly process: Bun.Subprocess<"ignore", "pipe">,
    /** From the start of the process to its word that it is ready. */
    readonly readyMs: number,
    /** Address of its page. */
    readonly status: string,
    private readonly generator: Generator | null,
    private readonly token: string | null,
  ) {
    this.queueDirectory = join(directory, "data", "queue");
  }

  /** Resolves when it says that it is ready, and, where there is a load, its session is open and its IDB made. */
  static async start(measured: Measured): Promise<MeasuredInstance> {
    const { icon, directory, loadPath, address, idb, awaits } = measured;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const generator = loadPath === null ? null : await Generator.start(loadPath);
    const config = join(directory, "icon.toml");
    const nobodyThere = "127.0.0.1:9";
    writeFileSync(config, configText(generator?.address ?? address ?? nobodyThere, measured));
    const beganAt = performance.now();
    const child = Bun.spawn([icon, "run", "--config", config], {
      cwd: directory,
      stdin: "ignore",
      stdout: "pipe",
      stderr: Bun.file(join(directory, "log.ndjson")),
    });
    try {
      const { status } = JSON.parse(await linesOf(child.stdout)()) as { status: string };
      const readyMs = performance.now() - beganAt;
      const idbPath = idb ?? join(directory, "data", "idb.db");
      const instance = new MeasuredInstance(
        directory,
        idbPath,
        child,
        readyMs,
        status,
        generator,
        measured.token ?? null,
      );
      if (generator !== null) {
        await instance.until(async () => {
          const { idb, sources } = await instance.report();
          return (awaits === "source" || idb.commits > 0) && sources[0]?.state === "connected";
        });
      }
      return instance;
    } catch (cause) {
      child.kill("SIGKILL");
      generator?.end();
      throw troubled(directory, cause);
    }
  }

  async report(): Promise<StatusReport> {
    const headers: Record<string, string> = this.token === null ? {} : { Authorization: `Bearer ${this.token}` };
    const answer = await fetch(new URL("/api/v1/status", this.status), { headers });
    return (await answer.json()) as StatusReport;
  }

  /** Resolves when the last event of it is acknowledged. */
  async send(sending: Partial<Sending> & Pick<Sending, "events" | "windowBytes">): Promise<Sent> {
    if (this.generator === null) throw new Error("Cannot send: the instance was started without a load");
    try {
      return await this.generator.send({ eventsPerSecond: null, secondsMax: 600, instantsPath: null, ...sending });
    } catch (cause) {
      throw troubled(this.directory, cause);
    }
  }

  /** Somebody else holds the IDB's write lock until the result is closed. */
  lockIdb(): Disposable {
    const lock = new Database(this.idbPath);
    lock.exec("PRAGMA busy_timeout = 10000");
    lock.exec("BEGIN IMMEDIATE");
    return { [Symbol.dispose]: () => lock.close() };
  }

  /**
   * Until a reader can see the rows of all that is durable now: asked of the file itself, for the position is committed
   * together with the rows. Returns when that was, milliseconds since 1970.
   */
  async readable(): Promise<number> {
    const { durablePosition } = (await this.report()).queue;
    using reader = new Database(this.idbPath, { readonly: true });
    const applied = reader.query<{ POSITION: number }, []>("SELECT POSITION FROM ICON_APPLIED");
    await this.until(async () => BigInt(applied.get()?.POSITION ?? 0) >= BigInt(durablePosition ?? 0));
    return performance.timeOrigin + performance.now();
  }

  /** Polls until it holds; a bench that hangs helps nobody. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    const patience = performance.now() + patienceMs;
    while (!(await holds())) {
      if (this.process.exitCode !== null) throw troubled(this.directory, new Error("the instance has ended"));
      if (performance.now() > patience) throw troubled(this.directory, new Error(`${patienceMs / 1000} s went by`));
      await Bun.sleep(pollMs);
    }
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.process.kill(signal);
    await this.process.exited;
    this.generator?.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}

class Generator {
  private constructor(
    private readonly child: Bun.Subprocess<"pipe", "pipe">,
    private readonly said: () => Promise<string>,
    readonly address: string,
  ) {}

  static async start(loadPath: string): Promise<Generator> {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "load-generator.ts"), loadPath], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    const said = linesOf(child.stdout);
    const { listening } = JSON.parse(await said()) as { listening: string };
    return new Generator(child, said, listening);
  }

  async send(sending: Sending): Promise<Sent> {
    this.child.stdin.write(`${JSON.stringify(sending)}\n`);
    await this.child.stdin.flush();
    return JSON.parse(await this.said()) as Sent;
  }

  end(): void {
    this.child.kill();
  }
}

function troubled(directory: string, cause: unknown): Error {
  const log = readFileSync(join(directory, "log.ndjson"), "utf8").slice(-2000);
  return new Error(`Cannot measure the instance in "${directory}"; the end of its log:\n${log}`, { cause });
}

function configText(address: string, measured: Measured): string {
  const { queue = "", idb, role = "gcc,gls,gud", dbid = 9001, name = "bench", http = "", logLevel = "warn" } = measured;
  return `[instance]
name = "${name}"
dbid = ${dbid}
data_dir = "data"

[callconcentrator]
role = "${role}"
adata-userdata-history = "all"

[queue]
${queue}
${idb === undefined ? "" : `\n[idb]\npath = "${idb}"\n`}
[http]
listen = "127.0.0.1:0"
${http}

[log]
level = "${logLevel}"

[[source]]
name = "bench"
kind = "tevent"
addresses = ["${address}"]
dbid = 101
switch_dbid = 1
reconnect_min = "20ms"
reconnect_max = "100ms"
`;
}

/** Gives the lines of a child's output one at a time. */
function linesOf(stream: ReadableStream<Uint8Array>): () => Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  return async () => {
    while (!text.includes("\n")) {
      const { done, value } = await reader.read();
      if (done) throw new Error("Cannot read on: the child has ended");
      text += decoder.decode(value, { stream: true });
    }
    const [line = "", ...others] = text.split("\n");
    text = others.join("\n");
    return line;
  };
}
