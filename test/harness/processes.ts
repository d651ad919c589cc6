// Runs the built program as a site does: the binary, a configuration file, a data directory, real signals. The binary is
// built once a test run, or taken from ICON_BINARY, so that a check builds once and a planted build can be put in its
// place without a test knowing of it.

import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Subprocess } from "bun";

const checkout = fileURLToPath(new URL("../..", import.meta.url));

export class TemporaryDirectory {
  readonly path: string;

  readonly #callOff: () => void;

  constructor(label: string) {
    this.path = mkdtempSync(join(tmpdir(), `icon-${label}-`));
    this.#callOff = whenGone(["rm", "-rf", "--one-file-system", this.path]);
  }

  /** A path in it. */
  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  [Symbol.dispose](): void {
    this.#callOff();
    rmSync(this.path, { recursive: true, force: true });
  }
}

/**
 * Runs a command when this process is gone, however it went: a test run that fails by its time limit or is killed leaves
 * nothing behind, and `bun test` runs no handlers at its exit. The returned function calls it off.
 */
export function whenGone(words: readonly string[]): () => void {
  // It waits for the end of a pipe that only this process holds open.
  const waiting = Bun.spawn(["sh", "-c", 'cat >/dev/null; exec "$@"', "when-gone", ...words], {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
    // Of its own session, so that a signal to the whole test run spares it.
    detached: true,
  });
  waiting.unref();
  return () => waiting.kill("SIGKILL");
}

const built = new Map<string, Promise<string>>();

/** The binary under test: ICON_BINARY, else built from this checkout once. */
export function iconBinary(): Promise<string> {
  const given = process.env["ICON_BINARY"];
  return given === undefined || given === "" ? buildBinary(null) : Promise.resolve(given);
}

/** Builds into a temporary folder that goes with this process; with a fault planted when `plant` names one. */
export function buildBinary(plant: string | null): Promise<string> {
  const key = plant ?? "";
  const known = built.get(key);
  if (known !== undefined) return known;
  const building = build(plant);
  built.set(key, building);
  return building;
}

async function build(plant: string | null): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "icon-binary-"));
  whenGone(["rm", "-rf", directory]);
  const outfile = join(directory, "icon");
  const words = ["build.ts", "--outfile", outfile, ...(plant === null ? [] : ["--plant", plant])];
  const child = Bun.spawn([process.execPath, ...words], { cwd: checkout, stdout: "ignore", stderr: "pipe" });
  const [exitCode, errors] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  if (exitCode !== 0) throw new Error(`Cannot build the binary under test (bun ${words.join(" ")}): ${errors}`);
  return outfile;
}

export interface SourceSetting {
  readonly name: string;
  readonly address: string;
  /** Where the other server of its pair is. */
  readonly standbyAddress?: string;
  readonly kind?: "tevent" | "ami";
  readonly dbid: number;
  readonly switchDbid?: number;
  /** Further lines of its section, as they stand in the file. */
  readonly lines?: readonly string[];
}

export interface HttpSetting {
  /** The lines of its section. */
  readonly lines: readonly string[];
  /** Shown by whoever asks for the status. */
  readonly token?: string;
}

export interface InstanceSetting {
  /** Where the configuration file and the log go. */
  readonly directory: string;
  readonly name?: string;
  readonly dbid?: number;
  /** Default: "data" in `directory`. */
  readonly dataDirectory?: string;
  /** Default: idb.db in the data directory. */
  readonly idbPath?: string;
  readonly segmentBytes?: string;
  /** What the queue leaves free on its disk; default: the program's. */
  readonly reserve?: string;
  /** What the IDB's WAL may grow to; default: the program's. */
  readonly walLimit?: string;
  /** Default: the program's. */
  readonly checkEvery?: string;
  /** Default: the program's. */
  readonly retentionBytes?: string;
  /** Default: the program's. */
  readonly retentionAge?: string;
  /** Length of a ledger window, seconds. */
  readonly windowSeconds?: number;
  readonly callDeletionTimeoutSeconds?: number;
  /** 3: nobody outside of the switch is stored. */
  readonly deliveredFlag?: number;
  /** Default: info. */
  readonly logLevel?: string;
  /** Lines of [callconcentrator]; default: none, so all that can be stored is. */
  readonly callconcentrator?: readonly string[];
  /** The HTTP side; default: on loopback, as it comes. */
  readonly http?: HttpSetting;
  /** Default: the binary under test. */
  readonly binary?: string;
  /** Words before the binary: what starts it somewhere else on this host. */
  readonly through?: readonly string[];
  readonly sources: readonly SourceSetting[];
}

