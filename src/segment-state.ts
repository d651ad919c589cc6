// The live state as it was at the border between two segments of the persistent queue, kept beside the later one, so that
// a rebuild can begin there when the segments before are trimmed.
//
//   ICON live state 1 <crc32, 8 hex digits> <bytes that follow>\n
//   {"queueId":…,"segmentSalt":…,"position":"…","liveStateVersion":…,"windowSeconds":…,"rowSequence":…,"entries":…}\n
//   ["call","<key>",{…}]\n      one line an entity
//
// 1. It is what everything before `position` led to, and was committed to an IDB before it is written here. So it is a
//    function of the queue, as the IDB is.
// 2. The segment's salt stands in it: a queue that was put back from a copy gives positions out anew, and its segments
//    have other salts.
// 3. It is never needed: one that is missing, damaged or of another version costs a rebuild the windows up to the next.

import type { Log } from "./log.ts";
import { liveStateVersion } from "./projection/world.ts";
import { type BesideSegment, pathBeside, readBeside, writeBeside } from "./queue/beside.ts";
import type { Disk } from "./queue/disk.ts";
import type { SegmentDescription } from "./queue/reader.ts";

export const stateFormatVersion = 1;
export const stateSuffix = "state";

/** [kind, key, entity], as in the live state. */
export type StateEntry = readonly [kind: string, key: string, entity: unknown];

/** What a state must agree with to be used. */
export interface StatePlace {
  readonly queueId: string;
  /** Of the segment it is kept beside. */
  readonly segmentSalt: number;
  /** First position of that segment: the first that the state knows nothing of. */
  readonly position: bigint;
  /** Windows are part of the live state, and have the length of their IDB. */
  readonly windowSeconds: number;
}

export interface SegmentState extends StatePlace {
  /** Last value given out of the sequence behind row ids. */
  readonly rowSequence: number;
  readonly entries: readonly StateEntry[];
}

interface Header {
  readonly queueId: string;
  readonly segmentSalt: number;
  readonly position: string;
  readonly liveStateVersion: number;
  readonly windowSeconds: number;
  readonly rowSequence: number;
  readonly entries: number;
}

const firstLine = /^ICON live state (\d+) ([0-9a-f]{8}) (\d+)$/;
const newLine = 0x0a;

export function encodeState(place: StatePlace, rowSequence: number, entries: Iterable<StateEntry>): Uint8Array {
  const lines: string[] = [];
  for (const entry of entries) lines.push(JSON.stringify(entry));
  const header: Header = {
    ...place,
    position: String(place.position),
    liveStateVersion,
    rowSequence,
    entries: lines.length,
  };
  return framed(new TextEncoder().encode(`${[JSON.stringify(header), ...lines].join("\n")}\n`));
}

function framed(body: Uint8Array): Uint8Array {
  const checksum = Bun.hash.crc32(body).toString(16).padStart(8, "0");
  const first = new TextEncoder().encode(`ICON live state ${stateFormatVersion} ${checksum} ${body.length}\n`);
  return new Uint8Array(Buffer.concat([first, body]));
}

/** The state, or in words why it cannot be used at this place. */
export function decodeState(bytes: Uint8Array, place: StatePlace): SegmentState | string {
  const head = readHead(bytes, place);
  if (typeof head === "string") return head;
  const entries = textOf(head.rest)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as StateEntry);
  if (entries.length !== head.header.entries)
    return `it has ${entries.length} entities, expected ${head.header.entries}`;
  return { ...place, rowSequence: head.header.rowSequence, entries };
}

/** The same state, as one of the queue with this id; undefined when its bytes are not whole. */
export function stateOfQueue(bytes: Uint8Array, queueId: string): Uint8Array | undefined {
  const whole = readWhole(bytes);
  if (typeof whole === "string") return undefined;
  const head = new TextEncoder().encode(`${JSON.stringify({ ...whole.header, queueId })}\n`);
  return framed(new Uint8Array(Buffer.concat([head, whole.rest])));
}

/**
 * In words what is damaged in the state of this segment; null: nothing, or it is one of another version, which cannot be
 * judged here and is not used either.
 */
export function stateDamage(bytes: Uint8Array, place: Omit<StatePlace, "windowSeconds">): string | null {
  const end = bytes.indexOf(newLine);
  const [, version] = firstLine.exec(textOf(bytes.subarray(0, Math.max(0, end)))) ?? [];
  if (version !== undefined && Number(version) !== stateFormatVersion) return null;
  const whole = readWhole(bytes);
  if (typeof whole === "string") return whole;
  if (whole.header.liveStateVersion !== liveStateVersion) return null;
  const state = decodeState(bytes, { ...place, windowSeconds: whole.header.windowSeconds });
  return typeof state === "string" ? state : null;
}

