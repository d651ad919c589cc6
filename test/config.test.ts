import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, judgeConfig, loadConfig, projectionConfiguration } from "../src/config.ts";
import { defaultAgentOptions } from "../src/event/envelope.ts";
import { runIcon } from "./commands/run-icon.ts";

/** What the original stores only where it is asked to. */
const storedByDefault = {
  storesReleasingParty: true,
  storesBusyDestinations: true,
  linksSingleStepConferences: true,
  extendsRouteResults: true,
} as const;

const smallest = `
[instance]
name = "icon-a"
dbid = 9001
data_dir = "data"

[[source]]
name = "north"
kind = "tevent"
addresses = ["north-1:7001", "[fe80::1]:7001"]
dbid = 101
switch_dbid = 1
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "icon-config-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function problemsOf(text: string): readonly { readonly key: string | null; readonly line: number | null }[] {
  return errorOf(text).problems;
}

function errorOf(text: string): ConfigError {
  try {
    judgeConfig(text, join(folder, "icon.toml"));
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("The configuration was accepted");
}

/** The messages without the file's path. */
function messagesOf(text: string): string[] {
  return errorOf(text).message.replaceAll(`${folder}/`, "").split("\n");
}

describe("a configuration that is right", () => {
  test("the smallest file gets every default", () => {
    const { config, warnings } = judgeConfig(smallest, join(folder, "icon.toml"));
    expect(warnings).toEqual([]);
    expect(config).toEqual({
      instance: { name: "icon-a", dbid: 9001, dataDir: join(folder, "data") },
      callconcentrator: {
        role: ["cfg", "gcc", "gls", "gud", "gos", "lrm"],
        attachedData: null,
        userEvents: null,
        glsAcwFirst: false,
        glsActiveReasonCodes: false,
        remoteLocations: [],
        linkTimeoutSeconds: 3600,
      },
      queue: {
        segmentBytes: 67_108_864,
        retentionMs: 604_800_000,
        retentionBytes: 21_474_836_480,
        reserveBytes: 67_108_864,
      },
      idb: {
        path: join(folder, "data", "idb.db"),
        windowSeconds: 60,
        walLimitBytes: 4_294_967_296,
        checkEveryMs: 86_400_000,
      },
      purge: { keepMs: null, atMs: 9_000_000, isEvenIfOnlyCopy: false },
      http: { listen: { host: "127.0.0.1", port: 8080 }, names: [], tokenFile: null, tls: null, peer: null },
      log: { level: "info" },
      sources: [
        {
          identity: { name: "north", kind: "tevent", dbid: 101, primaryDbid: 101, switchDbid: 1, dsType: 1 },
          addresses: [
            { host: "north-1", port: 7001 },
            { host: "fe80::1", port: 7001 },
          ],
          options: {
            callDeletionTimeoutSeconds: 30,
            inboundContexts: [],
            internalContexts: [],
            outboundContexts: [],
            ...storedByDefault,
            delivered: "dialing",
          },
          agents: { isAcwOfFirstCall: null, isBusyOverAcw: true },
          tls: null,
          credentials: { kind: "none" },
          silenceMs: null,
          reconnect: { minMs: 500, maxMs: 30_000 },
        },
      ],
    });
  });

  test("every key that is given is used, and relative paths start at the folder of the file", () => {
    writeFileSync(join(folder, "pbx.toml"), 'username = "icon"\nsecret = "hush"\n', { mode: 0o600 });
    writeFileSync(join(folder, "south.token"), "tok\n", { mode: 0o600 });
    writeFileSync(
      join(folder, "icon.toml"),
      `
