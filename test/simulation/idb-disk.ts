// What a disk has of the IDB when the process is gone, or the power: the real files of libSQL, copied while its connection
// is still open. Closing it first, as a process in good order does, would move the WAL away and leave nothing to recover.
//
// After a kill the files are as they were written. After a power cut what was synced is there, which with synchronous=FULL
// is everything up to the last commit; of what the WAL has behind it, any sector may be old, new or torn. The -shm is
// memory, and gone.

import { closeSync, copyFileSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import type { Dice } from "./dice.ts";

const walHeaderBytes = 32;
const frameHeaderBytes = 24;
const sectorBytes = 512;

/** Copies the IDB at `from` to `to`, as the disk would show it. Nothing when there is none. */
export function leaveIdb(from: string, to: string, cut: { readonly dice: Dice } | null): void {
  if (!existsSync(from)) return;
  copyFileSync(from, to);
  if (!existsSync(`${from}-wal`)) return;
  copyFileSync(`${from}-wal`, `${to}-wal`);
  if (cut !== null) tear(`${to}-wal`, cut.dice);
}

/** Sector by sector, what comes behind the last commit is lost, or is something else; the file may be shorter too. */
function tear(walPath: string, dice: Dice): void {
  const wal = readFileSync(walPath);
  const end = committedEnd(wal);
  if (wal.length > end && dice.chance(0.3)) truncateSync(walPath, end + dice.below(wal.length - end));
  const file = openSync(walPath, "r+");
  for (
    let at = Math.ceil(end / sectorBytes) * sectorBytes;
    at < wal.length && at < end + 64 * 1024;
    at += sectorBytes
  ) {
    if (dice.chance(0.5)) continue;
    const sector = dice.chance(0.5)
      ? new Uint8Array(sectorBytes)
      : Uint8Array.from({ length: sectorBytes }, () => dice.below(256));
    writeSync(file, sector, 0, sectorBytes, at);
  }
  closeSync(file);
}

/** Where the last commit of the WAL ends: its frames carry the salts of the header, the last of a commit the file's size. */
function committedEnd(wal: Uint8Array): number {
  if (wal.length < walHeaderBytes) return wal.length;
  const view = new DataView(wal.buffer, wal.byteOffset, wal.byteLength);
  const frameBytes = frameHeaderBytes + view.getUint32(8);
  const salts = view.getBigUint64(16);
  let end = walHeaderBytes;
  for (
    let at = walHeaderBytes;
    at + frameBytes <= wal.length && view.getBigUint64(at + 8) === salts;
    at += frameBytes
  ) {
    if (view.getUint32(at + 4) !== 0) end = at + frameBytes;
  }
  return end;
}
