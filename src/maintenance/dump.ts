// Prints a persistent queue, one line a record or a segment. It only reads, so it may run beside the instance: there the
// end is the last record that is wholly written.

import { decodeEnvelope, type Envelope, EnvelopeError } from "../event/envelope.ts";
import { type ArrivalInstant, instantMsMax, timestampText } from "../event/instant.ts";
import type { QueueReader, ReadOutcome } from "../queue/reader.ts";

export interface DumpOptions {
  readonly isJson: boolean;
  /** First position to print; default the oldest there is. */
  readonly from: bigint | undefined;
  /** Last position to print; default the last whole record. */
  readonly to: bigint | undefined;
  /** How many lines at most. */
  readonly limit: number;
}

export interface DumpSummary {
  /** Lines of records. */
  readonly recordCount: number;
  /** Positions that cannot be read. */
  readonly damagedCount: number;
}

/** A record in words; what no version of ours wrote is shown as bytes. */
interface RecordWords {
  readonly time: string | null;
  readonly session: number | null;
  readonly kind: "frame" | "cut frame" | "mark" | "unknown";
  readonly body: { readonly text: string } | { readonly base64: string } | { readonly mark: unknown };
}

const bounds = { recordsMax: 10_000, bytesMax: 1024 * 1024 };
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The lines of the records, in order, damage among them. Throws QueueFormatError on what is not a queue of ours. */
export function* dumpRecords(reader: QueueReader, options: DumpOptions): Generator<string, DumpSummary, undefined> {
  const oldest = reader.describe().firstPosition ?? 1n;
  const last = reader.lastWholePosition();
  const to = options.to !== undefined && options.to < last ? options.to : last;
  reader.seek(options.from !== undefined && options.from > oldest ? options.from : oldest);
  let recordCount = 0;
  let damagedCount = 0;
  for (let lines = 0; lines < options.limit; ) {
    const outcomes = reader.read(to, bounds);
    if (outcomes.length === 0) break;
    for (const outcome of outcomes.slice(0, options.limit - lines)) {
      lines += 1;
      if (outcome.kind === "record") recordCount += 1;
      else damagedCount += Number(outcome.to - outcome.from + 1n);
      yield options.isJson ? jsonLine(outcome) : textLine(outcome);
    }
  }
  return { recordCount, damagedCount };
}

/** One line a segment. */
export function* dumpSegments(reader: QueueReader, { isJson }: Pick<DumpOptions, "isJson">): Generator<string> {
  const { queueId, segments } = reader.describe();
  for (const { path, firstPosition, isOpen, bytes, salt, head } of segments) {
    if (isJson) {
      const headBytes = head?.length ?? null;
      yield JSON.stringify({
        queueId,
        segment: path,
        firstPosition: Number(firstPosition),
        isOpen,
        bytes,
        salt,
        headBytes,
      });
    } else {
      const state = isOpen ? "open" : "sealed";
      const damage = salt === undefined ? "  header damaged" : head === undefined ? "  head damaged" : "";
      yield `${firstPosition}  ${state}  ${bytes} bytes  head ${head?.length ?? 0} bytes${damage}  ${path}`;
    }
  }
}

function textLine(outcome: ReadOutcome): string {
  if (outcome.kind === "damaged") {
    const { from, to, reason, segment, offset } = outcome;
    const positions = from === to ? `${from}` : `${from}–${to}`;
    return `${positions}  damaged (${reason})  ${segment} offset ${offset}`;
  }
  const { time, session, kind, body } = inWords(outcome.payload);
  const shown =
    "text" in body ? escaped(body.text) : "mark" in body ? JSON.stringify(body.mark) : `base64 ${body.base64}`;
  return `${outcome.position}  ${time ?? "-"}  ${session ?? "-"}  ${kind}  ${shown}`;
}

function jsonLine(outcome: ReadOutcome): string {
  if (outcome.kind === "damaged") {
    const { from, to, reason, segment, offset } = outcome;
    return JSON.stringify({ kind: "damaged", from: Number(from), to: Number(to), reason, segment, offset });
  }
  const { body, ...words } = inWords(outcome.payload);
  return JSON.stringify({ position: Number(outcome.position), ...words, ...body });
}

function inWords(payload: Uint8Array): RecordWords {
  let envelope: Envelope;
  try {
    envelope = decodeEnvelope(payload);
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error;
    return { time: null, session: null, kind: "unknown", body: { base64: payload.toBase64() } };
  }
  const time = timeText(envelope.arrivedAt);
  const { session } = envelope;
  if (envelope.kind === "mark") return { time, session, kind: "mark", body: { mark: envelope.mark } };
  return { time, session, kind: envelope.isCut ? "cut frame" : "frame", body: frameBody(envelope.frame) };
}

function frameBody(frame: Uint8Array): RecordWords["body"] {
  try {
    return { text: utf8.decode(frame) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // not UTF-8
    return { base64: frame.toBase64() };
  }
}

function timeText(instant: ArrivalInstant): string | null {
  return instant >= 0 && instant <= instantMsMax ? timestampText(instant) : null;
}

// One record, one line; and nothing that a source sent reaches the terminal as a command.
function escaped(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\\]/gu, (character) => JSON.stringify(character).slice(1, -1) || character);
}
