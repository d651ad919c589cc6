// Every key of the configuration file, with what is right for it: the message of each check says what is expected.
// docs/configuration.md and the file that `icon init` writes name each of these keys; a test holds them to it.

import { isIPv6 } from "node:net";
import { z } from "zod";
import { addressExpected, parseAddress } from "./address.ts";
import { durationExpected, parseDuration, parseSize, sizeExpected } from "./quantity.ts";
import { parseRole, roleExpected } from "./role.ts";

const mib = 1024 ** 2;
const gib = 1024 ** 3;
const dayMs = 86_400_000;

// Shared with the checks that hold two keys against each other.
export const queueDefaults = { segmentBytes: 64 * mib, retentionBytes: 20 * gib, reserveBytes: 64 * mib } as const;
export const httpListenDefault = { host: "127.0.0.1", port: 8080 } as const;
export const reconnectDefaultsMs = { min: 500, max: 30_000 } as const;

const sourcesMax = 100;
const contextsMax = 1000;

interface Wrong {
  /** A clause; empty when what is expected says it all. */
  readonly wrong: string;
}

/** A check of our own on one value. */
function checked<T>(expected: string, parse: (value: unknown) => T) {
  return z.unknown().transform((value, context): Exclude<T, Wrong> => {
    const outcome = parse(value);
    // The compiler does not narrow a type parameter by a guard.
    if (!isWrong(outcome)) return outcome as Exclude<T, Wrong>;
    context.issues.push({ code: "custom", message: expected, input: value, params: { problem: outcome.wrong } });
    return z.NEVER;
  });
}

function isWrong(outcome: unknown): outcome is Wrong {
  return typeof outcome === "object" && outcome !== null && "wrong" in outcome;
}

function text(expected: string) {
  return z.string(expected).min(1, expected).max(4096, expected);
}

function name(what: string) {
  const expected = `${what} of 1 to 64 letters, digits, ".", "_" or "-", beginning with a letter or digit`;
  return z.string(expected).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, expected);
}

function wholeNumber(min: number, max: number, what: string) {
  const expected = `${what} from ${min} to ${max}`;
  return z.int(expected).min(min, expected).max(max, expected);
}

const dbid = () => wholeNumber(1, 2_147_483_647, "a DBID, a whole number");

function duration(minMs: number, maxMs: number, range: string, stepMs = 1) {
  return checked(`${durationExpected}, ${range}`, (value) => {
    const ms = typeof value === "string" ? parseDuration(value) : null;
    if (ms === null) return { wrong: typeof value === "number" ? "the number has no unit" : "" };
    return ms < minMs || ms > maxMs || ms % stepMs !== 0 ? { wrong: "" } : ms;
  });
}

function durationOrOff(minMs: number, maxMs: number, range: string) {
  return checked(`"off", or ${durationExpected}, ${range}`, (value) => {
    if (value === "off") return null;
    const ms = typeof value === "string" ? parseDuration(value) : null;
    return ms === null || ms < minMs || ms > maxMs ? { wrong: "" } : ms;
  });
}

function size(minBytes: number, maxBytes: number, range: string) {
  return checked(`${sizeExpected}, ${range}`, (value) => {
    const bytes = typeof value === "string" ? parseSize(value) : typeof value === "number" ? value : null;
    if (bytes === null || !Number.isSafeInteger(bytes)) return { wrong: "" };
    return bytes < minBytes || bytes > maxBytes ? { wrong: "" } : bytes;
  });
}

const path = (what: string) => text(`the path of ${what}; a relative one starts at the folder of this file`);

const listenExpected = 'an address such as "127.0.0.1:8080", or "off"; port 0 takes any free port';
const listen = checked(listenExpected, (value) => {
  if (typeof value !== "string") return { wrong: "" };
  if (value === "off") return { address: null };
  const address = parseAddress(value, { allowPortZero: true });
  return "wrong" in address ? address : { address };
});

const hostNamesExpected =
  'a list of at most 32 host names or IP addresses without a port, such as ["icon.example.com"]';
const hostName = checked(hostNamesExpected, (value) => {
  if (typeof value !== "string") return { wrong: "" };
  const address = parseAddress(isIPv6(value) ? `[${value}]:1` : `${value}:1`);
  return "wrong" in address ? { wrong: "" } : address.host;
});

const address = checked(addressExpected, (value) =>
  typeof value === "string" ? parseAddress(value) : { wrong: "it is no string" },
);

const role = checked(roleExpected, (value) => {
  if (typeof value !== "string") return { wrong: "it is no string" };
  const outcome = parseRole(value);
  return outcome.kind === "wrong" ? { wrong: outcome.wrong } : outcome;
});

const levels = ["error", "warn", "info", "debug"] as const;

function section<T extends z.ZodRawShape>(title: string, shape: T) {
  return z.strictObject(shape, `a section ${title}`);
}

export const instanceSection = section("[instance]", {
  name: name("a name"),
  dbid: dbid(),
  data_dir: path("the folder for queue and IDB"),
});

