// What an instance is told: one TOML file, judged as a whole before anything is touched. Every problem is found in one
// go and named with its line, its key, the value as written and what would be right.

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Address } from "./config/address.ts";
import { judge } from "./config/judge.ts";
import { ConfigError, type ConfigProblem, type ConfigWarning } from "./config/problem.ts";
import type { Role } from "./config/role.ts";
import type { AttachedDataMapping } from "./event/attached-data.ts";
import type { AgentOptions, ProjectionConfiguration, ProjectionOptions, SourceIdentity } from "./event/envelope.ts";
import { interSiteDefaults } from "./event/inter-site.ts";
import type { UserEventMapping } from "./event/user-events.ts";
import type { LogLevel } from "./log.ts";

export type { Address } from "./config/address.ts";
export { ConfigError, type ConfigProblem, type ConfigWarning } from "./config/problem.ts";
export type { Role } from "./config/role.ts";

export interface Config {
  readonly instance: InstanceConfig;
  readonly callconcentrator: {
    readonly role: readonly Role[];
    /** Null: no attached data is stored. */
    readonly attachedData: AttachedDataMapping | null;
    /** [custom-states]; null: nothing of user events is stored. */
    readonly userEvents: UserEventMapping | null;
    /** gls-acw-first, for switches that do not say otherwise. */
    readonly glsAcwFirst: boolean;
    readonly glsActiveReasonCodes: boolean;
    /** Switches whose calls this instance does not record: GSYS_DNPREMOTELOCATION. */
    readonly remoteLocations: readonly string[];
    /** is-link-timeout */
    readonly linkTimeoutSeconds: number;
  };
  readonly queue: QueueConfig;
  readonly idb: IdbConfig;
  readonly purge: PurgeConfig;
  readonly http: HttpConfig;
  readonly log: { readonly level: LogLevel };
  readonly sources: readonly SourceConfig[];
}

export interface InstanceConfig {
  readonly name: string;
  /** DBID of this ICON application; told to tevent servers and kept in marks. */
  readonly dbid: number;
  /** Absolute. The queue, and by default the IDB, live in it. */
  readonly dataDir: string;
}

export interface QueueConfig {
  readonly segmentBytes: number;
  /** Applied records younger than this are kept, so that an IDB can be rebuilt from them. */
  readonly retentionMs: number;
  /** Upper bound of the queue on disk; beyond it applied segments go before their age. */
  readonly retentionBytes: number;
  /** What the persistent queue leaves free on its disk, for the IDB to drain the backlog with. */
  readonly reserveBytes: number;
}

export interface IdbConfig {
  /** Absolute. */
  readonly path: string;
  /** Length of a ledger window in source time; decides only when an IDB is made. */
  readonly windowSeconds: number;
  /** What the WAL may grow to while somebody reads. */
  readonly walLimitBytes: number;
  /** How often all of it is looked through for damage; null: never. */
  readonly checkEveryMs: number | null;
}

export interface PurgeConfig {
  /** Calls that ended longer ago than this are deleted, by whole days; null: none is. */
  readonly keepMs: number | null;
  /** When, milliseconds since midnight UTC. */
  readonly atMs: number;
  /** Also what no other copy is known to hold. */
  readonly isEvenIfOnlyCopy: boolean;
}

export interface HttpConfig {
  /** Null: no HTTP side. Port 0 lets the system choose. Not on loopback only with tokens, and with TLS or on request. */
  readonly listen: Address | null;
  /** What a Host header may name beside loopback and the address listened on; lower case, without a port. */
  readonly names: readonly string[];
  /** Absolute; null: whoever reaches the address may read. */
  readonly tokenFile: string | null;
  /** Null: plain HTTP. */
  readonly tls: CertificateFiles | null;
  /** The other instance of the pair, asked for display and for `stop-safe` alone; null: not said. */
  readonly peer: PeerConfig | null;
}

/** How the other instance is asked. Absolute paths; what is in the files is never part of a Config (see config/credentials.ts). */
export interface PeerConfig {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Null: without a token. */
  readonly tokenFile: string | null;
  /** The authorities that are believed; null: those that the runtime brings along. */
  readonly caFile: string | null;
}

