// Copies of files with their SHA-256, on disk when they are done.

import type { Disk, DiskFile } from "../queue/disk.ts";

const chunkBytes = 1024 * 1024;

export interface HashedFile {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface CopyOptions {
  /** Only so many bytes, with something else behind them; a file that is shorter is an error. */
  readonly part?: { readonly bytes: number; readonly tail: Uint8Array };
  /** Changes in place what is written of the file's beginning, at least its first 4096 bytes; the hash is that of the original. */
  readonly rewrite?: (beginning: Uint8Array) => void;
}

/** Copies an open file. The bytes are on disk when it resolves; the name is the caller's to sync. */
export async function copyHashed(
  disk: Disk,
  from: DiskFile,
  to: string,
  { part, rewrite }: CopyOptions = {},
): Promise<HashedFile> {
  const target = disk.create(to);
  try {
    const hasher = new Bun.CryptoHasher("sha256");
    const end = part?.bytes ?? Number.POSITIVE_INFINITY;
    let bytes = 0;
    const put = async (piece: Uint8Array) => {
      hasher.update(piece);
      if (bytes === 0) rewrite?.(piece);
      await target.write(piece, bytes);
      bytes += piece.length;
    };
    for (const piece of piecesOf(from, end)) await put(piece);
    if (part !== undefined) {
      if (bytes < end) throw new Error(`Cannot copy ${end} bytes to "${to}": there are ${bytes}`);
      await put(part.tail);
    }
    await target.sync();
    return { bytes, sha256: hasher.digest("hex") };
  } finally {
    target.close();
  }
}

/** Writes a new file; on disk when it resolves, but for its name. */
export async function writeHashed(disk: Disk, path: string, bytes: Uint8Array): Promise<HashedFile> {
  const file = disk.create(path);
  try {
    await file.write(bytes, 0);
    await file.sync();
  } finally {
    file.close();
  }
  return { bytes: bytes.length, sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex") };
}

export function hashFile(disk: Disk, path: string): HashedFile {
  const file = disk.open(path);
  try {
    const hasher = new Bun.CryptoHasher("sha256");
    let bytes = 0;
    for (const piece of piecesOf(file, Number.POSITIVE_INFINITY)) {
      hasher.update(piece);
      bytes += piece.length;
    }
    return { bytes, sha256: hasher.digest("hex") };
  } finally {
    file.close();
  }
}

/** Each is valid until the next is asked for. */
function* piecesOf(file: DiskFile, end: number): Generator<Uint8Array, void, undefined> {
  const chunk = new Uint8Array(chunkBytes);
  for (let offset = 0; offset < end; ) {
    const wanted = chunk.subarray(0, Math.min(chunk.length, end - offset));
    const piece = wanted.subarray(0, file.read(wanted, offset));
    if (piece.length === 0) return;
    yield piece;
    offset += piece.length;
  }
}
