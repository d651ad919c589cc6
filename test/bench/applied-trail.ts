// What a reader sees of the recording while it goes on: which position had its rows when. Asked of the IDB's file, for the
// position is committed together with the rows.

import { Database } from "bun:sqlite";

export interface Applied {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly position: number;
}

export class AppliedTrail implements AsyncDisposable {
  readonly #seen: Applied[] = [];
  readonly #reader: Database;
  readonly #following: Promise<void>;
  #isOver = false;

  /** Looks every `pollMs`: what it says is late by as much at most. */
  constructor(idbPath: string, pollMs: number) {
    this.#reader = new Database(idbPath, { readonly: true });
    this.#following = this.#follow(pollMs);
  }

  /** Each position that was seen, with the first time at which it was. */
  get seen(): readonly Applied[] {
    return this.#seen;
  }

  /** When the rows of this position could first be read; undefined: not yet. */
  readableAt(position: number): number | undefined {
    let [low, high] = [0, this.#seen.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#seen[middle]?.position ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return this.#seen[low]?.at;
  }

  async #follow(pollMs: number): Promise<void> {
    const asked = this.#reader.query<{ POSITION: number }, []>("SELECT POSITION FROM ICON_APPLIED");
    while (!this.#isOver) {
      const position = asked.get()?.POSITION ?? 0;
      if (position !== this.#seen.at(-1)?.position) {
        this.#seen.push({ at: performance.timeOrigin + performance.now(), position });
      }
      await Bun.sleep(pollMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#following;
    this.#reader.close();
  }
}
