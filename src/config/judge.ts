// The judgement on a whole configuration text: every section by its schema, then what only shows when keys are held
// against each other. Nothing is decided here that a single key's check could decide (see file.ts).

import { resolve } from "node:path";
import type * as z from "zod/mini";
import { tokenFileOwners } from "../access/token-file.ts";
import type { Config, HttpConfig } from "../config.ts";
import { type AttachedDataMapping, isEmptyMapping } from "../event/attached-data.ts";
import { httpAcross, queueAcross, sourcesAcross, specificationAcross } from "./across.ts";
import type { AdataSpecification } from "./adata-specification.ts";
import { isLoopback, isWildcard } from "./address.ts";
import { userEventMapping } from "./custom-states.ts";
import { type Document, type Path, readDocument } from "./document.ts";
import {
  callconcentratorSection,
  customStatesSection,
  filterDataSection,
  httpSection,
  idbSection,
  instanceSection,
  kindExpected,
  logSection,
  purgeSection,
  queueSection,
  sections,
  sourceList,
  sourceOfUnknownKind,
  sourceSections,
} from "./file.ts";
import { Findings } from "./findings.ts";
import type { ConfigProblem, ConfigWarning } from "./problem.ts";
import { roles, rolesStored } from "./role.ts";
import { type SourceValues, sourceConfig } from "./source.ts";

export type Verdict =
  | { readonly config: Config; readonly problems: readonly []; readonly warnings: readonly ConfigWarning[] }
  | { readonly config: null; readonly problems: readonly ConfigProblem[]; readonly warnings: readonly ConfigWarning[] };

/** `folder` is where relative paths begin. Reads the credentials files that the text names. */
export function judge(text: string, folder: string): Verdict {
  const document = readDocument(text);
  if ("problem" in document) return { config: null, problems: [document.problem], warnings: [] };
  const findings = new Findings(document);
  for (const title of Object.keys(document.values)) {
    if (title !== "source" && !Object.hasOwn(sections, title)) findings.unknownKey([title]);
  }
  const instance = judgeSection(document, findings, "instance", instanceSection);
  const callconcentrator = judgeSection(document, findings, "callconcentrator", callconcentratorSection);
  const filterData = judgeSection(document, findings, "filter-data", filterDataSection);
  const customStates = judgeSection(document, findings, "custom-states", customStatesSection);
  const queue = judgeSection(document, findings, "queue", queueSection);
  const idb = judgeSection(document, findings, "idb", idbSection);
  const purge = judgeSection(document, findings, "purge", purgeSection);
  const http = judgeSection(document, findings, "http", httpSection);
  const log = judgeSection(document, findings, "log", logSection);
  const sources = judgeSources(document, findings);
  const userEvents = customStates && userEventMapping(customStates, findings);
  const specification = specificationAcross(document.values["callconcentrator"], folder, findings);
  queueAcross(document.values["queue"], findings);
  const owners = tokenFileOwners(instance === null ? null : resolve(folder, instance.data_dir));
  httpAcross(document.values["http"], folder, owners, findings);
  sourcesAcross(document.values["source"], folder, findings);
  const role = callconcentrator?.role ?? { roles, isUpperCase: false };
  if (callconcentrator?.role !== undefined) warnOfRole(role, findings);
  if (sources?.length === 0) findings.warn(null, "no [[source]] is configured, so nothing will be recorded");

  const { problems, warnings } = findings.sorted();
  if (problems.length > 0) return { config: null, problems, warnings };
  const isWhole = instance && callconcentrator && filterData && customStates && queue && idb && purge && http && log;
  if (!isWhole || !sources) {
    throw new Error("Cannot judge the configuration: a section failed its check without a problem being named");
  }
  const dataDir = resolve(folder, instance.data_dir);
  const config: Config = {
    instance: { name: instance.name, dbid: instance.dbid, dataDir },
    callconcentrator: {
      role: role.roles,
      attachedData: mappingOf(callconcentrator, specification),
      userEvents,
      glsAcwFirst: callconcentrator["gls-acw-first"],
      glsActiveReasonCodes: callconcentrator["gls-active-reason-codes"],
      remoteLocations: callconcentrator["remote-locations"],
      linkTimeoutSeconds: callconcentrator["is-link-timeout"] / 1000,
    },
    queue: {
      segmentBytes: queue.segment_bytes,
      retentionMs: queue.retention_age,
      retentionBytes: queue.retention_bytes,
      reserveBytes: queue.reserve,
    },
    idb: {
      path: idb.path === undefined ? resolve(dataDir, "idb.db") : resolve(folder, idb.path),
      windowSeconds: idb.window / 1000,
      walLimitBytes: idb.wal_limit,
      checkEveryMs: idb.check_every,
    },
    purge: { keepMs: purge.keep, atMs: purge.at, isEvenIfOnlyCopy: purge.even_if_only_copy },
    http: httpConfig(http, folder),
    log: { level: log.level },
    sources: sources.map((each) => sourceConfig(each, folder, { callconcentrator, filterData })),
  };
  return { config, problems: [], warnings };
}