[instance]
name = "icon-b"
dbid = 9002
data_dir = "/var/lib/icon"
[callconcentrator]
role = "gcc"
[queue]
segment_bytes = "8MiB"
retention_age = "12h"
retention_bytes = 33554432
[idb]
path = "rows/idb.db"
window = "1s"
[http]
listen = "off"
[log]
level = "debug"
[[source]]
name = "south"
kind = "tevent"
type = "OCServer"
addresses = ["south:7003"]
dbid = 103
primary_dbid = 102
switch_dbid = 3
token_file = "south.token"
silence = "45s"
reconnect_min = "1s"
reconnect_max = "2m"
[source.gts]
delivered-flag = 1
call-deletion-timeout = 0
gls-acw-first = 1
gls-enable-acw-busy = false
[[source]]
name = "pbx"
kind = "ami"
addresses = ["pbx:5038"]
dbid = 104
switch_dbid = 4
credentials_file = "pbx.toml"
inbound_contexts = ["from-trunk"]
internal_contexts = ["from-internal"]
outbound_contexts = ["to-trunk", "to-mobile"]
`,
    );
    const { config, warnings } = loadConfig(join(folder, "icon.toml"));
    expect(warnings).toEqual([]);
    expect(config.instance.dataDir).toBe("/var/lib/icon");
    expect(config.callconcentrator.role).toEqual(["gcc"]);
    expect(config.queue).toEqual({
      segmentBytes: 8_388_608,
      retentionMs: 43_200_000,
      retentionBytes: 33_554_432,
      reserveBytes: 67_108_864,
    });
    expect(config.idb).toEqual({
      path: join(folder, "rows", "idb.db"),
      windowSeconds: 1,
      walLimitBytes: 4_294_967_296,
      checkEveryMs: 86_400_000,
    });
    expect(config.http.listen).toBeNull();
    expect(config.log.level).toBe("debug");
    const [south, pbx] = config.sources;
    expect(south).toEqual({
      identity: { name: "south", kind: "tevent", dbid: 103, primaryDbid: 102, switchDbid: 3, dsType: 3 },
      addresses: [{ host: "south", port: 7003 }],
      options: {
        callDeletionTimeoutSeconds: 0,
        inboundContexts: [],
        internalContexts: [],
        outboundContexts: [],
        ...storedByDefault,
        delivered: "network reached",
      },
      agents: { isAcwOfFirstCall: true, isBusyOverAcw: false },
      tls: null,
      credentials: { kind: "token", tokenFile: join(folder, "south.token") },
      silenceMs: 45_000,
      reconnect: { minMs: 1000, maxMs: 120_000 },
    });
    expect(pbx?.identity.dsType).toBe(101);
    expect(pbx?.credentials).toEqual({ kind: "login", credentialsFile: join(folder, "pbx.toml") });
    expect(pbx?.options).toEqual({
      callDeletionTimeoutSeconds: 30,
      inboundContexts: ["from-trunk"],
      internalContexts: ["from-internal"],
      outboundContexts: ["to-trunk", "to-mobile"],
      ...storedByDefault,
    });
    expect(JSON.stringify(config)).not.toContain("hush");
  });

  test("remote-locations and is-link-timeout are part of what rows depend on, and what is wrong in them is named", () => {
    const text = (...lines: readonly string[]) => `${smallest}\n[callconcentrator]\n${lines.join("\n")}\n`;
    const interSite = (...lines: readonly string[]) =>
      projectionConfiguration(judgeConfig(text(...lines), "icon.toml").config).interSite;
    expect(interSite()).toBeUndefined();
    expect(interSite('remote-locations = ["West", "East 2"]', 'is-link-timeout = "2m"')).toEqual({
      remoteLocations: ["West", "East 2"],
      linkTimeoutSeconds: 120,
    });
    expect(interSite('is-link-timeout = "1d"')).toEqual({ remoteLocations: [], linkTimeoutSeconds: 86_400 });
    const wrong = (line: string) => messagesOf(text(line)).map((each) => each.replace(/^.*Cannot/, "Cannot"));
    const list = "expected a list of at most 256 names of switches, each 1 to 255 characters and there once";
    expect(wrong('remote-locations = "West"')).toEqual([
      `Cannot use callconcentrator.remote-locations "West": ${list}`,
    ]);
    expect(wrong('remote-locations = ["West", ""]')[0]).toEndWith(list);
    expect(wrong('remote-locations = ["West", "West"]')[0]).toEndWith(list);
    expect(wrong("is-link-timeout = 60")[0]).toContain("the number has no unit");
    for (const timeout of ["0s", "8d", "1500ms", "soon"]) {
      expect(wrong(`is-link-timeout = "${timeout}"`)[0]).toEndWith("from 1s to 7d in whole seconds");
    }
  });

  test("a switch's gls-acw-first goes before that of [callconcentrator], and rows are made by what holds", () => {
    const text = (ofInstance: string, ofSwitch: string) =>
      `${smallest}\n[source.gts]\n${ofSwitch}\n[callconcentrator]\n${ofInstance}\n`;
    const agents = (ofInstance: string, ofSwitch: string) =>
      projectionConfiguration(judgeConfig(text(ofInstance, ofSwitch), "icon.toml").config).sources[0]?.options.agents;
    expect(agents("", "")).toEqual(defaultAgentOptions);
    expect(agents("gls-acw-first = 1", "gls-acw-first = -1")?.isAcwOfFirstCall).toBe(true);
    expect(agents("gls-acw-first = 1", "gls-acw-first = 0")?.isAcwOfFirstCall).toBe(false);
    expect(agents("gls-active-reason-codes = 1", "gls-enable-acw-busy = 0")).toEqual({
      isAcwOfFirstCall: false,
      isBusyOverAcw: false,
      writesActiveReasons: true,
    });
    const wrong = messagesOf(text('gls-active-reason-codes = "yes"', "gls-acw-first = 2")).map((line) =>
      line.replace(/^.*Cannot/, "Cannot"),
    );
    expect(wrong).toContain(
      "Cannot use source[0].gts.gls-acw-first 2: expected -1 (as [callconcentrator] says), 0 or 1 (false or true)",
    );
    expect(wrong).toContain(
      'Cannot use callconcentrator.gls-active-reason-codes "yes": expected 0 or 1 (false or true)',
    );
  });

  test("roles without rows yet, and a file without sources, are warned of", () => {
    const text = smallest.slice(0, smallest.indexOf("[[source]]"));
    const { warnings } = judgeConfig(`${text}[callconcentrator]\nrole = "gcc,GLS"\n`, "icon.toml");
    expect(warnings.map(({ line, key }) => ({ line, key }))).toEqual([
      { line: null, key: null },
      { line: 8, key: "callconcentrator.role" },
      { line: 8, key: "callconcentrator.role" },
    ]);
  });
});

describe("a configuration that is wrong", () => {
  test("all problems are named at once, in the order of the lines, with value and what would be right", () => {
    const messages = messagesOf(`[instance]
