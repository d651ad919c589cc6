// The original's options of a switch, in the annex of a Switch or DN; here of the source that tells of it.

import { type Description, inForce, nameOnly, notYet, onOff, replaced, unknown } from "./original-option.ts";

/** [gts] */
export const switchOptions: readonly Description[] = [
  [
    "call-deletion-timeout",
    "how long after a call's end its ending is written, for events that come late",
    ["30 s", "0 to 3600 (3 to 600 in 8.1.4)", "at once"],
    inForce("[source.gts] call-deletion-timeout", "30"),
  ],
  [
    "delivered-flag",
    "when the called party outside of the switch counts as alerting",
    ["0; Cisco CallManager 1 or 2", "0 Dialing, 1 NetworkReached, 2 Established, 3 never", "restart"],
    inForce("[source.gts] delivered-flag", "0"),
  ],
  [
    "sst-options",
    "how a transfer in one step is recognised",
    ["0", "0 Released and then Ringing or Queued, 1 Released with a cause alone", "restart"],
    replaced(
      "nothing: both ways are taken; the new party descends from whoever its first event names (ThirdPartyDN), and a Released with that cause counts as a transfer by itself",
    ),
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
    inForce("[source.gts] gls-acw-first", "-1"),
  ],
  [
    "switch-multi-links-enabled",
    "several T-Servers on one switch",
    ["0", "1, other numbers", "restart"],
    notYet("each source is a cluster of its own, with calls of its own"),
  ],
  [
    "emulate-event-queued-extrp",
    "make up EventQueued for external routing points",
    unknown,
    notYet("of an external routing point only what the source itself tells is stored"),
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
    notYet("a stay in one begins with the first event that the source sends of it"),
  ],
  nameOnly("gls-associations-rule", "an agent's login id has one session, over all of its DNs and queues"),
  [
    "gls-enable-acw-busy",
    "whether a call may overlay after-call work",
    unknown,
    inForce("[source.gts] gls-enable-acw-busy", "1"),
  ],
  [
    "gls-flag-on-disconnect",
    "mark sessions when the link is lost",
    unknown,
    replaced("nothing: what nobody saw is always marked, in ICON_ROW_QUALITY"),
  ],
  nameOnly("gls-improve-data-for-agent", "agents' states are what the source told, overlaid by the calls of their DNs"),
  [
    "gls-max-duration",
    "how long a login session may be",
    unknown,
    inForce("[source.gts] gls-max-duration, seconds (ours: the unit is not documented)", "0, without a bound"),
  ],
  [
    "gls-max-inactivity",
    "how long a login session may be without a change",
    unknown,
    inForce("[source.gts] gls-max-inactivity, seconds (ours: the unit is not documented)", "0, without a bound"),
  ],
  nameOnly("gls-use-ts-id", "LOGINSESSIONID is made of the login's own event, and is the same in both IDBs of a pair"),
  nameOnly(
    "fix-time-stamps",
    "times are the source's, but within a party or login session none goes back when its clock is set back by up to an hour; steps of its clock are marked in the ledger",
  ),
  nameOnly("min-tsync-roundtrip", "the clocks' difference is measured by pings and stored with its uncertainty"),
  nameOnly("gts-dnis-detection", "a call's DNIS is the first that one of its events tells"),
  nameOnly("same-dn", "parties are told apart by the source's PartyUUID, also two on one DN"),
  nameOnly("suppress-user-data", "attached data is stored as the specification says, of every switch alike"),
  nameOnly("third-party-queue-in-divert", "a party's queue is the one that its EventRinging names"),
  nameOnly("valid-digits", "numbers are stored as the source tells them, without a digit taken away"),
  nameOnly("support-dn-type-N", "every DN that has events is stored, of whatever type"),
];
