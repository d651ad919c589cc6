// The page that answers at a glance: connected? how far behind? disk filling? last row when? Everything below the
// verdict is there to find out why.
//
// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import { certificateWord, type Tone, verdictOn } from "./readiness.ts";
import type {
  CertificateStatus,
  HttpStatus,
  IdbStatus,
  QueueStatus,
  SourceStatus,
  StatusReport,
  TroubleStatus,
} from "./report.ts";
import { clockText, countText, durationText, instantText, rateText, sizeText } from "./wording.ts";

interface Props {
  readonly report: StatusReport;
  /** Milliseconds since 1970 by the instance's clock. */
  readonly now: number;
}

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

/** What changes, and is sent anew with every update. */
export function PageBody({ report, now }: Props) {
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

function Verdict({ report, now }: Props) {
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

function Glance({ report, now }: Props) {
  const { sources, queue, idb } = report;
  const connected = sources.filter((each) => each.state === "connected").length;
  const rate = sources.reduce((sum, each) => sum + each.eventsPerSecond, 0);
  const behind = queue.oldestNotAppliedAgeMs;
  return (
    <dl class="glance">
      <div>
        <dt>Sources connected</dt>
        <dd class="figure">
          {connected} of {sources.length}
        </dd>
        <dd class="quiet">{rateText(rate)} events/s</dd>
      </div>
      <div>
        <dt>IDB behind</dt>
        <dd class="figure">{behind === null ? "nothing" : durationText(behind)}</dd>
        <dd class="quiet">{countText(queue.recordsNotApplied)} records not applied</dd>
      </div>
      <div>
        <dt>Persistent queue on disk</dt>
        <dd class="figure">{sizeText(queue.bytes)}</dd>
        <dd class="quiet">
          of {sizeText(queue.retentionBytes)}
          {queue.diskFreeBytes === null ? "" : `, ${sizeText(queue.diskFreeBytes)} free`}
        </dd>
      </div>
      <div>
        <dt>Last row</dt>
        <dd class="figure">
          <Ago at={idb.lastRowAt} now={now} />
        </dd>
        <dd class="quiet">
          last commit <Ago at={idb.lastCommitAt} now={now} />
        </dd>
      </div>
      <div>
        <dt>Open calls</dt>
        <dd class="figure">{countText(report.openCalls)}</dd>
        <dd class="quiet">{countText(report.openParties)} parties</dd>
      </div>
    </dl>
  );
}

const toneOfSource: Readonly<Record<SourceStatus["state"], Tone>> = {
  connected: "good",
  connecting: "look",
  waiting: "bad",
};

function Sources({ sources, now }: { readonly sources: readonly SourceStatus[]; readonly now: number }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">State</th>
          <th scope="col">Address</th>
          <th scope="col" class="number">
            Connected for
          </th>
          <th scope="col" class="number">
            Last event
          </th>
          <th scope="col" class="number">
            Events/s
          </th>
          <th scope="col" class="number">
            Frames
          </th>
          <th scope="col" class="number">
            Undecodable
          </th>
          <th scope="col" class="number">
            Duplicates
          </th>
          <th scope="col" class="number">
            Reconnects
          </th>
          <th scope="col" class="number">
            Sequence
          </th>
          <th scope="col" class="number">
            Acknowledged
          </th>
        </tr>
      </thead>
      <tbody>
        {sources.map((source) => (
          <>
            <tr>
              <th scope="row">
                {source.name} <span class="quiet">{source.kind}</span>
              </th>
              <td class="close">
                <State tone={toneOfSource[source.state]} word={source.state} />
              </td>
              <td class="close">{source.address}</td>
              <td class="number">{source.connectedSince === null ? "–" : durationText(now - source.connectedSince)}</td>
              <td class="number">
                <Ago at={source.lastEventAt} now={now} />
              </td>
              <td class="number">{rateText(source.eventsPerSecond)}</td>
              <td class="number">{countText(source.framesTotal)}</td>
              <td class="number">{countText(source.undecodable)}</td>
              <td class="number">{countText(source.duplicates)}</td>
              <td class="number">{countText(source.reconnects)}</td>
              <td class="number">{source.lastSequence === null ? "–" : countText(source.lastSequence)}</td>
              <td class="number">{source.ackedSequence === null ? "–" : countText(source.ackedSequence)}</td>
            </tr>
            <SourceNote source={source} now={now} />
          </>
        ))}
      </tbody>
    </table>
  );
}

/** What a row of the table has no column for. */
function SourceNote({ source, now }: { readonly source: SourceStatus; readonly now: number }) {
  const { run, clock, isHeldBack, notDurableBytes, lastEnd, lastTrouble, alarms } = source;
  if (run === null && clock === null && lastEnd === null && lastTrouble === null && alarms.length === 0) return null;
  return (
    <tr class="note">
      <td colSpan={12}>
        {alarms.map(({ sentence }) => (
          <>
            <State tone="bad" word={`${sentence}.`} />{" "}
          </>
        ))}
        {run === null ? null : <span class="quiet">Server run {run}. </span>}
        {clock === null ? null : <span class="quiet">Its clock is {clockText(clock)}. </span>}
        {isHeldBack ? <>Not read at the moment: {sizeText(notDurableBytes)} of it are not durable yet. </> : null}
        {lastEnd === null ? null : (
          <>
            Last session ended {lastEnd.at === null ? null : <Ago at={lastEnd.at} now={now} />}: {lastEnd.cause}
            {lastEnd.detail === null ? "" : ` (${lastEnd.detail})`}.{" "}
          </>
        )}
        {lastTrouble === null ? null : <>Last trouble: {lastTrouble}</>}
      </td>
    </tr>
  );
}

const toneOfQueue: Readonly<Record<QueueStatus["state"], Tone>> = { open: "good", full: "bad", failed: "bad" };

function QueueFacts({ queue }: { readonly queue: QueueStatus }) {
  return (
    <section aria-labelledby="queue">
      <h2 id="queue">Persistent queue</h2>
      <table class="facts">
        <tbody>
          <Fact name="State">
            <State tone={toneOfQueue[queue.state]} word={queue.state} />
          </Fact>
          <Fact name="On disk">
            {sizeText(queue.bytes)} in {countText(queue.segments)} {queue.segments === 1 ? "segment" : "segments"}
          </Fact>
          <Fact name="Retained at most">{sizeText(queue.retentionBytes)}</Fact>
          <Fact name="Disk free">{queue.diskFreeBytes === null ? "–" : sizeText(queue.diskFreeBytes)}</Fact>
          <Fact name="First position">{positionText(queue.firstPosition)}</Fact>
          <Fact name="Deleted early">{trimmedText(queue.trimmedEarly)}</Fact>
          <Fact name="Durable up to position">{positionText(queue.durablePosition)}</Fact>
          <Fact name="Applied up to position">{positionText(queue.appliedPosition)}</Fact>
          <Fact name="Records not applied">{countText(queue.recordsNotApplied)}</Fact>
        </tbody>
      </table>
    </section>
  );
}

const toneOfIdb: Readonly<Record<IdbStatus["state"], Tone>> = {
  open: "good",
  locked: "look",
  rebuilding: "look",
  unavailable: "bad",
};

interface IdbProps {
  readonly idb: IdbStatus;
  readonly undecodedTotal: number;
  readonly now: number;
}

function IdbFacts({ idb, undecodedTotal, now }: IdbProps) {
  return (
    <section aria-labelledby="idb">
      <h2 id="idb">Interaction Database</h2>
      <table class="facts">
        <tbody>
          <Fact name="State">
            <State tone={toneOfIdb[idb.state]} word={idb.state} />
          </Fact>
          <Fact name="File">
            <code>{idb.path}</code>
          </Fact>
          <Fact name="Size">{sizeText(idb.bytes)}</Fact>
          <Fact name="Write-ahead log">
            {sizeText(idb.walBytes)}
            {idb.walBlock === null ? null : (
              <>
                {" "}
                <State tone="look" word={`blocked for ${durationText(now - idb.walBlock.since)}`} />
              </>
            )}
          </Fact>
          <Fact name="Applied position">{positionText(idb.appliedPosition)}</Fact>
          <Fact name="Commits since it was made">{countText(idb.commits)}</Fact>
          <Fact name="Last commit">
            <Ago at={idb.lastCommitAt} now={now} />
          </Fact>
          <Fact name="Frames kept undecoded">{countText(undecodedTotal)}</Fact>
        </tbody>
      </table>
    </section>
  );
}

function HttpFacts({ http, now }: { readonly http: HttpStatus; readonly now: number }) {
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

function Trouble({ trouble }: { readonly trouble: readonly TroubleStatus[] }) {
  return (
    <table>
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

function Fact({ name, children }: { readonly name: string; readonly children: Child }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{children}</td>
    </tr>
  );
}

function State({ tone, word }: { readonly tone: Tone; readonly word: string }) {
  return <span class={`mark ${tone}`}>{word}</span>;
}

function Ago({ at, now }: { readonly at: number | null; readonly now: number }) {
  if (at === null) return <>never</>;
  return (
    <time dateTime={new Date(at).toISOString()} title={instantText(at)}>
      {durationText(now - at)} ago
    </time>
  );
}

function positionText(position: bigint | null): string {
  return position === null ? "–" : countText(position);
}

function trimmedText(trimmed: QueueStatus["trimmedEarly"]): string {
  if (trimmed === null) return "nothing";
  const { firstPosition, lastPosition, lastAt } = trimmed;
  return `positions ${countText(firstPosition)} to ${countText(lastPosition)}, written until ${instantText(lastAt)}: the disk was full`;
}

function fieldsText(fields: TroubleStatus["fields"]): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");
}
