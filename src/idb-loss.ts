// When the recorder has to do without its IDB for so long that readers should know, or has to make it anew, and when rows
// are written again: said once each, as marks for the persistent queue.

export type IdbMark =
  | { readonly mark: "idb lost"; readonly detail: string }
  /** Rows are written again, and are up to where the queue stood when the IDB was lost. */
  | { readonly mark: "idb back" };

// A reader's lock, or a disk that is full for a moment, is waited for; it costs a little delay.
const passingMs = 5_000;

export class IdbLoss {
  #sinceMs: number | null;
  #isSaid: boolean;
  #upTo = 0n;

  /** `isSaid`: an earlier recorder said that it is lost, and not that it is back. */
  constructor(isSaid: boolean) {
    this.#isSaid = isSaid;
    this.#sinceMs = isSaid ? 0 : null;
  }

  /**
   * Nothing can be written, at `nowMs` of a clock that never steps. `durable`: what is to be recorded before all is well.
   * Returns what is to be said. `isAnew`: the IDB was deleted or damaged, and what it had is lost, so it is said at once.
   */
  lost(
    detail: string,
    at: { readonly nowMs: number; readonly durable: bigint; readonly isAnew: boolean },
  ): IdbMark | null {
    this.#sinceMs ??= at.nowMs;
    if (at.durable > this.#upTo) this.#upTo = at.durable;
    if (this.#isSaid || (!at.isAnew && at.nowMs - this.#sinceMs < passingMs)) return null;
    this.#isSaid = true;
    return { mark: "idb lost", detail };
  }

  /** Everything up to `applied` is written. Returns what is to be said. */
  written(applied: bigint): IdbMark | null {
    if (this.#sinceMs === null || applied < this.#upTo) return null;
    const isSaid = this.#isSaid;
    this.#sinceMs = null;
    this.#isSaid = false;
    return isSaid ? { mark: "idb back" } : null;
  }
}