export function dataDirectoryOf(setting: InstanceSetting): string {
  return setting.dataDirectory ?? join(setting.directory, "data");
}

export function queueDirectoryOf(setting: InstanceSetting): string {
  return join(dataDirectoryOf(setting), "queue");
}

export function idbPathOf(setting: InstanceSetting): string {
  return setting.idbPath ?? join(dataDirectoryOf(setting), "idb.db");
}

function configurationOf(setting: InstanceSetting): string {
  const text = JSON.stringify;
  const lines = [
    "[instance]",
    `name = ${text(setting.name ?? "icon-a")}`,
    `dbid = ${setting.dbid ?? 9001}`,
    `data_dir = ${text(dataDirectoryOf(setting))}`,
    "[queue]",
    `segment_bytes = ${text(setting.segmentBytes ?? "2MiB")}`,
    ...(setting.reserve === undefined ? [] : [`reserve = ${text(setting.reserve)}`]),
    ...(setting.retentionBytes === undefined ? [] : [`retention_bytes = ${text(setting.retentionBytes)}`]),
    ...(setting.retentionAge === undefined ? [] : [`retention_age = ${text(setting.retentionAge)}`]),
    "[idb]",
    `path = ${text(idbPathOf(setting))}`,
    `window = "${setting.windowSeconds ?? 1}s"`,
    ...(setting.checkEvery === undefined ? [] : [`check_every = ${text(setting.checkEvery)}`]),
    ...(setting.walLimit === undefined ? [] : [`wal_limit = ${text(setting.walLimit)}`]),
    ...(setting.callconcentrator === undefined ? [] : ["[callconcentrator]", ...setting.callconcentrator]),
    "[http]",
    ...(setting.http?.lines ?? ['listen = "127.0.0.1:0"']),
    "[log]",
    `level = ${text(setting.logLevel ?? "info")}`,
  ];
  for (const source of setting.sources) {
    const { name, kind = "tevent", address, standbyAddress, dbid, switchDbid = dbid } = source;
    const addresses = text([address, ...(standbyAddress === undefined ? [] : [standbyAddress])]);
    lines.push("[[source]]", `name = ${text(name)}`, `kind = ${text(kind)}`, `addresses = ${addresses}`);
    lines.push(`dbid = ${dbid}`, `switch_dbid = ${switchDbid}`);
    // An instance that comes back must find its source at once: what is measured is not the back-off.
    lines.push('reconnect_min = "100ms"', 'reconnect_max = "500ms"', ...(source.lines ?? []));
    if (kind === "ami") lines.push(`credentials_file = ${text(join(setting.directory, "ami.toml"))}`);
    lines.push("[source.gts]", `call-deletion-timeout = ${setting.callDeletionTimeoutSeconds ?? 2}`);
    if (setting.deliveredFlag !== undefined) lines.push(`delivered-flag = ${setting.deliveredFlag}`);
  }
  return `${lines.join("\n")}\n`;
}

/** What tests read of /api/v1/status. */
export interface InstanceStatus {
  readonly instance: { readonly state: string };
  readonly sources: readonly {
    readonly name: string;
    readonly state: string;
    readonly framesTotal: number;
    readonly undecodable: number;
    readonly reconnects: number;
    readonly lastTrouble: string | null;
    readonly lastSequence: number | null;
    readonly ackedSequence: number | null;
  }[];
  readonly queue: {
    readonly state: string;
    readonly recordsNotApplied: number;
    readonly durablePosition: string | number;
    readonly firstPosition: string | number | null;
    readonly segments: number;
    readonly trimmedEarly: { readonly firstPosition: string | number; readonly lastPosition: string | number } | null;
  };
  readonly idb: {
    readonly state: string;
    readonly appliedPosition: string | number | null;
    readonly walBytes: number;
    readonly walBlock: {
      readonly since: number;
      readonly isAtLimit: boolean;
      readonly readers: readonly { readonly pid: number; readonly command: string }[];
    } | null;
  };
  readonly openCalls: number;
  readonly undecodedTotal: number;
  readonly trouble: readonly { readonly sentence: string }[];
}

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** One run of `icon run`. */
export class Instance {
  readonly setting: InstanceSetting;
  readonly #child: Subprocess<"ignore", "pipe", number>;
  readonly #logDescriptor: number;
  readonly #ready = Promise.withResolvers<string>();
  #isOver = false;

