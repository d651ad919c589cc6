// One question to another instance's API. Its token goes to the address it is for and nowhere else: redirects
// are not followed. Whatever goes wrong is a CopyError, and what the other side says is repeated as one short line.

import type { Clock } from "../clock.ts";
import { CopyError } from "./copy.ts";
import { plainClause } from "./plain-line.ts";

export interface InstanceAccess {
  /** Scheme, host and port. */
  readonly origin: string;
  /** The token as it is now; null: none. Throws when its file cannot be used. */
  readonly readToken: () => string | null;
  /** The authorities that are believed, PEM; null: those that the runtime brings along. Throws like readToken. */
  readonly readAuthorities: () => string | null;
  readonly clock: Clock;
}

/** Reading is all that copies are for; icon purge alone changes something. */
type Method = "GET" | "POST";

// An instance lets a question wait for its turn for some seconds, and then answers with a process that it starts.
const answerMsMax = 20_000;
// From one piece of an answer to the next: less than the other side waits for us.
const pieceMsMax = 14_000;

// A problem of ours is some hundred bytes.
const refusalBytesMax = 64 * 1024;

/** The answer's pieces, as they come and are taken. Throws CopyError. `doing`: "Cannot …". */
export async function* askInstance(
  { origin, readToken, readAuthorities, clock }: InstanceAccess,
  path: string,
  {
    doing,
    signal,
    method = "GET",
  }: { readonly doing: string; readonly signal?: AbortSignal; readonly method?: Method },
): AsyncGenerator<Uint8Array> {
  const late = new AbortController();
  let cancel = () => {};
  const within = (ms: number) => {
    cancel();
    cancel = clock.after(ms, () => late.abort());
  };
  const failed = (cause: unknown): CopyError => {
    if (cause instanceof CopyError) return cause;
    if (signal?.aborted) return new CopyError("passing", `${doing}: it was broken off`, { cause });
    const reason = late.signal.aborted ? "it does not answer in time" : reasonOf(cause);
    return new CopyError("passing", `${doing}: ${reason}`, { cause });
  };
  let isTaken = false;
  try {
    const [token, ca] = secretsOf({ readToken, readAuthorities }, doing);
    within(answerMsMax);
    const answer = await fetch(`${origin}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
        Accept: "application/x-ndjson, application/json",
      },
      redirect: "manual",
      // What is asked is different each time, and an instance closes idle connections soon.
      keepalive: false,
      signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
      ...(ca === null ? {} : { tls: { ca } }),
    }).catch((cause: unknown) => {
      throw failed(cause);
    });
    if (answer.status !== 200) throw await refusal(answer, doing, token !== null);
    if (answer.body === null) return;
    const reader = answer.body.getReader();
    try {
      for (;;) {
        within(pieceMsMax);
        const { done, value } = await reader.read().catch((cause: unknown) => {
          throw failed(cause);
        });
        // While the piece is used the time is its user's.
        cancel();
        if (done) break;
        yield value;
      }
      isTaken = true;
    } finally {
      if (!isTaken) await reader.cancel().catch(() => {}); // over already
    }
  } finally {
    cancel();
    if (!isTaken) late.abort();
  }
}

/** The whole answer as JSON of at most `bytesMax`. Throws CopyError. */
export async function askInstanceJson(
  access: InstanceAccess,
  path: string,
  {
    bytesMax,
    ...options
  }: {
    readonly doing: string;
    readonly bytesMax: number;
    readonly signal?: AbortSignal;
    readonly method?: Method;
  },
): Promise<unknown> {
  const { doing } = options;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of askInstance(access, path, options)) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > bytesMax) throw new CopyError("lasting", `${doing}: its answer is longer than ${bytesMax} bytes`);
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(pieces)));
  } catch {
    throw new CopyError("lasting", `${doing}: its answer is no JSON; is it an instance of this program?`);
  }
}

function secretsOf(
  { readToken, readAuthorities }: Pick<InstanceAccess, "readToken" | "readAuthorities">,
  doing: string,
): [token: string | null, authorities: string | null] {
  try {
    return [readToken(), readAuthorities()];
  } catch (cause) {
    throw new CopyError("lasting", `${doing}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** In the runtime's words, which name the address at most. */
function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  switch (code) {
    case "ConnectionRefused":
    case "ECONNREFUSED":
      return "it refuses the connection";
    case "ConnectionClosed":
    case "ECONNRESET":
      return "the connection was closed before the answer was whole";
    case "Malformed_HTTP_Response":
      return "what answers there does not speak HTTP";
    default:
      return plainClause(cause instanceof Error ? cause.message : String(cause));
  }
}

async function refusal(answer: Response, doing: string, hasToken: boolean): Promise<CopyError> {
  const said = plainClause(detailOf(await beginningOf(answer)));
  const { status } = answer;
  const words = said === "" ? `HTTP ${status}` : said;
  if (status >= 300 && status < 400) {
    return new CopyError(
      "lasting",
      `${doing}: it leads elsewhere (HTTP ${status}), and a token is not carried there; name that address`,
    );
  }
  if (status === 401 && !hasToken) {
    return new CopyError(
      "lasting",
      `${doing}: it wants a token, and none was given; --token-file or [http] peer_token_file`,
    );
  }
  if (status === 401) return new CopyError("lasting", `${doing}: it does not accept the token (${words})`);
  if (status === 404) {
    return new CopyError("lasting", `${doing}: it has no such page; is it an instance of this version of the program?`);
  }
  return new CopyError(status >= 500 || status === 429 || status === 408 ? "passing" : "lasting", `${doing}: ${words}`);
}

/** Of what a refusal says, as much as is ever shown; whatever answers there may never come to an end. */
async function beginningOf(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of answer.body ?? []) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= refusalBytesMax) break;
    }
  } catch {
    // What has come so far is better than nothing.
  }
  return new TextDecoder().decode(Buffer.concat(pieces));
}

function detailOf(text: string): string {
  try {
    const problem = JSON.parse(text) as { readonly detail?: unknown };
    return typeof problem.detail === "string" ? problem.detail : "";
  } catch {
    return text;
  }
}
