// Every key of the configuration file, with what is right for it: the message of each check says what is expected.
// docs/configuration.md and the file that `icon init` writes name each of these keys; a test holds them to it.

import { isIPv6 } from "node:net";
// The small form of the library: the other costs an idle instance 4 MiB.
import * as z from "zod/mini";
import { keyHistories } from "../event/attached-data.ts";
import { eventDataStored } from "../event/user-events.ts";
import { addressExpected, parseAddress } from "./address.ts";
import {
  fieldListExpected,
  keyListExpected,
  parseFieldList,
  parseKeyList,
  parseStateList,
  stateListExpected,
} from "./custom-states.ts";
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
// They stand in each mark of a start, and in the head of every segment of the persistent queue.
const remoteLocationsMax = 256;

interface Wrong {
  /** A clause; empty when what is expected says it all. */
  readonly wrong: string;
}

/** A check of our own on one value. */
function checked<T>(expected: string, parse: (value: unknown) => T) {
  const transform = z.transform((value: unknown, context): Exclude<T, Wrong> => {
    const outcome = parse(value);
    // The compiler does not narrow a type parameter by a guard.
    if (!isWrong(outcome)) return outcome as Exclude<T, Wrong>;
    context.issues.push({ code: "custom", message: expected, input: value, params: { problem: outcome.wrong } });
    return z.NEVER;
  });
  return z.pipe(z.unknown(), transform);
}

function isWrong(outcome: unknown): outcome is Wrong {
  return typeof outcome === "object" && outcome !== null && "wrong" in outcome;
}

function text(expected: string) {
  return z.string(expected).check(z.minLength(1, expected), z.maxLength(4096, expected));
}

function name(what: string) {
  const expected = `${what} of 1 to 64 letters, digits, ".", "_" or "-", beginning with a letter or digit`;
  return z.string(expected).check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, expected));
}

