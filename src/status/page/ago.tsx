// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import { durationText, instantText } from "../wording.ts";

/** How long ago it was; the instant itself on hover. */
export function Ago({ at, now }: { readonly at: number | null; readonly now: number }) {
  if (at === null) return <>never</>;
  return (
    <time dateTime={new Date(at).toISOString()} title={instantText(at)}>
      {durationText(now - at)} ago
    </time>
  );
}
