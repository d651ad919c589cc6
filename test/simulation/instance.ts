// One life of an instance's process: the real queue, intake, sources and projector put together as src/instance.ts does
// it, but for two things. The recorder is no Worker: the history lets it have its turns. And it can end at any moment
// without a word, after which nothing that it had in hand reaches anything.

import type { Clock } from "../../src/clock.ts";
import type { SourceIdentity } from "../../src/event/envelope.ts";
import { IdbUnavailableError } from "../../src/idb/error.ts";
import type { Idb } from "../../src/idb/idb.ts";
import { openIdb } from "../../src/idb/open.ts";
import { silentLog } from "../../src/log.ts";
import { type Deaths, Projector } from "../../src/projector.ts";
import { openQueue, type Queue } from "../../src/queue/queue.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { AmiSession } from "../../src/source/ami-session.ts";
import { DataSource } from "../../src/source/data-source.ts";
import { Intake } from "../../src/source/intake.ts";
import { TeventSession } from "../../src/source/tevent-session.ts";
import type { FakeClock } from "../harness/fake-clock.ts";
import type { FakeDisk } from "../harness/fake-disk.ts";
import type { Dice } from "./dice.ts";
import type { IdbFaults } from "./idb-faults.ts";
import type { Journal } from "./journal.ts";
import type { SimulatedNetwork } from "./network.ts";

export const queueDirectory = "/queue";
export const windowSeconds = 1;

export interface Surroundings {
  readonly disk: FakeDisk;
  readonly clock: FakeClock;
  readonly network: SimulatedNetwork;
  readonly journal: Journal;
  readonly faults: IdbFaults;
  readonly dice: Dice;
  readonly identities: readonly SourceIdentity[];
  readonly idbPath: string;
  readonly segmentBytes: number;
  pendingBytesMax: number;
}

