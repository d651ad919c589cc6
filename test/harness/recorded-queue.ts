// A persistent queue as an instance records it from one T-Server, made without one: by the queue's and the intake's own
// code, from the events of a load.

import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import type { Disk } from "../../src/queue/disk.ts";
import { openQueue } from "../../src/queue/queue.ts";
import { Intake } from "../../src/source/intake.ts";
import type { Load } from "./load.ts";

export interface RecordedQueue {
  readonly disk: Disk;
  readonly directory: string;
  readonly segmentBytes: number;
  /** Events 1 to `load.producedSeq` are recorded. */
  readonly load: Load;
}

// Records of one write: what a busy source's chunk holds.
const recordsInWrite = 100;

/** Started, session opened, the events, session closed, stopped. The queue is closed when it resolves. */
export async function recordQueue({ disk, directory, segmentBytes, load }: RecordedQueue): Promise<void> {
  const intake = new Intake(systemClock);
  const queue = await openQueue({
    directory,
    segmentBytes,
    reserveBytes: 0,
    pendingBytesMax: 16 * 1024 * 1024,
    disk,
    clock: systemClock,
    log: silentLog,
    head: () => intake.head(),
  });
  intake.attach({
    append: (head, body) => queue.append(head, body),
    durable: (position) => queue.durable(position),
    onDurable: (listener) => queue.onDurable(listener),
    hasRoom: true,
    room: () => queue.room(),
  });
  const { name, dbid } = load.options;
  const identity = { name, kind: "tevent", dbid, primaryDbid: dbid, switchDbid: dbid, dsType: 1 } as const;
  const contexts = { inboundContexts: [], internalContexts: [], outboundContexts: [] };
  const options = { callDeletionTimeoutSeconds: 2, delivered: "dialing", ...contexts } as const;
  intake.mark({
    mark: "instance started",
    programVersion: "0.1.0",
    instance: { name: "icon-a", dbid: 9001 },
    queueId: queue.queueId,
    queueState: queue.state,
    configurationHash: "0".repeat(64),
    role: ["gcc"],
    sources: [{ ...identity, options }],
  });
  const session = intake.openSession({
    mark: "session opened",
    source: name,
    address: "127.0.0.1:7001",
    serverName: name,
    dbid,
    primaryDbid: dbid,
    switchDbid: dbid,
    dsType: 1,
    run: load.run,
    resumeAfter: null,
  });
  const encoder = new TextEncoder();
  for (let seq = 1; seq <= load.producedSeq; seq++) {
    const { position } = intake.frame(session, encoder.encode(load.line(seq)), false);
    if (seq % recordsInWrite === 0 || seq === load.producedSeq) await queue.durable(position);
  }
  intake.closeSession(session, name, "our stop", null);
  intake.mark({ mark: "instance stopped" });
  await queue.close();
}
