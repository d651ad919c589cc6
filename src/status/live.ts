// The page's updates, one a second, to a bounded number of open pages. Each update is the whole body of the page; it is
// put together once for all of them, and not at all while nobody looks. The time line of the pair is sent only when it
// is another one than the page has.

import type { Clock } from "../clock.ts";
import { type PairSpan, spanNamed } from "./pair-span.ts";

const updateIntervalMs = 1000;
// A page that has not taken an update for this long is not there any more, or its network is not.
const stalledMsMax = 15_000;
// A page reconnects by itself; so a stream that was lost track of does not hold its place for ever.
const streamMsMax = 10 * 60_000;

const encoder = new TextEncoder();

interface Page extends LivePageOptions {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly openedAtMs: number;
  takenAtMs: number;
  /** The time line that it has. */
  pair: string;
}

export interface LivePageOptions {
  /** Whether whoever opened it may still see it. */
  readonly isAllowed: () => boolean;
  /** What its time line shows. */
  readonly span: PairSpan;
}

export interface LiveOptions {
  readonly clock: Clock;
  readonly pagesMax: number;
  /** One update's text. May throw: then the pages get a comment line that keeps them connected. */
  readonly render: () => string;
  /** The time line's text, the same value while it is the same line. Absent: there is none. */
  readonly renderPair?: (span: PairSpan) => string;
}

export class Live {
  readonly #options: LiveOptions;
  readonly #pages = new Set<Page>();
  #cancelTimer: (() => void) | null = null;
  #isClosed = false;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  get pageCount(): number {
    return this.#pages.size;
  }

  /** A stream of server-sent events, the first at once; null when there are already as many pages as allowed. */
  open({
    isAllowed = () => true,
    span = spanNamed(undefined),
  }: Partial<LivePageOptions> = {}): ReadableStream<Uint8Array> | null {
    if (this.#isClosed || this.#pages.size >= this.#options.pagesMax) return null;
    let page: Page | undefined;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          const now = this.#options.clock.monotonic();
          page = { controller, openedAtMs: now, takenAtMs: now, pair: "", isAllowed, span };
          this.#pages.add(page);
          this.#send(page, this.#update());
          this.#schedule();
        },
        cancel: () => {
          if (page !== undefined) this.#pages.delete(page);
        },
      },
      { highWaterMark: 1 },
    );
  }

  /** Ends every stream; none is opened afterwards. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    for (const page of this.#pages) this.#drop(page);
  }

  #schedule(): void {
    if (this.#cancelTimer !== null || this.#pages.size === 0 || this.#isClosed) return;
    this.#cancelTimer = this.#options.clock.after(updateIntervalMs, () => {
      this.#cancelTimer = null;
      this.#tick();
      this.#schedule();
    });
  }

  #tick(): void {
    if (this.#pages.size === 0) return;
    const now = this.#options.clock.monotonic();
    const update = this.#update();
    for (const page of this.#pages) {
      if (!page.isAllowed()) {
        this.#drop(page);
        continue;
      }
      // A page that is slow misses updates; nothing piles up for it.
      if ((page.controller.desiredSize ?? 0) > 0) {
        page.takenAtMs = now;
        this.#send(page, update);
      }
      if (now - page.takenAtMs > stalledMsMax || now - page.openedAtMs > streamMsMax) this.#drop(page);
    }
  }

  #send(page: Page, update: string): void {
    const pair = this.#pair(page);
    page.controller.enqueue(encoder.encode(pair === page.pair ? update : `${update}${eventOf("pair", pair)}`));
    page.pair = pair;
  }

  #update(): string {
    try {
      return eventOf("status", this.#options.render());
    } catch {
      return ": no update now\n\n"; // The page itself answers 500 then, and that is logged.
    }
  }

  /** The time line of now; the one that the page has when there is none to be had. */
  #pair({ span, pair }: Page): string {
    try {
      return this.#options.renderPair?.(span) ?? "";
    } catch {
      return pair;
    }
  }

  #drop(page: Page): void {
    this.#pages.delete(page);
    page.controller.close();
  }
}

function eventOf(name: "status" | "pair", text: string): string {
  const lines = text.split("\n").map((line) => `data: ${line}\n`);
  return `event: ${name}\nretry: 3000\n${lines.join("")}\n`;
}
