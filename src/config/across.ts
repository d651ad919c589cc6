// What only shows when keys are held against each other, or against the credentials files they name. Works on what is
// written, not on what passed its own check, so that these problems are named together with the others.

import { resolve } from "node:path";
import { readTokenFile, TokenFileError } from "../access/token-file.ts";
import { type AdataSpecification, readAdataSpecification } from "./adata-specification.ts";
import { formatAddress, isLoopback, isWildcard, parseAddress } from "./address.ts";
import { readCertificates, readPair } from "./certificates.ts";
import { CredentialsError, readAmiCredentials, readToken } from "./credentials.ts";
import { type Path, pathText } from "./document.ts";
import { httpListenDefault, peerExpected, queueDefaults, reconnectDefaultsMs } from "./file.ts";
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

const emptySpecification: AdataSpecification = { public: [], secure: [], columns: [] };

/** Reads the specification that the section [callconcentrator] names; what is wrong in it is said with its own line. */
export function specificationAcross(written: unknown, folder: string, findings: Findings): AdataSpecification {
  const name = typeof written === "object" && written !== null ? (written as Values)["adata-spec-name"] : undefined;
  if (typeof name !== "string" || name === "") return emptySpecification;
  const at = ["callconcentrator", "adata-spec-name"];
  const file = resolve(folder, name);
  const { specification, problems, warnings } = readAdataSpecification(file);
  for (const { line, column, problem, expected } of problems) {
    findings.problem(at, `${file}:${line}:${column}: ${problem}`, expected);
  }
  for (const { line, sentence } of warnings) findings.warn(at, `${file}:${line}: ${sentence}`);
  return specification ?? emptySpecification;
}

/** `written` is the section [http] as it stands in the file; `owners` may own the token file. */
export function httpAcross(written: unknown, folder: string, owners: readonly number[], findings: Findings): void {
  const values = typeof written === "object" && written !== null ? (written as Values) : {};
  const { tokens, tls_certificate: certificate, tls_key: key } = values;
  if (typeof tokens === "string" && tokens !== "") {
    try {
      readTokenFile(resolve(folder, tokens), owners);
    } catch (error) {
      if (!(error instanceof TokenFileError)) throw error;
      findings.problem(["http", "tokens"], error.problem, error.expected);
    }
  }
  checkPair({ certificate, key, names: ["tls_certificate", "tls_key"] }, folder, ["http"], findings);
  checkOpenness(values, findings);
  checkPeer(values, folder, findings);
}

/** The token goes to the peer over TLS, as ours come to us. */
function checkPeer(values: Values, folder: string, findings: Findings): void {
  const { peer, peer_token_file: tokenFile, peer_ca_file: authorities, plaintext, listen } = values;
  checkCredentials(tokenFile, ["http", "peer_token_file"], (path) => readToken(resolve(folder, path)), findings);
  checkCredentials(authorities, ["http", "peer_ca_file"], (path) => readCertificates(resolve(folder, path)), findings);
  if (peer === undefined) {
    for (const key of ["peer_token_file", "peer_ca_file"]) {
      if (values[key] !== undefined) findings.problem(["http", key], "no peer is configured", "peer beside it");
    }
    return;
  }
  const url = typeof peer === "string" ? URL.parse(peer) : null;
  if (url === null) return;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (url.protocol === "http:" && authorities !== undefined) {
    findings.problem(["http", "peer_ca_file"], "the peer is asked without TLS", "peer to begin with https://");
  }
  if (url.protocol === "http:" && !isLoopback(host) && plaintext !== true) {
    findings.problem(["http", "peer"], "a token would go there in the open", peerExpected);
  }
  const own = typeof listen === "string" ? parseAddress(listen, { allowPortZero: true }) : httpListenDefault;
  const port = Number(url.port || (url.protocol === "http:" ? 80 : 443));
  if (listen !== "off" && !("wrong" in own) && own.port === port && own.host === host) {
    findings.problem(["http", "peer"], "it is this instance's own address", "that of the other instance of the pair");
  }
}

/** Who is not on this host is let in with a token only, and over TLS unless that is waived by name. */
function checkOpenness(values: Values, findings: Findings): void {
  const { listen, tokens, tls_certificate: certificate, names } = values;
  if (listen === "off") return;
  const address = typeof listen === "string" ? parseAddress(listen, { allowPortZero: true }) : httpListenDefault;
  if ("wrong" in address || isLoopback(address.host)) return;
  const [isTokened, isEncrypted] = [tokens !== undefined, certificate !== undefined || values["plaintext"] === true];
  const missing = [
    ...(isTokened ? [] : ["tokens (a file that `icon token add` makes)"]),
    ...(isEncrypted
      ? []
      : ["tls_certificate with tls_key (or plaintext = true, where the way to it is safe otherwise)"]),
  ];
  if (missing.length > 0) {
    findings.problem(
      ["http", "listen"],
      "other hosts can reach this address",
      `${missing.join(" and ")}; or a loopback address`,
    );
  }
  if (isWildcard(address.host) && (!Array.isArray(names) || names.length === 0)) {
    findings.problem(
      ["http", "listen"],
      "it says nothing of the name by which others call this host, and a request for any other name is refused",
      'that name in names, such as names = ["icon.example.com"], or one address of this host',
    );
  }
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
  const { cert_file: certificate, key_file: key, ca_file: authorities } = written as Values;
  checkCredentials(authorities, [...at, "ca_file"], (path) => readCertificates(resolve(folder, path)), findings);
  checkPair({ certificate, key, names: ["cert_file", "key_file"] }, folder, at, findings);
}

interface WrittenPair {
  readonly certificate: unknown;
  readonly key: unknown;
  /** Their keys in the file. */
  readonly names: readonly [certificate: string, key: string];
}

function checkPair({ certificate, key, names }: WrittenPair, folder: string, at: Path, findings: Findings): void {
  const [certificateName, keyName] = names;
  if ((certificate === undefined) !== (key === undefined)) {
    findings.problem(
      [...at, certificate === undefined ? keyName : certificateName],
      "the other one of the two is missing",
      `${certificateName} and ${keyName} together, or neither`,
    );
  }
  if (typeof certificate !== "string" || typeof key !== "string" || certificate === "" || key === "") return;
  const [certFile, keyFile] = [resolve(folder, certificate), resolve(folder, key)];
  if (checkCredentials(certFile, [...at, certificateName], readCertificates, findings)) return;
  checkCredentials(keyFile, [...at, keyName], () => readPair({ certFile, keyFile }), findings);
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
