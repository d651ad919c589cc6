// R18: no secret and nothing of a caller's gets out of the queue and the IDB. Values that stand nowhere else are given
// to an instance that logs everything it can, in right events, broken ones and refused ones; then all that it says is
// searched for them. So are its tokens, right and wrong, a visit's cookie and its private key.

import { expect, test } from "bun:test";
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { hashToken, makeToken } from "../../src/access/token.ts";
import { Authority } from "../harness/certificates.ts";
import { figure } from "../harness/figure.ts";
import {
  dataDirectoryOf,
  Instance,
  type InstanceSetting,
  iconBinary,
  queueDirectoryOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

const canaries = {
  token: "canary-token-7f3a91",
  secret: "canary-secret-5b20de",
  number: "4989555013377",
  attached: "canary-attached-c41e08",
  // As it is stored: values are cut.
  cut: "canary-attached-c41e",
  key: "canaryKey9d77",
  peer: "canary-peer-token-90ab12",
} as const;

const caller = `"ANI":"${canaries.number}","DNIS":"800","OtherDN":"${canaries.number}","UserData":{"${canaries.key}":"${canaries.attached}"}`;
const call = '"ConnID":"0001","CallType":2,"ThisDN":"5001","ThisDNRole":2';
const lines = [
  `{"id":"EventRinging","EventSequenceNumber":1,"time":1795423790.1,${call},${caller}}`,
  `{"id":"EventEstablished","EventSequenceNumber":2,"time":1795423791.1,${call},${caller}}`,
  `{"id":"EventReleased","EventSequenceNumber":3,"time":"${canaries.number}",${call},${caller}}`,
  `{"id":"${canaries.attached}","EventSequenceNumber":4,"time":1795423792.1,${call},${caller}}`,
  `{"id":"EventRinging","EventSequenceNumber":"${canaries.number}","time":1795423792.1,${call},${caller}}`,
  `{"id":"EventRinging",${call.replace('"CallType":2', `"CallType":["${canaries.attached}"]`)},${caller}}`,
  `{"id":"EventRinging",${caller}`,
  `${canaries.number} ${canaries.attached}`,
];
const hello =
  '{"hello":"tevent/1","server":"Canary","type":"TServer","dbid":300,"primaryDbid":300,"switch":"Canary","switchDbid":300,' +
  '"startTime":"2026-11-23T08:00:00.000Z","role":"primary","lastSeq":0,"oldestSeq":null,"heartbeatMs":1000}\n';

const playTserver = (socket: Socket) => {
  socket.write(hello);
  socket.once("data", () => {
    socket.write('{"snapshot":"begin"}\n{"snapshot":"end","lastSeq":0}\n');
    socket.write(`${lines.join("\n")}\n`);
  });
};
const refuseLogin = (socket: Socket) => {
  socket.write("Asterisk Call Manager/9.0.0\r\n");
  socket.on("data", (chunk) => {
    if (!chunk.toString("latin1").includes("icon-login")) return;
    socket.write("Response: Error\r\nActionID: icon-login\r\nMessage: Authentication failed\r\n\r\n");
  });
};
const greetAndLogIn = (socket: Socket) => {
  socket.write("Asterisk Call Manager/9.0.0\r\n");
  socket.once("data", () => {
    socket.write("Response: Success\r\nActionID: icon-login\r\nMessage: Authentication accepted\r\n\r\n");
    socket.write(
      `Event: Newchannel\r\nChannel: PJSIP/x-1\r\nCallerIDNum: ${canaries.number}\r\nUniqueid: 1.1\r\nLinkedid: 1.1\r\n\r\n`,
    );
    socket.write(`Event: VarSet\r\nVariable: ${canaries.key}\r\nValue: ${canaries.attached}\r\nUniqueid: 1.1\r\n\r\n`);
    socket.write(`no colon ${canaries.number} ${canaries.attached}\r\n\r\n`);
  });
};

async function listening(play: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // the instance may go at any time
    play(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("Cannot tell on which port it listens");
  return {
    address: `127.0.0.1:${bound.port}`,
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** "output: name of the canary", for each that was found. */
function leaks(outputs: ReadonlyMap<string, string>, ofHttp: Readonly<Record<string, string>>): string[] {
  return [...outputs].flatMap(([output, text]) =>
    Object.entries({ ...canaries, ...ofHttp }).flatMap(([name, canary]) =>
      text.includes(canary) ? [`${output}: ${name}`] : [],
    ),
  );
}

/** Files that others can read and folders that others can enter. */
function openToOthers(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .concat(".")
    .filter((name) => (lstatSync(join(directory, name)).mode & 0o077) !== 0);
}

test("no secret, caller's number or attached data is in anything an instance says", async () => {
  const binary = await iconBinary();
  using directory = new TemporaryDirectory("secrets");
  mkdirSync(directory.path, { recursive: true });
  writeFileSync(directory.at("token"), `${canaries.token}\n`, { mode: 0o600 });
  writeFileSync(directory.at("ami.toml"), `username = "icon"\nsecret = "${canaries.secret}"\n`, { mode: 0o600 });
  using tserver = await listening(playTserver);
  using refusing = await listening(refuseLogin);
  using manager = await listening(greetAndLogIn);
  const { certFile, keyFile } = new Authority(directory, "authority").issue("icon", "IP:127.0.0.1");
  const token = makeToken();
  const hash = Buffer.from(hashToken(token)).toString("hex");
  const personal = makeToken();
  const personalHash = Buffer.from(hashToken(personal)).toString("hex");
  const tokenLines = [`reader read sha256:${hash}`, `etl read-personal sha256:${personalHash}`];
  writeFileSync(directory.at("icon.tokens"), `${tokenLines.join("\n")}\n`, { mode: 0o600 });
  writeFileSync(directory.at("peer.token"), `${canaries.peer}\n`, { mode: 0o600 });
  const peer = [
    'peer = "https://127.0.0.1:1"',
    'peer_token_file = "peer.token"',
    `peer_ca_file = ${JSON.stringify(certFile)}`,
  ];
  // Some of it is stored where many look, some where few do, some in a column.
  const keys = [
    `[[public]]\nname = "${canaries.key}"\nhistory = "all"`,
    `[[secure]]\nname = "${canaries.key}"\nhistory = "all"`,
    `[[secure]]\nname = "${canaries.key}"\nhistory = "first"`,
    `[[call]]\nname = "${canaries.key}"\nhistory = "last"\nfield = "account-id"`,
  ];
  const specification = `${keys.join("\n")}\n`;
  writeFileSync(directory.at("adata.toml"), specification);
  const tls = [`tls_certificate = ${JSON.stringify(certFile)}`, `tls_key = ${JSON.stringify(keyFile)}`];
  const setting: InstanceSetting = {
    directory: directory.path,
    logLevel: "debug",
    callconcentrator: ['adata-spec-name = "adata.toml"', 'adata-userdata-history = "all"', "max-userdata-length = 20"],
    http: { lines: ['listen = "127.0.0.1:0"', 'tokens = "icon.tokens"', ...tls, ...peer], token },
    sources: [
      { name: "tserver", address: tserver.address, dbid: 300, lines: [`token_file = "token"`] },
      { name: "refusing", kind: "ami", address: refusing.address, dbid: 301 },
      { name: "manager", kind: "ami", address: manager.address, dbid: 302 },
    ],
  };
  const outputs = new Map<string, string>();
  await using instance = await Instance.start(setting);
  const page = await instance.ready();
  await until("everything sent was taken in and applied, and the refusal was noticed", 20_000, async () => {
    const { sources, queue, undecodedTotal } = await instance.status();
    const refused = sources.find(({ name }) => name === "refusing");
    return undecodedTotal >= 2 && refused?.lastTrouble != null && queue.recordsNotApplied === 0;
  });
  const wrongToken = makeToken();
  const ask = (path: string, headers: Record<string, string>, init: RequestInit = {}) =>
    fetch(new URL(path, page), { headers, tls: { rejectUnauthorized: false }, redirect: "manual", ...init });
  const fromForm = { Origin: page.slice(0, -1), "Content-Type": "application/x-www-form-urlencoded" };
  const signedIn = await ask("/login", fromForm, { method: "POST", body: `token=${token}` });
  const [, cookie = ""] = /=([A-Za-z0-9_-]{43});/.exec(signedIn.headers.get("set-cookie") ?? "") ?? [];
  expect([signedIn.status, cookie.length]).toEqual([303, 43]);
  const ofHttp = {
    ...{
      "http token": token.slice(5),
      "personal token": personal.slice(5),
      "wrong token": wrongToken.slice(5),
      cookie,
      "token's hash": hash,
    },
    "private key": readFileSync(keyFile, "utf8").split("\n")[1] ?? "",
  };
  const cookies = { Cookie: `__Host-icon-visit-0=${cookie}` };
  outputs.set(
    "wrong form",
    await (await ask("/login", fromForm, { method: "POST", body: `token=${wrongToken}` })).text(),
  );
  outputs.set("wrong bearer", await (await ask("/metrics", { Authorization: `Bearer ${wrongToken}` })).text());
  outputs.set("token in the address", await (await ask(`/metrics?token=${token}`, {})).text());
  for (const path of [
    "/",
    "/login",
    "/api/v1/whoami",
    "/api/v1/status",
    "/metrics",
    "/healthz",
    "/readyz",
    "/nothing",
  ]) {
    const answer = await ask(path, cookies);
    expect([path, answer.status]).toEqual([path, path === "/readyz" ? 503 : path === "/nothing" ? 404 : 200]);
    outputs.set(path, await answer.text());
  }
  // What was recorded: of callers only calls tell, and calls are told only to whoever may see them.
  const all = "from=2026-11-01T00:00:00Z&to=2026-12-31T00:00:00Z";
  const calls = `/api/v1/extract?what=calls&calls=created&${all}`;
  for (const [path, status] of [
    ["/api/v1/extract?what=identity", 200],
    [`/api/v1/extract?what=ledger&${all}`, 200],
    [`/api/v1/availability?${all}`, 200],
    [`/api/v1/windows?${all}`, 200],
    [`/api/v1/windows?${all}&source=${canaries.number}`, 409],
    [`/api/v1/extract?what=calls&calls=named&call=${canaries.number}`, 403],
    [`/api/v1/extract?what=${canaries.number}`, 400],
    [calls, 403],
  ] as const) {
    const answer = await ask(path, cookies);
    expect([path, answer.status]).toEqual([path, status]);
    outputs.set(path.replaceAll(canaries.number, "number"), await answer.text());
  }
  const told = await (await ask(calls, { Authorization: `Bearer ${personal}` })).text();
  expect(told).toContain(canaries.number);
  expect(told).toEndWith('{"end":"whole"}\n');
  const seen = new RegExp([canaries.number, canaries.key, canaries.attached.slice(0, 20)].join("|"), "g");
  expect(told.match(new RegExp(canaries.attached.slice(0, 20), "g"))?.length).toBeGreaterThanOrEqual(3);
  outputs.set("calls, to whoever may see them", told.replaceAll(seen, ""));
  const stopSafe = Bun.spawnSync([binary, "stop-safe", "--config", directory.at("icon-a.toml")]);
  expect(stopSafe.exitCode).toBe(1);
  outputs.set("stop-safe", `${stopSafe.stdout.toString()}${stopSafe.stderr.toString()}`);
  // A wrong specification names its lines, and none of its keys.
  const wrongKey = `[[secure]]\nname = "${canaries.key}"\nhistory = "x"\n`;
  writeFileSync(directory.at("adata.toml"), `${specification}${wrongKey}`);
  const validate = Bun.spawnSync([binary, "validate", "--config", directory.at("icon-a.toml")]);
  writeFileSync(directory.at("adata.toml"), specification);
  expect(validate.exitCode).toBe(78);
  outputs.set("validate", `${validate.stdout.toString()}${validate.stderr.toString()}`);
  for (const file of ["cmdline", "environ"]) outputs.set(file, readFileSync(`/proc/${instance.pid}/${file}`, "latin1"));
  expect(openToOthers(dataDirectoryOf(setting))).toEqual([]);
  expect(await instance.stop()).toBe(0);
  // What is searched for did come in: the queue has it.
  const queue = queueDirectoryOf(setting);
  const kept = readdirSync(queue).map((name) =>
    lstatSync(join(queue, name)).isFile() ? readFileSync(join(queue, name), "latin1") : "",
  );
  expect(kept.join("")).toContain(canaries.number);
  expect(kept.join("")).toContain(canaries.attached);
  outputs.set("log", readFileSync(directory.at("icon-a.log"), "utf8"));

  // Secrets where they don't belong, and credentials files that are no such thing.
  const configuration = readFileSync(directory.at("icon-a.toml"), "utf8");
  const wrong = {
    "good configuration": configuration,
    "secret in the configuration": `${configuration}secret = "${canaries.secret}"\ntoken = "${canaries.token}"\n`,
    "broken credentials": configuration.replaceAll("ami.toml", "broken.toml"),
    "broken token file": configuration.replace('"icon.tokens"', '"token itself"'),
    "token for its file": configuration.replace('"icon.tokens"', JSON.stringify(token)),
    "key for a certificate": configuration.replace(JSON.stringify(certFile), JSON.stringify(keyFile)),
    "broken key": configuration.replace(JSON.stringify(keyFile), '"broken.toml"'),
    "broken token": configuration.replaceAll('"token"', '"broken.toml"'),
  };
  writeFileSync(directory.at("token itself"), `reader read ${token}\n`, { mode: 0o600 });
  writeFileSync(directory.at("broken.toml"), `secret = ${canaries.secret}\n${canaries.token}\n`, { mode: 0o600 });
  for (const [name, text] of Object.entries(wrong)) {
    writeFileSync(directory.at("other.toml"), text);
    for (const command of name === "good configuration" ? ["validate"] : ["validate", "run"]) {
      const { stdout, stderr, exitCode } = Bun.spawnSync([binary, command, "--config", directory.at("other.toml")]);
      outputs.set(`${command}, ${name}`, `${stdout.toString()}${stderr.toString()}`);
      expect({ name, exitCode }).toEqual({ name, exitCode: name === "good configuration" ? 0 : 78 });
    }
  }
  expect([...outputs].filter(([, text]) => text === "").map(([name]) => name)).toEqual([]);
  expect(leaks(outputs, ofHttp)).toEqual([]);
  figure(
    "R18",
    `${Object.keys({ ...canaries, ...ofHttp }).length} canaries searched in ${outputs.size} outputs: 0 hits`,
  );
}, 60_000);
