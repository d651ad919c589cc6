// The original's options, each with what it means there and what becomes of it here. Those that still mean something keep
// their names; the rest are refused by name, because an option that is silently ignored is believed to work.
//
// Meanings, defaults and values are the vendor's documents'; null: they do not say, or could not be read.

export type OptionSection =
  | "callconcentrator"
  | "filter-data"
  | "custom-states"
  | "log-filter"
  | "log-filter-data"
  | "gts" // annex of a Switch or DN
  | "annex"; // of other objects

/** What becomes of an option here. */
export type OptionState =
  /** Set under `key`. */
  | { readonly kind: "in force"; readonly key: string; readonly defaultHere: string; readonly takesEffect: string }
  /** Nothing is to be set: it is always so, or something else is in its place. */
  | { readonly kind: "replaced"; readonly by: string }
  /** This version does not act on it, and refuses it. */
  | { readonly kind: "not yet"; readonly meanwhile: string };

export interface OriginalOption {
  readonly name: string;
  readonly section: OptionSection;
  readonly meaning: string;
  /** As the original has it. */
  readonly default: string | null;
  readonly values: string | null;
  /** When a change takes effect there: "restart", "at once". */
  readonly takesEffect: string | null;
  readonly here: OptionState;
}

type Description = readonly [
  name: string,
  meaning: string,
  original: readonly [default_: string | null, values: string | null, takesEffect: string | null],
  here: OptionState,
];

const replaced = (by: string): OptionState => ({ kind: "replaced", by });
const inForce = (key: string, defaultHere: string): OptionState => ({
  kind: "in force",
  key,
  defaultHere,
  takesEffect: "at SIGHUP",
});
const notYet = (meanwhile: string): OptionState => ({ kind: "not yet", meanwhile });

const customState = (name: string, defaultHere: string): OptionState => {
  return { kind: "in force", key: `[custom-states] ${name}`, defaultHere, takesEffect: "at SIGHUP" };
};

const nothingStored = {
  custom: "no row is made of the extensions of user events",
  multimedia: "no Interaction Server is read",
  outbound: "no Outbound Contact Server is read",
  configuration: "no Configuration Server is read",
};
const agentsAsTold = "a login session is as long as the source's events and snapshots say";
const everyParty = "every party that has events of its own is stored; parties outside of the switch are not";
const unknown = [null, null, null] as const;
const onOff = "0, 1";

