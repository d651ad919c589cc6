// The floor of P1: the same bytes in the same pieces, each written and synced, by the shortest program that does it, in
// files as long as the instance's segments and allocated beforehand as they are; a process of its own, so that nothing
// else runs in it: `bun bare-disk.ts QUEUE_DIRECTORY TARGET`. Prints the milliseconds it took. The bytes are read from the
// instance's segments: a copy of them on the same disk would have to be written first, and that the disk remembers.

import { closeSync, fdatasyncSync, fsyncSync, openSync, unlinkSync, writeSync } from "node:fs";
import { tryAllocate } from "../../src/queue/libc.ts";
import { readCommits } from "./commit-sizes.ts";

if (import.meta.main) {
  const [queueDirectory = "", target = ""] = process.argv.slice(2);
  const segments = readCommits(queueDirectory).map((commits, index) => {
    const descriptor = openSync(`${target}-${index}`, "w+", 0o600);
    tryAllocate(descriptor, commits.bytes.length);
    fsyncSync(descriptor);
    return { ...commits, descriptor };
  });
  const startedAt = performance.now();
  for (const { bytes, sizes, descriptor } of segments) {
    let at = 0;
    for (const size of sizes) {
      for (let done = 0; done < size; ) done += writeSync(descriptor, bytes, at + done, size - done, at + done);
      fdatasyncSync(descriptor);
      at += size;
    }
  }
  process.stdout.write(`${performance.now() - startedAt}\n`);
  for (const [index, { descriptor }] of segments.entries()) {
    closeSync(descriptor);
    unlinkSync(`${target}-${index}`);
  }
}
