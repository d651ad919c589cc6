// What only shows when keys are held against each other, or against the credentials files they name. Works on what is
// written, not on what passed its own check, so that these problems are named together with the others.

import { resolve } from "node:path";
import { formatAddress, parseAddress } from "./address.ts";
import { readCertificates, readTlsFiles } from "./certificates.ts";
import { CredentialsError, readAmiCredentials, readToken } from "./credentials.ts";
import { type Path, pathText } from "./document.ts";
import { queueDefaults, reconnectDefaultsMs } from "./file.ts";
import type { Findings } from "./findings.ts";
import { parseDuration, parseSize } from "./quantity.ts";

type Values = Readonly<Record<string, unknown>>;

/** `queue` is the section as it stands in the file. */
export function queueAcross(queue: unknown, findings: Findings): void {
  const values = typeof queue === "object" && queue !== null ? (queue as Values) : {};
  const segmentBytes = bytesOf(values["segment_bytes"] ?? queueDefaults.segmentBytes);
  const retentionBytes = bytesOf(values["retention_bytes"] ?? queueDefaults.retentionBytes);
  // One segment is being written while the one before it is still being applied.
  if (segmentBytes !== null && retentionBytes !== null && retentionBytes < 2 * segmentBytes) {
    const key = values["retention_bytes"] === undefined ? "segment_bytes" : "retention_bytes";
    const expected = "retention_bytes to be at least twice segment_bytes";
    findings.problem(["queue", key], "fewer than two segments fit into the persistent queue", expected);
  }
}

function bytesOf(value: unknown): number | null {
  return typeof value === "string" ? parseSize(value) : typeof value === "number" ? value : null;
}

/** `written` is the list of [[source]] as it stands in the file. */
export function sourcesAcross(written: unknown, folder: string, findings: Findings): void {
  if (!Array.isArray(written)) return;
  const names = new Uniqueness(findings, "a name of its own for each source");
  const dbids = new Uniqueness(findings, "a DBID of its own for each source");
  const addresses = new Uniqueness(findings, "an address to be named once; a pair is one source with two addresses");
  written.forEach((source: unknown, index) => {
    if (typeof source !== "object" || source === null) return;
    const values = source as Values;
    const at: Path = ["source", index];
    if (typeof values["name"] === "string") names.add([...at, "name"], values["name"]);
    if (typeof values["dbid"] === "number") dbids.add([...at, "dbid"], String(values["dbid"]));
    if (Array.isArray(values["addresses"])) {
      values["addresses"].forEach((text: unknown, each) => {
        const address = typeof text === "string" ? parseAddress(text) : null;
        if (address !== null && !("wrong" in address)) {
          addresses.add([...at, "addresses", each], formatAddress(address));
        }
      });
    }
    checkReconnect(values, at, findings);
    checkCredentials(values["token_file"], [...at, "token_file"], (path) => readToken(resolve(folder, path)), findings);
    checkCredentials(
      values["credentials_file"],
      [...at, "credentials_file"],
      (path) => readAmiCredentials(resolve(folder, path)),
      findings,
    );
    checkTls(values["tls"], folder, [...at, "tls"], findings);
  });
}

class Uniqueness {
  readonly #findings: Findings;
  readonly #expected: string;
  readonly #firstByValue = new Map<string, Path>();

  constructor(findings: Findings, expected: string) {
    this.#findings = findings;
    this.#expected = expected;
  }

  add(path: Path, value: string): void {
    const first = this.#firstByValue.get(value);
    if (first === undefined) this.#firstByValue.set(value, path);
    else this.#findings.problem(path, `${pathText(first)} says the same`, this.#expected);
  }
}

function checkReconnect(values: Values, at: Path, findings: Findings): void {
  const ms = (value: unknown) => (typeof value === "string" ? parseDuration(value) : null);
  const min = values["reconnect_min"] === undefined ? reconnectDefaultsMs.min : ms(values["reconnect_min"]);
  const max = values["reconnect_max"] === undefined ? reconnectDefaultsMs.max : ms(values["reconnect_max"]);
  if (min === null || max === null || min <= max) return;
  const key = values["reconnect_max"] === undefined ? "reconnect_min" : "reconnect_max";
  findings.problem([...at, key], "reconnect_max is below reconnect_min", "reconnect_min to be the smaller one");
}

function checkTls(written: unknown, folder: string, at: Path, findings: Findings): void {
  if (typeof written !== "object" || written === null) return;
  const values = written as Values;
  const file = (key: string) => {
    const value = values[key];
    return typeof value === "string" && value !== "" ? resolve(folder, value) : null;
  };
  const [certFile, keyFile] = [file("cert_file"), file("key_file")];
  if ((values["cert_file"] === undefined) !== (values["key_file"] === undefined)) {
    const key = values["cert_file"] === undefined ? "key_file" : "cert_file";
    findings.problem(
      [...at, key],
      "the other one of the two is missing",
      "cert_file and key_file together, or neither",
    );
  }
  checkCredentials(values["ca_file"], [...at, "ca_file"], (path) => readCertificates(resolve(folder, path)), findings);
  if (certFile === null || keyFile === null) return;
  const client = { certFile, keyFile };
  const isBad = checkCredentials(certFile, [...at, "cert_file"], readCertificates, findings);
  if (isBad) return;
  checkCredentials(
    keyFile,
    [...at, "key_file"],
    () => readTlsFiles({ caFile: null, client, serverName: null }),
    findings,
  );
}

/** Whether a problem was found. */
function checkCredentials(written: unknown, at: Path, read: (path: string) => void, findings: Findings): boolean {
  if (typeof written !== "string" || written === "") return false;
  try {
    read(written);
    return false;
  } catch (error) {
    if (!(error instanceof CredentialsError)) throw error;
    findings.problem(at, error.problem, error.expected);
    return true;
  }
}
