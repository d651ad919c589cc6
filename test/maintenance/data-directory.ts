// A small data directory of an instance that has stopped in order.

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { encodeEnvelope, type SessionId } from "../../src/event/envelope.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import { batch, call, TemporaryDirectory as IdbDirectory } from "../idb/temporary.ts";
import { open, payload } from "../queue/setting.ts";

export const recordCount = 12;
export const recordBytes = 16 + 24 + "frame 01".length;
const perSegment = 4;
const startMs = Date.UTC(2026, 0, 2, 3, 4, 0);
export const arrival = (position: number) => new Date(startMs + position * 1000).toISOString();

/** Segments of four records each, sealed, and an IDB that has applied all of them. */
export async function dataDirectory(
  path: string,
  appliedQueueId?: string,
  appliedPosition = BigInt(recordCount),
): Promise<void> {
  const queue = await open(join(path, "queue"), { segmentBytes: perSegment * recordBytes });
  for (let position = 1; position <= recordCount; position += 1) {
    const frame = payload(`frame ${String(position).padStart(2, "0")}`);
    const arrivedAt = arrivalInstant(startMs + position * 1000);
    const session = 7 as SessionId;
    await queue.durable(
      queue.append(encodeEnvelope({ kind: "frame", session, arrivedAt, arrivalNumber: position, isCut: false, frame })),
    );
  }
  const queueId = appliedQueueId ?? queue.queueId;
  await queue.close();
  // Made elsewhere and copied: libSQL lets go of a closed file, and deletes its empty WAL, only when it pleases.
  using elsewhere = new IdbDirectory();
  const idb = elsewhere.open();
  const calls = Array.from({ length: 300 }, (_, at) => call(at + 1));
  const applied = { queueId, segmentSalt: 7, position: appliedPosition, rowSeq: 300 };
  idb.commit({ ...batch(appliedPosition, { G_CALL: calls }), applied });
  idb.close();
  copyFileSync(elsewhere.idb, join(path, "idb.db"));
}
