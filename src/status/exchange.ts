// One request and its answer, between the runtime's HTTP server and the routes. A request's body is taken for a form
// only, and up to a bound; a stream is sent as fast as the other side takes it, and no faster.

import type { IncomingMessage, ServerResponse } from "node:http";

/** An answer that has it is passed on as it comes, by a proxy before us as well. */
export const streamHeader = "X-Accel-Buffering";

export interface ExchangeOptions {
  readonly isEncrypted: boolean;
  readonly bodyBytesMax: number;
  readonly answer: (request: Request) => Response | Promise<Response>;
  /** A piece of a stream was taken. */
  readonly progressed: () => void;
}

/** Answers `incoming`. Rejects when the routes do. */
export async function exchange(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: ExchangeOptions,
): Promise<void> {
  const hasBody = "transfer-encoding" in incoming.headers || Number(incoming.headers["content-length"] ?? 0) > 0;
  const isForm = incoming.method === "POST";
  // What nobody reads must not be taken for the next request.
  if (hasBody) outgoing.setHeader("Connection", "close");
  const url = urlOf(incoming, options.isEncrypted);
  if (url === null) return refuse(outgoing, 400, "Cannot read the request: expected a path and one Host header");
  if (unusableMethods.has(incoming.method ?? ""))
    return refuse(outgoing, 405, "Cannot use this method: expected GET or HEAD");
  const body = isForm && hasBody ? await readBody(incoming, options.bodyBytesMax) : new Uint8Array();
  if (body === null) return refuse(outgoing, 413, `Cannot take more than ${options.bodyBytesMax} bytes`);
  // Whoever works for an answer hears that nobody waits for it.
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  const request = new Request(url, {
    signal: gone.signal,
    method: incoming.method ?? "GET",
    headers: headersOf(incoming),
    ...(isForm ? { body } : {}),
  });
  await send(await options.answer(request), incoming.method === "HEAD", outgoing, options.progressed);
}

// The runtime's Request cannot be made with them.
const unusableMethods: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

function urlOf({ url = "", rawHeaders }: IncomingMessage, isEncrypted: boolean): string | null {
  const hosts = rawHeaders.filter((each, index) => index % 2 === 0 && each.toLowerCase() === "host");
  if (hosts.length > 1) return null;
  // The host in it is nobody's: what a request is for, its Host header says.
  const origin = `${isEncrypted ? "https" : "http"}://host.invalid`;
  if (url.startsWith("/")) return URL.canParse(origin + url) ? origin + url : null;
  const whole = URL.parse(url);
  return whole === null || !whole.protocol.startsWith("http") ? null : origin + whole.pathname + whole.search;
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? "", rawHeaders[index + 1] ?? "");
  }
  return headers;
}

/** Null when it is longer. */
async function readBody(incoming: IncomingMessage, bytesMax: number): Promise<Uint8Array<ArrayBuffer> | null> {
  if (Number(incoming.headers["content-length"] ?? 0) > bytesMax) return null;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of incoming as AsyncIterable<Uint8Array>) {
    length += piece.length;
    if (length > bytesMax) return null;
    pieces.push(piece);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

/** One sentence, and the end of the connection. */
export function refuse(outgoing: ServerResponse, status: number, sentence: string): void {
  outgoing.setHeader("Connection", "close");
  if (status === 503) outgoing.setHeader("Retry-After", "1");
  outgoing.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" });
  outgoing.end(`${sentence}\n`);
}

async function send(
  answer: Response,
  isHead: boolean,
  outgoing: ServerResponse,
  progressed: () => void,
): Promise<void> {
  for (const [name, value] of answer.headers) outgoing.appendHeader(name, value);
  const isStream = answer.headers.has(streamHeader);
  if (answer.body === null || isHead || !isStream) {
    const bytes = Buffer.from(await answer.arrayBuffer());
    outgoing.setHeader("Content-Length", bytes.length);
    outgoing.writeHead(answer.status);
    outgoing.end(isHead ? undefined : bytes);
    return;
  }
  outgoing.writeHead(answer.status);
  const reader = answer.body.getReader();
  const gone = new Promise<"gone">((resolve) => outgoing.once("close", () => resolve("gone")));
  for (;;) {
    const piece = await Promise.race([reader.read(), gone]);
    if (piece === "gone") {
      await reader.cancel();
      return;
    }
    if (piece.done) break;
    const isTaken = outgoing.write(piece.value);
    if (!isTaken) await Promise.race([new Promise((resolve) => outgoing.once("drain", resolve)), gone]);
    progressed();
  }
  outgoing.end();
}
