import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeEnvelope, type Mark, type SessionId } from "../../src/event/envelope.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import type { Idb } from "../../src/idb/idb.ts";
import { openIdb } from "../../src/idb/open.ts";
import { silentLog } from "../../src/log.ts";
import { LiveState } from "../../src/projection/live-state.ts";
import { stepRecord } from "../../src/projection/projection.ts";
import { rescheduleEndings } from "../../src/projection/put-in-force.ts";
import type { EntityKind } from "../../src/projection/world.ts";
import { AmiFramer } from "../../src/protocol/ami/framer.ts";
import { playedTraffic } from "../harness/ami-pbx-traffic.ts";
import { loadRecording } from "../harness/ami-recording.ts";
import { inputsInAll, Mutator } from "./mutator.ts";

const settings = { windowSeconds: 60 };
const kinds: readonly EntityKind[] = [
  "source",
  "session",
  "call",
  "ami source",
  "ami call",
  "window",
  "login session",
  "ami member",
];
const encoder = new TextEncoder();
const messages = [
  ...(["ami", "a", "b"] as const).map((name) =>
    loadRecording(name).connections.flatMap((connection) => connection.messages),
  ),
  // Transfers, conferences and the like, which no recording has.
  playedTraffic(1, 40)
    .pbx.said.filter(({ isHidden }) => !isHidden)
    .map(({ at, text }) => ({ at, bytes: encoder.encode(`${text}\r\n\r\n`), answers: null, actionId: null })),
];
const startMs = messages[0]?.[0]?.at ?? 0;
const identity = { name: "asterisk", kind: "ami", dbid: 201, primaryDbid: 201, switchDbid: 2, dsType: 101 } as const;
const options = { callDeletionTimeoutSeconds: 30, inboundContexts: [], internalContexts: [], outboundContexts: [] };
const started: Mark = {
  mark: "instance started",
  programVersion: "0.1.0",
  instance: { name: "icon-a", dbid: 9001 },
  queueId: "q",
  queueState: "new",
  role: ["gcc", "gls"],
  sources: [{ ...identity, options }],
  configurationHash: "0".repeat(64),
};
const framesEach = 200;

/** One IDB and the live state beside it, as the projector keeps them. */
class Projected {
  live = new LiveState();
  readonly #idb: Idb;
  #position: bigint;

  constructor(idb: Idb) {
    this.#idb = idb;
    this.#position = idb.lastPosition;
    const { rowSeq } = idb.readApplied();
    this.live.restore(idb.readLive(), rowSeq);
    this.live.step((world) => rescheduleEndings(world));
  }

  take(payload: Uint8Array): void {
    this.#position += 1n;
    this.live.step((world) => stepRecord(world, settings, this.#position, payload));
  }

  commit(): void {
    const { rows, live, rowSequence } = this.live.takeBatch();
    const applied = { queueId: "q", segmentSalt: 1, position: this.#position, rowSeq: rowSequence };
    this.#idb.commit({ rows, live, applied });
  }
}

test("no message of Asterisk, however mutated, makes the projection fail or a row that the IDB rejects", () => {
  const mutator = new Mutator("projected messages of Asterisk");
  const directory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "icon-fuzz-"));
  const idb = openIdb({ path: join(directory, "idb.db"), log: silentLog, windowSeconds: settings.windowSeconds });
  let session = 1000;
  try {
    let projected = new Projected(idb);
    for (let story = 0; story < (inputsInAll * 0.05) / framesEach; story += 1) {
      session += 1;
      const said: string[] = [];
      const arrivedAt = arrivalInstant(startMs + session * 1000);
      const mark = (each: Mark, of: number) =>
        projected.take(encodeEnvelope({ kind: "mark", session: of as SessionId, arrivedAt, mark: each }));
      mark(started, 0);
      const address = "127.0.0.1:5038";
      mark({ ...identity, mark: "session opened", source: "asterisk", address, ...opened }, session);
      const recording = mutator.pick(messages);
      const from = mutator.below(recording.length);
      const stream = recording.slice(from, from + framesEach);
      try {
        for (const [index, message] of stream.entries()) {
          if (mutator.below(20) === 0) continue;
          if (mutator.below(60) === 0) {
            const action = mutator.pick(["CoreShowChannels", "QueueStatus"] as const);
            const actionId = message.actionId ?? "x";
            mark({ mark: "list requested", source: "asterisk", action, actionId }, session);
          }
          const other = mutator.below(10) === 0 ? mutator.pick(recording) : message;
          const bytes = mutator.mutate(mutator.below(4) > 0 ? other.bytes : mixed(mutator, other.bytes));
          for (const frame of new AmiFramer().push(Buffer.concat([bytes, Buffer.from("\r\n\r\n")]))) {
            said.push(Buffer.from(frame.bytes).toString());
            projected.take(
              encodeEnvelope({
                kind: "frame",
                session: session as SessionId,
                arrivedAt,
                arrivalNumber: index + 1,
                isCut: frame.isCut,
                frame: frame.bytes,
              }),
            );
          }
          if (mutator.below(80) > 0) continue;
          projected.commit();
          const again = new Projected(idb);
          for (const kind of kinds) expect(again.live.all(kind)).toEqual(projected.live.all(kind));
          projected = again;
        }
        mark({ mark: "session closed", source: "asterisk", cause: "connection lost", detail: null }, session);
        projected.commit();
      } catch (error) {
        throw new Error(`After\n${said.join("\n")}`, { cause: error });
      }
    }
    expect(idb.status().rowsWritten).toBeGreaterThan(inputsInAll * 0.01);
  } finally {
    idb.close();
    rmSync(directory, { recursive: true, force: true });
  }
}, 900_000);

const opened = { serverName: "Asterisk Call Manager/13.0.0", run: null, resumeAfter: null } as const;
const odd = ["", "__proto__", "constructor", "-1", "1e999", "999999999999999999999", "0.5", "\u0000", "ü".repeat(200)];

/** The message with one value that no Asterisk sends there, or with two of its values changed about. */
function mixed(mutator: Mutator, bytes: Uint8Array): Uint8Array {
  const lines = Buffer.from(bytes).toString("latin1").split("\r\n");
  const [one, other] = [mutator.below(lines.length), mutator.below(lines.length)];
  const [name, value] = [lines[one]?.split(": ")[0], lines[other]?.split(": ")[1]];
  lines[one] = `${name}: ${mutator.below(2) === 0 ? mutator.pick(odd) : value}`;
  return Buffer.from(lines.join("\r\n"), "latin1");
}
