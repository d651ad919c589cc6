// Who asks for a purge, and whether it may be: an operator over HTTP (icon purge), and the configuration's schedule. What may
// be is a mark in the persistent queue; what deletes rows obeys that (src/idb/purge-subjects.ts).

import type { Clock } from "./clock.ts";
import type { PurgeConfig } from "./config.ts";
import type { Mark } from "./event/envelope.ts";
import type { HandingOut } from "./handing-out/handing-out.ts";
import type { Held } from "./handing-out/purge-held.ts";
import type { Question } from "./handing-out/question.ts";
import type { Log } from "./log.ts";
import type { PurgeAnswer, PurgeOptions } from "./status/purge-route.ts";

type PurgeQuestion = Extract<Question, { readonly what: "purge" }>;
type PurgeMark = Extract<Mark, { readonly mark: "purge" }>;

export interface PurgesParts {
  readonly handingOut: HandingOut;
  /** Resolves when it is durable. */
  readonly mark: (mark: PurgeMark) => Promise<void>;
  /** As it is in force. */
  readonly config: () => PurgeConfig;
  readonly clock: Clock;
  readonly log: Log;
}

const dayMs = 86_400_000;
// What another copy does not hold yet, it may hold soon.
const againMs = 3_600_000;

export class Purges {
  readonly #parts: PurgesParts;
  /** Of the schedule: what was asked for last, and when it is worth another look. */
  #scheduled = { before: 0, notBefore: 0 };

  constructor(parts: PurgesParts) {
    this.#parts = parts;
  }

  /** Of what ended before this time, milliseconds since 1970, whole seconds. Never rejects for what an operator can mend. */
  async ask(
    before: number,
    options: PurgeOptions & { readonly by: PurgeMark["by"] },
    gone: AbortSignal,
  ): Promise<PurgeAnswer> {
    const { clock, log } = this.#parts;
    const { isEvenIfOnlyCopy, isDryRun, by } = options;
    if (before > clock.now()) {
      return {
        kind: "refused",
        isPassing: false,
        heldUntil: null,
        reason: "It lies in the future; expected a time that has passed.",
      };
    }
    const held = await this.#held({ before, isEvenIfOnlyCopy, by }, gone);
    if ("kind" in held) return held;
    if (held.purgedUntilMs !== null && held.purgedUntilMs >= before) return { kind: "done before" };
    if (held.untilMs < before) {
      const heldUntil = held.untilMs > (held.purgedUntilMs ?? held.fromMs) ? held.untilMs : null;
      return { kind: "refused", isPassing: false, heldUntil, reason: held.reason ?? "" };
    }
    if (isDryRun) return { kind: "would be asked for" };
    await this.#parts.mark({ mark: "purge", before, by, isUnconfirmed: isEvenIfOnlyCopy });
    log.info("purge asked for", { before: new Date(before).toISOString(), by, evenIfOnlyCopy: isEvenIfOnlyCopy });
    return { kind: "asked for" };
  }

  /** To be called every minute or so. */
  async keepSchedule(stop: AbortSignal): Promise<void> {
    const { keepMs, atMs, isEvenIfOnlyCopy } = this.#parts.config();
    if (keepMs === null) return;
    const now = this.#parts.clock.now();
    // Of the day whose time of day has come last.
    const today = Math.floor((now - atMs) / dayMs) * dayMs;
    const before = Math.floor((today - keepMs) / dayMs) * dayMs;
    if (before <= 0 || before <= this.#scheduled.before || now < this.#scheduled.notBefore) return;
    this.#scheduled = { ...this.#scheduled, notBefore: now + againMs };
    const options = { isEvenIfOnlyCopy, isDryRun: false, by: "schedule" } as const;
    const answer = await this.ask(before, options, stop);
    if (answer.kind !== "refused") {
      this.#scheduled = { before, notBefore: 0 };
      return;
    }
    this.#parts.log.warn("what is to be purged is not known to be held by another copy", {
      before: new Date(before).toISOString(),
      reason: answer.reason,
    });
    // As far as it is held; the rest is asked about again.
    if (answer.heldUntil !== null) await this.ask(answer.heldUntil, options, stop);
  }

  async #held(question: Omit<PurgeQuestion, "what">, gone: AbortSignal): Promise<Held | PurgeAnswer> {
    const answer = await this.#parts.handingOut.ask({ what: "purge", ...question }, gone);
    switch (answer.kind) {
      case "busy":
        return { kind: "refused", isPassing: true, heldUntil: null, reason: "Others are being answered; ask again." };
      case "refused":
        return { kind: "refused", isPassing: answer.isPassing, heldUntil: null, reason: answer.reason };
      case "answer":
        try {
          return (await new Response(answer.body).json()) as Held; // Written by the child, in the same version of the program.
        } catch {
          return {
            kind: "refused",
            isPassing: true,
            heldUntil: null,
            reason: "The ledgers could not be read to their end.",
          };
        }
    }
  }
}
