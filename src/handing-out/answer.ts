// What the child writes for each question.

import { type Clock, systemClock } from "../clock.ts";
import { summaryAnswer, windowsAnswer } from "../extraction/availability-answer.ts";
import { type Copy, CopyError, type CopyIdentity, type LedgerQuestion } from "../extraction/copy.ts";
import { endLine, headLine, ledgerLines, subjectLine } from "../extraction/copy-lines.ts";
import { explain, stretchAround } from "../extraction/explain.ts";
import { explanationAnswer } from "../extraction/explanation-answer.ts";
import { IdbCopy } from "../extraction/idb-copy.ts";
import type { Place } from "../idb/find-subjects.ts";
import type { SubjectsAsked } from "../idb/read-subjects.ts";
import { boundedLedger, judgeLedgers } from "./ledgers.ts";
import { type PairLines, pairLines } from "./pair.ts";
import { heldElsewhere } from "./purge-held.ts";
import type { Errand, Question } from "./question.ts";

export interface Answer {
  readonly form: "lines" | "json";
  readonly pieces: AsyncIterable<string>;
}

/** Bounds on one answer; whoever wants more asks again. */
export interface AnswerBounds {
  /** Windows of a ledger: they are in memory at once, some 500 bytes each. */
  readonly windowsMax: number;
  /** Calls and login sessions: after so many bytes or so long the answer ends, and says how to go on. */
  readonly bytesMax: number;
  readonly msMax: number;
}

export const answerBounds: AnswerBounds = {
  windowsMax: 200_000,
  bytesMax: 64 * 1024 * 1024,
  // A reader that takes a piece now and then would keep others from their turn for longer.
  msMax: 30_000,
};

// Whoever asks for a purge waits for it, and a connection for 15 s; the peer may take 8 s for one part.
const purgeMsMax = 5_000;

/** A CopyError thrown before the first piece is the answer; behind it, it is in the pieces. */
export function answer(errand: Errand, bounds = answerBounds, clock: Clock = systemClock): Answer {
  const { question, idbPath, instanceName } = errand;
  const copy = new IdbCopy(idbPath);
  switch (question.what) {
    case "identity":
      return { form: "lines", pieces: identityAnswer(copy, instanceName) };
    case "ledger":
      return { form: "lines", pieces: ledgerAnswer(copy, instanceName, question.ledger, bounds) };
    case "subjects":
      return { form: "lines", pieces: subjectsAnswer(copy, instanceName, question, { bounds, clock }) };
    case "availability":
    case "windows":
      return { form: "json", pieces: jsonOf(availabilityAnswer(errand, question, bounds)) };
    case "pair":
      return { form: "json", pieces: jsonOf(pairAnswer(errand, question, bounds)) };
    case "purge": {
      const { windowsMax } = bounds;
      const held = heldElsewhere(errand, question, { windowsMax, msMax: purgeMsMax }, clock);
      return { form: "json", pieces: jsonOf(held) };
    }
    case "explain":
      return { form: "json", pieces: jsonOf(explainAnswer(errand, question.at, bounds)) };
  }
}

async function* jsonOf(value: Promise<unknown>): AsyncGenerator<string> {
  yield `${JSON.stringify(await value)}\n`;
}

async function availabilityAnswer(
  errand: Errand,
  { what, stretch, source }: Question & { readonly what: "availability" | "windows" },
  { windowsMax }: AnswerBounds,
): Promise<unknown> {
  const { availability, names, copies } = await judgeLedgers(errand, stretch, windowsMax);
  const { windowSeconds, sources } = availability;
  const meant = source === null ? sources : sources.filter((each) => each.names.includes(source));
  if (source !== null && meant.length === 0) {
    const known = sources.flatMap((each) => each.names).join(", ");
    throw new CopyError(
      "lasting",
      `The ledger has nothing of a data source of this name in this stretch; expected ${known === "" ? "none" : `one of ${known}`}`,
    );
  }
  const chosen = { windowSeconds, sources: meant };
  const told = what === "windows" ? windowsAnswer(chosen, names) : summaryAnswer(chosen, names);
  return { ...stretch, windowSeconds, copies, sources: told };
}

async function explainAnswer(errand: Errand, at: number, { windowsMax }: AnswerBounds): Promise<unknown> {
  const { windowSeconds } = await new IdbCopy(errand.idbPath).identity();
  const { ledgers, read, names, copies } = await judgeLedgers(
    errand,
    stretchAround(at * 1000, windowSeconds),
    windowsMax,
  );
  const sources = explain({ ledgers, read }, at * 1000).map((each) => explanationAnswer(each, names));
  return { at, windowSeconds, copies, sources };
}

async function pairAnswer(
  errand: Errand,
  { stretch, sources }: Question & { readonly what: "pair" },
  { windowsMax }: AnswerBounds,
): Promise<PairLines> {
  return pairLines(await judgeLedgers(errand, stretch, windowsMax), stretch, sources);
}

async function* identityAnswer(copy: Copy, instanceName: string): AsyncGenerator<string> {
  yield headLine(await copy.identity(), instanceName);
  yield endLine({ end: "whole" });
}

async function* ledgerAnswer(
  copy: IdbCopy,
  instanceName: string,
  question: LedgerQuestion,
  { windowsMax }: AnswerBounds,
): AsyncGenerator<string> {
  const ledger = await boundedLedger(copy, question, windowsMax);
  yield headLine(ledger.identity, instanceName);
  yield* ledgerLines(ledger);
  yield endLine({ end: "whole" });
}

async function* subjectsAnswer(
  copy: IdbCopy,
  instanceName: string,
  asked: SubjectsAsked,
  { bounds: { bytesMax, msMax }, clock }: { readonly bounds: AnswerBounds; readonly clock: Clock },
): AsyncGenerator<string> {
  const startedAt = clock.monotonic();
  // Before the rows, so that what is said of the version holds for all of them.
  const identity: CopyIdentity = await copy.identity();
  yield headLine(identity, instanceName);
  let bytes = 0;
  let last: Place | null = null;
  try {
    for await (const { place, subject } of copy.placedSubjects(asked)) {
      if (last !== null && (bytes >= bytesMax || clock.monotonic() - startedAt >= msMax)) {
        yield endLine({ end: "cut", after: last });
        return;
      }
      const line = subjectLine(subject);
      bytes += line.length;
      last = place;
      yield line;
    }
  } catch (error) {
    if (!(error instanceof CopyError)) throw error;
    yield endLine({ end: "failed", kind: error.kind, reason: error.message });
    return;
  }
  yield endLine({ end: "whole" });
}
