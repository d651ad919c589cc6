// The data sources that an instance listens to: each runs for itself until the instance stops, and a reload may add,
// remove or replace one while the others go on.

import { isDeepStrictEqual } from "node:util";
import { readTlsFiles } from "./config/certificates.ts";
import { readAmiCredentials, readToken } from "./config/credentials.ts";
import type { Config, SourceConfig } from "./config.ts";
import { AmiSession } from "./source/ami-session.ts";
import {
  allowanceBytesDefault,
  DataSource,
  type DataSourceOptions,
  type DataSourceStatus,
} from "./source/data-source.ts";
import type { SessionParts, SourceSession } from "./source/session.ts";
import { TeventSession } from "./source/tevent-session.ts";

export interface SourcesParts extends Pick<DataSourceOptions, "intake" | "clock" | "log" | "network" | "random"> {
  readonly instance: Config["instance"];
  /** What may wait for the disk at all; no source may fill it alone where there are several. */
  readonly pendingBytesMax: number;
}

interface Running {
  readonly config: SourceConfig;
  readonly source: DataSource;
  readonly stop: AbortController;
  /** Resolves, and never rejects, once its session has been closed in order. */
  readonly ended: Promise<void>;
}

export class Sources {
  readonly #parts: SourcesParts;
  readonly #stop: AbortSignal;
  readonly #failed = Promise.withResolvers<never>();
  #running: readonly Running[] = [];

  constructor(parts: SourcesParts, stop: AbortSignal) {
    this.#parts = parts;
    this.#stop = stop;
    this.#failed.promise.catch(() => {}); // whoever waits in `run` is told
  }

  /** In the order of the configuration. */
  get all(): readonly DataSource[] {
    return this.#running.map(({ source }) => source);
  }

  /** Until the instance stops: then all sessions have been closed in order. Rejects when the persistent queue fails. */
  async run(configs: readonly SourceConfig[]): Promise<void> {
    this.#running = configs.map((config) => this.#begin(config, configs.length));
    await Promise.race([untilAborted(this.#stop), this.#failed.promise]);
    await Promise.race([Promise.all(this.#running.map(({ ended }) => ended)), this.#failed.promise]);
  }

  /**
   * Goes over to another configuration: sources that are gone or whose connection is to change close their sessions in
   * order, then `mark` says what is in force, then what is new or changed is connected. A source of which nothing but its
   * projection options changed keeps its session.
   */
  async change(configs: readonly SourceConfig[], mark: () => void): Promise<void> {
    const kept = new Map<string, Running>();
    const leaving: Running[] = [];
    for (const each of this.#running) {
      const next = configs.find(({ identity }) => identity.name === each.config.identity.name);
      if (next !== undefined && isSameConnection(each.config, next))
        kept.set(next.identity.name, { ...each, config: next });
      else leaving.push(each);
    }
    for (const { stop } of leaving) stop.abort("reload");
    await Promise.all(leaving.map(({ ended }) => ended));
    if (this.#stop.aborted) return;
    mark();
    this.#running = configs.map((config) => {
      const before = leaving.find(({ source }) => source.name === config.identity.name);
      return kept.get(config.identity.name) ?? this.#begin(config, configs.length, before?.source.status());
    });
  }

  #begin(config: SourceConfig, sourceCount: number, predecessor?: DataSourceStatus): Running {
    const { instance, pendingBytesMax, ...surroundings } = this.#parts;
    const source = new DataSource({
      identity: config.identity,
      addresses: config.addresses,
      reconnect: config.reconnect,
      instance: { name: instance.name, dbid: instance.dbid },
      silenceMs: config.silenceMs,
      allowanceBytes: Math.min(allowanceBytesDefault, Math.floor(pendingBytesMax / sourceCount)),
      predecessor,
      tls: () => (config.tls === null ? null : readTlsFiles(config.tls)),
      converse: converseIn(config),
      ...surroundings,
    });
    const stop = new AbortController();
    const ended = source.run(AbortSignal.any([this.#stop, stop.signal])).catch(this.#failed.reject);
    return { config, source, stop, ended };
  }
}

// What its rows look like is the projector's business; all the rest is said or used when a session opens.
function isSameConnection(before: SourceConfig, after: SourceConfig): boolean {
  return isDeepStrictEqual({ ...before, options: null }, { ...after, options: null });
}

/** Secrets are read anew for each connection, so that changing them needs no restart. */
function converseIn({ credentials }: SourceConfig): (parts: SessionParts) => SourceSession {
  switch (credentials.kind) {
    case "login":
      return (parts) => new AmiSession(parts, readAmiCredentials(credentials.credentialsFile));
    case "token":
      return (parts) => new TeventSession(parts, readToken(credentials.tokenFile));
    case "none":
      return (parts) => new TeventSession(parts, null);
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
