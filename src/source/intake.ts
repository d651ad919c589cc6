// The one place where arrivals become envelopes and go into the persistent queue, in order. It keeps the intake state
// in step with what it appended: the state excludes the record being appended, for a segment head that said more than
// the records before it would let a restart resume past what a power cut took.

import type { Clock } from "../clock.ts";
import {
  decodeEnvelope,
  type Envelope,
  EnvelopeError,
  encodeFrameHeader,
  encodeMark,
  type FrameEnvelope,
  type Mark,
  type MarkEnvelope,
  type SessionEndCause,
  type SessionId,
} from "../event/envelope.ts";
import { type ArrivalInstant, arrivalInstant } from "../event/instant.ts";
import { decodeHead, encodeHead, type IntakeState, type SourceIntake } from "../event/intake-state.ts";
import { type Log, silentLog } from "../log.ts";
import { noteSequence, type SequenceNote } from "../protocol/tevent/line.ts";
import { HostClock } from "./host-clock.ts";

/** Where arrivals go: the persistent queue, as far as sources need it. */
export interface ArrivalSink {
  /** Takes a record in, in order, its payload in one piece or two; it is durable later. Keeps neither piece. */
  append(head: Uint8Array, body?: Uint8Array): bigint;
  /** Resolves once everything up to this position is on disk. */
  durable(position: bigint): Promise<void>;
  /**
   * Calls `listener` each time that more is on disk, with the last such position, before `durable` resolves. Returns what
   * ends that.
   */
  onDurable(listener: (position: bigint) => void): () => void;
  /** False: more is waiting for the disk than should; stop reading sockets until `room` resolves. */
  readonly hasRoom: boolean;
  room(): Promise<void>;
}

/** Null for what no version of ours wrote: the projector keeps and counts it, and a start does not stumble over it. */
function readEnvelope(payload: Uint8Array): Envelope | null {
  try {
    return decodeEnvelope(payload);
  } catch (error) {
    if (error instanceof EnvelopeError) return null;
    throw error;
  }
}

// Changed in place: this is touched once per frame, on the way to the disk.
type OpenIntake = { -readonly [K in keyof SourceIntake]: SourceIntake[K] };

export interface Appended {
  readonly position: bigint;
  readonly note: SequenceNote;
}

const noSequence: SequenceNote = { kind: "none" };

export class Intake {
  readonly #clock: HostClock;
  readonly #log: Log;
  readonly #sources = new Map<string, OpenIntake>();
  readonly #bySession = new Map<SessionId, OpenIntake>();
  #sink: ArrivalSink | null = null;
  #lastSession = 0;
  #lastPosition = 0n;
  #started: IntakeState["started"] = null;

  constructor(clock: Clock, log: Log = silentLog) {
    this.#clock = new HostClock(clock);
    this.#log = log;
  }

  /** Folds what an earlier run of the instance left: the last segment's head and the records since. */
  recover(head: Uint8Array, records: Iterable<{ readonly payload: Uint8Array }>): void {
    const state = decodeHead(head);
    this.#lastSession = state.lastSession;
    this.#started = state.started;
    for (const [name, source] of Object.entries(state.sources)) this.#keep(name, { ...source });
    for (const { payload } of records) {
      const envelope = readEnvelope(payload);
      if (envelope === null) continue;
      if (envelope.kind === "frame") this.#foldFrame(envelope);
      else this.#foldMark(envelope);
    }
  }

  /** From now on arrivals go there. */
  attach(sink: ArrivalSink): void {
    this.#sink = sink;
  }

