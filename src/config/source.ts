// One [[source]] section, once it has passed its checks, as the rest of the program knows it.

import { resolve } from "node:path";
import type { z } from "zod";
import type { SourceConfig, SourceCredentials } from "../config.ts";
import { type sourceSections, tserverTypes } from "./file.ts";

export type SourceValues = z.output<typeof sourceSections.tevent> | z.output<typeof sourceSections.ami>;

// DS_TYPE of Asterisk's manager interface; ours, the original knows no such source.
const dsTypeAsterisk = 101;

/** `folder` is where relative paths begin. */
export function sourceConfig(values: SourceValues, folder: string): SourceConfig {
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
    },
    credentials: credentials(values, folder),
    silenceMs: values.silence ?? null,
    reconnect: { minMs: values.reconnect_min, maxMs: values.reconnect_max },
  };
}

function credentials(values: SourceValues, folder: string): SourceCredentials {
  if (values.kind === "ami") return { kind: "login", credentialsFile: resolve(folder, values.credentials_file) };
  if (values.token_file === undefined) return { kind: "none" };
  return { kind: "token", tokenFile: resolve(folder, values.token_file) };
}
