// An HA pair as a site has it: one simulated T-Server in this process, and two instances of the binary, each behind a
// cable of its own, so that a fault can befall the one, the other, or both. What the server told is written as it goes,
// and is what both are held against in the end.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TserverOptions } from "../../src/simulator/tserver/options.ts";
import {
  type SimulatedTserver,
  startSimulatedTserver,
  type TserverSummary,
} from "../../src/simulator/tserver/simulated-tserver.ts";
import { type Cable, layCable, listenAddress } from "./cable.ts";
import { dataDirectoryOf, Instance, type InstanceSetting, idbPathOf, queueDirectoryOf, until } from "./processes.ts";

export const sideNames = ["a", "b"] as const;
export type SideName = (typeof sideNames)[number];

export interface PairOptions {
  /** For the truth and the data of both instances; made when it is not there. */
  readonly directory: string;
  readonly isNamespaced: boolean;
  readonly simulator: Partial<Omit<TserverOptions, "startTime">>;
  /** What is simulated, and its type in the configuration; default: a T-Server. */
  readonly source?: { readonly type: string; readonly simulate: typeof startSimulatedTserver };
  /** The server's clock minus ours. */
  readonly clockAheadMs?: number;
  /** With a second server that can take over. */
  readonly hasStandby?: boolean;
  /** What is different from the usual in the setting of both instances, or of one. */
  readonly instance?: Partial<InstanceSetting>;
  readonly bySide?: Partial<Record<SideName, Partial<InstanceSetting>>>;
  /** What stands between the server and side b: given the server's port, the port where it listens. */
  readonly frontOfB?: (serverPort: number) => Promise<number>;
}

// The server's DBIDs and that of its switch.
export const pairDbids = { primary: 101, standby: 102, switch: 1 } as const;

const usualSource = { type: "TServer", simulate: startSimulatedTserver };

export class Pair implements AsyncDisposable {
  /** UTC seconds by the server's clock: from this window on both were listening. */
  readonly listeningFrom: number;
  readonly #directory: string;

  private constructor(
    options: PairOptions,
    readonly simulator: SimulatedTserver,
    readonly sides: Readonly<Record<SideName, Side>>,
  ) {
    this.#directory = options.directory;
    this.listeningFrom = Math.floor(this.sourceNow() / 1000) + 1;
  }

  /** Both instances run and are served. */
  static async start(options: PairOptions): Promise<Pair> {
    const { directory, isNamespaced, clockAheadMs = 0, hasStandby = false } = options;
    mkdirSync(directory, { recursive: true });
    const listen = listenAddress(isNamespaced);
    const { simulate } = options.source ?? usualSource;
    const simulator = await simulate({
      listen,
      startTime: new Date(Date.now() + clockAheadMs).toISOString(),
      dbid: pairDbids.primary,
      primaryDbid: pairDbids.primary,
      switchDbid: pairDbids.switch,
      truth: truthPathIn(directory),
      finalAckMs: 30_000,
      ...(hasStandby && { standby: { listen, dbid: pairDbids.standby } }),
      ...options.simulator,
    });
    const sides: Side[] = [];
    try {
      for (const [index, name] of sideNames.entries()) sides.push(await layOut(options, simulator, name, index));
      await Promise.all(sides.map((side) => side.start()));
      await until("both are served", 20_000, () => simulator.progress().clientsServed === sideNames.length);
    } catch (error) {
      simulator.stop();
      for (const side of sides) await side[Symbol.asyncDispose]();
      throw error;
    }
    const [a, b] = sides;
    if (a === undefined || b === undefined) throw new Error("a pair has two sides");
    return new Pair(options, simulator, { a, b });
  }

  /** Up to when, by the server's clock, everything is told; milliseconds. */
  sourceNow(): number {
    return this.simulator.progress().toldUntil;
  }

  /** So much time goes by, for us and for the server: on a busy host it is late with telling. */
  async pass(ms: number): Promise<void> {
    const goal = this.sourceNow() + ms;
    await Bun.sleep(ms);
    await until("the server has told what happened meanwhile", 60_000, () => this.sourceNow() >= goal);
  }