const bySection: Readonly<Record<OptionSection, readonly Description[]>> = {
  callconcentrator: [
    [
      "role",
      "what is stored: configuration, calls, agents, attached data, outbound, log messages; ~x is everything but x",
      ["all", "a list of cfg, gcc, gls, gud, gos, lrm", "restart"],
      { kind: "in force", key: "[callconcentrator] role", defaultHere: "all", takesEffect: "at SIGHUP" },
    ],
    [
      "acc-queue-size",
      "how many records may wait in memory; also the size of a transaction of the IDB",
      ["500", "above 0", "at once"],
      replaced("nothing: IDB transactions grow and shrink with the backlog by themselves"),
    ],
    [
      "acc-queue-lifespan",
      "how long a record may wait in memory before it is written to the persistent queue",
      ["5 s", "above 0", "at once"],
      replaced("nothing: an event is on disk before it is acknowledged, and none is held back in memory"),
    ],
    ["acc-proc-tout", "ignored", ["1 s", null, null], replaced("nothing: the original ignores it too")],
    [
      "pq-dbname",
      "file of the persistent queue",
      ["icon_<dbid>.pq", "a file, :memory:", "restart"],
      replaced("data_dir in [instance]; the persistent queue is a folder in it"),
    ],
    [
      "pq-startup-check",
      "look through the persistent queue at the start",
      ["1", onOff, "restart"],
      replaced("nothing: every start checks the end of the persistent queue, and every record has a checksum"),
    ],
    [
      "pq-startup-purge",
      "shrink the persistent queue at the start",
      ["0", "0, 1, a size", "restart"],
      replaced("retention_age and retention_bytes in [queue]"),
    ],
    [
      "pq-backlog-alarm-threshold",
      "from how many waiting records on an alarm is raised",
      unknown,
      replaced("an alarm on the metric icon_records_not_applied"),
    ],
    [
      "cfg-dbname",
      "file that keeps configuration data between two starts",
      ["cfg-sync.db", "a path", "restart"],
      replaced("data_dir in [instance]; there is no separate file for configuration data"),
    ],
    [
      "agent-pstorage-name",
      "file that keeps login sessions until they are written",
      ["apstorage.db", "a file", "restart"],
      replaced("path in [idb]; live state is kept in the IDB itself"),
    ],
    [
      "use-dss-monitor",
      "record data source sessions; without it there is no high availability",
      ["0", onOff, "restart"],
      replaced("nothing: data source sessions are always recorded"),
    ],
    [
      "dss-no-data-tout",
      "after how long without events a data source is taken for lost",
      unknown,
      replaced("silence in [[source]]"),
    ],
    [
      "partition-type",
      "what GSYS_PARTITION holds",
      ["0", "0 date, 1 UTC, 2 multimedia rule", "at once"],
      replaced("nothing: the IDB has no partitions"),
    ],
    [
      "adata-spec-name",
      "the attached data specification: which keys are stored where",
      ["ccon_adata_spec.xml", "a file", "restart"],
      {
        kind: "in force",
        key: "[callconcentrator] adata-spec-name",
        defaultHere: "no file",
        takesEffect: "at SIGHUP, the file as well",
      },
    ],
    [
      "adata-userdata-history",
      "which values are stored of keys in UserData that are not in the specification",
      ["none", "none, first, last, all", "restart"],
      {
        kind: "in force",
        key: "[callconcentrator] adata-userdata-history",
        defaultHere: "none",
        takesEffect: "at SIGHUP",
      },
    ],
    [
      "max-userdata-length",
      "values of attached data are cut to so many characters",
      ["255 (1024 from 8.1.512.08 to 8.1.514.05)", "a number", null],
      {
        kind: "in force",
        key: "[callconcentrator] max-userdata-length",
        defaultHere: "255",
        takesEffect: "at SIGHUP",
      },
    ],
    [
      "start-cfg-sync",
      "read all configuration data anew",
      ["-1", "-1, 0, 1", "at once"],
      notYet(nothingStored.configuration),
    ],
    [
      "cfg-annex",
      "store annexes of configuration objects",
      ["0", onOff, "restart"],
      notYet(nothingStored.configuration),
    ],
    [
      "log-call-failure",
      "log calls that could not be followed",
      ["0", "0, 1, 2", "at once"],
      notYet("what was not seen is in ICON_ROW_QUALITY, what was left out in ICON_COUNTER"),
    ],
    [
      "extended-route-result",
      "store route results as of 7.6: here also of routings that did not send the call on",
      ["0", onOff, "restart"],
      inForce("[callconcentrator] extended-route-result", "1"),
    ],
    ["mcr-om-processing", "follow open media interactions", ["1", onOff, "restart"], notYet(nothingStored.multimedia)],
    [
      "om-check-filter-flag",
      "leave out open media that are filtered",
      ["1", onOff, "restart"],
      notYet(nothingStored.multimedia),
    ],
    [
      "om-force-adata",
      "store attached data of restored interactions",
      [null, "true, false", null],
      notYet(nothingStored.multimedia),
    ],
    [
      "store-releasing-party",
      "store who released, in G_CALL_STAT and G_PARTY_STAT",
      ["0", onOff, null],
      inForce("[callconcentrator] store-releasing-party", "1"),
    ],
    [
      "ssc-processing",
      "recognise conferences made in one step",
      unknown,
      notYet("the new party begins, and has no parent unless the source names it"),
    ],
    [
      "dest-busy-processing",
      "a history row for EventDestinationBusy",
      unknown,
      inForce("[callconcentrator] dest-busy-processing", "1"),
    ],
    ["gos-write-duplicate-metrics", "store repeated metrics of outbound", unknown, notYet(nothingStored.outbound)],
    [
      "gls-acw-first",
      "after-call work belongs to the first call, not the last",
      ["the last call", onOff, "restart"],
      { kind: "in force", key: "[callconcentrator] gls-acw-first", defaultHere: "0", takesEffect: "at SIGHUP" },
    ],
    [
      "gls-stats-update",
      "when agents' statistics are written",
      unknown,
      replaced("nothing: they are written when the login session ends"),
    ],
    [
      "gls-stats-update-delta",
      "how much they must have changed",
      unknown,
      replaced("nothing: they are written when the login session ends"),
    ],
    [
      "gls-store-event-seq",
      "store the number of the event with agents' rows",
      unknown,
      notYet("SEQ numbers the changes of a login session"),
    ],
    [
      "gls-active-reason-codes",
      "store reasons while they hold, in G_AGENT_STATE_RC_A",
      unknown,
      {
        kind: "in force",
        key: "[callconcentrator] gls-active-reason-codes",
        defaultHere: "0",
        takesEffect: "at SIGHUP, for reasons that begin then",
      },
    ],
    [
      "enable-supervision-subscription",
      "subscribe to supervision events",
      [null, "true, false", null],
      notYet(everyParty),
    ],
  ],
  "filter-data": [
    [
      "observer-party",
      "1: observers are not stored",
      ["0", onOff, "restart"],
      inForce("[filter-data] observer-party", "0"),
    ],
    [
      "external-party",
      "1: parties outside of the switch are not stored",
      ["0", onOff, null],
      inForce("[filter-data] external-party", "0"),
    ],
    [
      "acd-party-metrics",
      "1: no statistics of stays in queues",
      ["0", onOff, null],
      inForce("[filter-data] acd-party-metrics", "0"),
    ],
    [
      "acd-party-history",
      "1: no history of stays in queues, and no statistics of them",
      ["0", onOff, null],
      inForce("[filter-data] acd-party-history", "0"),
    ],
    ["call-metrics", "1: no G_CALL_STAT", ["0", onOff, null], inForce("[filter-data] call-metrics", "0")],
    ["gls-queue", "no queues in agents' rows", unknown, notYet("agents' rows name the queue")],
  ],
  "custom-states": [
    [
      "store-event-data",
      "which data of user events is stored",
      ["none", "none, all, conf", "at once"],
      customState("store-event-data", "none"),
    ],
    [
      "store-event-extensions",
      "which extensions of user events are stored",
      ["none", "none, all, conf", "at once"],
      notYet(nothingStored.custom),
    ],
    [
      "EventData",
      "keys of user events to store; EventData_X too",
      [null, "a list of Type,Key", "at once"],
      customState("EventData (EventData_X goes into it: a text here may be as long as it likes)", "none"),
    ],
    [
      "EventExtensions",
      "extensions of user events to store",
      [null, "a list of Type,Key", "at once"],
      notYet(nothingStored.custom),
    ],
    [
      "GlobalData",
      "keys stored with every user event",
      [null, "a list of Type,Key", "at once"],
      customState("GlobalData", "none"),
    ],
    [
      "AgentRecordUserTypes",
      "agents' states of one's own",
      [null, "a list of StateCode,KeyName, codes above 199", "at once"],
      customState("AgentRecordUserTypes", "none"),
    ],
    [
      "AgentUserFields",
      "fields of G_CUSTOM_STATES",
      [null, "a list of Type,FieldName,KeyName", "restart"],
      customState("AgentUserFields", "none"),
    ],
    [
      "max-party-info",
      "how many parties are remembered for user events",
      ["16", "4 to 128", "at once"],
      customState("max-party-info", "16, of each DN"),
    ],
  ],
  "log-filter": [
    [
      "default-filter-type",
      "what the log hides of attached data",
      [null, "skip and others", null],
      replaced("nothing: attached data and callers' numbers are never in the log"),
    ],
  ],
  "log-filter-data": [
    ["<key>", "what the log hides of this key", [null, "skip and others", null], replaced("nothing: see log-filter")],
  ],
  gts: [
    [
      "call-deletion-timeout",
      "how long after a call's end its ending is written, for events that come late",
      ["30 s", "0 to 3600 (3 to 600 in 8.1.4)", "at once"],
      { kind: "in force", key: "[source.gts] call-deletion-timeout", defaultHere: "30", takesEffect: "at SIGHUP" },
    ],
    [
      "delivered-flag",
      "when the called party outside of the switch counts as alerting",
      ["0; Cisco CallManager 1 or 2", "0 Dialing, 1 NetworkReached, 2 Established, 3 never", "restart"],
      notYet(everyParty),
    ],
    [
      "sst-options",
      "how a transfer in one step is recognised",
      ["0", "0 Released and then Ringing or Queued, 1 Released with a cause alone", "restart"],
      replaced("nothing: the new party descends from whoever its first event names (ThirdPartyDN)"),
    ],
    [
      "ring-divert",
      "a parent also where Ringing comes before Diverted; of a DN too",
      ["0", onOff, "restart"],
      replaced("nothing: always so"),
    ],
    [
      "lookup-queue-on-ringing",
      "the parent is the queue that EventRinging names",
      ["1 or 0, by page", onOff, "restart"],
      replaced("nothing: always so"),
    ],
    [
      "use-server-partyuuid",
      "take the server's PartyUUID for PARTYGUID",
      unknown,
      replaced("nothing: always so; PARTYID is made of it, and is the same in both IDBs of a pair"),
    ],
    [
      "gcti-re-registration-tout",
      "how long to wait before DNs are registered again",
      unknown,
      replaced("reconnect_min and reconnect_max in [[source]]"),
    ],
    [
      "sync-calls-on-switchover",
      "compare open calls with the server's after a switchover",
      unknown,
      replaced("nothing: every snapshot is compared"),
    ],
    [
      "gls-acw-first",
      "of this switch",
      ["-1", "-1 as [callconcentrator], 0, 1", "restart"],
      { kind: "in force", key: "[source.gts] gls-acw-first", defaultHere: "-1", takesEffect: "at SIGHUP" },
    ],
    [
      "switch-multi-links-enabled",
      "several T-Servers on one switch",
      ["0", "1, other numbers", "restart"],
      notYet("each source is a cluster of its own"),
    ],
    [
      "emulate-event-queued-extrp",
      "make up EventQueued for external routing points",
      unknown,
      notYet("a stay begins with the first of its events"),
    ],
    [
      "emulate-event-queued-rp",
      "make up EventQueued for routing points",
      unknown,
      replaced("nothing: EventRouteRequest begins the stay where no EventQueued did"),
    ],
    [
      "emulate-event-queued-rq",
      "make up EventQueued for routing queues",
      unknown,
      notYet("a stay begins with the first of its events"),
    ],
    [
      "gls-associations-rule",
      "how agents, places and DNs belong together",
      unknown,
      notYet("a login id has one session, over all its DNs"),
    ],
    [
      "gls-enable-acw-busy",
      "whether a call may overlay after-call work",
      unknown,
      { kind: "in force", key: "[source.gts] gls-enable-acw-busy", defaultHere: "1", takesEffect: "at SIGHUP" },
    ],
    [
      "gls-flag-on-disconnect",
      "mark sessions when the link is lost",
      unknown,
      replaced("nothing: what nobody saw is always marked, in ICON_ROW_QUALITY"),
    ],
    ["gls-improve-data-for-agent", "name only", unknown, notYet(agentsAsTold)],
    ["gls-max-duration", "how long a login session may be", unknown, notYet(agentsAsTold)],
    ["gls-max-inactivity", "how long a login session may be without a change", unknown, notYet(agentsAsTold)],
    ["gls-use-ts-id", "name only", unknown, notYet(agentsAsTold)],
    [
      "fix-time-stamps",
      "name only",
      unknown,
      notYet("times are the source's; steps of its clock are marked in the ledger"),
    ],
    [
      "min-tsync-roundtrip",
      "name only",
      unknown,
      notYet("the clocks' difference is measured by pings and stored with its uncertainty"),
    ],
    ["gts-dnis-detection", "name only", unknown, notYet("DNIS is the first that the source tells")],
    ["same-dn", "name only", unknown, notYet(everyParty)],
    ["suppress-user-data", "name only", unknown, notYet("attached data is stored as the specification says")],
    ["third-party-queue-in-divert", "name only", unknown, notYet("the queue is the one of EventRinging")],
    ["valid-digits", "name only", unknown, notYet("numbers are stored as the source tells them")],
    ["support-dn-type-N", "name only", unknown, notYet("every DN that has events is stored")],
  ],
  annex: [
    [
      "om-activity-report",
      "of a Script: whether its interactions are stored",
      ["true", "true, false", "restart"],
      notYet(nothingStored.multimedia),
    ],
  ],
};

