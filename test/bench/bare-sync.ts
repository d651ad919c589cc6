// What a small durable write costs on this disk while others use it: for so many seconds every few milliseconds one block
// written and synced, in a file allocated beforehand as the instance's segments are. A process of its own:
// `bun bare-sync.ts TARGET SECONDS`. Prints milliseconds of the fdatasync alone.

import { closeSync, fdatasyncSync, fsyncSync, openSync, unlinkSync, writeSync } from "node:fs";
import { tryAllocate } from "../../src/queue/libc.ts";

export interface BareSync {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

const blockBytes = 4096;
const everyMs = 5;

if (import.meta.main) {
  const [target = "", seconds = "1"] = process.argv.slice(2);
  const descriptor = openSync(target, "w+", 0o600);
  const blocks = Math.ceil((Number(seconds) * 1000) / everyMs);
  tryAllocate(descriptor, blocks * blockBytes);
  fsyncSync(descriptor);
  const block = new Uint8Array(blockBytes).fill(7);
  const taken: number[] = [];
  const until = performance.now() + Number(seconds) * 1000;
  while (performance.now() < until && taken.length < blocks) {
    writeSync(descriptor, block, 0, blockBytes, taken.length * blockBytes);
    const before = performance.now();
    fdatasyncSync(descriptor);
    taken.push(performance.now() - before);
    await Bun.sleep(everyMs);
  }
  closeSync(descriptor);
  unlinkSync(target);
  taken.sort((one, other) => one - other);
  const at = (share: number) => taken[Math.floor(taken.length * share)] ?? 0;
  process.stdout.write(`${JSON.stringify({ count: taken.length, p50: at(0.5), p99: at(0.99) } satisfies BareSync)}\n`);
}