  get truthPath(): string {
    return truthPathIn(this.#directory);
  }

  get both(): readonly [Side, Side] {
    return [this.sides.a, this.sides.b];
  }

  get idbPaths(): readonly [string, string] {
    return [this.sides.a.idbPath, this.sides.b.idbPath];
  }

  /**
   * All is mended. Then nothing more happens in the centre, the server comes to its end, both have recorded all there is, and
   * are stopped in order.
   */
  async end(): Promise<TserverSummary> {
    for (const side of this.both) await side.mend();
    const { simulator } = this;
    await until("both are served", 30_000, () => simulator.progress().clientsServed === sideNames.length);
    simulator.control.closeCentre();
    const summary = await this.simulator.finished;
    await Promise.all(this.both.map((side) => side.untilApplied()));
    await Promise.all(this.both.map((side) => side.stop()));
    return summary;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.simulator.stop();
    for (const side of this.both) await side[Symbol.asyncDispose]();
    await this.simulator.finished.catch(() => {});
  }
}

function truthPathIn(directory: string): string {
  return join(directory, "truth.ndjson");
}

async function layOut(options: PairOptions, simulator: SimulatedTserver, name: SideName, index: number): Promise<Side> {
  const cable = layCable(name, options.isNamespaced);
  try {
    const portOf = (address: string) => Number(address.slice(address.lastIndexOf(":") + 1));
    const serverPort = portOf(simulator.address);
    const { frontOfB } = options;
    const port = name === "b" && frontOfB !== undefined ? await frontOfB(serverPort) : serverPort;
    const address = await cable.addressOf(port);
    const { standbyAddress } = simulator;
    const source = {
      name: "north",
      address,
      ...(standbyAddress !== null && { standbyAddress: await cable.addressOf(portOf(standbyAddress)) }),
      dbid: pairDbids.primary,
      switchDbid: pairDbids.switch,
      lines: [`type = ${JSON.stringify((options.source ?? usualSource).type)}`],
    };
    const setting: InstanceSetting = {
      directory: join(options.directory, name),
      name: `icon-${name}`,
      dbid: 9001 + index,
      callDeletionTimeoutSeconds: 1,
      through: cable.words,
      sources: [source],
      ...options.instance,
      ...options.bySide?.[name],
    };
    return new Side(name, setting, cable, simulator);
  } catch (error) {
    await cable[Symbol.asyncDispose]();
    throw error;
  }
}

/** One instance of the pair, with its cable and its data. */
export class Side implements AsyncDisposable {
  #instance: Instance | null = null;
  #isFrozen = false;

  constructor(
    readonly name: SideName,
    readonly setting: InstanceSetting,
    readonly cable: Cable,
    readonly simulator: SimulatedTserver,
  ) {}

  get idbPath(): string {
    return idbPathOf(this.setting);
  }

  get instance(): Instance {
    if (this.#instance === null) throw new Error(`Instance ${this.setting.name} does not run`);
    return this.#instance;
  }

  async start(): Promise<void> {
    this.#isFrozen = false;
    this.#instance = await Instance.start(this.setting);
    await this.#instance.ready();
  }

  async kill(): Promise<void> {
    await this.#instance?.kill();
    this.#instance = null;
  }

  /** SIGTERM; an instance that ends otherwise than in order is an error. */
  async stop(): Promise<void> {
    const exitCode = await this.instance.stop();
    this.#instance = null;
    if (exitCode !== 0) throw new Error(`Instance ${this.setting.name} ended with exit code ${exitCode}`);
  }

  /** Its host stands still. */
  freeze(): void {
    this.#isFrozen = true;
    this.instance.signal("SIGSTOP");
  }

  thaw(): void {
    this.#isFrozen = false;
    this.instance.signal("SIGCONT");
  }

  /** Its connection breaks off, as by a firewall between. */
  reset(): void {
    this.simulator.control.cut("reset", this.setting.name);
  }

  /** Also under the running instance. */
  deleteIdb(): void {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${this.idbPath}${suffix}`, { force: true });
  }

  /** While the instance does not run. */
  deleteQueue(): void {
    rmSync(queueDirectoryOf(this.setting), { recursive: true, force: true });
  }

  get dataDirectory(): string {
    return dataDirectoryOf(this.setting);
  }

  /** Whatever had befallen it: it runs, and its cable is in. */
  async mend(): Promise<void> {
    this.cable.plug();
    if (this.#instance !== null && this.#isFrozen) this.thaw();
    if (this.#instance === null || this.#instance.isOver) await this.start();
  }

  /** The server has gone, its last word was heard, and everything is applied. */
  async untilApplied(): Promise<void> {
    await until(`instance ${this.setting.name} has applied everything`, 60_000, async () => {
      const { queue, idb, sources } = await this.instance.status();
      if (sources.some(({ state }) => state === "connected")) return false;
      return queue.recordsNotApplied === 0 && BigInt(idb.appliedPosition ?? 0) >= BigInt(queue.durablePosition);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.cable[Symbol.asyncDispose]();
  }
}