/** Null: nothing is stored by it. */
function mappingOf(
  values: z.output<typeof callconcentratorSection>,
  specification: AdataSpecification,
): AttachedDataMapping | null {
  const mapping = {
    ...specification,
    otherKeys: values["adata-userdata-history"],
    valueLengthMax: values["max-userdata-length"],
  };
  return isEmptyMapping(mapping) ? null : mapping;
}

function httpConfig(values: z.output<typeof httpSection>, folder: string): HttpConfig {
  const { listen, names, tokens, tls_certificate, tls_key, peer, peer_token_file, peer_ca_file } = values;
  const file = (path: string | undefined) => (path === undefined ? null : resolve(folder, path));
  const host = listen.address?.host;
  const hasTls = tls_certificate !== undefined && tls_key !== undefined;
  return {
    listen: listen.address,
    names: host === undefined || isLoopback(host) || isWildcard(host) ? names : [...names, host],
    tokenFile: file(tokens),
    tls: hasTls ? { certFile: resolve(folder, tls_certificate), keyFile: resolve(folder, tls_key) } : null,
    peer:
      peer === undefined ? null : { origin: peer.origin, tokenFile: file(peer_token_file), caFile: file(peer_ca_file) },
  };
}

/** What the section holds, or null when a problem was named. A missing section is an empty one. */
function judgeSection<T extends z.ZodMiniType>(
  document: Document,
  findings: Findings,
  title: string,
  schema: T,
): z.output<T> | null {
  return judgeValue(findings, [title], schema, document.values[title] ?? {});
}

function judgeValue<T extends z.ZodMiniType>(
  findings: Findings,
  at: Path,
  schema: T,
  value: unknown,
): z.output<T> | null {
  const outcome = schema.safeParse(value);
  if (outcome.success) return outcome.data;
  for (const issue of outcome.error.issues) findings.issue(at, issue);
  return null;
}

function judgeSources(document: Document, findings: Findings): SourceValues[] | null {
  const list = judgeValue(findings, ["source"], sourceList, document.values["source"] ?? []);
  if (list === null) return null;
  const judged = list.map((value, index): SourceValues | null => {
    const at = ["source", index];
    const kind = typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
    if (kind === "tevent") return judgeValue(findings, at, sourceSections.tevent, value);
    if (kind === "ami") return judgeValue(findings, at, sourceSections.ami, value);
    findings.problem([...at, "kind"], kind === undefined ? "it is missing" : null, kindExpected);
    judgeValue(findings, at, sourceOfUnknownKind, value);
    return null;
  });
  const whole = judged.filter((each) => each !== null);
  return whole.length === judged.length ? whole : null;
}

function warnOfRole(
  { roles: chosen, isUpperCase }: { readonly roles: Config["callconcentrator"]["role"]; readonly isUpperCase: boolean },
  findings: Findings,
): void {
  const at = ["callconcentrator", "role"];
  if (isUpperCase) findings.warn(at, 'an upper-case letter makes the role "all", as in the original');
  const idle = chosen.filter((each) => !rolesStored.includes(each));
  if (idle.length > 0) {
    findings.warn(
      at,
      `this version writes no rows for ${idle.join(", ")}; only ${rolesStored.join(", ")} do something`,
    );
  }
}
