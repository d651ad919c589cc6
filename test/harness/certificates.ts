// Certificates made by openssl for tests of TLS: an authority, another one, and what they vouch for.

import { writeFileSync } from "node:fs";
import type { TemporaryDirectory } from "./processes.ts";

export interface Pair {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate authority of its own, with its files in `directory`. */
export class Authority {
  readonly file: string;
  readonly #key: string;
  readonly #directory: TemporaryDirectory;
  readonly #label: string;

  constructor(directory: TemporaryDirectory, label: string) {
    this.#directory = directory;
    this.#label = label;
    this.file = directory.at(`${label}.pem`);
    this.#key = directory.at(`${label}.key`);
    const out = ["-keyout", this.#key, "-out", this.file];
    openssl("req", "-x509", ...newKey, ...out, "-days", "30", "-subj", `/CN=${label}`);
  }

  /** Vouches for `names` (as in subjectAltName: "DNS:localhost"); with `days` below 0 it has expired. */
  issue(label: string, names: string, days = 5): Pair {
    const at = (ending: string) => this.#directory.at(`${this.#label}-${label}.${ending}`);
    openssl("req", ...newKey, "-keyout", at("key"), "-out", at("csr"), "-subj", `/CN=${label}`);
    writeFileSync(at("ext"), `subjectAltName=${names}\n`);
    const by = ["-CA", this.file, "-CAkey", this.#key, "-CAcreateserial", "-days", String(days)];
    openssl("x509", "-req", "-in", at("csr"), ...by, "-extfile", at("ext"), "-out", at("pem"));
    return { certFile: at("pem"), keyFile: at("key") };
  }
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

function openssl(...words: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["openssl", ...words], { stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`openssl ${words[0]} ended with ${exitCode}: ${stderr.toString()}`);
}