/** The header of one whose bytes are whole and that belongs to this place, and what follows it; or in words why not. */
function readHead(
  bytes: Uint8Array,
  place: StatePlace,
): { readonly header: Header; readonly rest: Uint8Array } | string {
  const whole = readWhole(bytes);
  return typeof whole === "string" ? whole : (disagreement(whole.header, place) ?? whole);
}

function readWhole(bytes: Uint8Array): { readonly header: Header; readonly rest: Uint8Array } | string {
  const end = bytes.indexOf(newLine);
  const [, version, checksum, length] = firstLine.exec(textOf(bytes.subarray(0, Math.max(0, end)))) ?? [];
  if (version === undefined) return "it does not begin as a live state does";
  if (Number(version) !== stateFormatVersion)
    return `its format is version ${version}, this program reads ${stateFormatVersion}`;
  const body = bytes.subarray(end + 1);
  if (body.length !== Number(length)) return `it has ${body.length} bytes after its first line, expected ${length}`;
  if (Bun.hash.crc32(body).toString(16).padStart(8, "0") !== checksum) return "its checksum does not agree";
  const headEnd = body.indexOf(newLine);
  // Only this program writes it, and the checksum vouches for the bytes.
  const header = JSON.parse(textOf(body.subarray(0, headEnd))) as Header;
  return { header, rest: body.subarray(headEnd + 1) };
}

function disagreement(header: Header, place: StatePlace): string | null {
  if (header.queueId !== place.queueId) return `it belongs to queue ${header.queueId}`;
  if (header.position !== String(place.position)) return `it belongs to position ${header.position}`;
  if (header.segmentSalt !== place.segmentSalt) return "it belongs to another segment of the same first position";
  if (header.liveStateVersion !== liveStateVersion) {
    return `its live state is version ${header.liveStateVersion}, this program reads ${liveStateVersion}`;
  }
  if (header.windowSeconds !== place.windowSeconds) {
    return `its windows are ${header.windowSeconds} s long, those of the IDB ${place.windowSeconds} s`;
  }
  return null;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** The states beside the segments of one queue directory. */
export class SegmentStates {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #log: Log;

  constructor({ disk, directory, log }: { readonly disk: Disk; readonly directory: string; readonly log: Log }) {
    this.#disk = disk;
    this.#directory = directory;
    this.#log = log;
  }

  /** Whether one for this place is there and whole; one that is not is to be written again. */
  has(place: StatePlace): boolean {
    try {
      const bytes = readBeside(this.#file(place.position));
      return bytes !== undefined && typeof readHead(bytes, place) === "object";
    } catch {
      return false;
    }
  }

  /** On disk when it resolves. One that cannot be written is logged and does without: nothing needs it. */
  async write(position: bigint, bytes: Uint8Array): Promise<void> {
    try {
      await writeBeside(this.#file(position), bytes);
    } catch (error) {
      this.#log.warn("live state cannot be kept beside a segment", { position, reason: reasonOf(error) });
    }
  }

  /** Of the oldest segment that has one that can be used; those passed over are logged. */
  oldestUsable(
    segments: readonly SegmentDescription[],
    { queueId, windowSeconds }: Pick<StatePlace, "queueId" | "windowSeconds">,
  ): SegmentState | undefined {
    for (const { firstPosition: position, salt } of segments) {
      if (salt === undefined) continue;
      const state = this.read({ queueId, segmentSalt: salt, position, windowSeconds });
      if (typeof state === "object") return state;
      if (state !== undefined) {
        this.#log.warn("live state beside a segment is not used", { position, reason: state });
      }
    }
    return undefined;
  }

  /** Length of the windows that the newest whole state was kept with, seconds; null: none is there. */
  windowSeconds(segments: readonly SegmentDescription[]): number | null {
    for (const { firstPosition } of segments.toReversed()) {
      try {
        const bytes = readBeside(this.#file(firstPosition));
        const head = bytes && readWhole(bytes);
        if (typeof head === "object") return head.header.windowSeconds;
      } catch {
        // Unreadable: an older one will do.
      }
    }
    return null;
  }

  /** The state at this place; undefined when there is none, or in words why it cannot be used. */
  read(place: StatePlace): SegmentState | string | undefined {
    try {
      const bytes = readBeside(this.#file(place.position));
      return bytes === undefined ? undefined : decodeState(bytes, place);
    } catch (error) {
      return `Cannot read "${pathBeside(this.#file(place.position))}": ${reasonOf(error)}`;
    }
  }

  #file(firstPosition: bigint): BesideSegment {
    return { disk: this.#disk, directory: this.#directory, firstPosition, suffix: stateSuffix };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
