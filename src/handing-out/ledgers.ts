// The ledgers that a question about availability is answered from: the own IDB's, and the peer's where there is one. A
// peer that does not answer costs its own word and no more.

import { systemClock } from "../clock.ts";
import { type Availability, judge, LedgersDifferError } from "../extraction/availability.ts";
import type { CopyAnswer } from "../extraction/availability-answer.ts";
import { CopyError, type Ledger, type LedgerQuestion, type Stretch } from "../extraction/copy.ts";
import { HttpCopy } from "../extraction/http-copy.ts";
import { IdbCopy } from "../extraction/idb-copy.ts";
import { neededStretch } from "../extraction/read-ledgers.ts";
import { instanceAccess } from "./instance-access.ts";
import type { Errand } from "./question.ts";

/** What the own copy is called in answers. */
export const ownName = "own";
// Who asked waits for no more than some seconds, and the peer's may be the way that is cut.
const peerMsMax = 8_000;

export interface Judged {
  readonly availability: Availability;
  /** Names of the copies that were judged, in the order of the verdicts. */
  readonly names: readonly string[];
  /** All copies that were asked. */
  readonly copies: readonly CopyAnswer[];
  /** Of the judged copies. */
  readonly ledgers: readonly Ledger[];
  /** Of this stretch their windows were read. */
  readonly read: Stretch;
  /** Null: it answered, or there is none. */
  readonly peerTrouble: PeerTrouble | null;
  /** As the peer calls itself; null: there is none, or it was not heard. */
  readonly peerName: string | null;
}

/** Why the peer's ledger is not part of it. */
export interface PeerTrouble {
  /** It does not answer; otherwise it does, and cannot be used. */
  readonly isSilent: boolean;
  /** A clause. */
  readonly reason: string;
}

/** Throws CopyError when the own IDB cannot be read, or not in this measure. */
export async function judgeLedgers(
  { idbPath, peer }: Pick<Errand, "idbPath" | "peer">,
  stretch: Stretch,
  windowsMax: number,
): Promise<Judged> {
  await using own = new IdbCopy(idbPath);
  await using other = peer === null ? null : new HttpCopy(instanceAccess(peer));
  const heard = other === null ? null : new PeerLedgers(other);
  // Both at once, and twice: what reaches into the stretch from far away is seen in the first answers.
  const [ownOutline, peerOutline] = await Promise.all([own.ledger(outline(stretch)), heard?.ledger(outline(stretch))]);
  const read = neededStretch([ownOutline, ...(peerOutline == null ? [] : [peerOutline])], stretch);
  const [ledger, peerLedger] = await Promise.all([
    boundedLedger(own, { stretch: read, changedAfter: null }, windowsMax),
    peerOutline == null ? null : heard?.ledger({ stretch: read, changedAfter: null }),
  ]);
  const copies: CopyAnswer[] = [{ name: ownName, identity: ledger.identity, problem: null }];
  const alone = { availability: judge([ledger], stretch, read), names: [ownName], ledgers: [ledger], read };
  if (heard === null || other === null) return { ...alone, copies, peerTrouble: null, peerName: null };
  const [name, peerName] = [other.name, other.instanceName];
  if (peerLedger == null) {
    copies.push({ name, identity: null, problem: heard.trouble?.reason ?? null });
    return { ...alone, copies, peerTrouble: heard.trouble, peerName };
  }
  try {
    const ledgers = [ledger, peerLedger];
    const availability = judge(ledgers, stretch, read);
    copies.push({ name, identity: peerLedger.identity, problem: null });
    return { availability, names: [ownName, name], copies, ledgers, read, peerTrouble: null, peerName };
  } catch (error) {
    if (!(error instanceof LedgersDifferError)) throw error;
    copies.push({ name, identity: peerLedger.identity, problem: error.message });
    return { ...alone, copies, peerTrouble: { isSilent: false, reason: error.message }, peerName };
  }
}

/** Without windows: nothing has changed after all that will ever be. */
function outline(stretch: Stretch): LedgerQuestion {
  return { stretch, changedAfter: Number.MAX_SAFE_INTEGER };
}

/** Throws CopyError for a stretch with more windows than can be judged at once. */
export async function boundedLedger(copy: IdbCopy, question: LedgerQuestion, windowsMax: number): Promise<Ledger> {
  if ((await copy.countWindows(question, windowsMax)) > windowsMax) {
    throw new CopyError(
      "lasting",
      `The ledger has more than ${windowsMax} windows in this stretch; ask for a shorter one`,
    );
  }
  return copy.ledger(question);
}

/** The peer's answers, as long as it gives them. */
class PeerLedgers {
  /** Null: it has answered so far. */
  trouble: PeerTrouble | null = null;
  readonly #copy: HttpCopy;
  readonly #startedAt = systemClock.monotonic();

  constructor(copy: HttpCopy) {
    this.#copy = copy;
  }

  /** Null: `trouble` says why. */
  async ledger(question: LedgerQuestion): Promise<Ledger | null> {
    const late = Promise.withResolvers<null>();
    const leftMs = Math.max(0, peerMsMax - (systemClock.monotonic() - this.#startedAt));
    const cancel = systemClock.after(leftMs, () => {
      this.trouble ??= { isSilent: true, reason: `it does not answer within ${peerMsMax / 1000} s` };
      late.resolve(null);
      void this.#copy[Symbol.asyncDispose]();
    });
    const asked = this.#copy.ledger(question).catch((error: unknown) => {
      if (!(error instanceof CopyError)) throw error;
      const reason = clauseOf(error, `Cannot read ${this.#copy.name}`);
      this.trouble ??= { isSilent: error.kind === "passing", reason };
      return null;
    });
    try {
      return await Promise.race([asked, late.promise]);
    } finally {
      cancel();
    }
  }
}

/** What is wrong, without what we were doing: that is said beside it. */
export function clauseOf({ message }: CopyError, doing: string): string {
  return message.startsWith(`${doing}: `) ? message.slice(doing.length + 2) : message;
}
