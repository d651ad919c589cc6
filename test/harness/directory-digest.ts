// One value for all that a folder holds: names, and the bytes of every file.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** `leftOut` names files that say who uses the folder, not what is in it. */
export function directoryDigest(directory: string, leftOut: (name: string) => boolean = () => false): string {
  const hash = new Bun.CryptoHasher("sha256");
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !leftOut(path))
    .sort();
  for (const path of files)
    hash
      .update(`${path.slice(directory.length)}\0`)
      .update(readFileSync(path))
      .update("\0");
  return hash.digest("hex");
}
