// An IDB file behind the HTTP side of an instance, with real child processes, and no instance: for what the read API does
// with an IDB of any kind.

import { hashToken, makeToken, type Token } from "../../src/access/token.ts";
import { systemClock } from "../../src/clock.ts";
import { HttpCopy } from "../../src/extraction/http-copy.ts";
import { HandingOut, type HandingOutOptions } from "../../src/handing-out/handing-out.ts";
import type { Peer } from "../../src/handing-out/question.ts";
import { silentLog } from "../../src/log.ts";
import { startStatusServer } from "../../src/status/server.ts";
import { sampleReport } from "../status/sample-report.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;
export const handOutCommand = [process.execPath, main, "hand-out"];

export interface ServedSetting extends Partial<Pick<HandingOutOptions, "command" | "clock">> {
  readonly idbPath: string;
  readonly peer?: Peer | (() => Peer);
  /** False: as on loopback without a token file. */
  readonly hasTokens?: boolean;
}

export class ServedIdb implements AsyncDisposable {
  readonly handingOut: HandingOut;
  readonly origin: string;
  readonly tokens: { readonly read: string; readonly personal: string };
  readonly #stop: AbortController;
  readonly #stopped: Promise<void>;

  private constructor(
    parts: Pick<ServedIdb, "handingOut" | "origin" | "tokens">,
    stop: AbortController,
    stopped: Promise<void>,
  ) {
    ({ handingOut: this.handingOut, origin: this.origin, tokens: this.tokens } = parts);
    this.#stop = stop;
    this.#stopped = stopped;
  }

  static async start({
    idbPath,
    peer,
    hasTokens = true,
    command = handOutCommand,
    clock = systemClock,
  }: ServedSetting): Promise<ServedIdb> {
    const stop = new AbortController();
    const tokens = { read: makeToken(), personal: makeToken() };
    const known: Token[] = [
      { name: "reader", role: "read", hash: hashToken(tokens.read) },
      { name: "etl", role: "read-personal", hash: hashToken(tokens.personal) },
    ];
    const handingOut = new HandingOut({
      instanceName: "icon-a",
      idbPath,
      peer: () => (typeof peer === "function" ? peer() : (peer ?? null)),
      clock,
      log: silentLog,
      stop: stop.signal,
      command,
    });
    const { address, stopped } = await startStatusServer({
      listen: { host: "127.0.0.1", port: 0 },
      names: [],
      readTokens: hasTokens ? () => known : null,
      readCertificate: null,
      report: () => sampleReport,
      readIdb: (question, gone) => handingOut.ask(question, gone),
      clock: systemClock,
      log: silentLog,
      signal: stop.signal,
    });
    return new ServedIdb({ handingOut, origin: `http://127.0.0.1:${address.port}`, tokens }, stop, stopped);
  }

  /** As a program with a token asks; `token` null: without one. */
  get(path: string, token: string | null = this.tokens.personal, init: RequestInit = {}): Promise<Response> {
    const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
    return fetch(`${this.origin}${path}`, { headers, redirect: "manual", ...init });
  }

  copy(token: string | null = this.tokens.personal): HttpCopy {
    return new HttpCopy({
      origin: this.origin,
      readToken: () => token,
      readAuthorities: () => null,
      clock: systemClock,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#stopped;
  }
}
