// The IDB's part of a backup: copied while it is held (idb/hold.ts), then made one file and looked through. The segments of
// the persistent queue that the copy will need are copied meanwhile, before retention can take them.

import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { type Clock, sleep } from "../clock.ts";
import { askChild } from "../idb/child.ts";
import { copyIdb } from "../idb/copy.ts";
import { IdbDamagedError, IdbUnavailableError } from "../idb/error.ts";
import { holdIdb } from "../idb/hold.ts";
import type { IdbInspection, InspectionOutcome } from "../idb/inspect.ts";
import { sizeOf } from "../idb/reading.ts";
import type { Disk } from "../queue/disk.ts";
import type { QueueCopy } from "./queue-copy.ts";

/** The IDB would have been held for longer than was allowed. */
export class BackupBoundError extends Error {
  override readonly name = "BackupBoundError";
}

/** The copy of the IDB could not be made one file where it is: its disk is full, or fails. */
export class BackupWriteError extends Error {
  override readonly name = "BackupWriteError";
}

export interface IdbBackupOptions {
  readonly path: string;
  readonly copy: string;
  readonly disk: Disk;
  /** For so long the IDB may be held. */
  readonly holdMsMax: number;
  readonly clock: Clock;
  readonly stop: AbortSignal;
  /** Begins a copy of the persistent queue for an IDB that may lack what comes from this position on. */
  readonly queueCopy: (neededFrom: bigint) => QueueCopy;
}

export interface IdbBackup {
  readonly inspection: IdbInspection;
  /** Begun, and to be finished by whoever asked for it. */
  readonly queue: QueueCopy;
  /** How long the IDB was held, and what its WAL grew by meanwhile. */
  readonly heldMs: number;
  readonly walGrewBytes: number;
}

const lookEveryMs = 100;
const attemptsMax = 3;

/** Rejects with BackupBoundError, BackupWriteError, IdbDamagedError, IdbUnavailableError, or the file system's own words. */
export async function backUpIdb(options: IdbBackupOptions): Promise<IdbBackup> {
  const { path, copy, stop, clock } = options;
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    for (const suffix of ["", "-wal"]) rmSync(`${copy}${suffix}`, { force: true });
    const held = await copyHeld(options);
    if (held === null) continue;
    const settled = askChild<InspectionOutcome>(["backup", "--as-child", "settle", copy], `Cannot read "${copy}"`);
    const outcome = await meanwhile(settled, () => held.queue.advance(), { clock, stop });
    if (outcome.kind === "unavailable") {
      // SQLite says of a full disk no more than that something failed.
      throw new BackupWriteError(`${outcome.message}, with ${options.disk.freeBytes(dirname(copy))} bytes free there`);
    }
    return { ...held, inspection: soundOf(outcome, path) };
  }
  throw new IdbUnavailableError(`Cannot copy IDB "${path}": it was replaced ${attemptsMax} times meanwhile`);
}

/** Null: a writer came while the file was taken for unused, or another file was put in its place. */
async function copyHeld(options: IdbBackupOptions): Promise<Omit<IdbBackup, "inspection"> | null> {
  const { path, copy, holdMsMax, clock, stop } = options;
  const hold = await holdIdb(path, holdMsMax);
  const startedMs = clock.monotonic();
  const walBytes = sizeOf(`${path}-wal`);
  const failed = new AbortController();
  try {
    const queue = options.queueCopy(hold.appliedPosition + 1n);
    const copied = copyIdb(path, copy, AbortSignal.any([stop, hold.lost, failed.signal])).catch((error: unknown) => {
      if (!hold.lost.aborted) throw error; // told by `release`
    });
    await meanwhile(copied, () => queue.advance({ onlyNeeded: true }), { clock, stop, failed });
    const heldMs = Math.round(clock.monotonic() - startedMs);
    const walGrewBytes = Math.max(0, sizeOf(`${path}-wal`) - walBytes);
    const ending = await hold.release();
    if (ending === "too late") {
      throw new BackupBoundError(
        `Stopped: copying IDB "${path}" took longer than ${holdMsMax / 1000} s, in which its WAL cannot be emptied; ` +
          "raise --hold-max, or back up to a faster disk",
      );
    }
    return ending === "kept" ? { queue, heldMs, walGrewBytes } : null;
  } finally {
    await hold.release();
  }
}

/** Does one step after the other until `main` has ended. When a step fails, `main` has ended too, sooner for `failed`. */
async function meanwhile<T>(
  main: Promise<T>,
  step: () => Promise<boolean>,
  { clock, stop, failed }: { readonly clock: Clock; readonly stop: AbortSignal; readonly failed?: AbortController },
): Promise<T> {
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  const over = main.then(end, end); // what it rejects with is thrown below
  try {
    while (!isOver) {
      stop.throwIfAborted();
      if (!(await step())) await Promise.race([over, sleep(clock, lookEveryMs)]);
    }
  } catch (error) {
    failed?.abort();
    await over;
    throw error;
  }
  return main;
}

/** A damaged IDB is no backup, and there is something better: the persistent queue, from which it is rebuilt. */
function soundOf(
  outcome: Exclude<InspectionOutcome, { readonly kind: "unavailable" }>,
  idbPath: string,
): IdbInspection {
  const complaint = outcome.kind === "refused" ? outcome.message : outcome.inspection.complaints[0];
  if (outcome.kind === "inspected" && complaint === undefined) return outcome.inspection;
  throw new IdbDamagedError(
    `Cannot back up IDB "${idbPath}": it is damaged (${complaint}). Start the instance, which puts it aside and rebuilds ` +
      "it; or back up with --queue-only",
  );
}
