// The floor of P6's verify: each segment read once from its beginning to its end, with a checksum over every byte. A process of
// its own: `bun bare-scan.ts QUEUE_DIRECTORY`. Prints a digest, so that nothing is left out.

import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";

const pieceBytes = 1024 * 1024;

if (import.meta.main) {
  const [queueDirectory = ""] = process.argv.slice(2);
  const piece = new Uint8Array(pieceBytes);
  let digest = 0;
  for (const file of readdirSync(queueDirectory).filter((each) => each.endsWith(".segment"))) {
    const descriptor = openSync(join(queueDirectory, file), "r");
    for (let count = readSync(descriptor, piece); count > 0; count = readSync(descriptor, piece)) {
      digest = Bun.hash.crc32(piece.subarray(0, count), digest);
    }
    closeSync(descriptor);
  }
  process.stdout.write(`${digest}\n`);
}
