// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import type { Tone } from "../readiness.ts";

/** A word with its mark: the tone can be told without its colour. */
export function State({ tone, word }: { readonly tone: Tone; readonly word: string }) {
  return <span class={`mark ${tone}`}>{word}</span>;
}