/** Absolute paths of PEM files; what is in them is never part of a Config (see config/certificates.ts). */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface SourceConfig {
  readonly identity: SourceIdentity;
  /** The pair's servers, in the order in which they are tried; at least one. */
  readonly addresses: readonly Address[];
  readonly options: ProjectionOptions;
  /** What the switch's options say of agents; null: what [callconcentrator] says. */
  readonly agents: { readonly isAcwOfFirstCall: boolean | null } & Pick<
    AgentOptions,
    "isBusyOverAcw" | "sessionSecondsMax" | "idleSecondsMax"
  >;
  readonly credentials: SourceCredentials;
  /** Null: plain TCP. */
  readonly tls: SourceTls | null;
  /** Silence after which the link counts as dead; null: three of the source's heartbeats. */
  readonly silenceMs: number | null;
  readonly reconnect: { readonly minMs: number; readonly maxMs: number };
}

/** TLS to a source: where its files are. Absolute paths; what is in them is never part of a Config (see config/certificates.ts). */
export interface SourceTls {
  /** The authorities that are believed; null: those that the runtime brings along. */
  readonly caFile: string | null;
  /** Mutual TLS. */
  readonly client: CertificateFiles | null;
  /** The name that the certificate must be for; null: the host of the address. */
  readonly serverName: string | null;
}

/** Where a source's secrets are; the secrets themselves are never part of a Config (see config/credentials.ts). */
export type SourceCredentials =
  | { readonly kind: "none" }
  /** tevent: a file whose first line is the token. Absolute path. */
  | { readonly kind: "token"; readonly tokenFile: string }
  /** ami: a TOML file with `username` and `secret`. Absolute path. */
  | { readonly kind: "login"; readonly credentialsFile: string };

export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly ConfigWarning[];
}

/**
 * Reads and judges the configuration file at `path`; relative paths in it are resolved against its folder. Reads the
 * credentials files it names, creates nothing. Throws ConfigError with every problem there is.
 */
export function loadConfig(path: string): LoadedConfig {
  const file = resolve(path);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    throw new ConfigError(file, [unreadable(cause)], [], { cause });
  }
  return judgeConfig(text, file);
}

/** As loadConfig, for a text that is at hand; `file` gives the folder for relative paths and the name in messages. */
export function judgeConfig(text: string, file: string): LoadedConfig {
  const verdict = judge(text, dirname(resolve(file)));
  if (verdict.config === null) throw new ConfigError(file, verdict.problems, verdict.warnings);
  return { config: verdict.config, warnings: verdict.warnings };
}

/** The part of the configuration that rows depend on, as the marks of the persistent queue hold it. */
export function projectionConfiguration(config: Config): ProjectionConfiguration {
  const { role, attachedData, userEvents, remoteLocations, linkTimeoutSeconds } = config.callconcentrator;
  const isInterSiteDefault =
    remoteLocations.length === 0 && linkTimeoutSeconds === interSiteDefaults.linkTimeoutSeconds;
  return {
    role,
    sources: config.sources.map((source) => ({
      ...source.identity,
      options: { ...source.options, agents: agentOptions(config, source) },
    })),
    // As an earlier version had it while there is none.
    ...(attachedData !== null && { attachedData }),
    ...(userEvents !== null && { userEvents }),
    ...(!isInterSiteDefault && { interSite: { remoteLocations, linkTimeoutSeconds } }),
  };
}

/** The switch's own word goes before the instance's [S: Agent States]. */
function agentOptions({ callconcentrator }: Config, { agents }: SourceConfig): AgentOptions {
  return {
    ...agents,
    isAcwOfFirstCall: agents.isAcwOfFirstCall ?? callconcentrator.glsAcwFirst,
    writesActiveReasons: callconcentrator.glsActiveReasonCodes,
  };
}

function unreadable(cause: unknown): ConfigProblem {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return {
    line: null,
    column: null,
    key: null,
    value: null,
    problem: `the file cannot be read: ${reason}`,
    expected: "a readable UTF-8 file; `icon init` writes one",
  };
}