name = "a b"
dbid = 0
dta_dir = "x"
[callconcentrator]
role = "gcc,foo"
[queue]
segment_size = 5
retention_age = 5
[htpp]
[http]
listen = "127.0.0.1:70000"
[[source]]
name = "north"
kind = "tevent"
addresses = ["a:1", "b:70000", 5]
dbid = 5
inbound_contexts = ["x"]
[[source]]
name = "south"
kind = "tservre"
addresses = []
dbid = 6
switch_dbid = 1.5
`);
    expect(messages).toEqual([
      "icon.toml:1:1: Cannot use instance.data_dir: it is missing; expected the path of the folder for queue and IDB; a relative one starts at the folder of this file",
      'icon.toml:2:8: Cannot use instance.name "a b": expected a name of 1 to 64 letters, digits, ".", "_" or "-", beginning with a letter or digit',
      "icon.toml:3:8: Cannot use instance.dbid 0: expected a DBID, a whole number from 1 to 2147483647",
      'icon.toml:4:11: Cannot use instance.dta_dir "x": there is no such key; expected data_dir',
      'icon.toml:6:8: Cannot use callconcentrator.role "gcc,foo": there is no role foo; expected "all", or a comma list of cfg, gcc, gls, gud, gos, lrm, each also as ~x (everything but x)',
      "icon.toml:8:16: Cannot use queue.segment_size 5: there is no such key; expected segment_bytes",
      'icon.toml:9:17: Cannot use queue.retention_age 5: the number has no unit; expected a duration with its unit (ms, s, m, h, d), such as "30s" or "7d", from 0s to 3650d',
      "icon.toml:10:1: Cannot use htpp: there is no such section; expected [http]",
      'icon.toml:12:10: Cannot use http.listen "127.0.0.1:70000": there is no port 70000; expected an address such as "127.0.0.1:8080", or "off"; port 0 takes any free port',
      "icon.toml:13:1: Cannot use source[0].switch_dbid: it is missing; expected a DBID, a whole number from 1 to 2147483647",
      'icon.toml:16:21: Cannot use source[0].addresses[1] "b:70000": there is no port 70000; expected "host:port" with a port from 1 to 65535; an IPv6 host in brackets',
      'icon.toml:16:32: Cannot use source[0].addresses[2] 5: it is no string; expected "host:port" with a port from 1 to 65535; an IPv6 host in brackets',
      'icon.toml:18:20: Cannot use source[0].inbound_contexts ["x"]: the key is for sources of kind "ami" only; expected it to be left out, or kind = "ami"',
      'icon.toml:21:8: Cannot use source[1].kind "tservre": expected "tevent" or "ami"',
      'icon.toml:22:13: Cannot use source[1].addresses []: expected a list of 1 to 8 addresses, each "host:port" with a port from 1 to 65535; an IPv6 host in brackets',
      "icon.toml:24:15: Cannot use source[1].switch_dbid 1.5: expected a DBID, a whole number from 1 to 2147483647",
    ]);
  });

  test("an empty file lacks what nobody can guess", () => {
    expect(problemsOf("").map(({ key }) => key)).toEqual(["instance.name", "instance.dbid", "instance.data_dir"]);
  });

  test("a text that is no TOML is named with its line", () => {
    expect(errorOf('[instance]\nname = "a\n').problems).toMatchObject([{ line: 2, key: null }]);
    expect(errorOf("a = 1\nb = 2\na = 3\n").message).toContain("icon.toml:3:1: Cannot use this file");
  });

  test("a file that is not there is said to be so", () => {
    expect(() => loadConfig(join(folder, "none.toml"))).toThrow(/none\.toml: Cannot use this file: .*ENOENT/);
  });

  test.each(["192.168.1.5:8080", "status.example:8080", "128.0.0.1:80"])(
    "listening on %p is refused without tokens and TLS, because other hosts could reach it",
    (listen) => {
      expect(messagesOf(`${smallest}[http]\nlisten = "${listen}"\n`)).toEqual([
        expect.stringContaining(
          "other hosts can reach this address; expected tokens (a file that `icon token add` makes) and tls_certificate with tls_key",
        ),
      ]);
    },
  );

  test("plaintext = true waives TLS and not the tokens; a wildcard address needs the names by which it is called", () => {
    const http = (...lines: string[]) => messagesOf(`${smallest}[http]\n${lines.join("\n")}\n`);
    expect(http('listen = "192.168.1.5:80"', "plaintext = true")).toEqual([
      expect.stringContaining("expected tokens (a file that `icon token add` makes); or a loopback address"),
    ]);
    writeFileSync(join(folder, "icon.tokens"), "", { mode: 0o600 });
    expect(http('listen = "192.168.1.5:80"', 'tokens = "icon.tokens"')).toEqual([
      expect.stringContaining("expected tls_certificate with tls_key (or plaintext = true"),
    ]);
    for (const wildcard of ["0.0.0.0:80", "[::]:80"]) {
      expect(http(`listen = "${wildcard}"`, 'tokens = "icon.tokens"', "plaintext = true")).toEqual([
        expect.stringContaining("a request for any other name is refused"),
      ]);
    }
    const right = [
      'listen = "0.0.0.0:80"',
      'names = ["Icon.Example.com", "10.0.0.1", "fe80::1"]',
      'tokens = "icon.tokens"',
    ];
    const accepted = `${smallest}[http]\n${right.join("\n")}\nplaintext = true\n`;
    expect(judgeConfig(accepted, join(folder, "icon.toml")).config.http).toEqual({
      listen: { host: "0.0.0.0", port: 80 },
      names: ["icon.example.com", "10.0.0.1", "fe80::1"],
      tokenFile: join(folder, "icon.tokens"),
      tls: null,
      peer: null,
    });
    expect(
      http(...right.slice(0, 1), 'names = ["icon.example.com:80", ""]', ...right.slice(2), "plaintext = true").length,
    ).toBe(2);
  });

  test("the token file and the certificate are read when the file is judged, and never repeated", () => {
    writeFileSync(join(folder, "open.tokens"), "", { mode: 0o644 });
    writeFileSync(join(folder, "bad.tokens"), `wall read icon_${"x".repeat(43)}\n`, { mode: 0o600 });
    const http = (...lines: string[]) => messagesOf(`${smallest}[http]\n${lines.join("\n")}\n`);
    expect(http('tokens = "open.tokens"')).toEqual([
      expect.stringContaining("others than its owner can reach it (mode 0644)"),
    ]);
    expect(http('tokens = "bad.tokens"')).toEqual([expect.stringContaining("line 1: a token itself stands there")]);
    expect(http('tokens = "bad.tokens"').join("")).not.toContain("xxx");
    expect(http('tls_certificate = "bad.tokens"')).toEqual([
      expect.stringContaining('Cannot use http.tls_certificate "bad.tokens": the other one of the two is missing'),
    ]);
    expect(http('tls_certificate = "bad.tokens"', 'tls_key = "bad.tokens"')).toEqual([
      expect.stringContaining("it holds no certificate"),
    ]);
  });

  test("the peer is an address and nothing more, over TLS unless it is near, with its token in a file", () => {
    writeFileSync(join(folder, "peer.token"), "icon_peer\n", { mode: 0o600 });
    writeFileSync(join(folder, "open.token"), "icon_peer\n", { mode: 0o644 });
    const http = (...lines: string[]) => messagesOf(`${smallest}[http]\n${lines.join("\n")}\n`);
    const peerOf = (...lines: string[]) =>
      judgeConfig(`${smallest}[http]\n${lines.join("\n")}\n`, join(folder, "icon.toml")).config.http.peer;
    expect(peerOf('peer = "https://Icon-B.example.com:8443/"', 'peer_token_file = "peer.token"')).toEqual({
      origin: "https://icon-b.example.com:8443",
      tokenFile: join(folder, "peer.token"),
      caFile: null,
    });
    const withoutTls = { origin: "http://10.0.0.2:8080", tokenFile: null, caFile: null };
    expect(peerOf('peer = "http://10.0.0.2:8080"', "plaintext = true")).toEqual(withoutTls);
    expect(peerOf('peer = "http://127.0.0.1:8081"')?.origin).toBe("http://127.0.0.1:8081");
    for (const [lines, expected] of [
      [['peer = "https://icon:secret@b:8443"'], "a name or password stands in it"],
      [['peer = "https://b:8443/api?x=1"'], "something stands behind the port"],
      [['peer = "b:8443"'], 'expected the other instance as "https://host:port"'],
      [["peer = 8443"], "it is no string"],
      [['peer = "http://10.0.0.2:8080"'], "a token would go there in the open"],
      [['peer = "http://127.0.0.1:8080"'], "it is this instance's own address"],
      [['peer = "https://b"', 'peer_token_file = "open.token"'], "everybody on this host can reach it (mode 0644)"],
      [['peer = "https://b"', 'peer_ca_file = "none.pem"'], "the file cannot be read (ENOENT)"],
      [['peer_token_file = "peer.token"'], "no peer is configured; expected peer beside it"],
    ] as const) {
      expect(http(...lines)).toEqual([expect.stringContaining(expected)]);
    }
  });

  test.each(["127.0.0.1:0", "127.8.9.10:80", "localhost:9000", "[::1]:9000"])(
    "listening on %p is accepted",
    (listen) => {
      const { config } = judgeConfig(`${smallest}[http]\nlisten = "${listen}"\n`, "icon.toml");
      expect(config.http.listen).not.toBeNull();
    },
  );

  test("two sources with one name, DBID or address are named with the first", () => {
    const second = smallest.slice(smallest.indexOf("[[source]]")).replace("north-1", "NORTH-1");
    expect(messagesOf(smallest + second)).toEqual([
      'icon.toml:14:8: Cannot use source[1].name "north": source[0].name says the same; expected a name of its own for each source',
      'icon.toml:16:14: Cannot use source[1].addresses[0] "NORTH-1:7001": source[0].addresses[0] says the same; expected an address to be named once; a pair is one source with two addresses',
      'icon.toml:16:30: Cannot use source[1].addresses[1] "[fe80::1]:7001": source[0].addresses[1] says the same; expected an address to be named once; a pair is one source with two addresses',
      "icon.toml:17:8: Cannot use source[1].dbid 101: source[0].dbid says the same; expected a DBID of its own for each source",
    ]);
  });

  test("a queue that cannot hold two segments, and back-off bounds the wrong way round, are found", () => {
    const text = `${smallest}reconnect_min = "40s"\n[queue]\nsegment_bytes = "4MiB"\nretention_bytes = "7MiB"\n`;
    expect(problemsOf(text)).toMatchObject([
      { key: "source[0].reconnect_min", line: 13 },
      { key: "queue.retention_bytes", line: 16 },
    ]);
  });

  test("options of the original are refused by name, with what to use instead", () => {
    const messages = messagesOf(`${smallest}
