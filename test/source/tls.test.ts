import { afterAll, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { systemClock } from "../../src/clock.ts";
import { readTlsFiles } from "../../src/config/certificates.ts";
import { ConfigError, judgeConfig, type SourceTls } from "../../src/config.ts";
import { silentLog } from "../../src/log.ts";
import { type TserverOptions, tserverDefaults } from "../../src/simulator/tserver/options.ts";
import { startSimulatedTserver } from "../../src/simulator/tserver/simulated-tserver.ts";
import { DataSource, type DataSourceStatus } from "../../src/source/data-source.ts";
import { Intake } from "../../src/source/intake.ts";
import { systemNetwork } from "../../src/source/network.ts";
import { TeventSession } from "../../src/source/tevent-session.ts";
import { TlsError } from "../../src/source/tls.ts";
import { Authority } from "../harness/certificates.ts";
import { seeded } from "../harness/fake-network.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { SlowDisk } from "../harness/slow-disk.ts";

const directory = new TemporaryDirectory("tls");
afterAll(() => directory[Symbol.dispose]());
const authority = new Authority(directory, "authority");
const stranger = new Authority(directory, "stranger");
const here = "DNS:localhost,IP:127.0.0.1";
const good = authority.issue("good", here);
const trusting: SourceTls = { caFile: authority.file, client: null, serverName: null };

interface Listening {
  readonly server: Partial<TserverOptions>;
  readonly tls: SourceTls | null;
}

/** A real instance's source and a simulated server, on real sockets, until `condition` holds of the source. */
async function converse(
  { server, tls }: Listening,
  condition: (status: DataSourceStatus) => boolean,
  then: (
    until: (wanted: (status: DataSourceStatus) => boolean) => Promise<DataSourceStatus>,
  ) => Promise<void> = async () => {},
): Promise<DataSourceStatus> {
  const tserver = await startSimulatedTserver({ ...tserverDefaults, rate: 200, finalAckMs: 0, ...server });
  const port = Number(tserver.address.split(":").at(-1));
  const disk = new SlowDisk();
  const intake = new Intake(systemClock);
  intake.attach(disk);
  const source = new DataSource({
    identity: { name: "north", kind: "tevent", dbid: 101, primaryDbid: 101, switchDbid: 1, dsType: 1 },
    addresses: [{ host: "127.0.0.1", port }],
    reconnect: { minMs: 10, maxMs: 40 },
    silenceMs: null,
    instance: { name: "icon-a", dbid: 9001 },
    intake,
    network: systemNetwork,
    clock: systemClock,
    log: silentLog,
    random: seeded(1),
    tls: () => (tls === null ? null : readTlsFiles(tls)),
    converse: (parts) => new TeventSession(parts, null),
  });
  const stop = new AbortController();
  const running = source.run(stop.signal);
  const until = async (wanted: (status: DataSourceStatus) => boolean) => {
    while (!wanted(source.status())) {
      await disk.sync();
      await Bun.sleep(5);
    }
    return source.status();
  };
  try {
    const status = await until(condition);
    await then(until);
    return status;
  } finally {
    stop.abort();
    await disk.sync();
    await running;
    tserver.stop();
    await tserver.finished;
  }
}

async function portOf(output: ReadableStream<Uint8Array>): Promise<number> {
  let text = "";
  for await (const chunk of output) {
    text += new TextDecoder().decode(chunk);
    const port = /^ACCEPT .*:(\d+)$/m.exec(text)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`openssl s_server does not listen: ${text}`);
}

const hasTrouble = (status: DataSourceStatus) => status.lastTrouble !== null;
const isAcknowledged = (status: DataSourceStatus) => (status.acknowledged ?? 0) > 0;
const served = (pair: { certFile: string; keyFile: string }, clientCaFile: string | null = null) => ({
  tls: { ...pair, clientCaFile },
});

test("events come and are acknowledged over TLS, with a certificate for the address that was connected to", async () => {
  const status = await converse({ server: served(good), tls: trusting }, isAcknowledged);
  expect(status).toMatchObject({ state: "connected", lastTrouble: null });
});

test("server_name is what the certificate must be for", async () => {
  const server = served(authority.issue("named", "DNS:tserver-north.example"));
  const serverName = "tserver-north.example";
  await converse({ server, tls: { ...trusting, serverName } }, isAcknowledged);
  const { lastTrouble } = await converse({ server, tls: trusting }, hasTrouble);
  expect(lastTrouble).toContain(
    'the certificate is for DNS:tserver-north.example, not for "127.0.0.1"; expected server_name',
  );
});

test("a certificate that has expired is told as such, and nothing is taken in", async () => {
  const status = await converse({ server: served(authority.issue("expired", here, -1)), tls: trusting }, hasTrouble);
  expect(status.lastTrouble).toContain("TLS: the certificate expired (");
  expect(status).toMatchObject({ frames: 0, connectedSince: null });
});

test("a certificate of an authority that is not believed is told as such, and nothing is taken in", async () => {
  const status = await converse({ server: served(stranger.issue("good", here)), tls: trusting }, hasTrouble);
  expect(status.lastTrouble).toContain("from an authority that is not known here; expected ca_file");
  expect(status).toMatchObject({ frames: 0, connectedSince: null });
});

test("the runtime's own authorities do not vouch for a private one", async () => {
  const status = await converse({ server: served(good), tls: { ...trusting, caFile: null } }, hasTrouble);
  expect(status.lastTrouble).toContain("from an authority that is not known here");
});

test("a server without TLS is not gone along with, however often it is tried", async () => {
  const status = await converse({ server: {}, tls: trusting }, ({ reconnects }) => reconnects >= 3);
  expect(status.lastTrouble).toContain("TLS: the server does not speak TLS");
  expect(status.frames).toBe(0);
});

test("a server that asks for a certificate gets the instance's own", async () => {
  const { certFile, keyFile } = authority.issue("icon-a", "DNS:icon-a");
  await converse(
    { server: served(good, authority.file), tls: { ...trusting, client: { certFile, keyFile } } },
    isAcknowledged,
  );
});

test("a server that asks for a certificate and gets none is told as such", async () => {
  const server = served(good, authority.file);
  const status = await converse({ server, tls: trusting }, hasTrouble);
  expect(status.lastTrouble).toContain("the server asks for a client certificate; expected cert_file and key_file");
});

test("a server that refuses the instance's certificate is told as such", async () => {
  // The simulator cuts the connection without saying why; OpenSSL's own server says it.
  const ca = ["-CAfile", authority.file, "-Verify", "1", "-verify_return_error"];
  const own = ["-cert", good.certFile, "-key", good.keyFile];
  await using server = Bun.spawn(["openssl", "s_server", "-accept", "127.0.0.1:0", ...own, ...ca], {
    stdin: "pipe", // it ends with it
    stdout: "pipe",
    stderr: "ignore",
  });
  const port = await portOf(server.stdout);
  const { promise, resolve } = Promise.withResolvers<Error | null>();
  const stop = new AbortController();
  const tls = readTlsFiles({ ...trusting, client: stranger.issue("icon-a", "DNS:icon-a") });
  const address = { host: "127.0.0.1", port };
  // With TLS 1.3 the server's verdict comes after the handshake.
  systemNetwork.connect(address, { data() {}, closed: resolve }, 5000, stop.signal, tls).catch(resolve);
  const error = await promise;
  expect(error).toBeInstanceOf(TlsError);
  expect(error?.message).toContain("TLS: the server does not accept our certificate");
});

test("certificates are read anew for each connection", async () => {
  const caFile = directory.at("renewed.pem");
  copyFileSync(stranger.file, caFile);
  await converse({ server: served(good), tls: { ...trusting, caFile } }, hasTrouble, async (until) => {
    copyFileSync(authority.file, caFile);
    expect((await until(isAcknowledged)).state).toBe("connected");
  });
});

test("a configuration whose TLS files do not belong together is refused by key", () => {
  const wrongKey = stranger.issue("other", here).keyFile;
  const problemsOf = (lines: string) => {
    try {
      judgeConfig(`${base}[source.tls]\n${lines}`, directory.at("icon.toml"));
    } catch (error) {
      if (error instanceof ConfigError) return error.problems.map(({ key, problem }) => `${key}: ${problem}`);
      throw error;
    }
    return [];
  };
  const base = `[instance]\nname = "icon-a"\ndbid = 9001\ndata_dir = "data"\n[[source]]\nname = "north"\nkind = "tevent"\naddresses = ["127.0.0.1:7001"]\ndbid = 101\nswitch_dbid = 1\n`;
  expect(problemsOf('ca_file = "authority.pem"')).toEqual([]);
  expect(problemsOf('ca_file = "missing.pem"')).toEqual(["source[0].tls.ca_file: the file cannot be read (ENOENT)"]);
  expect(problemsOf('ca_file = "authority.key"')).toEqual(["source[0].tls.ca_file: it holds no certificate"]);
  expect(problemsOf(`cert_file = "${good.certFile}"`)).toEqual([
    "source[0].tls.cert_file: the other one of the two is missing",
  ]);
  expect(problemsOf(`cert_file = "${good.certFile}"\nkey_file = "${wrongKey}"`)).toEqual([
    "source[0].tls.key_file: the private key is not the certificate's",
  ]);
  expect(problemsOf(`cert_file = "${good.certFile}"\nkey_file = "${good.keyFile}"`)).toEqual([]);
});
