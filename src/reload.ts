// The configuration file is read again while the instance runs (SIGHUP). A file that is wrong changes nothing; of one
// that is right, what can change does, and what only a start can change is said by name and stays as it was.

import { isDeepStrictEqual } from "node:util";
import { type Config, ConfigError } from "./config.ts";
import type { Log } from "./log.ts";

export interface ReloadOutcome {
  /** What is in force from now on: the new file's word where it can be followed, else the present one's. */
  readonly config: Config;
  /** Keys whose new value is in force. */
  readonly changed: readonly string[];
  /** Keys whose new value waits for the next start. */
  readonly waiting: readonly string[];
}

// Everything else decides where things lie or who somebody is, which files and rows hold already.
const changeable = new Set([
  "log.level",
  "queue.retention_age",
  "queue.retention_bytes",
  "callconcentrator.role",
  "purge.keep",
  "purge.at",
  "purge.even_if_only_copy",
  "callconcentrator.adata-spec-name, adata-userdata-history, max-userdata-length",
  "custom-states",
  "callconcentrator.gls-acw-first",
  "callconcentrator.gls-active-reason-codes",
  "callconcentrator.remote-locations",
  "callconcentrator.is-link-timeout",
  "http.peer",
  "source",
]);

// Members whose key in the file is not their own name with underscores.
const keyOfMember: Readonly<Record<string, string>> = {
  "callconcentrator.attachedData": "callconcentrator.adata-spec-name, adata-userdata-history, max-userdata-length",
  "callconcentrator.userEvents": "custom-states",
  "callconcentrator.glsAcwFirst": "callconcentrator.gls-acw-first",
  "callconcentrator.glsActiveReasonCodes": "callconcentrator.gls-active-reason-codes",
  "callconcentrator.remoteLocations": "callconcentrator.remote-locations",
  "callconcentrator.linkTimeoutSeconds": "callconcentrator.is-link-timeout",
  "queue.retentionMs": "queue.retention_age",
  "queue.reserveBytes": "queue.reserve",
  "idb.windowSeconds": "idb.window",
  "idb.walLimitBytes": "idb.wal_limit",
  "idb.checkEveryMs": "idb.check_every",
  "purge.keepMs": "purge.keep",
  "purge.atMs": "purge.at",
  "purge.isEvenIfOnlyCopy": "purge.even_if_only_copy",
  "http.tokenFile": "http.tokens",
  "http.tls": "http.tls_certificate, http.tls_key",
  sources: "source",
};

/** Holds a configuration against the one in force. */
export function judgeReload(before: Config, after: Config): ReloadOutcome {
  const changed: string[] = [];
  const waiting: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [section, values] of Object.entries(after)) {
    const present = before[section as keyof Config] as unknown;
    if (Array.isArray(values)) {
      config[section] = pick(section, present, values);
      continue;
    }
    const members = { ...(present as object), ...values };
    config[section] = Object.fromEntries(
      Object.keys(members).map((member) => [
        member,
        pick(`${section}.${member}`, (present as Record<string, unknown>)[member], values[member]),
      ]),
    );
  }
  return { config: config as unknown as Config, changed, waiting };

  function pick(path: string, present: unknown, next: unknown): unknown {
    if (isDeepStrictEqual(present, next)) return present;
    const key = keyOfMember[path] ?? path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const isChangeable = changeable.has(key);
    (isChangeable ? changed : waiting).push(key);
    return isChangeable ? next : present;
  }
}

export interface ReloadingParts {
  readonly reload: ReloadRequests | undefined;
  readonly stop: AbortSignal;
  readonly log: Log;
  /** The configuration in force. */
  readonly now: () => Config;
  /** Rejects when the persistent queue fails. */
  readonly putInForce: (config: Config) => Promise<void>;
}

export interface ReloadRequests {
  /** Calls `listener` each time that somebody asks for it. Returns what ends that. */
  readonly onRequest: (listener: () => void) => () => void;
  /** Reads and judges the file anew. Throws ConfigError. */
  readonly load: () => Config;
  /** Told when a reload begins and ends, for whoever supervises the process. */
  readonly reloading?: (isUnderWay: boolean) => void;
}

/** One reload at a time; requests that come during one make one more after it. */
export class Reloading {
  readonly #parts: ReloadingParts;
  #isAsked = false;
  #underWay: Promise<void> | null = null;

  constructor(parts: ReloadingParts) {
    this.#parts = parts;
    const callOff = parts.reload?.onRequest(() => this.#ask());
    parts.stop.addEventListener("abort", () => callOff?.(), { once: true });
  }

  /** Resolves when no reload is under way. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  #ask(): void {
    this.#isAsked = true;
    this.#underWay ??= this.#run().finally(() => {
      this.#underWay = null;
    });
  }

  async #run(): Promise<void> {
    const { reload, stop, log } = this.#parts;
    while (this.#isAsked && reload !== undefined && !stop.aborted) {
      this.#isAsked = false;
      reload.reloading?.(true);
      try {
        await this.#once(reload);
      } catch (error) {
        // A persistent queue that failed ends the instance by itself; nothing is to be added here.
        log.error("configuration could not be put in force", { reason: error instanceof Error ? error.message : "" });
      } finally {
        reload.reloading?.(false);
      }
    }
  }

  async #once(reload: ReloadRequests): Promise<void> {
    const { log, now, putInForce } = this.#parts;
    let next: Config;
    try {
      next = reload.load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const { line, key, problem, expected } of error.problems) {
        log.error("configuration is wrong and stays as it was", { line, key, problem, expected });
      }
      return;
    }
    const { config, changed, waiting } = judgeReload(now(), next);
    for (const key of waiting) log.warn("configuration key changes at the next start only", { key });
    await putInForce(config);
    log.info("configuration in force", { changed: changed.join(", "), waiting: waiting.join(", ") });
  }
}
