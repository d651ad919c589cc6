// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import type { TroubleStatus } from "../report.ts";
import { instantText } from "../wording.ts";
import { State } from "./state.tsx";

/** Warnings and errors of the log, the newest first. */
export function Trouble({ trouble }: { readonly trouble: readonly TroubleStatus[] }) {
  return (
    <table class="stacking">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Level</th>
          <th scope="col" class="rest">
            What
          </th>
        </tr>
      </thead>
      <tbody>
        {trouble.toReversed().map(({ at, level, sentence, fields }) => (
          <tr>
            <td class="close">
              <time dateTime={new Date(at).toISOString()}>{instantText(at)}</time>
            </td>
            <td class="close">
              <State tone={level === "error" ? "bad" : "look"} word={level} />
            </td>
            <td>
              {sentence} <code class="quiet">{fieldsText(fields)}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function fieldsText(fields: TroubleStatus["fields"]): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");
}
