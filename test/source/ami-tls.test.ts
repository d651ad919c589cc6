// Asterisk's manager over TLS: the recorded Asterisk behind a TLS front, on real sockets, and the way from there to what
// goes into the persistent queue.

import { afterAll, expect, test } from "bun:test";
import { systemClock } from "../../src/clock.ts";
import { readTlsFiles } from "../../src/config/certificates.ts";
import type { SourceTls } from "../../src/config.ts";
import { decodeEnvelope } from "../../src/event/envelope.ts";
import { silentLog } from "../../src/log.ts";
import { startAmiReplay } from "../../src/simulator/ami/replay.ts";
import { AmiSession } from "../../src/source/ami-session.ts";
import { DataSource, type DataSourceStatus } from "../../src/source/data-source.ts";
import { Intake } from "../../src/source/intake.ts";
import { systemNetwork } from "../../src/source/network.ts";
import { loadRecording } from "../harness/ami-recording.ts";
import { Authority } from "../harness/certificates.ts";
import { seeded } from "../harness/fake-network.ts";
import { TemporaryDirectory, until } from "../harness/processes.ts";
import { SlowDisk } from "../harness/slow-disk.ts";
import { TlsFront } from "../harness/tls-front.ts";

const directory = new TemporaryDirectory("ami-tls");
afterAll(() => directory[Symbol.dispose]());
const authority = new Authority(directory, "authority");
const stranger = new Authority(directory, "stranger");
const here = "DNS:localhost,IP:127.0.0.1";
const trusting: SourceTls = { caFile: authority.file, client: null, serverName: null };

interface Outcome {
  readonly status: DataSourceStatus;
  readonly disk: SlowDisk;
  /** What the manager's side was told, decrypted. */
  readonly heard: string;
}

async function converse(
  issuer: Authority,
  wanted: (status: DataSourceStatus, disk: SlowDisk) => boolean,
): Promise<Outcome> {
  const replay = await startAmiReplay({
    recording: loadRecording("ami"),
    listen: { host: "127.0.0.1", port: 0 },
    pace: "fast",
    credentials: { username: "icon", secret: "s3cret" },
    lingerMs: 0,
    stays: true,
    repeats: false,
    answerWaitMs: 2_000,
    clock: systemClock,
  });
  using front = new TlsFront(issuer.issue("manager", here), replay.address);
  const disk = new SlowDisk();
  const intake = new Intake(systemClock);
  intake.attach(disk);
  const source = new DataSource({
    identity: { name: "pbx", kind: "ami", dbid: 301, primaryDbid: 301, switchDbid: 31, dsType: 101 },
    addresses: [{ host: "127.0.0.1", port: front.port }],
    reconnect: { minMs: 20, maxMs: 60 },
    silenceMs: null,
    instance: { name: "icon-a", dbid: 9001 },
    intake,
    network: systemNetwork,
    clock: systemClock,
    log: silentLog,
    random: seeded(1),
    tls: () => readTlsFiles(trusting),
    converse: (parts) => new AmiSession(parts, { username: "icon", secret: "s3cret" }),
  });
  const stop = new AbortController();
  const running = source.run(stop.signal);
  try {
    await until("the source is as wanted", 15_000, async () => {
      await disk.sync();
      return wanted(source.status(), disk);
    });
    return { status: source.status(), disk, heard: front.heard };
  } finally {
    stop.abort();
    await disk.sync();
    await running;
    await replay.stop();
  }
}

test("a manager is logged in to over TLS, its lists are answered and every message of the recording arrives", async () => {
  const recorded = loadRecording("ami").connections.flatMap(({ messages }) => messages).length;
  const { status, disk, heard } = await converse(authority, ({ frames, clock }) => {
    return frames >= recorded - 1 && clock !== null;
  });
  expect(status).toMatchObject({ state: "connected", lastTrouble: null, alarms: [] });
  expect(heard).toStartWith("Action: Login\r\n");
  expect(heard).toContain("Action: QueueStatus\r\n");
  const frames = disk.records.map(decodeEnvelope).filter((each) => each.kind === "frame");
  expect(frames.length).toBe(status.frames);
  // The manager answers Ping with the recording's time, which is not ours.
  expect(disk.marks().filter((mark) => mark.startsWith('{"mark":"clock difference","source":"pbx"'))).not.toEqual([]);
});

test("a manager whose certificate is of an authority that is not believed never hears the secret", async () => {
  const { status, disk, heard } = await converse(stranger, ({ reconnects }) => reconnects >= 2);
  expect(status.lastTrouble).toContain("from an authority that is not known here; expected ca_file");
  expect(status.alarms.map(({ kind }) => kind)).toEqual(["refused"]);
  expect(status.frames).toBe(0);
  expect(disk.records).toEqual([]);
  expect(heard).toBe("");
});