function wholeNumber(min: number, max: number, what: string) {
  const expected = `${what} from ${min} to ${max}`;
  return z.int(expected).check(z.minimum(min, expected), z.maximum(max, expected));
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

export const peerExpected =
  'the other instance as "https://host:port", without a path; "http://" for this host, or with plaintext = true';
const peer = checked(peerExpected, (value) => {
  if (typeof value !== "string") return { wrong: "it is no string" };
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") return { wrong: "" };
  // It would stand in logs and messages.
  if (url.username !== "" || url.password !== "") return { wrong: "a name or password stands in it" };
  const isBare = url.pathname === "/" && url.search === "" && url.hash === "";
  return isBare ? { origin: url.origin } : { wrong: "something stands behind the port" };
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

function section<T extends z.core.$ZodLooseShape>(title: string, shape: T) {
  return z.strictObject(shape, `a section ${title}`);
}

export const instanceSection = section("[instance]", {
  name: name("a name"),
  dbid: dbid(),
  data_dir: path("the folder for queue and IDB"),
});

/** As in the original's: 0 or 1, or in words. */
const switched = checked("0 or 1 (false or true)", (value) => switchedTo(value) ?? { wrong: "" });
const onOff = (default_ = false) => z._default(switched, default_);

const ofSwitchExpected = "-1 (as [callconcentrator] says), 0 or 1 (false or true)";
const ofSwitch = checked(ofSwitchExpected, (value) => (value === -1 ? null : (switchedTo(value) ?? { wrong: "" })));

function switchedTo(value: unknown): boolean | undefined {
  return value === 0 || value === false ? false : value === 1 || value === true ? true : undefined;
}

const remoteLocationsExpected = `a list of at most ${remoteLocationsMax} names of switches, each 1 to 255 characters and there once`;
const remoteLocation = z
  .string(remoteLocationsExpected)
  .check(z.minLength(1, remoteLocationsExpected), z.maxLength(255, remoteLocationsExpected));
const remoteLocations = z.array(remoteLocation, remoteLocationsExpected).check(
  z.maxLength(remoteLocationsMax, remoteLocationsExpected),
  z.refine((names) => new Set(names).size === names.length, remoteLocationsExpected),
);

export const callconcentratorSection = section("[callconcentrator]", {
  role: z.optional(role),
  "adata-spec-name": z.optional(path("the attached data specification")),
  "adata-userdata-history": z._default(z.enum(keyHistories, `one of ${keyHistories.join(", ")}`), "none"),
  "max-userdata-length": z._default(wholeNumber(1, 32_767, "a whole number of characters"), 255),
  // What is not stored is lost, and these cost little: on, unlike the original's.
  "store-releasing-party": onOff(true),
  "extended-route-result": onOff(true),
  "gls-acw-first": onOff(),
  "gls-active-reason-codes": onOff(),
  "dest-busy-processing": onOff(true),
  "remote-locations": z._default(remoteLocations, []),
  "is-link-timeout": z._default(duration(1000, 7 * dayMs, "from 1s to 7d in whole seconds", 1000), 3_600_000),
  "ssc-processing": onOff(true),
});

export const filterDataSection = section("[filter-data]", {
  "observer-party": onOff(),
  "external-party": onOff(),
  "acd-party-metrics": onOff(),
  "acd-party-history": onOff(),
  "call-metrics": onOff(),
  "gls-queue": onOff(),
});

const keyList = checked(keyListExpected, (value) => (typeof value === "string" ? parseKeyList(value) : { wrong: "" }));
const stateList = checked(stateListExpected, (value) =>
  typeof value === "string" ? parseStateList(value) : { wrong: "" },
);
const fieldList = checked(fieldListExpected, (value) =>
  typeof value === "string" ? parseFieldList(value) : { wrong: "" },
);

const eventData = z._default(z.enum(eventDataStored, `one of ${eventDataStored.join(", ")}`), "none");

export const customStatesSection = section("[custom-states]", {
  "store-event-data": eventData,
  EventData: z.optional(keyList),
  "store-event-extensions": eventData,
  EventExtensions: z.optional(keyList),
  GlobalData: z.optional(keyList),
  AgentRecordUserTypes: z.optional(stateList),
  AgentUserFields: z.optional(fieldList),
  "max-party-info": z._default(wholeNumber(4, 128, "a whole number of calls"), 16),
});

export const queueSection = section("[queue]", {
  segment_bytes: z._default(size(2 * mib, gib, "from 2MiB to 1GiB"), queueDefaults.segmentBytes),
  retention_age: z._default(duration(0, 3650 * dayMs, "from 0s to 3650d"), 7 * dayMs),
  retention_bytes: z._default(size(4 * mib, 1024 ** 5, "from 4MiB to 1024TiB"), queueDefaults.retentionBytes),
  reserve: z._default(size(0, 1024 ** 4, "from 0B to 1TiB"), queueDefaults.reserveBytes),
});

export const idbSection = section("[idb]", {
  path: z.optional(path("the IDB file")),
  window: z._default(duration(1000, 3_600_000, "from 1s to 1h in whole seconds", 1000), 60_000),
  wal_limit: z._default(size(16 * mib, 1024 ** 4, "from 16MiB to 1TiB"), 4 * gib),
  check_every: z._default(durationOrOff(1000, 30 * 86_400_000, "from 1s to 30d"), 86_400_000),
});

const timeOfDay = checked('a time of day in UTC, such as "02:30"', (value) => {
  const [, hours, minutes] = (typeof value === "string" && /^([01]\d|2[0-3]):([0-5]\d)$/.exec(value)) || [];
  return hours === undefined ? { wrong: "" } : (Number(hours) * 60 + Number(minutes)) * 60_000;
});

export const purgeSection = section("[purge]", {
  keep: z._default(durationOrOff(dayMs, 36_500 * dayMs, "from 1d to 36500d"), null),
  at: z._default(timeOfDay, 2.5 * 3_600_000),
  even_if_only_copy: z._default(z.boolean("true or false"), false),
});

export const httpSection = section("[http]", {
  listen: z._default(listen, { address: httpListenDefault }),
  names: z._default(z.array(hostName, hostNamesExpected).check(z.maxLength(32, hostNamesExpected)), []),
  tokens: z.optional(path("the token file")),
  tls_certificate: z.optional(path("a file with the certificate of the HTTP side")),
  tls_key: z.optional(path("a file with the certificate's private key")),
  plaintext: z._default(z.boolean("true or false"), false),
  peer: z.optional(peer),
  peer_token_file: z.optional(path("a file that holds a token of the other instance")),
  peer_ca_file: z.optional(path("a file with the certificates of the authorities that are believed")),
});

export const logSection = section("[log]", {
  level: z._default(z.enum(levels, `one of ${levels.join(", ")}`), "info"),
});

const contextsExpected = `a list of at most ${contextsMax} dialplan contexts`;
const contexts = () =>
  z._default(
    z.array(text("a dialplan context"), contextsExpected).check(z.maxLength(contextsMax, contextsExpected)),
    [],
  );

const virtualQueuesExpected = `a list of at most ${contextsMax} names of DNs, in which * stands for any letters`;

const addressesExpected = `a list of 1 to 8 addresses, each ${addressExpected}`;

const tlsTable = section("[source.tls], or true or false", {
  ca_file: z.optional(path("a file with the certificates of the authorities that are believed")),
  cert_file: z.optional(path("a file with this instance's certificate")),
  key_file: z.optional(path("a file with this instance's private key")),
  server_name: z.optional(text("the name that the server's certificate is for")),
});

const boundExpected = "0 (no bound), or a whole number of seconds from 60 to 31536000";
const secondsOrOff = checked(boundExpected, (value) => {
  if (value === 0) return null;
  return typeof value === "number" && Number.isInteger(value) && value >= 60 && value <= 31_536_000
    ? value
    : { wrong: "" };
});

const gtsSection = section("[source.gts]", {
  "call-deletion-timeout": z._default(wholeNumber(0, 3600, "a whole number of seconds"), 30),
  "delivered-flag": z._default(wholeNumber(0, 3, "a whole number"), 0),
  "gls-acw-first": z._default(ofSwitch, null),
  "gls-enable-acw-busy": z._default(switched, true),
  "gls-max-duration": z._default(secondsOrOff, null),
  "gls-max-inactivity": z._default(secondsOrOff, null),
});

const commonKeys = {
  name: name("a name"),
  addresses: z
    .array(address, addressesExpected)
    .check(z.minLength(1, addressesExpected), z.maxLength(8, addressesExpected)),
  dbid: dbid(),
  primary_dbid: z.optional(dbid()),
  switch_dbid: dbid(),
  tls: z.pipe(
    z.transform((value: unknown) => (value === true ? {} : value === false ? undefined : value)),
    z.optional(tlsTable),
  ),
  silence: z.optional(duration(1000, 3_600_000, "from 1s to 1h")),
  reconnect_min: z._default(duration(10, 60_000, "from 10ms to 1m"), reconnectDefaultsMs.min),
  reconnect_max: z._default(duration(100, 3_600_000, "from 100ms to 1h"), reconnectDefaultsMs.max),
  gts: z.prefault(gtsSection, {}),
};

/** DS_TYPE by the name of the server's type on the link. */
export const tserverTypes = { TServer: 1, InteractionServer: 2, OCServer: 3, ConfigurationServer: 100 } as const;
const tserverTypeNames = ["TServer", "InteractionServer", "OCServer", "ConfigurationServer"] as const;

export const sourceSections = {
  tevent: section("[[source]]", {
    kind: z.literal("tevent"),
    ...commonKeys,
    type: z._default(z.enum(tserverTypeNames, `one of ${tserverTypeNames.join(", ")}`), "TServer"),
    token_file: z.optional(path("a file that holds the token")),
    virtual_queues: z._default(
      z
        .array(text("the name of a DN, in which * stands for any letters"), virtualQueuesExpected)
        .check(z.maxLength(contextsMax, virtualQueuesExpected)),
      [],
    ),
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
const sourceListExpected = `at most ${sourcesMax} sections [[source]]`;
export const sourceList = z.array(z.unknown(), sourceListExpected).check(z.maxLength(sourcesMax, sourceListExpected));

export const sections = {
  instance: instanceSection,
  callconcentrator: callconcentratorSection,
  "filter-data": filterDataSection,
  "custom-states": customStatesSection,
  queue: queueSection,
  idb: idbSection,
  purge: purgeSection,
  http: httpSection,
  log: logSection,
} as const;

/** The keys of each table, in the order in which the documentation has them. */
export const keysByTable: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.entries(sections).map(([title, { shape }]) => [title, Object.keys(shape)])),
  source: [...new Set([...Object.keys(sourceSections.tevent.shape), ...Object.keys(sourceSections.ami.shape)])].filter(
    (key) => key !== "gts",
  ),
  "source.gts": Object.keys(gtsSection.shape),
  "source.tls": Object.keys(tlsTable.shape),
};
