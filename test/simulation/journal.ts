// What the queue was given, position by position, and what must be true of it: the oracle's own memory, which no fault
// of the disk reaches.

import { decodeEnvelope, type Envelope } from "../../src/event/envelope.ts";
import type { Disk } from "../../src/queue/disk.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { promise } from "./finding.ts";
import type { Link } from "./network.ts";
import type { SimulatedServer } from "./server.ts";

/** What a frame says of its place in the stream, read by the oracle itself. */
interface Line {
  readonly text: string;
  readonly hello: { readonly dbid: number; readonly connection: number } | null;
  readonly event: number | null;
  readonly snapshotEnd: number | null;
}

/** The mark's word for Asterisk's manager. */
const dsTypeAsterisk = 101;

interface Entry {
  readonly payload: Uint8Array;
  readonly session: number;
  /** Null: a mark, or a message of Asterisk's manager. */
  readonly line: Line | null;
  readonly message: { readonly text: string; readonly isCut: boolean } | null;
  /** A mark that opened a session: of which source, and whether on the connection of the one before. */
  readonly opened: { readonly source: string; readonly goesOn: boolean } | null;
}

export class Journal {
  /** Position p at index p - 1. */
  #entries: Entry[] = [];
  /** The highest position that the queue ever called durable. */
  #promised = 0n;
  readonly rotten = new Set<bigint>();
  readonly #ofAsterisk = new Set<number>();

  get payloads(): readonly Uint8Array[] {
    return this.#entries.map(({ payload }) => payload);
  }

