// The files of TLS, a source's and the HTTP side's. They are read when they are used (a source's for each connection),
// and never become part of a Config or a message.

import { createPrivateKey, X509Certificate } from "node:crypto";
import type { CertificateFiles, Config, SourceTls } from "../config.ts";
import { CredentialsError, readPrivateFile, readTextFile } from "./credentials.ts";
import type { ConfigProblem } from "./problem.ts";

/** What the files of a SourceTls hold. */
export interface TlsFiles {
  readonly ca: string | null;
  readonly client: CertificatePair | null;
  readonly serverName: string | null;
}

const certificateExpected = "a file with one or more certificates in PEM";
// Several times all the authorities that a system knows.
const certificateBytesMax = 4 * 1024 * 1024;
const keyExpected = "the unencrypted private key in PEM that belongs to the certificate";

/** Throws CredentialsError when a file cannot be read or does not hold what it should. */
export function readTlsFiles({ caFile, client, serverName }: SourceTls): TlsFiles {
  return {
    ca: caFile === null ? null : readCertificates(caFile),
    client: client === null ? null : readPair(client),
    serverName,
  };
}

/** The certificates in the file at `path`. Throws CredentialsError. */
export function readCertificates(path: string): string {
  // What stands around the certificates is words for people, in whatever encoding.
  const terms = { bytesMax: certificateBytesMax, expected: certificateExpected, isStrict: false };
  const text = readTextFile(path, terms);
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

export interface CertificatePair {
  /** PEM, with its chain. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  /** When it begins and ceases to hold, milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A certificate and the private key that belongs to it; whether it holds now is not judged. Throws CredentialsError. */
export function readPair({ certFile, keyFile }: CertificateFiles): CertificatePair {
  const certificate = readCertificates(certFile);
  const key = readPrivateFile(keyFile);
  const first = new X509Certificate(certificate);
  let belongs: boolean;
  try {
    belongs = first.checkPrivateKey(createPrivateKey(key));
  } catch {
    // Without the library's own words: they are about a secret.
    throw new CredentialsError(keyFile, "it holds no private key that can be used", keyExpected);
  }
  if (!belongs) throw new CredentialsError(keyFile, "the private key is not the certificate's", keyExpected);
  return { certificate, key, notBefore: Date.parse(first.validFrom), notAfter: Date.parse(first.validTo) };
}

/** What keeps the HTTP side's certificate from being used now; `now` in milliseconds since 1970. */
export function certificateProblems({ http: { tls } }: Config, now: number): ConfigProblem[] {
  if (tls === null) return [];
  const { notBefore, notAfter } = readPair(tls);
  const problem =
    now > notAfter
      ? `the certificate expired at ${new Date(notAfter).toISOString()}`
      : now < notBefore
        ? `the certificate does not hold before ${new Date(notBefore).toISOString()}`
        : null;
  if (problem === null) return [];
  const value = JSON.stringify(tls.certFile);
  return [{ line: null, column: null, key: "http.tls_certificate", value, problem, expected: "one that holds now" }];
}
