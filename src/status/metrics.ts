// The report as Prometheus metrics: base units, counters end in _total, times are seconds since 1970. Each scrape fills
// a registry of its own, so that a value which is not known is left out and never shown as 0. The client library's
// default metrics are not used: its heap figures are wrong on this runtime.

import { Counter, Gauge, Registry } from "prom-client";
import { reasonsNotReady } from "./readiness.ts";
import type { SourceAlarmStatus, StatusReport } from "./report.ts";

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

const queueStates = ["open", "full", "failed"] as const;
const idbStates = ["open", "locked", "rebuilding", "unavailable"] as const;

const alarmKinds: readonly SourceAlarmStatus["kind"][] = ["refused", "no primary", "two primaries", "CTI link down"];

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number | bigint | null];

export async function renderMetrics(report: StatusReport, residentBytes: number): Promise<string> {
  const registry = new Registry();
  const { instance, sources, queue, idb } = report;

  const gauge = (name: string, help: string, ...samples: Sample[]) => {
    const labelNames = Object.keys(samples[0]?.[0] ?? {});
    const metric = new Gauge({ name, help, labelNames, registers: [] });
    // Without labels the library would begin with a 0 that nobody measured.
    const known = samples.filter(([, value]) => value !== null);
    if (known.length === 0) return;
    registry.registerMetric(metric);
    for (const [labels, value] of known) metric.set(labels, Number(value));
  };
  const counter = (name: string, help: string, ...samples: Sample[]) => {
    if (samples.length === 0) return;
    const labelNames = Object.keys(samples[0]?.[0] ?? {});
    const metric = new Counter({ name, help, labelNames, registers: [registry] });
    for (const [labels, value] of samples) metric.inc(labels, Number(value));
  };
  const seconds = (ms: number | null) => (ms === null ? null : ms / 1000);
  const perSource = (pick: (source: StatusReport["sources"][number]) => Sample[1]) =>
    sources.map((source): Sample => [{ source: source.name }, pick(source)]);
  const oneOf = <T extends string>(states: readonly T[], current: T) =>
    states.map((state): Sample => [{ state }, state === current ? 1 : 0]);

  gauge("icon_info", "The instance; always 1.", [
    { instance: instance.name, dbid: String(instance.dbid), version: instance.version },
    1,
  ]);
  gauge("icon_start_time_seconds", "When the instance started.", [{}, seconds(instance.startedAt)]);
  gauge("icon_ready", "1 when /readyz answers 200.", [{}, reasonsNotReady(report).length === 0 ? 1 : 0]);
  gauge("icon_resident_memory_bytes", "Resident set of the process.", [{}, residentBytes]);

  gauge(
    "icon_source_connected",
    "1 while the data source is connected.",
    ...perSource((each) => (each.state === "connected" ? 1 : 0)),
  );
  gauge(
    "icon_source_connected_since_timestamp_seconds",
    "Since when the data source is connected.",
    ...perSource((each) => seconds(each.connectedSince)),
  );
  gauge(
    "icon_source_last_event_timestamp_seconds",
    "When the last event arrived.",
    ...perSource((each) => seconds(each.lastEventAt)),
  );
  gauge(
    "icon_source_last_sequence",
    "Sequence number of the last event that arrived.",
    ...perSource((each) => each.lastSequence),
  );
  gauge(
    "icon_source_acked_sequence",
    "Sequence number up to which the source was told that events are durable.",
    ...perSource((each) => each.ackedSequence),
  );
  counter("icon_source_frames_total", "Frames that arrived.", ...perSource((each) => each.framesTotal));
  counter(
    "icon_source_undecodable_total",
    "Frames kept in ICON_UNDECODED since the IDB was made.",
    ...perSource((each) => each.undecodable),
  );
  counter(
    "icon_source_duplicates_total",
    "Events that had been applied before, since the IDB was made.",
    ...perSource((each) => each.duplicates),
  );
  counter(
    "icon_source_holes_total",
    "Stretches of sequence numbers that never came, since the IDB was made.",
    ...perSource((each) => each.holes),
  );
  counter(
    "icon_source_ended_unseen_total",
    "Calls and parties closed because the data source no longer had them, since the IDB was made.",
    ...sources.flatMap(({ name: source, endedUnseen: { calls, parties } }): Sample[] => [
      [{ source, what: "call" }, calls],
      [{ source, what: "party" }, parties],
    ]),
  );
  gauge(
    "icon_source_last_word_timestamp_seconds",
    "Up to when, by the data source's clock, the ledger knows what is missing.",
    ...perSource((each) => seconds(each.lastWordAt)),
  );
  counter(
    "icon_source_reconnects_total",
    "Attempts to connect after the first, successful or not.",
    ...perSource((each) => each.reconnects),
  );

  gauge(
    "icon_source_alarm",
    "1 while somebody has to see to the data source or its connection.",
    ...sources.flatMap(({ name, alarms }) =>
      alarmKinds.map((alarm): Sample => [{ source: name, alarm }, alarms.some(({ kind }) => kind === alarm) ? 1 : 0]),
    ),
  );
  counter(
    "icon_source_session_ends_total",
    "Data source sessions that ended, by cause.",
    ...sources.flatMap(({ name, sessionEnds }) =>
      Object.entries(sessionEnds).map(([cause, count]): Sample => [{ source: name, cause }, count]),
    ),
  );
  gauge(
    "icon_source_clock_difference_seconds",
    "The data source's clock minus this host's.",
    ...perSource((each) => seconds(each.clock?.differenceMs ?? null)),
  );
  gauge(
    "icon_source_clock_uncertainty_seconds",
    "What icon_source_clock_difference_seconds may be off by.",
    ...perSource((each) => seconds(each.clock?.uncertaintyMs ?? null)),
  );
  gauge(
    "icon_source_held_back",
    "1 while the data source's socket is not read.",
    ...perSource((each) => (each.isHeldBack ? 1 : 0)),
  );
  gauge(
    "icon_source_not_durable_bytes",
    "Bytes read from the data source that are not durable yet.",
    ...perSource((each) => each.notDurableBytes),
  );
  gauge(
    "icon_source_allowance_bytes",
    "How many of those there may be before the socket is not read.",
    ...perSource((each) => each.allowanceBytes),
  );

  gauge("icon_queue_state", "1 for the state the persistent queue is in.", ...oneOf(queueStates, queue.state));
  gauge("icon_queue_bytes", "Size of the persistent queue on disk.", [{}, queue.bytes]);
  gauge("icon_queue_retention_bytes", "Size beyond which applied segments are deleted.", [{}, queue.retentionBytes]);
  gauge("icon_queue_disk_free_bytes", "Free space where the persistent queue is.", [{}, queue.diskFreeBytes]);
  gauge("icon_queue_segments", "Segments of the persistent queue.", [{}, queue.segments]);
  gauge("icon_queue_first_position", "Position of the oldest record kept.", [{}, queue.firstPosition]);
  gauge("icon_queue_durable_position", "Position of the last durable record.", [{}, queue.durablePosition]);
  gauge("icon_applied_position", "Position up to which rows are in the IDB.", [{}, idb.appliedPosition]);
  gauge("icon_records_not_applied", "Durable records whose rows are not in the IDB; absent while it is not open yet.", [
    {},
    queue.recordsNotApplied,
  ]);
  gauge("icon_oldest_not_applied_age_seconds", "Age of the oldest record that is not applied; 0 when none is.", [
    {},
    seconds(queue.oldestNotAppliedAgeMs ?? 0),
  ]);

  gauge("icon_idb_state", "1 for the state the IDB is in.", ...oneOf(idbStates, idb.state));
  gauge("icon_idb_bytes", "Size of the IDB file.", [{}, idb.bytes]);
  gauge("icon_idb_wal_bytes", "Size of the IDB's write-ahead log.", [{}, idb.walBytes]);
  gauge(
    "icon_idb_purged_before_timestamp_seconds",
    "Calls and login sessions that had ended before this time were purged from the IDB.",
    [{}, seconds(idb.purge.furthest?.before ?? null)],
  );
  gauge("icon_idb_purge_under_way", "1 while rows are being purged.", [{}, idb.purge.isUnderWay ? 1 : 0]);
  gauge("icon_idb_wal_blocked_since_timestamp_seconds", "Since when a reader keeps it from being moved into the IDB.", [
    {},
    seconds(idb.walBlock?.since ?? null),
  ]);
  gauge("icon_idb_last_commit_timestamp_seconds", "When a transaction last committed.", [
    {},
    seconds(idb.lastCommitAt),
  ]);
  gauge("icon_idb_last_row_timestamp_seconds", "When a row was last written.", [{}, seconds(idb.lastRowAt)]);
  counter("icon_idb_commits_total", "Transactions committed since the IDB was made.", [{}, idb.commits]);
  gauge("icon_open_calls", "Calls that have begun and not ended.", [{}, report.openCalls]);
  gauge("icon_open_parties", "Parties that have begun and not ended.", [{}, report.openParties]);
  // A gauge: it counts over the life of the IDB and begins anew with a new one.
  gauge("icon_undecoded_frames", "Frames kept in ICON_UNDECODED.", [{}, report.undecodedTotal]);

  const { http } = report;
  gauge("icon_http_connections", "Connections to the HTTP side.", [{}, http.connections]);
  counter("icon_http_turned_away_total", "Connections closed because of a bound.", [{}, http.turnedAway]);
  counter("icon_http_wrong_tokens_total", "Requests with a wrong token.", [{}, http.wrongTokens]);
  gauge("icon_http_certificate_expiry_timestamp_seconds", "When the certificate in use ceases to hold.", [
    {},
    seconds(http.certificate?.notAfter ?? null),
  ]);
  gauge("icon_http_certificate_renewed", "0 while the certificate's files as they are now cannot be used.", [
    {},
    http.certificate === null ? null : Number(http.certificate.problem === null),
  ]);
  gauge("icon_http_tokens_in_force", "0 while the token file as it is now cannot be used.", [
    {},
    Number(http.tokensProblem === null),
  ]);
  return registry.metrics();
}
