// A bounded number of places, and a bounded number of those who wait for one, for a bounded time, in the order in which
// they came.

import type { Clock } from "../clock.ts";

export interface PlacesBounds {
  readonly placesMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
}

export class Places {
  readonly #clock: Clock;
  readonly #bounds: PlacesBounds;
  readonly #waiting: ((hasPlace: boolean) => void)[] = [];
  #taken = 0;

  constructor(clock: Clock, bounds: PlacesBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Resolves with what gives the place back; null: there was none in time, or `gone`. */
  async take(gone: AbortSignal): Promise<(() => void) | null> {
    if (gone.aborted) return null;
    const { placesMax, waitingMax } = this.#bounds;
    if (this.#taken < placesMax) this.#taken += 1;
    else if (this.#waiting.length >= waitingMax || !(await this.#wait(gone))) return null;
    let isGivenBack = false;
    return () => {
      if (isGivenBack) return;
      isGivenBack = true;
      // It goes from one to the next, so that nobody who comes now is before who waits.
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken -= 1;
      else next(true);
    };
  }

  #wait(gone: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (hasPlace: boolean) => {
        const index = this.#waiting.indexOf(finish);
        if (index !== -1) this.#waiting.splice(index, 1);
        cancel();
        gone.removeEventListener("abort", onGone);
        resolve(hasPlace);
      };
      const onGone = () => finish(false);
      const cancel = this.#clock.after(this.#bounds.waitMsMax, () => finish(false));
      gone.addEventListener("abort", onGone, { once: true });
      this.#waiting.push(finish);
    });
  }
}