export const callconcentratorSection = section("[callconcentrator]", { role: role.optional() });

export const queueSection = section("[queue]", {
  segment_bytes: size(2 * mib, gib, "from 2MiB to 1GiB").default(queueDefaults.segmentBytes),
  retention_age: duration(0, 3650 * dayMs, "from 0s to 3650d").default(7 * dayMs),
  retention_bytes: size(4 * mib, 1024 ** 5, "from 4MiB to 1024TiB").default(queueDefaults.retentionBytes),
  reserve: size(0, 1024 ** 4, "from 0B to 1TiB").default(queueDefaults.reserveBytes),
});

export const idbSection = section("[idb]", {
  path: path("the IDB file").optional(),
  window: duration(1000, 3_600_000, "from 1s to 1h in whole seconds", 1000).default(60_000),
  wal_limit: size(16 * mib, 1024 ** 4, "from 16MiB to 1TiB").default(4 * gib),
  check_every: durationOrOff(1000, 30 * 86_400_000, "from 1s to 30d").default(86_400_000),
});

export const httpSection = section("[http]", {
  listen: listen.default({ address: httpListenDefault }),
  names: z.array(hostName, hostNamesExpected).max(32, hostNamesExpected).default([]),
  tokens: path("the token file").optional(),
  tls_certificate: path("a file with the certificate of the HTTP side").optional(),
  tls_key: path("a file with the certificate's private key").optional(),
  plaintext: z.boolean("true or false").default(false),
});

export const logSection = section("[log]", {
  level: z.enum(levels, `one of ${levels.join(", ")}`).default("info"),
});

const contextsExpected = `a list of at most ${contextsMax} dialplan contexts`;
const contexts = () =>
  z.array(text("a dialplan context"), contextsExpected).max(contextsMax, contextsExpected).default([]);

const addressesExpected = `a list of 1 to 8 addresses, each ${addressExpected}`;

const tlsTable = section("[source.tls], or true or false", {
  ca_file: path("a file with the certificates of the authorities that are believed").optional(),
  cert_file: path("a file with this instance's certificate").optional(),
  key_file: path("a file with this instance's private key").optional(),
  server_name: text("the name that the server's certificate is for").optional(),
});

const commonKeys = {
  name: name("a name"),
  addresses: z.array(address, addressesExpected).min(1, addressesExpected).max(8, addressesExpected),
  dbid: dbid(),
  primary_dbid: dbid().optional(),
  switch_dbid: dbid(),
  tls: z.preprocess((value) => (value === true ? {} : value === false ? undefined : value), tlsTable.optional()),
  silence: duration(1000, 3_600_000, "from 1s to 1h").optional(),
  reconnect_min: duration(10, 60_000, "from 10ms to 1m").default(reconnectDefaultsMs.min),
  reconnect_max: duration(100, 3_600_000, "from 100ms to 1h").default(reconnectDefaultsMs.max),
  gts: section("[source.gts]", {
    "call-deletion-timeout": wholeNumber(0, 3600, "a whole number of seconds").default(30),
  }).prefault({}),
};

/** DS_TYPE by the name of the server's type on the link. */
export const tserverTypes = { TServer: 1, InteractionServer: 2, OCServer: 3, ConfigurationServer: 100 } as const;
const tserverTypeNames = ["TServer", "InteractionServer", "OCServer", "ConfigurationServer"] as const;

export const sourceSections = {
  tevent: section("[[source]]", {
    kind: z.literal("tevent"),
    ...commonKeys,
    type: z.enum(tserverTypeNames, `one of ${tserverTypeNames.join(", ")}`).default("TServer"),
    token_file: path("a file that holds the token").optional(),
  }),
  ami: section("[[source]]", {
    kind: z.literal("ami"),
    ...commonKeys,
    credentials_file: path("a TOML file that holds username and secret"),
    inbound_contexts: contexts(),
    internal_contexts: contexts(),
    outbound_contexts: contexts(),
  }),
};

/** For a source whose kind is wrong: what can be judged all the same. */
export const sourceOfUnknownKind = z.looseObject(commonKeys);

export const kindExpected = '"tevent" or "ami"';
export const sourceListExpected = `at most ${sourcesMax} sections [[source]]`;
export const sourceList = z.array(z.unknown(), sourceListExpected).max(sourcesMax, sourceListExpected);

export const sections = {
  instance: instanceSection,
  callconcentrator: callconcentratorSection,
  queue: queueSection,
  idb: idbSection,
  http: httpSection,
  log: logSection,
} as const;

/** The keys of each table, in the order in which the documentation has them. */
export const keysByTable: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.entries(sections).map(([title, { shape }]) => [title, Object.keys(shape)])),
  source: [...new Set([...Object.keys(sourceSections.tevent.shape), ...Object.keys(sourceSections.ami.shape)])].filter(
    (key) => key !== "gts",
  ),
  "source.gts": ["call-deletion-timeout"],
  "source.tls": Object.keys(tlsTable.shape),
};
