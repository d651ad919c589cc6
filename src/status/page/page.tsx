// The page that answers at a glance: connected? how far behind? disk filling? last row when? Everything below the
// verdict is there to find out why.
//
// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import { raw } from "hono/html";
import { verdictOn } from "../readiness.ts";
import type { StatusReport } from "../report.ts";
import { durationText, instantText } from "../wording.ts";
import { Glance } from "./glance.tsx";
import { HttpFacts } from "./http-facts.tsx";
import { IdbFacts } from "./idb-facts.tsx";
import { QueueFacts } from "./queue-facts.tsx";
import { Sources } from "./sources.tsx";
import { Trouble } from "./trouble.tsx";
import { Verdict } from "./verdict.tsx";

interface PageProps {
  readonly title: string;
  /** PageBody as text. */
  readonly main: string;
  /** Name of the token with which the page was asked for; null: without one. */
  readonly visitor: string | null;
}

/** The whole document. */
export function Page({ title, main, visitor }: PageProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/status.css" />
        <noscript>
          <meta http-equiv="refresh" content="10" />
        </noscript>
        <script src="/status.js" defer></script>
      </head>
      <body>
        <div class="lost" role="alert">
          <p>
            No update for <span id="lost-for">5</span> s. What stands below is old: the instance or the way to it is
            gone.
          </p>
        </div>
        {raw(main)}
        <footer>
          Times are UTC by this host's clock. For machines: <a href="/api/v1/status">status as JSON</a>,{" "}
          <a href="/metrics">metrics</a>, <a href="/readyz">readiness</a>, <a href="/healthz">health</a>.
          {visitor === null ? null : (
            <>
              {" "}
              Signed in with token <a href="/login">{visitor}</a>.
            </>
          )}
        </footer>
      </body>
    </html>
  );
}

interface PageBodyProps {
  /** The time line as text. */
  readonly pair: string;
  readonly report: StatusReport;
  /** Milliseconds since 1970 by the instance's clock. */
  readonly now: number;
}

/** What changes, and is sent anew with every update. */
export function PageBody({ report, now, pair }: PageBodyProps) {
  const { instance, sources, trouble } = report;
  return (
    <main data-title={titleOf(report, now)}>
      <header>
        <h1>{instance.name}</h1>
        <span class="quiet">
          ICON {instance.version}, DBID {instance.dbid}, {instance.state} for {durationText(now - instance.startedAt)}
        </span>
        <span class="quiet push">
          <span class="when-live">Live, </span>
          <span class="when-still">As of </span>
          <time dateTime={new Date(now).toISOString()}>{instantText(now)}</time>
        </span>
      </header>
      <Verdict report={report} now={now} />
      <Glance report={report} now={now} />
      {/* What is in it is sent apart: an update of the rest leaves it as it is. */}
      <div data-apart="pair">{raw(pair)}</div>
      <section aria-labelledby="sources">
        <h2 id="sources">Data sources</h2>
        {sources.length === 0 ? <p class="quiet">None is configured.</p> : <Sources sources={sources} now={now} />}
      </section>
      <div class="halves">
        <QueueFacts queue={report.queue} />
        <IdbFacts idb={report.idb} undecodedTotal={report.undecodedTotal} now={now} />
        <HttpFacts http={report.http} now={now} />
      </div>
      <section aria-labelledby="trouble">
        <h2 id="trouble">Recent trouble</h2>
        {trouble.length === 0 ? <p class="quiet">None since the instance started.</p> : <Trouble trouble={trouble} />}
      </section>
    </main>
  );
}

export function titleOf(report: StatusReport, now: number): string {
  return `${verdictOn(report, now).word} · ${report.instance.name}`;
}