export class SimulatedInstance {
  /** Why the process has ended by itself; null while it lives. */
  death: unknown = null;
  #idb: Idb | null = null;
  #projector: Projector | null = null;
  #deaths: Deaths = { position: -1n, count: 0 };
  readonly #stop = new AbortController();
  #sources: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly surroundings: Surroundings,
    private readonly intake: Intake,
    readonly queue: Queue,
    private readonly clock: LifeClock,
  ) {}

  /** Rejects with what made the start fail: the power, or a call of the disk. */
  static async start(surroundings: Surroundings): Promise<SimulatedInstance> {
    const { journal, segmentBytes, pendingBytesMax } = surroundings;
    const disk = surroundings.disk.asProcess();
    const clock = new LifeClock(surroundings.clock);
    const intake = new Intake(clock);
    const queue = await openQueue({
      directory: queueDirectory,
      segmentBytes,
      reserveBytes: 0,
      pendingBytesMax,
      disk,
      clock,
      log: silentLog,
      head: () => intake.head(),
    });
    journal.reopened(queue, disk, queueDirectory);
    intake.recover(queue.lastHead, queue.readRecent());
    const sink = {
      append: (...pieces: Uint8Array[]) => {
        const payload = new Uint8Array(Buffer.concat(pieces));
        const position = queue.append(payload);
        journal.append(position, payload);
        return position;
      },
      durable: (position: bigint) => queue.durable(position),
      onDurable: (listener: (position: bigint) => void) => queue.onDurable(listener),
      get hasRoom() {
        return queue.pendingBytes < pendingBytesMax;
      },
      room: () => queue.room(),
    };
    intake.attach(sink);
    queue.onDurable((position) => journal.durable(position));
    const life = new SimulatedInstance(surroundings, intake, queue, clock);
    void queue.failed.then((error) => life.#ends(error));
    await queue.durable(intake.mark(life.#startMark()));
    life.#listen();
    return life;
  }

  get appliedPosition(): bigint {
    return this.#projector?.status().appliedPosition ?? 0n;
  }

  /** One turn of the recorder. Returns whether there was something to do. */
  record(): boolean {
    const { disk, faults, idbPath } = this.surroundings;
    const { durablePosition } = this.queue;
    return faults.within(() => {
      try {
        this.#idb ??= openIdb({ path: idbPath, log: silentLog, clock: this.clock, windowSeconds });
        const reader = () => new QueueReader({ disk: disk.asProcess(), directory: queueDirectory });
        const deaths = this.#deaths;
        this.#projector ??= new Projector({ reader: reader(), idb: this.#idb, log: silentLog, deaths });
        if (this.appliedPosition >= durablePosition) return false;
        this.#projector.advance(durablePosition);
        return true;
      } catch (error) {
        if (!(error instanceof IdbUnavailableError)) this.#ends(error);
        return true;
      }
    });
  }

  /**
   * The recorder's thread dies of something that is no record's fault, and another begins with what is committed. As in
   * src/recorder-thread.ts, but a third death in a row at one position, for which its record would pay, does not come.
   */
  recorderDies(): void {
    const position = this.appliedPosition;
    const isSame = position === this.#deaths.position;
    this.#deaths = { position, count: isSame ? Math.min(2, this.#deaths.count + 1) : 1 };
    this.#idb?.close();
    this.#idb = null;
    this.#projector = null;
  }

  async trim(bytesMax: number): Promise<number> {
    if (this.#projector === null) return 0;
    const retention = { appliedPosition: this.appliedPosition, olderThanMs: Number.POSITIVE_INFINITY, bytesMax };
    try {
      return (await this.queue.trim(retention)).segments.length;
    } catch {
      return 0; // a chore that fails is tried again; see `every` in src/instance.ts
    }
  }

  /** Lets the sources say goodbye, applies what is durable, closes. Needs the history to let time and network go on. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#sources;
    await this.queue.durable(this.intake.mark({ mark: "instance stopped" }));
    for (let batches = 0; batches < 20 && this.death === null && this.record(); batches++);
    await this.queue.close();
    if (this.death !== null) throw this.death;
    this.#idb?.close();
  }

  /** The process is gone. */
  end(): void {
    this.clock.stop();
    this.surroundings.network.abandonAll();
    this.surroundings.faults.processGone();
  }

  #listen(): void {
    const { identities, network, dice } = this.surroundings;
    const { clock, intake } = this;
    const sources = identities.map(
      (identity) =>
        new DataSource({
          identity,
          addresses: [{ host: identity.name, port: identity.dbid }],
          reconnect: { minMs: 20, maxMs: 400 },
          instance: { name: "icon-a", dbid: 9001 },
          silenceMs: null,
          converse: (parts) =>
            identity.kind === "ami"
              ? new AmiSession(parts, { username: "icon", secret: "secret" })
              : new TeventSession(parts, null),
          intake,
          clock,
          log: silentLog,
          network,
          random: dice.next,
        }),
    );
    this.#sources = Promise.all(sources.map((source) => source.run(this.#stop.signal))).catch((error) =>
      this.#ends(error),
    );
  }

  #startMark() {
    const { identities } = this.surroundings;
    const options = {
      callDeletionTimeoutSeconds: 1,
      inboundContexts: [],
      internalContexts: [],
      outboundContexts: [],
      delivered: "dialing",
    } as const;
    return {
      mark: "instance started",
      programVersion: "0.1.0",
      instance: { name: "icon-a", dbid: 9001 },
      queueId: this.queue.queueId,
      queueState: this.queue.state,
      role: ["gcc"],
      sources: identities.map((identity) => ({ ...identity, options })),
      configurationHash: "0".repeat(64),
    } as const;
  }

  #ends(error: unknown): void {
    this.death ??= error;
  }
}

/** The clock as one process has it: when that is gone, none of its timers fires any more. */
class LifeClock implements Clock {
  #isStopped = false;

  constructor(private readonly clock: Clock) {}

  now(): number {
    return this.clock.now();
  }

  monotonic(): number {
    return this.clock.monotonic();
  }

  after(delayMs: number, act: () => void): () => void {
    return this.clock.after(delayMs, () => {
      if (!this.#isStopped) act();
    });
  }

  stop(): void {
    this.#isStopped = true;
  }
}