  /** The state as of the last record appended, for the head of the segment that begins after it. */
  head(): Uint8Array {
    return encodeHead({
      lastSession: this.#lastSession,
      started: this.#started,
      sources: Object.fromEntries(this.#sources),
    });
  }

  get sink(): ArrivalSink {
    if (this.#sink === null) throw new Error("Cannot take arrivals in: no persistent queue is attached");
    return this.#sink;
  }

  /** What the last start found in this persistent queue said of its id; null: there was none. */
  get queueIdBefore(): string | null {
    return this.#started?.mark.queueId ?? null;
  }

  /** Of the last record appended; 0: none yet. */
  get lastPosition(): bigint {
    return this.#lastPosition;
  }

  source(name: string): SourceIntake | undefined {
    return this.#sources.get(name);
  }

  /** Appends a mark; session 0 for one that belongs to no session. */
  mark(mark: Mark, session = 0 as SessionId): bigint {
    const envelope: MarkEnvelope = { kind: "mark", session, arrivedAt: this.now(), mark };
    this.#lastPosition = this.sink.append(encodeMark(envelope));
    this.#foldMark(envelope);
    return this.#lastPosition;
  }

  /** Opens a session and gives it its id: seconds since 1970, or one more than the last, whichever is greater. */
  openSession(mark: Extract<Mark, { mark: "session opened" }>): SessionId {
    const session = Math.max(this.#lastSession + 1, Math.floor(this.now() / 1000)) as SessionId;
    this.mark(mark, session);
    return session;
  }

  closeSession(session: SessionId, source: string, cause: SessionEndCause, detail: string | null): bigint {
    return this.mark({ mark: "session closed", source, cause, detail }, session);
  }

  /**
   * When what is appended now has arrived. One instant serves for all frames of a chunk: they came together. If this
   * host's clock has stepped since the last time, a mark says so first.
   */
  now(): ArrivalInstant {
    const stepMs = this.#sink === null ? null : this.#clock.takeStep();
    if (stepMs !== null) {
      this.#log.warn("this host's clock stepped", { stepMs });
      this.mark({ mark: "host clock stepped", stepMs });
    }
    return arrivalInstant(this.#clock.now());
  }

  /** Appends a frame of a session, and says what it tells of sequence numbers. */
  frame(session: SessionId, frame: Uint8Array, isCut: boolean, arrivedAt = this.now()): Appended {
    const source = this.#bySession.get(session);
    if (source === undefined) throw new Error(`Cannot take a frame in: session ${session} is not open`);
    const envelope: FrameEnvelope = {
      kind: "frame",
      session,
      arrivedAt,
      arrivalNumber: source.arrivalNumber + 1,
      isCut,
      frame,
    };
    this.#lastPosition = this.sink.append(encodeFrameHeader(envelope), frame);
    return { position: this.#lastPosition, note: this.#foldFrame(envelope) };
  }

  #keep(name: string, source: OpenIntake): void {
    const before = this.#sources.get(name);
    if (before !== undefined) this.#bySession.delete(before.session);
    this.#sources.set(name, source);
    this.#bySession.set(source.session, source);
  }

  #foldMark({ session, arrivedAt, mark }: MarkEnvelope): void {
    switch (mark.mark) {
      case "instance started":
        this.#started = { arrivedAt, mark };
        return;
      case "configuration in force": {
        // A reader that begins at a later segment is to start with what is in force there.
        if (this.#started === null) return;
        const { role, sources, configurationHash } = mark;
        this.#started = { ...this.#started, mark: { ...this.#started.mark, role, sources, configurationHash } };
        return;
      }
      case "session opened": {
        const before = this.#sources.get(mark.source);
        this.#lastSession = Math.max(this.#lastSession, session);
        this.#keep(mark.source, {
          session,
          openedAt: arrivedAt,
          opened: mark,
          isOpen: true,
          arrivalNumber: 0,
          run: mark.run,
          contiguous: before?.run === mark.run && before.opened.dbid === mark.dbid ? before.contiguous : null,
        });
        return;
      }
      case "session closed": {
        const source = this.#bySession.get(session);
        if (source !== undefined) source.isOpen = false;
        return;
      }
      case "switch disconnected": {
        const source = this.#bySession.get(session);
        if (source !== undefined) source.switchLostAt = arrivedAt;
        return;
      }
      case "instance stopped":
      case "history trimmed early":
      case "list requested":
      case "host clock stepped":
      case "clock difference":
      case "no primary":
      case "two primaries":
      case "idb lost":
      case "idb back":
        return;
    }
  }

  #foldFrame(envelope: FrameEnvelope): SequenceNote {
    const source = this.#bySession.get(envelope.session);
    if (source === undefined) {
      // The record that opened it is damaged: its id is taken all the same.
      this.#lastSession = Math.max(this.#lastSession, envelope.session);
      return noSequence;
    }
    source.arrivalNumber = envelope.arrivalNumber;
    if (source.run === null) return noSequence;
    const note = noteSequence(envelope.frame, envelope.isCut);
    // The contiguous prefix grows by the next number only; a snapshot's end covers everything before it.
    if (note.kind === "snapshot end") source.contiguous = note.lastSeq;
    else if (note.kind === "event" && note.sequence === (source.contiguous ?? 0) + 1) source.contiguous = note.sequence;
    return note;
  }
}