  private constructor(setting: InstanceSetting, child: Subprocess<"ignore", "pipe", number>, logDescriptor: number) {
    this.setting = setting;
    this.#child = child;
    this.#logDescriptor = logDescriptor;
    // Whoever waits for it is told; a run that is killed before it was ready disappoints nobody.
    this.#ready.promise.catch(() => {});
    void child.exited.then(whenGone(["kill", "-9", String(child.pid)]));
    void this.#watch();
  }

  static async start(setting: InstanceSetting): Promise<Instance> {
    const binary = setting.binary ?? (await iconBinary());
    const configuration = join(setting.directory, `${setting.name ?? "icon-a"}.toml`);
    mkdirSync(setting.directory, { recursive: true });
    if (!existsSync(join(setting.directory, "ami.toml"))) {
      writeFileSync(join(setting.directory, "ami.toml"), 'username = "icon"\nsecret = "secret"\n', { mode: 0o600 });
    }
    writeFileSync(configuration, configurationOf(setting));
    const log = openSync(logPath(setting), "a");
    const child = Bun.spawn([...(setting.through ?? []), binary, "run", "--config", configuration], {
      cwd: setting.directory,
      stdin: "ignore",
      stdout: "pipe",
      stderr: log,
    });
    return new Instance(setting, child, log);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves with the exit code, or 128 + the signal's number. */
  get exited(): Promise<number> {
    return this.#child.exited;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Resolves with the status page's address once the instance says that it runs; rejects when it ends before. */
  ready(): Promise<string> {
    return this.#ready.promise;
  }

  async status(): Promise<InstanceStatus> {
    const { http, through = [] } = this.setting;
    if (through.length > 0) return statusThrough(through, await this.ready());
    const token = http?.token;
    const response = await fetch(new URL("/api/v1/status", await this.ready()), {
      // How fast the page answers is measured elsewhere; here it is only not to be waited for forever.
      signal: AbortSignal.timeout(30_000),
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      tls: { rejectUnauthorized: false },
    });
    if (!response.ok) throw new Error(`Cannot read the status of the instance: HTTP ${response.status}`);
    return (await response.json()) as InstanceStatus;
  }

  /** What all runs with this setting's directory and name have logged so far. */
  log(): LogLine[] {
    return readLog(this.setting);
  }

  /** Writes another configuration file where the running instance has its own, and sends SIGHUP. */
  reload(configuration: string | InstanceSetting): void {
    const text = typeof configuration === "string" ? configuration : configurationOf(configuration);
    writeFileSync(join(this.setting.directory, `${this.setting.name ?? "icon-a"}.toml`), text);
    this.signal("SIGHUP");
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** kill -9, and gone when it resolves. */
  async kill(): Promise<void> {
    if (!this.#isOver) this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number> {
    this.#child.kill("SIGTERM");
    return this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #watch(): Promise<void> {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stdout) {
      text += decoder.decode(chunk, { stream: true });
      const [, page] = /"status":"([^"]+)"/.exec(text) ?? [];
      if (page !== undefined) this.#ready.resolve(page);
    }
    const exitCode = await this.#child.exited;
    this.#isOver = true;
    closeSync(this.#logDescriptor);
    this.#ready.reject(new Error(`The instance ended with exit code ${exitCode} before it was ready`));
  }
}

/** Asked by a program that stands where the instance does. */
async function statusThrough(through: readonly string[], page: string): Promise<InstanceStatus> {
  const ask = `fetch(new URL("/api/v1/status", process.argv[1])).then((answer) => answer.text()).then(console.log)`;
  const child = Bun.spawn([...through, process.execPath, "-e", ask, page], { stdout: "pipe", stderr: "pipe" });
  const [text, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if (text === "") throw new Error(`Cannot read the status of the instance: ${errors}`);
  return JSON.parse(text) as InstanceStatus;
}

function logPath(setting: InstanceSetting): string {
  return join(setting.directory, `${setting.name ?? "icon-a"}.log`);
}

/** Lines that are no JSON (what ends a process with a stack trace) come as level "text". */
export function readLog(setting: InstanceSetting): LogLine[] {
  const lines: LogLine[] = [];
  for (const line of readFileSync(logPath(setting), "utf8").split("\n")) {
    if (line === "") continue;
    try {
      lines.push(JSON.parse(line) as LogLine);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      lines.push({ level: "text", event: line });
    }
  }
  return lines;
}

export interface SimulatorSummary {
  readonly events: number;
  readonly calls: number;
  readonly callsOpen: number;
  readonly runs: readonly { readonly run: string; readonly lastSeq: number }[];
  readonly clients: Readonly<
    Record<string, { readonly connections: number; readonly gaps: number; readonly acked: Record<string, number> }>
  >;
}

/** One run of `icon simulate tserver` or `icon simulate ami`, by the same binary. */
export class Simulator {
  readonly address: string;
  readonly #child: Subprocess<"ignore", "pipe", "inherit">;
  readonly #lines: AsyncGenerator<string>;

  private constructor(address: string, child: Subprocess<"ignore", "pipe", "inherit">, lines: AsyncGenerator<string>) {
    this.address = address;
    this.#child = child;
    this.#lines = lines;
    void child.exited.then(whenGone(["kill", "-9", String(child.pid)]));
  }

  static async start(kind: "tserver" | "ami", words: readonly string[]): Promise<Simulator> {
    // Faults are planted into the instance; its source stays as it should be.
    const binary = process.env["ICON_SIMULATOR_BINARY"] ?? (await iconBinary());
    const child = Bun.spawn([binary, "simulate", kind, ...words], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    const lines = linesOf(child.stdout);
    const first = await lines.next();
    if (first.done) throw new Error(`Cannot start the simulator: it ended with exit code ${await child.exited}`);
    const { listening } = JSON.parse(first.value) as { listening: string | { host: string; port: number } };
    const address = typeof listening === "string" ? listening : `${listening.host}:${listening.port}`;
    return new Simulator(address, child, lines);
  }

  /** Resolves when it has come to its end by itself and has written its oracles. */
  async finished(): Promise<SimulatorSummary> {
    const last = await this.#lines.next();
    if (last.done) throw new Error(`The simulator ended without a summary, exit code ${await this.#child.exited}`);
    await this.#child.exited;
    return JSON.parse(last.value) as SimulatorSummary;
  }

  /** Resolves with the exit code when it has come to its end by itself. */
  ended(): Promise<number> {
    return this.#child.exited;
  }

  stop(): void {
    this.#child.kill("SIGTERM");
  }

  /** Until `resume` it does nothing at all; what it has sent still arrives, and what is sent to it waits. */
  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

/** The lines of a child's output. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

const pollMs = 20;
// A deadline of `until` is there to end a test that hangs. Other work on the machine must not look like that.
const patience = 3;

/**
 * Resolves once the condition holds; rejects with `what` when it hangs. `withinMs` is generous on a machine that has
 * nothing else to do; on one that has, it may take three times as long.
 */
export async function until(
  what: string,
  withinMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  await promptly(what, withinMs * patience, condition);
}

/** As `until`, for what is promised within a time: not a moment longer. */
export async function promptly(
  what: string,
  withinMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  if (!(await isWithin(withinMs, condition))) throw new Error(`Waited ${withinMs} ms in vain: ${what}`);
}

/** Whether the condition comes to hold within `withinMs`; resolves as soon as it does. */
export async function isWithin(withinMs: number, condition: () => boolean | Promise<boolean>): Promise<boolean> {
  const startedAt = performance.now();
  for (;;) {
    if (await condition()) return true;
    if (performance.now() - startedAt > withinMs) return false;
    await Bun.sleep(pollMs);
  }
}

/** A whole number from the environment: how long the long run is, where the check is short. */
export function fromEnvironment(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new Error(`Cannot use ${name}=${JSON.stringify(text)}: expected a whole number from 0`);
  }
  return value;
}