export const originalOptions: readonly OriginalOption[] = Object.entries(bySection).flatMap(([section, described]) =>
  described.map(([name, meaning, [default_, values, takesEffect], here]) => ({
    ...{ name, section: section as OptionSection, meaning, default: default_, values, takesEffect, here },
  })),
);

/** The original's sections of which no option is of use yet. */
export const originalSections: readonly string[] = ["log-filter", "log-filter-data"];

export interface RefusedOption {
  readonly problem: string;
  readonly expected: string;
}

/** Those of this name: one may stand in several sections. */
export function optionsNamed(name: string): readonly OriginalOption[] {
  // Families of names.
  const family = /^EventData_/.test(name)
    ? "EventData"
    : /^support-dn-type-\d+$/.test(name)
      ? "support-dn-type-N"
      : name;
  return originalOptions.filter((option) => option.name === family);
}

/** What to say of an option of the original that this version refuses; null when `name` is none. */
export function refusedOption(name: string): RefusedOption | null {
  const states = optionsNamed(name).map(({ here }) => here);
  const instead = states.find((here) => here.kind === "replaced");
  if (instead !== undefined) {
    return { problem: "this option of the original has no place here", expected: instead.by };
  }
  if (!states.some(({ kind }) => kind === "not yet")) return null;
  return {
    problem: "this version does not act on this option of the original yet",
    expected: "the option to be left out",
  };
}
