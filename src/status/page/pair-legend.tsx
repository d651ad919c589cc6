// What the rows of the time line are drawn with, and what each pattern means.
//
// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import type { Child } from "hono/jsx";

/** The patterns that rows refer to; once on a page. */
export function LinePatterns() {
  return (
    <svg class="patterns" width="0" height="0" aria-hidden="true">
      <defs>
        <pattern id="line-incomplete" width="6" height="6" patternUnits="userSpaceOnUse">
          <rect class="gap-ground" width="6" height="6" />
          <path class="gap-mark" d="M-1 7L7 -1M-1 1L1 -1M5 7L7 5" />
        </pattern>
        <pattern id="line-divergent" width="8" height="9" patternUnits="userSpaceOnUse">
          <rect class="gap-ground" width="8" height="9" />
          <path class="gap-mark" d="M1.5 2L6.5 7M6.5 2L1.5 7" />
        </pattern>
        <pattern id="line-unknown" width="5" height="6" patternUnits="userSpaceOnUse">
          <circle class="dot" cx="2.5" cy="3" r="0.9" />
        </pattern>
      </defs>
    </svg>
  );
}

export function PairLegend({ hasPeer }: { readonly hasPeer: boolean }) {
  return (
    <ul class="legend">
      <Entry word="complete">
        <rect class="complete" width="22" height="12" />
      </Entry>
      <Entry word="silent: nothing happened">
        <rect class="ground" width="22" height="12" />
        <rect class="silent" y="4" width="22" height="4" />
      </Entry>
      <Entry word="incomplete">
        <rect class="incomplete" width="22" height="12" fill="url(#line-incomplete)" />
      </Entry>
      {hasPeer ? (
        <Entry word="the copies differ">
          <rect class="divergent" width="22" height="12" fill="url(#line-divergent)" />
        </Entry>
      ) : null}
      <Entry word="not yet known">
        <rect class="unknown" width="22" height="12" fill="url(#line-unknown)" />
      </Entry>
      {hasPeer ? (
        <Entry word="the copy to take">
          <rect class="chosen" y="8" width="22" height="2" />
        </Entry>
      ) : null}
    </ul>
  );
}

function Entry({ word, children }: { readonly word: string; readonly children: Child }) {
  return (
    <li>
      <svg class="line" width="22" height="12" aria-hidden="true">
        {children}
      </svg>
      {word}
    </li>
  );
}
