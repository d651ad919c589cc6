// The original's options. Those that still mean something keep their names; the rest are refused by name, because an
// option that is silently ignored is believed to work.

/** What to do instead of an option that has no place here. */
const replaced: Readonly<Record<string, string>> = {
  "acc-queue-size": "nothing: IDB transactions grow and shrink with the backlog by themselves",
  "acc-queue-lifespan": "nothing: an event is on disk before it is acknowledged, and none is held back in memory",
  "acc-proc-tout": "nothing: the original ignores it too",
  "pq-dbname": "data_dir in [instance]; the persistent queue is a folder in it",
  "pq-startup-check": "nothing: every start checks the end of the persistent queue, and every record has a checksum",
  "pq-startup-purge": "retention_age and retention_bytes in [queue]",
  "pq-backlog-alarm-threshold": "an alarm on the metric icon_records_not_applied",
  "cfg-dbname": "data_dir in [instance]; there is no separate file for configuration data",
  "agent-pstorage-name": "path in [idb]; live state is kept in the IDB itself",
  "use-dss-monitor": "nothing: data source sessions are always recorded",
  "dss-no-data-tout": "silence in [[source]]",
  "partition-type": "nothing: the IDB has no partitions",
  "max-userdata-length": "nothing: the columns of the IDB have no length limit",
  "gcti-re-registration-tout": "reconnect_min and reconnect_max in [[source]]",
};

/** Options that this version knows of but does nothing with; a file that sets one would not get what it asks for. */
const notYet: ReadonlySet<string> = new Set([
  ...["start-cfg-sync", "cfg-annex", "log-call-failure", "extended-route-result", "mcr-om-processing"],
  ...["om-check-filter-flag", "om-activity-report", "om-force-adata", "store-releasing-party", "ssc-processing"],
  ...["dest-busy-processing", "gos-write-duplicate-metrics", "gls-acw-first", "gls-stats-update"],
  ...["gls-stats-update-delta", "gls-store-event-seq", "gls-active-reason-codes", "enable-supervision-subscription"],
  ...["observer-party", "external-party", "acd-party-metrics", "acd-party-history", "call-metrics", "gls-queue"],
  ...["store-event-data", "store-event-extensions", "EventData", "EventExtensions", "GlobalData"],
  ...["AgentRecordUserTypes", "AgentUserFields", "max-party-info", "default-filter-type"],
  ...["delivered-flag", "sst-options", "ring-divert", "lookup-queue-on-ringing", "switch-multi-links-enabled"],
  ...["emulate-event-queued-extrp", "emulate-event-queued-rp", "emulate-event-queued-rq", "fix-time-stamps"],
  ...["gls-associations-rule", "gls-enable-acw-busy", "gls-flag-on-disconnect", "gls-improve-data-for-agent"],
  ...["gls-max-duration", "gls-max-inactivity", "gls-use-ts-id", "gts-dnis-detection", "min-tsync-roundtrip"],
  ...["same-dn", "suppress-user-data", "sync-calls-on-switchover", "third-party-queue-in-divert"],
  ...["use-server-partyuuid", "valid-digits"],
]);

/** The original's sections of which no option is of use yet. */
export const originalSections: readonly string[] = ["filter-data", "custom-states", "log-filter", "log-filter-data"];

export interface OriginalOption {
  readonly problem: string;
  readonly expected: string;
}

/** What to say of an option of the original that this version refuses; null when `name` is none. */
export function refusedOption(name: string): OriginalOption | null {
  if (Object.hasOwn(replaced, name)) {
    return { problem: "this option of the original has no place here", expected: replaced[name] ?? "nothing" };
  }
  // EventData_X and support-dn-type-N are families of names.
  const isKnown = notYet.has(name) || /^EventData_/.test(name) || /^support-dn-type-\d+$/.test(name);
  if (!isKnown) return null;
  return {
    problem: "this version does not act on this option of the original yet",
    expected: "the option to be left out",
  };
}
