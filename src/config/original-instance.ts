// The original's options of the instance as a whole: what it stores at all, its files, and its work.

import { type Description, inForce, nothingStored, notYet, onOff, replaced, unknown } from "./original-option.ts";

/** [callconcentrator] */
export const instanceOptions: readonly Description[] = [
  [
    "role",
    "what is stored: configuration, calls, agents, attached data, outbound, log messages; ~x is everything but x",
    ["all", "a list of cfg, gcc, gls, gud, gos, lrm", "restart"],
    inForce("[callconcentrator] role", "all"),
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
    replaced("nothing: the IDB has no partitions, and GSYS_PARTITION is null; purge and readers go by *_TS"),
  ],
  [
    "start-cfg-sync",
    "read all configuration data anew",
    ["-1", "-1, 0, 1", "at once"],
    notYet(nothingStored.configuration),
  ],
  ["cfg-annex", "store annexes of configuration objects", ["0", onOff, "restart"], notYet(nothingStored.configuration)],
  [
    "log-call-failure",
    "log calls that could not be followed",
    ["0", "0, 1, 2", "at once"],
    notYet("what was not seen is in ICON_ROW_QUALITY, what was left out in ICON_COUNTER"),
  ],
  ["gos-write-duplicate-metrics", "store repeated metrics of outbound", unknown, notYet(nothingStored.outbound)],
];
