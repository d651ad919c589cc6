// The certificate of the HTTP side. It is read again every minute and when the configuration is; a new one is for new
// connections, and those there are go on. What cannot be used changes nothing, and is said once, and on the page.

import { createSecureContext, type SecureContext } from "node:tls";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { CertificateStatus } from "./report.ts";

export interface ReadCertificate {
  /** PEM, with its chain. */
  readonly certificate: string;
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface CertificateOptions {
  /** The files as they are now. Throws with a sentence for the log when they cannot be used. */
  readonly read: () => ReadCertificate;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const rereadEveryMs = 60_000;
const dayMs = 86_400_000;
// Certificates that are renewed by machine have been renewed by then.
const warnDaysMin = 14;

export class Certificate {
  readonly #options: CertificateOptions;
  #inUse: ReadCertificate;
  #context: SecureContext;
  #problem: string | null = null;
  #daysWarned = Number.POSITIVE_INFINITY;

  /** Throws what reading the files throws. */
  constructor(options: CertificateOptions) {
    this.#options = options;
    this.#inUse = options.read();
    this.#context = contextOf(this.#inUse);
    this.#warnOfEnd();
    this.#schedule();
  }

  /** For the next connection. */
  get context(): SecureContext {
    return this.#context;
  }

  status(): CertificateStatus {
    return { notAfter: this.#inUse.notAfter, problem: this.#problem };
  }

  /** Reads the files again. */
  renew(): void {
    const { clock, log, read } = this.#options;
    try {
      const next = read();
      const isSame = next.certificate === this.#inUse.certificate && next.key === this.#inUse.key;
      if (!isSame) {
        const now = clock.now();
        if (now > next.notAfter) throw new Error("The new certificate has expired");
        if (now < next.notBefore) throw new Error("The new certificate does not hold yet");
        this.#context = contextOf(next);
        this.#inUse = next;
        this.#daysWarned = Number.POSITIVE_INFINITY;
        log.info("certificate renewed", { notAfter: new Date(next.notAfter).toISOString() });
      }
      this.#problem = null;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== this.#problem) log.warn("certificate not renewed, the one before it stays in use", { problem });
      this.#problem = problem;
    }
    this.#warnOfEnd();
  }

  /** Once a day at most. */
  #warnOfEnd(): void {
    const days = Math.floor((this.#inUse.notAfter - this.#options.clock.now()) / dayMs);
    if (days >= warnDaysMin || days >= this.#daysWarned) return;
    this.#daysWarned = days;
    this.#options.log.warn(days < 0 ? "certificate has expired" : "certificate expires soon", { daysLeft: days });
  }

  #schedule(): void {
    const { clock, signal } = this.#options;
    const cancel = clock.after(rereadEveryMs, () => {
      signal.removeEventListener("abort", cancel);
      this.renew();
      this.#schedule();
    });
    signal.addEventListener("abort", cancel, { once: true });
  }
}

function contextOf({ certificate, key }: ReadCertificate): SecureContext {
  return createSecureContext({ cert: certificate, key, minVersion: "TLSv1.2" });
}