  /** Everything up to here was said to be durable. */
  get promised(): bigint {
    return this.#promised;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** Records of Asterisk's manager. */
  get messageCount(): number {
    return this.#entries.filter(({ message }) => message !== null).length;
  }

  append(position: bigint, payload: Uint8Array): void {
    promise(position === BigInt(this.#entries.length + 1), () => `position ${position} was given out twice or skipped`);
    const envelope = decodeEnvelope(payload);
    const { session } = envelope;
    if (envelope.kind === "mark") {
      const { mark } = envelope;
      // An id whose first mark a crash took is given out again, perhaps to another source.
      if (mark.mark === "session opened" && mark.dsType === dsTypeAsterisk) this.#ofAsterisk.add(session);
      else if (mark.mark === "session opened") this.#ofAsterisk.delete(session);
      this.#entries.push({ payload, session, line: null, message: null, opened: openedBy(envelope) });
      return;
    }
    const text = new TextDecoder().decode(envelope.frame);
    const isMessage = this.#ofAsterisk.has(session);
    this.#entries.push({
      payload,
      session,
      line: isMessage ? null : readLine(text),
      message: isMessage ? { text: text.trimEnd(), isCut: envelope.isCut } : null,
      opened: null,
    });
  }

  durable(position: bigint): void {
    if (position > this.#promised) this.#promised = position;
  }

  /** After a start: what a crash may take is cut off here as well; all else must be there, once, in order, unchanged. */
  reopened(queue: Queue, disk: Disk, directory: string): void {
    const end = queue.durablePosition;
    promise(end >= this.#promised, () => `position ${this.#promised} was durable, the queue ends with ${end}`);
    promise(end <= BigInt(this.#entries.length), () => `the queue ends with ${end}, only ${this.length} were appended`);
    this.#entries.length = Number(end);
    this.#promised = end;
    using reader = new QueueReader({ disk, directory });
    let next = reader.describe().firstPosition ?? 1n;
    reader.seek(next);
    while (next <= end) {
      const outcomes = reader.read(end, { recordsMax: 1000, bytesMax: 1024 * 1024 });
      promise(outcomes.length > 0, () => `position ${next} cannot be read`);
      for (const outcome of outcomes) {
        const from = outcome.kind === "record" ? outcome.position : outcome.from;
        promise(from === next, () => `position ${next} should follow, it is ${from}`);
        if (outcome.kind === "record") {
          const given = this.#entries[Number(from) - 1]?.payload ?? new Uint8Array(0);
          promise(Buffer.compare(given, outcome.payload) === 0, () => `position ${from} is not what was appended`);
          promise(!this.rotten.has(from), () => `position ${from} is rotten and was taken for good`);
          next = from + 1n;
          continue;
        }
        for (; next <= outcome.to; next++) {
          const lost = next;
          promise(
            this.rotten.has(lost),
            () => `position ${lost} cannot be read (${outcome.reason}), and was not rotten`,
          );
        }
      }
    }
  }

  /** The entries; one that opens a session on the connection of another says of which. */
  *#sessions(): Generator<{ readonly session: number; readonly before: number | null; readonly line: Line | null }> {
    const last = new Map<string, number>();
    for (const { session, line, opened } of this.#entries) {
      const before = opened?.goesOn ? (last.get(opened.source) ?? null) : null;
      if (opened !== null) last.set(opened.source, session);
      yield { session, before, line };
    }
  }

  /** Each session's frames are the beginning of what its connection carried: nothing twice, reordered, changed, made up. */
  checkStreams(servers: ReadonlyMap<number, SimulatedServer>, managers: readonly Link[]): void {
    this.#checkMessages(managers);
    const bySession = new Map<number, { readonly lines: readonly string[]; next: number }>();
    for (const { session, before, line } of this.#sessions()) {
      if (before !== null) {
        const earlier = bySession.get(before);
        if (earlier !== undefined) bySession.set(session, earlier);
      }
      if (line === null) continue;
      let stream = bySession.get(session);
      if (stream === undefined) {
        const { hello } = line;
        promise(hello !== null, () => `session ${session} does not begin with a hello`);
        const connection = servers.get(hello?.dbid ?? 0)?.connections[hello?.connection ?? -1];
        const text = new TextDecoder().decode(Buffer.concat(connection?.link.sent ?? []));
        stream = { lines: text.split("\n"), next: 0 };
        bySession.set(session, stream);
      }
      const sent = stream.lines[stream.next++]?.replace(/\r$/, "");
      promise(sent === line.text, () => `session ${session}: "${line.text}" was recorded, "${sent}" was sent`);
    }
  }

  #checkMessages(managers: readonly Link[]): void {
    const bySession = new Map<number, { readonly texts: readonly string[]; next: number }>();
    for (const { session, message } of this.#entries) {
      if (message === null) continue;
      let stream = bySession.get(session);
      if (stream === undefined) {
        const [, connection] = /^Connection: (\d+)$/m.exec(message.text.replaceAll("\r", "")) ?? [];
        promise(connection !== undefined, () => `session ${session} does not begin with the answer to its login`);
        const sent = new TextDecoder().decode(Buffer.concat(managers[Number(connection)]?.sent ?? []));
        // Behind the greeting, which is no message.
        stream = { texts: sent.slice(sent.indexOf("\n") + 1).split("\r\n\r\n"), next: 0 };
        bySession.set(session, stream);
      }
      const sent = stream.texts[stream.next++]?.trimEnd();
      const isSame = message.isCut ? sent?.startsWith(message.text) === true : sent === message.text;
      promise(isSame, () => `session ${session}: "${message.text}" was recorded, "${sent}" was sent`);
    }
  }

  /** What each server was told to be durable is here, and how many different events of it the IDB has to show. */
  checkAcknowledged(servers: ReadonlyMap<number, SimulatedServer>): Map<number, number> {
    const contiguous = new Map<string, number>();
    const applied = new Map<string, number>();
    const counts = new Map<number, number>();
    const runOf = new Map<number, { readonly dbid: number; readonly run: string }>();
    for (const { session, before, line } of this.#sessions()) {
      if (before !== null) {
        const earlier = runOf.get(before);
        if (earlier !== undefined) runOf.set(session, earlier);
      }
      if (line === null) continue;
      if (line.hello !== null) {
        const { dbid, connection } = line.hello;
        runOf.set(session, { dbid, run: servers.get(dbid)?.connections[connection]?.run ?? "" });
        continue;
      }
      const { dbid = 0, run = "" } = runOf.get(session) ?? {};
      const key = `${dbid} ${run}`;
      if (line.snapshotEnd !== null) {
        contiguous.set(key, line.snapshotEnd);
        applied.set(key, line.snapshotEnd);
      }
      if (line.event === null) continue;
      if (line.event === (contiguous.get(key) ?? 0) + 1) contiguous.set(key, line.event);
      if (line.event <= (applied.get(key) ?? 0)) continue;
      applied.set(key, line.event);
      counts.set(dbid, (counts.get(dbid) ?? 0) + 1);
    }
    for (const [dbid, server] of servers) {
      for (const [run, acknowledged] of server.acknowledged) {
        const held = contiguous.get(`${dbid} ${run}`) ?? 0;
        promise(
          held >= acknowledged,
          () => `event ${acknowledged} of run ${run} was acknowledged, the queue holds them up to ${held}`,
        );
      }
    }
    return counts;
  }
}

function openedBy(envelope: Envelope): Entry["opened"] {
  if (envelope.kind !== "mark" || envelope.mark.mark !== "session opened") return null;
  return { source: envelope.mark.source, goesOn: envelope.mark.isSwitchReconnection === true };
}

function readLine(text: string): Line {
  const nothing = { text, hello: null, event: null, snapshotEnd: null };
  let message: Record<string, unknown>;
  try {
    message = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return nothing;
  }
  if (message["hello"] !== undefined) {
    return { ...nothing, hello: { dbid: Number(message["dbid"]), connection: Number(message["connection"]) } };
  }
  if (message["snapshot"] === "end") return { ...nothing, snapshotEnd: Number(message["lastSeq"]) };
  const sequence = message["EventSequenceNumber"];
  if (message["id"] === undefined || sequence === undefined) return nothing;
  return { ...nothing, event: typeof sequence === "string" ? Number.parseInt(sequence, 16) : Number(sequence) };
}
