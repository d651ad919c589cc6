// The files of a source's TLS. They are read for each connection, and never become part of a Config or a message.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { SourceTls } from "../config.ts";
import { CredentialsError, readPrivateFile } from "./credentials.ts";

/** What the files of a SourceTls hold, PEM. */
export interface TlsFiles {
  readonly ca: string | null;
  readonly client: { readonly certificate: string; readonly key: string } | null;
  readonly serverName: string | null;
}

const certificateExpected = "a file with one or more certificates in PEM";
const keyExpected = "the unencrypted private key in PEM that belongs to cert_file";

/** Throws CredentialsError when a file cannot be read or does not hold what it should. */
export function readTlsFiles({ caFile, client, serverName }: SourceTls): TlsFiles {
  return {
    ca: caFile === null ? null : readCertificates(caFile),
    client: client === null ? null : readClient(client.certFile, client.keyFile),
    serverName,
  };
}

/** The certificates in the file at `path`. Throws CredentialsError. */
export function readCertificates(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new CredentialsError(path, `the file cannot be read (${reason})`, certificateExpected, { cause });
  }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new CredentialsError(path, "it holds no certificate", certificateExpected);
  blocks.forEach((block, index) => {
    try {
      new X509Certificate(block);
    } catch (cause) {
      throw new CredentialsError(path, `its certificate ${index + 1} cannot be read`, certificateExpected, { cause });
    }
  });
  return text;
}

function readClient(certFile: string, keyFile: string): { certificate: string; key: string } {
  const certificate = readCertificates(certFile);
  const key = readPrivateFile(keyFile);
  let belongs: boolean;
  try {
    belongs = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    // Without the library's own words: they are about a secret.
    throw new CredentialsError(keyFile, "it holds no private key that can be used", keyExpected);
  }
  if (!belongs) throw new CredentialsError(keyFile, "the private key is not the certificate's", keyExpected);
  return { certificate, key };
}
