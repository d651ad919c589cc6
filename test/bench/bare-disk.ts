// The floor of P1: the same bytes in the same pieces, each written and synced, by the shortest program that does it. The
// file is allocated beforehand, as the instance's segments are; a process of its own, so that nothing else runs in it:
// `bun bare-disk.ts BYTES_FILE SIZES_FILE TARGET`. Prints the milliseconds it took.

import { closeSync, fdatasyncSync, fsyncSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { tryAllocate } from "../../src/queue/libc.ts";

if (import.meta.main) {
  const [bytesFile = "", sizesFile = "", target = ""] = process.argv.slice(2);
  const bytes = readFileSync(bytesFile);
  const sizes = JSON.parse(readFileSync(sizesFile, "utf8")) as readonly number[];
  const descriptor = openSync(target, "w+", 0o600);
  tryAllocate(descriptor, bytes.length);
  fsyncSync(descriptor);
  let at = 0;
  const startedAt = performance.now();
  for (const size of sizes) {
    let done = 0;
    while (done < size) done += writeSync(descriptor, bytes, at + done, size - done, at + done);
    fdatasyncSync(descriptor);
    at += size;
  }
  process.stdout.write(`${performance.now() - startedAt}\n`);
  closeSync(descriptor);
  unlinkSync(target);
}