[source.gts]
delivered-flag = 4
[callconcentrator]
acc-queue-size = 500
pq-startup-purge = 0
start-cfg-sync = 1
[filter-data]
gls-queue = 1
call-metrics = 2
`);
    expect(messages).toEqual([
      "icon.toml:15:18: Cannot use source[0].gts.delivered-flag 4: expected a whole number from 0 to 3",
      "icon.toml:17:18: Cannot use callconcentrator.acc-queue-size 500: this option of the original has no place here; expected nothing: IDB transactions grow and shrink with the backlog by themselves",
      "icon.toml:18:20: Cannot use callconcentrator.pq-startup-purge 0: this option of the original has no place here; expected retention_age and retention_bytes in [queue]",
      "icon.toml:19:18: Cannot use callconcentrator.start-cfg-sync 1: this version does not act on this option of the original yet; expected the option to be left out",
      "icon.toml:22:16: Cannot use filter-data.call-metrics 2: expected 0 or 1 (false or true)",
    ]);
  });

  test("what shall be left out is part of each source's options, and nothing is where nothing is said", () => {
    const stored = (text: string) => judgeConfig(text, "/etc/icon/icon.toml").config.sources[0]?.options;
    expect(Object.keys(stored(smallest) ?? {})).not.toContain("leavesOut");
    expect(stored(`${smallest}[filter-data]\nobserver-party = 0\n`)).toEqual(stored(smallest));
    expect(stored(smallest)).toMatchObject(storedByDefault);
    const off = "store-releasing-party = 0\ndest-busy-processing = 0\nextended-route-result = 0\n";
    expect(
      Object.keys(stored(`${smallest}[callconcentrator]\n${off}`) ?? {}).filter((key) => /^(stores|extends)/.test(key)),
    ).toEqual([]);
    const text = `${smallest}[callconcentrator]\nstore-releasing-party = 1\n[filter-data]\ncall-metrics = true\nobserver-party = 1\n`;
    expect(stored(text)).toMatchObject({
      storesReleasingParty: true,
      leavesOut: ["observer-party", "call-metrics"],
    });
  });

  test("a key in the wrong section is answered with its right one", () => {
    expect(messagesOf(`${smallest}data_dir = "x"\n`)).toEqual([
      'icon.toml:13:12: Cannot use source[0].data_dir "x": there is no such key; expected data_dir in [instance]',
    ]);
  });

  test("a secret written into the configuration is refused and not repeated", () => {
    const message = errorOf(`${smallest}secret = "hush-hush"\ntoken = "hush-hush"\n`).message;
    expect(message).toContain(
      "source[0].secret: there is no such key; expected secrets to stand in a file of their own",
    );
    expect(message).not.toContain("hush-hush");
  });

  test("nothing is made in the folder of a file that is judged", () => {
    writeFileSync(join(folder, "icon.toml"), smallest);
    loadConfig(join(folder, "icon.toml"));
    expect(readdirSync(folder)).toEqual(["icon.toml"]);
  });
});

describe("credentials", () => {
  const ami = `${smallest.replace("tevent", "ami")}credentials_file = "pbx.toml"\n`;
  const secretFile = () => join(folder, "pbx.toml");

  test("a source of kind ami needs a credentials file", () => {
    expect(problemsOf(smallest.replace("tevent", "ami"))).toMatchObject([{ key: "source[0].credentials_file" }]);
  });

  test("a credentials file that everybody can read is refused with the command that mends it", () => {
    writeFileSync(secretFile(), 'username = "icon"\nsecret = "hush"\n');
    chmodSync(secretFile(), 0o644);
    expect(messagesOf(ami)).toEqual([
      'icon.toml:13:20: Cannot use source[0].credentials_file "pbx.toml": everybody on this host can reach it (mode 0644); expected chmod 600 pbx.toml',
    ]);
    chmodSync(secretFile(), 0o640);
    expect(judgeConfig(ami, join(folder, "icon.toml")).config.sources).toHaveLength(1);
  });

  test.each([
    ["", "username is missing"],
    ['username = "icon"\n', "secret is missing"],
    [
      'username = "icon"\nsecret = "hush-hush\\r\\nAction: Originate"\n',
      "secret is missing or is no string of one line",
    ],
    ['username = "icon"\nsecret = hush-hush\n', "line 2 is not TOML"],
    ['username = "icon"\nsecret = "hush-hush"\nhost = "x"\n', "another key"],
  ])("contents that cannot be used are said to be so without a word of them: %p", (contents, problem) => {
    writeFileSync(secretFile(), contents, { mode: 0o600 });
    const { message } = errorOf(ami);
    expect(message).toContain(problem);
    expect(message).not.toContain("hush-hush");
  });

  test.each([
    ["token_file", (fifo: string) => `${smallest}token_file = "${fifo}"\n`],
    ["credentials_file", (fifo: string) => `${smallest.replace("tevent", "ami")}credentials_file = "${fifo}"\n`],
    ["ca_file", (fifo: string) => `${smallest}[source.tls]\nca_file = "${fifo}"\n`],
  ])("a FIFO in the place of a %s is refused and not waited for", async (key, configuration) => {
    expect(spawnSync("mkfifo", ["-m", "600", join(folder, "fifo")]).status).toBe(0);
    // In a process of its own: what waits for a writer here would wait for ever, and no test could say so.
    writeFileSync(join(folder, "icon.toml"), configuration("fifo"));
    const { exitCode, stderr } = await runIcon(["validate", "--config", "icon.toml"], folder);
    expect(stderr).toContain(`${key} "fifo": it is no file`);
    expect(exitCode).toBe(78);
  });

  test("a token file that is missing is named", () => {
    expect(messagesOf(`${smallest}token_file = "north.token"\n`)).toEqual([
      'icon.toml:13:14: Cannot use source[0].token_file "north.token": the file cannot be read (ENOENT); expected a readable file with mode 0600',
    ]);
  });
});
