// One line on a terminal that says how far a long command is; on anything else, nothing.

const width = 24;
const drawEveryMs = 200;

export class ProgressBar {
  readonly #terminal: NodeJS.WriteStream | null;
  readonly #monotonic: () => number;
  readonly #startedAt: number;
  #drawnAt = Number.NEGATIVE_INFINITY;

  /** Draws on `stream` when it is a terminal. `monotonic`: milliseconds. */
  constructor(stream: NodeJS.WriteStream, monotonic: () => number) {
    this.#terminal = stream.isTTY ? stream : null;
    this.#monotonic = monotonic;
    this.#startedAt = monotonic();
  }

  /** Cheap to call often: it draws a few times a second. */
  show(done: number, all: number, noun: string): void {
    const now = this.#monotonic();
    if (this.#terminal === null || now - this.#drawnAt < drawEveryMs) return;
    this.#drawnAt = now;
    this.#terminal.write(`\r\x1b[K${progressLine({ done, all, noun, elapsedMs: now - this.#startedAt })}`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#drawnAt === Number.NEGATIVE_INFINITY) return;
    this.#drawnAt = Number.NEGATIVE_INFINITY;
    this.#terminal?.write("\r\x1b[K");
  }
}

/** The line's text. */
export function progressLine(progress: {
  readonly done: number;
  readonly all: number;
  readonly noun: string;
  readonly elapsedMs: number;
}): string {
  const { done, all, noun, elapsedMs } = progress;
  const share = all > 0 ? Math.min(1, done / all) : 1;
  const filled = Math.round(share * width);
  const bar = `${"█".repeat(filled)}${"░".repeat(width - filled)}`;
  const perSecond = elapsedMs > 0 ? (done * 1000) / elapsedMs : 0;
  const leftSeconds = perSecond > 0 ? Math.ceil((all - done) / perSecond) : null;
  const count = (number: number) => Math.round(number).toLocaleString("en");
  const rest = leftSeconds === null ? "" : `, ${count(leftSeconds)} s left`;
  return `${bar} ${Math.floor(share * 100)} %  ${count(done)} of ${count(all)} ${noun}, ${count(perSecond)}/s${rest}`;
}
