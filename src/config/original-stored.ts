// The original's options of what is stored of calls, agents and their data.

import {
  type Description,
  inForce,
  inForceUnlike,
  nameOnly,
  nothingStored,
  notStoredIsLost,
  notYet,
  onOff,
  replaced,
  unknown,
} from "./original-option.ts";

/** [callconcentrator] */
export const storedOptions: readonly Description[] = [
  [
    "adata-spec-name",
    "the attached data specification: which keys are stored where",
    ["ccon_adata_spec.xml", "a file", "restart"],
    inForceUnlike(
      "[callconcentrator] adata-spec-name",
      "no file",
      "unlike there: no file is read that the configuration does not name",
      "at SIGHUP, the file as well",
    ),
  ],
  [
    "adata-userdata-history",
    "which values are stored of keys in UserData that are not in the specification",
    ["none", "none, first, last, all", "restart"],
    inForce("[callconcentrator] adata-userdata-history", "none"),
  ],
  [
    "max-userdata-length",
    "values of attached data are cut to so many characters",
    ["255 (1024 from 8.1.512.08 to 8.1.514.05)", "a number", null],
    inForce("[callconcentrator] max-userdata-length", "255"),
  ],
  [
    "gud-cust-disp",
    "which procedure of the site's own fills G_CALL_USERDATA_CUST, _CUST1 and _CUST2; 0: none",
    [null, "0, 1, 2", null],
    replaced(
      "the sections call_cust, call_cust1 and call_cust2 of the file of adata-spec-name: each names column and key",
    ),
  ],
  [
    "gud-cust-disp-groups",
    "how many groups of keys, up to 17 texts and 17 numbers each, that procedure is given",
    ["16", "0-255", null],
    replaced("nothing: no procedure is called, and a key goes into the column that the specification names"),
  ],
  nameOnly("vq-write-mode", "a row of G_VIRTUAL_QUEUE is written when the stay begins, and changed when it ends"),
  [
    "extended-route-result",
    "store route results as of 7.6: here also of routings that did not send the call on",
    ["0", onOff, "restart"],
    inForceUnlike("[callconcentrator] extended-route-result", "1", notStoredIsLost),
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
    inForceUnlike("[callconcentrator] store-releasing-party", "1", notStoredIsLost),
  ],
  [
    "ssc-processing",
    "recognise conferences made in one step",
    unknown,
    inForce("[callconcentrator] ssc-processing", "1"),
  ],
  [
    "dest-busy-processing",
    "a history row for EventDestinationBusy",
    unknown,
    inForceUnlike(
      "[callconcentrator] dest-busy-processing",
      "1",
      "the safe one, whatever it is there: what is not stored is lost",
    ),
  ],
  [
    "gls-acw-first",
    "after-call work belongs to the first call, not the last",
    ["the last call", onOff, "restart"],
    inForce("[callconcentrator] gls-acw-first", "0"),
  ],
  [
    "gls-stats-update",
    "how often GS_AGENT_STAT is refreshed during a login session",
    unknown,
    replaced("nothing: totals are written once, when the session ends; until then ICON_V_AGENT_15 counts its states"),
  ],
  [
    "gls-stats-update-delta",
    "how much they must have changed for that",
    unknown,
    replaced("nothing: totals are written once, when the session ends"),
  ],
  [
    "gls-store-event-seq",
    "store the number of the event with agents' rows",
    unknown,
    {
      kind: "not public",
      instead: "which column it fills is not documented; SEQ numbers the changes of a login session, without a gap",
    },
  ],
  [
    "gls-active-reason-codes",
    "store reasons while they hold, in G_AGENT_STATE_RC_A",
    unknown,
    inForce("[callconcentrator] gls-active-reason-codes", "0", "at SIGHUP, for reasons that begin then"),
  ],
  [
    "enable-supervision-subscription",
    "subscribe to supervision events",
    [null, "true, false", null],
    replaced("nothing: whatever the source sends is heard; see store-event-extensions"),
  ],
];

/** [filter-data] */
export const filterOptions: readonly Description[] = [
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
  [
    "gls-queue",
    "1: the queues where agents are logged in are not stored",
    unknown,
    inForce("[filter-data] gls-queue", "0", "at SIGHUP, for DNs at which an agent logs in then"),
  ],
];

/** [custom-states] */
export const customStateOptions: readonly Description[] = [
  [
    "store-event-data",
    "which data of user events is stored",
    ["none", "none, all, conf", "at once"],
    inForce("[custom-states] store-event-data", "none"),
  ],
  [
    "store-event-extensions",
    "which extensions of user events are stored",
    ["none", "none, all, conf", "at once"],
    inForce("[custom-states] store-event-extensions", "none"),
  ],
  [
    "EventData",
    "keys of user events to store; EventData_X too",
    [null, "a list of Type,Key", "at once"],
    inForce("[custom-states] EventData (EventData_X goes into it: a text here may be as long as it likes)", "none"),
  ],
  [
    "EventExtensions",
    "extensions of user events to store",
    [null, "a list of Type,Key", "at once"],
    inForce("[custom-states] EventExtensions", "none"),
  ],
  [
    "GlobalData",
    "keys stored with every user event",
    [null, "a list of Type,Key", "at once"],
    inForce("[custom-states] GlobalData", "none"),
  ],
  [
    "AgentRecordUserTypes",
    "agents' states of one's own",
    [null, "a list of StateCode,KeyName, codes above 199", "at once"],
    inForce("[custom-states] AgentRecordUserTypes", "none"),
  ],
  [
    "AgentUserFields",
    "fields of G_CUSTOM_STATES",
    [null, "a list of Type,FieldName,KeyName", "restart"],
    inForce("[custom-states] AgentUserFields", "none"),
  ],
  [
    "max-party-info",
    "how many parties are remembered for user events",
    ["16", "4 to 128", "at once"],
    inForce("[custom-states] max-party-info", "16, of each DN"),
  ],
];

/** [log-filter] */
export const logFilterOptions: readonly Description[] = [
  [
    "default-filter-type",
    "what the log hides of attached data",
    [null, "skip and others", null],
    replaced("nothing: attached data and callers' numbers are never in the log"),
  ],
];

/** [log-filter-data] */
export const logFilterDataOptions: readonly Description[] = [
  ["<key>", "what the log hides of this key", [null, "skip and others", null], replaced("nothing: see log-filter")],
];

/** Annex of a Script. */
export const annexOptions: readonly Description[] = [
  [
    "om-activity-report",
    "of a Script: whether its interactions are stored",
    ["true", "true, false", "restart"],
    notYet(nothingStored.multimedia),
  ],
];
