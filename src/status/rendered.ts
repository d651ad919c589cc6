// A text that takes long to put together: a page asked for by everybody at once is put together a few times a second,
// and what is handed out between is a fifth of a second old at most.

import type { Clock } from "../clock.ts";
import { Pace } from "./pace.ts";

const pace = { perSecond: 5, atOnceMax: 20 } as const;

export class Rendered<Text> {
  readonly #pace: Pace;
  readonly #render: () => Text;
  #last: { readonly text: Text } | null = null;

  constructor(clock: Clock, render: () => Text) {
    this.#pace = new Pace(clock, pace);
    this.#render = render;
  }

  get(): Text {
    const isDue = this.#pace.take();
    if (isDue || this.#last === null) this.#last = { text: this.#render() };
    return this.#last.text;
  }
}
