// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import { verdictOn } from "../readiness.ts";
import type { StatusReport } from "../report.ts";

interface VerdictProps {
  readonly report: StatusReport;
  /** Milliseconds since 1970 by the instance's clock. */
  readonly now: number;
}

export function Verdict({ report, now }: VerdictProps) {
  const { tone, word, sentences } = verdictOn(report, now);
  return (
    <div class={`verdict ${tone}`} role="status">
      <strong class={`mark ${tone}`}>{word}</strong>
      {sentences.length === 0 ? null : (
        <ul>
          {sentences.map((each) => (
            <li>{each}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
