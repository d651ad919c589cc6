// Refuses what a newer version of this program left, before anything is created, locked or changed: whoever put an older
// binary in place by mistake puts the newer one back and finds everything as it was. What is wrong in any other way is not
// judged here; the start that follows says so.

import { readdirSync, statSync } from "node:fs";
import { decodeHead, HeadVersionError } from "./event/intake-state.ts";
import { IdbNotOursError, IdbTooNewError } from "./idb/error.ts";
import type { Disk } from "./queue/disk.ts";
import { QueueFormatError } from "./queue/error.ts";
import { QueueReader } from "./queue/reader.ts";

export interface Left {
  readonly disk: Disk;
  readonly queueDirectory: string;
  readonly idbPath: string;
}

// To look into an IDB with a WAL, SQLite reads all of the WAL. A large one is left to the recorder, which refuses the IDB
// as well, though only once the queue is open.
const walBytesMax = 64 * 1024 * 1024;

/** Throws QueueFormatError, HeadVersionError, IdbTooNewError and IdbNotOursError, each with both versions named. */
export async function refuseNewer({ disk, queueDirectory, idbPath }: Left): Promise<void> {
  passOthers([QueueFormatError, HeadVersionError], () => {
    const { segments } = new QueueReader({ disk, directory: queueDirectory }).describe();
    for (const { head } of segments) if (head !== undefined) decodeHead(head);
  });
  if (bytesOf(idbPath) === 0 || bytesOf(`${idbPath}-wal`) > walBytesMax) return;
  // Without an IDB a start does without the database library.
  const { lookAtIdb } = await import("./idb/look.ts");
  passOthers([IdbTooNewError, IdbNotOursError], () => lookAtIdb(idbPath, { leavesNoTrace: true }));
  await untilLetGo(`${idbPath}-shm`);
}

// One or two are enough.
const turnsMax = 50;

/**
 * The driver closes what it had open when the last statement on it is collected. Until then a -shm that was opened for
 * reading only would be the recorder's as well, for SQLite has it once in a process, and no row could be written.
 */
async function untilLetGo(path: string): Promise<void> {
  for (let turn = 0; turn < turnsMax && isOpenHere(path); turn += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    Bun.gc(true);
  }
}

function isOpenHere(path: string): boolean {
  const own = statSync(path, { throwIfNoEntry: false });
  if (own === undefined) return false;
  return readdirSync("/proc/self/fd").some((descriptor) => {
    const other = statSync(`/proc/self/fd/${descriptor}`, { throwIfNoEntry: false });
    return other?.ino === own.ino && other.dev === own.dev;
  });
}

type Kind = new (...words: never[]) => Error;

/** Runs `look` and throws only what is of these kinds. */
function passOthers(kinds: readonly Kind[], look: () => void): void {
  try {
    look();
  } catch (error) {
    if (kinds.some((kind) => error instanceof kind)) throw error;
  }
}

function bytesOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0; // Not there, or not to be read: the start says so.
  }
}
