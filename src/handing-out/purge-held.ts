// What may be purged: as far as the other instance is known to hold what this one has. Pure but for the ledgers, which come
// a part at a time, so that a year of them is never in memory at once.
//
// 1. A window with events is held elsewhere when the peer has it whole, or has the very same events as this IDB, whatever
//    both may lack; and has not purged it itself. Windows without events have nothing to lose.
// 2. The schedules of both instances delete what is older than each is to keep: that the peer has purged a window, which it
//    might because this one held it, keeps this one's schedule from nothing. Whatever else the peer lacks of it does. A
//    command is of somebody who may not know that this is the last copy, and is refused.
// 3. What this IDB has purged already is not asked about again.

import type { Clock } from "../clock.ts";
import type { JudgedStretch, SourceKey } from "../extraction/availability.ts";
import { causeClauses } from "../extraction/cause-words.ts";
import { allTime, type Stretch } from "../extraction/copy.ts";
import { IdbCopy } from "../extraction/idb-copy.ts";
import { purgedUntilMs } from "../extraction/purge.ts";
import { partsOf } from "../extraction/read-ledgers.ts";
import { sourceExtents } from "../extraction/source-extent.ts";
import { agreementOf, isWhole, type Verdict } from "../extraction/verdict.ts";
import { type Judged, judgeLedgers } from "./ledgers.ts";
import type { Errand, Question } from "./question.ts";

export interface Held {
  /** Milliseconds: up to here another copy holds all that this one has; `before` when that is all. */
  readonly untilMs: number;
  /** What this IDB has begins here. */
  readonly fromMs: number;
  /** This IDB has purged up to here already; null: nothing. */
  readonly purgedUntilMs: number | null;
  /** Why not further, as a sentence; null: as far as was asked. */
  readonly reason: string | null;
}

// A part is judged in some tens of milliseconds, and asks the peer once.
const windowsPerPart = 1500;

type PurgeQuestion = Extract<Question, { what: "purge" }>;
type PurgedBy = PurgeQuestion["by"];

export interface HeldBounds {
  readonly windowsMax: number;
  /** Whoever asks waits: what could not be judged by then is another question. */
  readonly msMax: number;
}

/** With `isEvenIfOnlyCopy` nobody else is asked. Throws CopyError when the own IDB cannot be read. */
export async function heldElsewhere(
  errand: Pick<Errand, "idbPath" | "peer">,
  { before: beforeMs, isEvenIfOnlyCopy, by }: Omit<PurgeQuestion, "what">,
  bounds: HeldBounds,
  clock: Clock,
): Promise<Held> {
  const startedAt = clock.monotonic();
  const own = new IdbCopy(errand.idbPath);
  const { marks } = await own.ledger({ stretch: allTime, changedAfter: Number.MAX_SAFE_INTEGER });
  const purged = purgedUntilMs(marks);
  const extents = await sourceExtents([own]);
  const windowSeconds = extents[0]?.windowSeconds ?? 60;
  const from = Math.min(beforeMs / 1000, ...extents.map(({ known }) => known.from - windowSeconds));
  const answer = (untilMs: number, reason: string | null): Held => ({
    untilMs,
    fromMs: from * 1000,
    purgedUntilMs: purged,
    reason,
  });
  if (isEvenIfOnlyCopy) return answer(beforeMs, null);
  const parts = partsOf(
    { from: Math.max(from, (purged ?? 0) / 1000), until: beforeMs / 1000 },
    windowSeconds * windowsPerPart,
  );
  for (const part of parts) {
    if (errand.peer === null) return answer(part.from * 1000, "No peer is configured, so no other copy is known.");
    if (clock.monotonic() - startedAt > bounds.msMax) {
      return answer(part.from * 1000, `It could not be judged further within ${bounds.msMax / 1000} s.`);
    }
    const judged = await judgeLedgers(errand, part, bounds.windowsMax);
    const missed = firstNotHeld(judged, part, by);
    if (missed !== null) return answer(Math.floor(missed.fromMs / 1000) * 1000, missed.reason);
  }
  return answer(beforeMs, null);
}

/** Of the stretch that was judged; null: all of it is held by the other copy too, or the schedules of both delete it. */
export function firstNotHeld(
  { availability, peerTrouble, peerName, copies }: Judged,
  part: Stretch,
  by: PurgedBy,
): { readonly fromMs: number; readonly reason: string } | null {
  const peer = peerName ?? copies[1]?.name ?? "the other instance";
  if (copies[1]?.identity == null || peerTrouble !== null) {
    const why = peerTrouble?.reason ?? "it was not heard";
    return { fromMs: part.from * 1000, reason: `${peer} cannot be asked: ${why}.` };
  }
  let first: { readonly at: JudgedStretch; readonly names: readonly string[]; readonly source: SourceKey } | null =
    null;
  for (const { source, names, stretches } of availability.sources) {
    const at = stretches.find(({ from, until, verdict }) => {
      return until > part.from && from < part.until && !isHeld(verdict, by);
    });
    if (at !== undefined && (first === null || at.from < first.at.from)) first = { at, names, source };
  }
  if (first === null) return null;
  const { at, names, source } = first;
  const there = at.verdict.copies[1];
  const why =
    at.verdict.agreement === "divergent"
      ? "the two contradict each other"
      : `${peer}: ${there === undefined ? "nothing is known" : causeClauses(there).join(", ") || there.state}`;
  const name = names.join(", ") || `cluster ${source.cluster}, switch ${source.switchDbid}`;
  const reason = `No other copy is known to hold ${name} from ${secondText(at.from)} to ${secondText(at.until)} (${why}).`;
  return { fromMs: Math.max(at.from, part.from) * 1000, reason };
}

function isHeld({ copies: [own, peer] }: Verdict, by: PurgedBy): boolean {
  if (own === undefined || own.events === 0 || own.causes.includes("purged")) return true;
  if (peer === undefined) return false;
  const isPurged = peer.causes.includes("purged");
  if (isPurged && by !== "schedule") return false;
  const isPurgedAlone = isPurged && peer.causes.every((cause) => cause === "purged");
  if (isWhole(peer) || isPurgedAlone) return !isWhole(own) || agreementOf([own, peer]) !== "divergent";
  return own.digest !== null && peer.events === own.events && peer.digest === own.digest;
}

function secondText(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
