// One [[source]] section, once it has passed its checks, as the rest of the program knows it.

import { resolve } from "node:path";
import type * as z from "zod/mini";
import type { SourceConfig, SourceCredentials, SourceTls } from "../config.ts";
import { leftOut, type ProjectionOptions } from "../event/envelope.ts";
import { type callconcentratorSection, type filterDataSection, type sourceSections, tserverTypes } from "./file.ts";

export type SourceValues = z.output<typeof sourceSections.tevent> | z.output<typeof sourceSections.ami>;

// DS_TYPE of Asterisk's manager interface; ours, the original knows no such source.
const dsTypeAsterisk = 101;

/** What holds for every source. */
export interface CommonValues {
  readonly callconcentrator: z.output<typeof callconcentratorSection>;
  readonly filterData: z.output<typeof filterDataSection>;
}

/** `folder` is where relative paths begin. */
export function sourceConfig(values: SourceValues, folder: string, common: CommonValues): SourceConfig {
  return {
    identity: {
      name: values.name,
      kind: values.kind,
      dbid: values.dbid,
      primaryDbid: values.primary_dbid ?? values.dbid,
      switchDbid: values.switch_dbid,
      dsType: values.kind === "tevent" ? tserverTypes[values.type] : dsTypeAsterisk,
    },
    addresses: values.addresses,
    options: {
      callDeletionTimeoutSeconds: values.gts["call-deletion-timeout"],
      inboundContexts: values.kind === "ami" ? values.inbound_contexts : [],
      internalContexts: values.kind === "ami" ? values.internal_contexts : [],
      outboundContexts: values.kind === "ami" ? values.outbound_contexts : [],
      ...storedOf(common),
      ...deliveredOf(values),
      ...(values.kind === "tevent" && values.virtual_queues.length > 0 && { virtualQueues: values.virtual_queues }),
    },
    agents: agents(values),
    credentials: credentials(values, folder),
    tls: tls(values, folder),
    silenceMs: values.silence ?? null,
    reconnect: { minMs: values.reconnect_min, maxMs: values.reconnect_max },
  };
}

function agents({ gts }: SourceValues): SourceConfig["agents"] {
  const { "gls-max-duration": sessionSecondsMax, "gls-max-inactivity": idleSecondsMax } = gts;
  return {
    isAcwOfFirstCall: gts["gls-acw-first"],
    isBusyOverAcw: gts["gls-enable-acw-busy"],
    ...(sessionSecondsMax !== null && { sessionSecondsMax }),
    ...(idleSecondsMax !== null && { idleSecondsMax }),
  };
}

/** Asterisk tells of everybody itself. */
function deliveredOf({ kind, gts }: SourceValues): Pick<ProjectionOptions, "delivered"> {
  const delivered = kind === "tevent" ? deliveredWords[gts["delivered-flag"]] : undefined;
  return delivered === undefined ? {} : { delivered };
}

const deliveredWords = ["dialing", "network reached", "established"] as const;

/** Only what is on: absent is off, as in marks of versions that did not know it. */
function storedOf({ callconcentrator, filterData }: CommonValues): Partial<ProjectionOptions> {
  const leavesOut = leftOut.filter((each) => filterData[each]);
  return {
    ...(callconcentrator["store-releasing-party"] && { storesReleasingParty: true }),
    ...(leavesOut.length > 0 && { leavesOut }),
    ...(callconcentrator["dest-busy-processing"] && { storesBusyDestinations: true }),
    ...(callconcentrator["ssc-processing"] && { linksSingleStepConferences: true }),
    ...(callconcentrator["extended-route-result"] && { extendsRouteResults: true }),
  };
}

function tls({ tls: values }: SourceValues, folder: string): SourceTls | null {
  if (values === undefined) return null;
  const { ca_file, cert_file, key_file, server_name } = values;
  const hasClient = cert_file !== undefined && key_file !== undefined;
  return {
    caFile: ca_file === undefined ? null : resolve(folder, ca_file),
    client: hasClient ? { certFile: resolve(folder, cert_file), keyFile: resolve(folder, key_file) } : null,
    serverName: server_name ?? null,
  };
}

function credentials(values: SourceValues, folder: string): SourceCredentials {
  if (values.kind === "ami") return { kind: "login", credentialsFile: resolve(folder, values.credentials_file) };
  if (values.token_file === undefined) return { kind: "none" };
  return { kind: "token", tokenFile: resolve(folder, values.token_file) };
}
