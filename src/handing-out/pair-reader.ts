// Reads the pair's time line for the page, and remembers since when the peer is silent.

import type { Clock } from "../clock.ts";
import type { HandingOut } from "./handing-out.ts";
import type { PairLines, SourceLines } from "./pair.ts";
import type { NamedSource } from "./question.ts";

/** The page's report: src/status/pair-report.ts has what its members mean. */
export interface PairReading {
  readonly from: number;
  readonly until: number;
  readonly readAt: number;
  readonly peer: { readonly name: string; readonly silentSince: number | null; readonly reason: string | null } | null;
  readonly sources: readonly SourceLines[];
}

export interface PairReaderOptions {
  /** Of its own: who extracts must not keep the page waiting. */
  readonly handingOut: HandingOut;
  /** As they are in force. */
  readonly sources: () => readonly NamedSource[];
  readonly peerOrigin: () => string | null;
  readonly clock: Clock;
}

// Parsed on the main thread: some ten milliseconds.
const answerBytesMax = 4 * 1024 * 1024;

export class PairReader {
  readonly #options: PairReaderOptions;
  #peerName: { readonly origin: string; readonly name: string } | null = null;
  #silentSince: number | null = null;

  constructor(options: PairReaderOptions) {
    this.#options = options;
  }

  /** The last `spanMs`. Rejects with a sentence when the own ledger cannot be read. */
  async read(spanMs: number): Promise<PairReading> {
    const { handingOut, sources, peerOrigin, clock } = this.#options;
    const origin = peerOrigin();
    const until = clock.now() / 1000;
    const stretch = { from: Math.max(0, until - spanMs / 1000), until };
    const answered = await handingOut.ask({ what: "pair", stretch, sources: sources() }, new AbortController().signal);
    if (answered.kind === "busy") throw new Error("Cannot read the ledger: it is being read already");
    if (answered.kind === "refused") throw new Error(answered.reason);
    const { peerName, peerTrouble, ...lines } = JSON.parse(await wholeText(answered.body)) as PairLines; // Written by pair.ts.
    if (origin === null) return { ...lines, readAt: clock.now(), peer: null };
    if (peerName !== null) this.#peerName = { origin, name: peerName };
    this.#silentSince = peerTrouble?.isSilent ? (this.#silentSince ?? clock.now()) : null;
    const name = this.#peerName?.origin === origin ? this.#peerName.name : origin;
    const peer = { name, silentSince: this.#silentSince, reason: peerTrouble?.reason ?? null };
    return { ...lines, readAt: clock.now(), peer };
  }
}

async function wholeText(body: ReadableStream<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // Breaking off the loop ends the child.
  for await (const piece of body) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > answerBytesMax)
      throw new Error("Cannot read the ledger: there is more in this stretch than the page can show");
  }
  return Buffer.concat(pieces).toString();
}
