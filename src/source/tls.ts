// What a TLS connection to a source is held to, and what is said when the server or its certificate does not meet it.
// A connection that was to be TLS is TLS with a certificate that was checked, or there is none.

/** Read anew for each connection, so that a renewed certificate needs no restart. PEM texts. */
export interface TlsTerms {
  /** The authorities that are believed; null: those that the runtime brings along. */
  readonly ca: string | null;
  /** For a server that asks for a client certificate (mutual TLS). */
  readonly client: { readonly certificate: string; readonly key: string } | null;
  /** The name or IP address that the certificate must be for; null: the host that is connected to. */
  readonly serverName: string | null;
}

/** The part of a server's certificate that an operator should read. */
export interface PeerCertificate {
  readonly subjectaltname?: string | undefined;
  readonly valid_from?: string | undefined;
  readonly valid_to?: string | undefined;
}

/** The server's certificate, or ours, is not accepted: nothing that goes away by itself. */
export class TlsError extends Error {
  override readonly name = "TlsError";
}

const unknownAuthority = "the certificate is from an authority that is not known here";
const caExpected = "expected ca_file to hold the authority that issued it";

const sentences: Readonly<Record<string, (name: string, certificate: PeerCertificate) => string>> = {
  CERT_HAS_EXPIRED: (_, { valid_to }) =>
    `the certificate expired (${shown(valid_to)}); expected one that is valid now: renew it at the server, or set this host's clock right`,
  CERT_NOT_YET_VALID: (_, { valid_from }) =>
    `the certificate is not valid yet (from ${shown(valid_from)}); expected one that is valid now: is this host's clock right?`,
  ERR_TLS_CERT_ALTNAME_INVALID: (name, { subjectaltname }) =>
    `the certificate is for ${shown(subjectaltname)}, not for "${name}"; expected server_name to be a name that the certificate is for`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () => `${unknownAuthority}; ${caExpected}`,
  UNABLE_TO_GET_ISSUER_CERT: () => `${unknownAuthority}; ${caExpected}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: () => `${unknownAuthority}; ${caExpected}`,
  SELF_SIGNED_CERT_IN_CHAIN: () => `${unknownAuthority}; ${caExpected}`,
  DEPTH_ZERO_SELF_SIGNED_CERT: () => `the certificate is signed by itself alone; expected ca_file to hold it`,
};

/** Why the handshake failed. `name` is what the certificate had to be for. */
export function handshakeError(cause: Error | null, name: string, certificate: PeerCertificate | null): Error {
  const code = cause !== null && "code" in cause ? String(cause.code) : "";
  const sentence = sentences[code];
  if (sentence !== undefined) return new TlsError(`TLS: ${sentence(name, certificate ?? {})}`, { cause });
  return tlsAlert(cause) ?? new Error("TLS: the server ended the connection in the handshake", { cause });
}

/** What the library says of a connection that was to be TLS, in an operator's words; null: it is not about TLS. */
export function tlsAlert(cause: Error | null): Error | null {
  const text = cause?.message ?? "";
  if (/WRONG_VERSION_NUMBER|HTTP_REQUEST/.test(text)) {
    return new TlsError("TLS: the server does not speak TLS; expected its TLS port, or no tls for this source", {
      cause,
    });
  }
  if (/CERTIFICATE_REQUIRED/.test(text)) {
    return new TlsError("TLS: the server asks for a client certificate; expected cert_file and key_file", { cause });
  }
  if (
    /ALERT_(BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED|DECRYPT_ERROR)/.test(
      text,
    )
  ) {
    return new TlsError(`TLS: the server does not accept our certificate (${shown(text)})`, { cause });
  }
  return /SSL routines/.test(text) ? new Error(`TLS: ${shown(text)}`, { cause }) : null;
}

const shownLengthMax = 200;

// The server chose these words.
function shown(text: string | undefined): string {
  if (text === undefined || text === "") return "nobody knows";
  const line = text.replace(/\p{Cc}+/gu, " ").trim();
  return line.length > shownLengthMax ? `${line.slice(0, shownLengthMax)}…` : line;
}
