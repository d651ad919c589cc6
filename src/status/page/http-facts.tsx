// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import { certificateWord } from "../readiness.ts";
import type { CertificateStatus, HttpStatus } from "../report.ts";
import { countText, instantText } from "../wording.ts";
import { Fact } from "./fact.tsx";
import { State } from "./state.tsx";

export function HttpFacts({ http, now }: { readonly http: HttpStatus; readonly now: number }) {
  const { certificate, tokensProblem } = http;
  return (
    <section aria-labelledby="http">
      <h2 id="http">This page</h2>
      <table class="facts">
        <tbody>
          <Fact name="Connections">
            {countText(http.connections)} of {countText(http.connectionsMax)}
          </Fact>
          <Fact name="Turned away">{countText(http.turnedAway)}</Fact>
          <Fact name="Wrong tokens">{countText(http.wrongTokens)}</Fact>
          {tokensProblem === null ? null : (
            <Fact name="Token file">
              <State tone="look" word="not in use as it is now" />
            </Fact>
          )}
          <Fact name="Certificate">
            {certificate === null ? "none, plain HTTP" : <CertificateFact certificate={certificate} now={now} />}
          </Fact>
        </tbody>
      </table>
    </section>
  );
}

function CertificateFact({ certificate, now }: { readonly certificate: CertificateStatus; readonly now: number }) {
  const { notAfter, problem } = certificate;
  const [tone, word] = certificateWord(certificate, now);
  return (
    <>
      <State tone={problem === null ? tone : "look"} word={word} />{" "}
      <time dateTime={new Date(notAfter).toISOString()} title={instantText(notAfter)}>
        {instantText(notAfter).slice(0, "yyyy-mm-dd".length)}
      </time>
    </>
  );
}
