// Where every table and column comes from: what origin.ts turns into the contract's fine print. A table's columns are
// seen unless they are listed as inferred or added.

import type { Origin } from "./dictionary.ts";
import type { TableName } from "./tables.ts";

export interface TableOrigin {
  readonly origin: Origin;
  readonly note?: string;
  readonly inferred?: readonly string[];
  readonly added?: Readonly<Record<string, string>>;
  readonly joined?: readonly string[];
  /** Remarks on columns that the reference lists. */
  readonly notes?: Readonly<Record<string, string>>;
}

const created = ["CREATED", "CREATED_TS", "CREATED_TCODE"];
const terminated = ["TERMINATED", "TERMINATED_TS", "TERMINATED_TCODE"];
const systemEnd = ["GSYS_EXT_VCH1", "GSYS_EXT_VCH2", "GSYS_EXT_INT1", "GSYS_EXT_INT2"];
const system = [
  "GSYS_DOMAIN",
  "GSYS_PARTITION",
  "GSYS_SYS_ID",
  "GSYS_SEQ",
  "GSYS_USEQ",
  "GSYS_TS",
  "GSYS_TC",
  ...systemEnd,
];

const addedTimes = ["ADDED", "ADDED_TS", "ADDED_TCODE"];

const ours: TableOrigin = { origin: "ours" };
const digits = "decimal digits as text: 64 bits without a sign do not fit SQLite's INTEGER";

const sessionColumnsInferred = ["FEVENT_DSTS", "LEVENT_ITIME", "LEVENT_DSTIME", "LEVENT_DSSEQ", "LEVENT_DSTS"];

const noPage = "no column page was seen";

/** Columns beyond the end of the page that could be read: names and meaning are ours. */
function unseen(...columns: readonly string[]): Record<string, string> {
  return Object.fromEntries(columns.map((column) => [column, "the page is cut off before it (our choice)"]));
}

function withoutDbid(...columns: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    columns.map((column) => [column, "0 while no configuration data is recorded (our choice)"]),
  );
}

const queueOfReason = "0 where there is none; null where its DBID is not known: no configuration data is recorded";

const valueAsText =
  "a list within the list as a JSON object; of a key that comes twice the first value; cut, never through the middle of a " +
  "character (our choice)";

const userDataHistory: TableOrigin = {
  origin: "seen",
  notes: {
    PARTYID:
      "of EventAttachedDataChanged ThirdPartyDN's, else ThisDN's; of the event that began the call its first party's; else " +
      "ThisDN's. The reference contradicts itself: its column has ThirdPartyDN's on a change of attached data and else " +
      "nothing, its text on who changed something falls back as it is done here (our choice)",
    VALUE: valueAsText,
  },
  inferred: ["CSEQ", "KEYNAME", "VALUE", ...addedTimes, ...system],
  joined: ["ENDPOINTID"],
  added: unseen("SEQ", "CHANGETYPE", "KEYTYPE", "ENDPOINTID", "ENDPOINTDN"),
};

const customColumns = Array.from({ length: 16 }, (_, index) => `CUST_DATA_${index + 1}`);
const customUserData: TableOrigin = {
  origin: "seen",
  note: `${noPage}; texts hold 255 characters, as those of G_CALL_USERDATA: ${valueAsText}`,
  added: unseen("ID", "CALLID", ...customColumns, ...system),
};

const eventData: TableOrigin = {
  origin: "seen",
  inferred: system,
  joined: ["ENDPOINTID", "AGENTID"],
  added: {
    ...unseen("KEYNAME", ...addedTimes),
    VALUE:
      "the page is cut off before it (our choice): as text and not cut; lists are left out; of a key that comes twice the " +
      "first value",
  },
};

const agentTotals: TableOrigin = {
  origin: "seen",
  note: `${noPage}; written when the login session ends, and not refreshed during it (our choice)`,
  joined: ["ENDPOINTID", "QUEUEID"],
  added: unseen(
    ...["ID", "LOGINSESSIONID", "ENDPOINTID", "ENDPOINTDN", "QUEUEID", "QUEUEDN", "AGENTSTATE", "TT", "CNT"],
    ...system,
  ),
};

export const tableOrigins: Readonly<Record<TableName, TableOrigin>> = {
  G_CALL: {
    origin: "seen",
    inferred: [
      "ROOTIRID",
      "MEDIATYPE",
      "CALLTYPE",
      "CALLANI",
      "CALLDNIS",
      "TENANTID",
      ...created,
      ...terminated,
      ...system,
    ],
    joined: ["TENANTID", "ROOTIRID"],
    notes: {
      CONNIDNUM: digits,
      MERGECALLID:
        "the call in which a party of this one goes on when a transfer or conference is completed; of several the first " +
        "(our choice: the reference does not say)",
      ROOTIRID:
        "IRID, or where that was merged to by then, within its switch or over sites; further merges are found by PARENTIRID " +
        "of G_IR",
    },
  },
  G_CALL_HISTORY: {
    origin: "seen",
    inferred: systemEnd,
    notes: { REFID: "on the termination of a call that was merged: the call that went on" },
  },
  G_CALL_ACTIVE: {
    origin: "seen",
    inferred: ["SWITCHCALLID", "IRID"],
    added: repeating("G_CALL", [
      "ROOTIRID",
      "MEDIATYPE",
      "CALLTYPE",
      "CALLANI",
      "CALLDNIS",
      "TENANTID",
      ...created,
      ...system,
    ]),
    joined: ["TENANTID", "ROOTIRID"],
    notes: { CONNIDNUM: digits },
  },
  G_IR: {
    origin: "seen",
    inferred: system,
    joined: ["PARENTIRID"],
    notes: {
      PARENTIRID:
        "written with the merge, while both calls go on: nothing has to be run afterwards to join them. Of a call that came " +
        "from another site, as soon as both ends of the link are known; G_IR_HISTORY has merges within the switch alone",
    },
    added: Object.fromEntries(
      [...created, ...terminated].map((column) => [
        column,
        "the page has created and terminated groups here; names and types follow G_CALL",
      ]),
    ),
  },
  G_IR_HISTORY: {
    origin: "seen",
    notes: {
      XSEQ: "reserved in the reference; here the change's number within the record (our choice)",
      REFID: "reserved in the reference; here, of a merge, the record that goes on (our choice)",
    },
  },
  G_IR_ACTIVE: {
    origin: "seen",
    note: "no column page was seen; expected to repeat G_IR",
    joined: ["PARENTIRID"],
    added: repeating("G_IR", [
      "ID",
      "IRID",
      "STATE",
      "PARENTIRID",
      "PARENTLINKTYPE",
      "ROOTCALLID",
      ...created,
      ...system,
    ]),
  },
  G_PARTY: {
    origin: "seen",
    inferred: ["AGENTID", "CCEVENT", "CCEVENTCAUSE", ...created, ...terminated, ...system],
    added: { PREVSTATE: "named on the page of STATE as holding the earlier state; type as STATE" },
    joined: ["AGENTID"],
    notes: {
      PARENTPARTYID:
        "the stay in the queue (ThisQueue) from which the party was reached; whoever transferred or conferenced it in one " +
        "step (ThirdPartyDN); or the same party on the call that it came from (EventPartyChanged). Null too where that " +
        "was not seen",
      PARTYGUID:
        "stays when the party changes its call. Of a server without PartyUUID only where the call that it came from was " +
        "heard; else it gets another one",
      GSYS_EXT_VCH1: "LastTransferHomeLocation of the event that began the party, where the server gives it",
      GSYS_EXT_VCH2: "LastTransferOrigDN of that event",
    },
  },
  G_PARTY_HISTORY: {
    origin: "seen",
    inferred: ["PREVSTATE", "ADDED", "ADDED_TS", "ADDED_TCODE", ...system],
    added: {
      STATE: "the state after the change; the page has a state column behind CCEVENTCAUSE; name and type as in G_PARTY",
    },
  },
  G_CALL_STAT: {
    origin: "seen",
    inferred: system,
    added: {
      CNT_CONFERENCE: "the page is cut off at a column CNT_; how often a party joined by a conference (our choice)",
    },
    notes: {
      F_TE_ABND:
        "EventAbandoned of a party; of a virtual queue it is in G_VIRTUAL_QUEUE.CAUSE alone, for another switch's server " +
        "may tell of it (our choice)",
      F_CONN_EXTN:
        "of an internal party that was never queued; which DN is a position is known from configuration data only",
      CNT_TRANSFER:
        "a transfer in two steps counts on the call where its party goes on, and not on the consultation (our choice)",
    },
  },
  G_PARTY_STAT: {
    origin: "seen",
    inferred: system,
    notes: { TT_CONNECTED: "differences of whole UTC seconds, as all TT_* (our choice)" },
    added: {
      TT_DIALING: "behind TT_ACW nothing was seen; as TT_ALERTING",
      RELEASINGPARTY: "the page says that it tells local or remote release, and not in which column",
    },
  },
  G_IS_LINK: {
    origin: "seen",
    inferred: system,
    joined: ["MERGESTATE"],
    notes: {
      LINKID: "where in ISLinkList a link's id stands is not public (docs/link.md says what is taken)",
      ISLINKTYPE: "0 where the event does not say (our choice)",
      STATE: "1 also once the link has ended: 2 is not supported in this table",
      MERGESTATE: "its values are ours: the page's list could not be read",
      TERMINATED: "when the server no longer lists it, or its call's end (our choice)",
    },
  },
  G_IS_LINK_HISTORY: {
    origin: "seen",
    inferred: ["GSYS_EXT_INT1", "GSYS_EXT_INT2"],
    notes: { SEQ: "of this call's end of the link (our choice)" },
  },
  GSYS_DNPREMOTELOCATION: { origin: "seen" },
  G_VIRTUAL_QUEUE: {
    origin: "seen",
    inferred: ["CAUSE", "DISTCALLID", ...created, ...system],
    joined: ["ENDPOINTID"],
    added: unseen("ID", "VQUEUEID", "VQID", "CALLID", "ENDPOINTID", "ENDPOINTDN", "STATUS", ...terminated),
    notes: {
      DISTCALLID: "where EventDiverted names a target (ThirdPartyDN): the call that was sent there (our choice)",
    },
  },
  G_ROUTE_RESULT: {
    origin: "seen",
    inferred: ["RTARGETPLACESELECTED", "RSTRATEGYNAME", ...created, ...system],
    joined: ["ENDPOINTID"],
    added: unseen("ENDPOINTDN", "RESULT"),
    note: "with extended-route-result = 0 only of routings that sent the call on (our choice)",
  },
  G_ROUTE_RES_VQ_HIST: {
    origin: "seen",
    note: noPage,
    added: unseen("ID", "CALLID", "PARTYID", "VQUEUEID", "VQID", "ENDPOINTDN", ...created, ...terminated, ...system),
  },
  G_USERDATA_HISTORY: userDataHistory,
  G_SECURE_USERDATA_HISTORY: userDataHistory,
  G_CALL_USERDATA: {
    origin: "seen",
    inferred: ["GSYS_PARTITION", "GSYS_SYS_ID", "GSYS_SEQ", "GSYS_USEQ", "GSYS_TS", "GSYS_TC", ...systemEnd],
  },
  G_CALL_USERDATA_CUST: customUserData,
  G_CALL_USERDATA_CUST1: customUserData,
  G_CALL_USERDATA_CUST2: customUserData,
  G_CUSTOM_DATA_P: eventData,
  G_CUSTOM_DATA_S: eventData,
  G_CUSTOM_STATES: {
    origin: "seen",
    inferred: system,
    joined: ["ENDPOINTID"],
    added: unseen("ENDPOINTDN", "LOGINSESSIONID", "STATE", "FIELDS", ...created, ...terminated),
  },
  G_LOGIN_SESSION: {
    origin: "seen",
    joined: ["AGENTID", "LOGINID", "PLACEID", "PRIMARYDEVICEID"],
    added: unseen("AGENTLOGIN", "PRIMARYDN", ...created, ...terminated, ...system),
  },
  GX_SESSION_ENDPOINT: {
    origin: "seen",
    inferred: ["TERMINATED"],
    joined: [...["AGENTID", "ENDPOINTID", "ENDPOINTTYPE"], ...["QUEUEID", "QUEUETYPE", "PLACEID"]],
    added: unseen("ENDPOINTDN", "QUEUEDN", "MEDIATYPE", ...created, "TERMINATED_TS", "TERMINATED_TCODE", ...system),
    notes: withoutDbid("AGENTID", "ENDPOINTID"),
  },
  G_AGENT_STATE_HISTORY: {
    origin: "seen",
    inferred: ["LOGINSESSIONID", "LOGINID", "ADDED"],
    joined: ["LOGINID", "ENDPOINTID", "QUEUEID"],
    added: unseen(
      ...["PREVSTATE", "WORKMODE", "PREVWORKMODE", "ENDPOINTID", "ENDPOINTDN", "QUEUEID", "QUEUEDN", "MEDIATYPE"],
      ...["CALLID", "PARTYID", "ADDED_TS", "ADDED_TCODE", ...system],
    ),
  },
  G_AGENT_STATE_RC: {
    origin: "seen",
    joined: ["ENDPOINTID", "QUEUEID"],
    added: unseen("ENDPOINTDN", "QUEUEDN", ...created, ...terminated, ...system),
    notes: { ...withoutDbid("ENDPOINTID"), QUEUEID: queueOfReason },
  },
  G_AGENT_STATE_RC_A: {
    origin: "seen",
    note: "stays over a restart, as the reasons do (our choice: the original empties it then)",
    joined: ["ENDPOINTID", "QUEUEID"],
    added: unseen("HWFLAG", "KEYNAME", "VALUE", "LSEQ", "ENDPOINTDN", "QUEUEDN", ...created, ...system),
    notes: { ...withoutDbid("ENDPOINTID"), QUEUEID: queueOfReason },
  },
  G_DND_HISTORY: {
    origin: "seen",
    joined: ["ENDPOINTID"],
    added: unseen("ENDPOINTDN", "STATE", "SEQ", ...addedTimes, ...system),
    notes: withoutDbid("ENDPOINTID"),
  },
  GS_AGENT_STAT: agentTotals,
  GS_AGENT_STAT_WM: { ...agentTotals, added: { ...agentTotals.added, ...unseen("WORKMODE") } },
  G_DSS_GLS_PROVIDER: { origin: "seen", inferred: sessionColumnsInferred },
  G_DSS_GUD_PROVIDER: { origin: "seen", inferred: sessionColumnsInferred },
  G_DSS_GCC_PROVIDER: {
    origin: "seen",
    inferred: sessionColumnsInferred,
    notes: {
      DSCONN_TYPE:
        "1: the first of this run of the instance; 2: the same server run again; 3: the server was started anew; " +
        "4: the server's CTI link came back, a new session on the same connection; 5: another server of the pair, told " +
        "by its DBID, or by its address where it names no server run. Where two hold, 1 goes before 5, 5 before 3 " +
        "(our choice: the reference does not say)",
      DSCONN_SDSTIME: "by our clock until the difference of the two is measured and is more than its uncertainty",
      DSCONN_SDSTS: "as DSCONN_SDSTIME",
      ICON_ETIME: "only when the instance was stopped in order; a reload that ends the session is no stop",
      DSCONN_ETIME:
        "after a crash of the instance the last arrival; when the CTI link was lost, the instant of that. " +
        "ICON_DSS tells why",
    },
  },
  G_PROV_CONTROL: { origin: "seen" },
  G_SYNC_CONTROL: {
    origin: "seen",
    notes: {
      PRIMARYID: "each instance of a pair writes its own row into its own IDB: neither is the primary (our choice)",
      SESSIONID: "identity of the server run (our choice)",
      EVENTID: "the event's sequence number (our choice)",
    },
  },
  G_TIMECODE: { origin: "seen", note: "the calendar columns were not seen and are left out" },
  G_DICT_TYPE: {
    origin: "seen",
    note: "no column page was seen",
    added: {
      DICT_TYPE_ID: "what G_DICTIONARY refers to; placeholder name",
      NAME: "name of the class; placeholder name",
    },
  },
  G_DICTIONARY: { origin: "seen", inferred: ["DICT_TYPE_ID", "DICT_VALUE_ID", "NAME", "DESCRIPTION"] },
  ICON_DSS: ours,
  ICON_PARTY_CHANNEL: ours,
  ICON_WINDOW: ours,
  ICON_COVERAGE: ours,
  ICON_ROW_QUALITY: ours,
  ICON_UNDECODED: ours,
  ICON_MARK: ours,
  ICON_CONFIGURATION: ours,
  ICON_COUNTER: ours,
  ICON_APPLIED: ours,
  ICON_LIVE: ours,
  ICON_SCHEMA_ORIGIN: ours,
  ICON_MIGRATION: ours,
};

function repeating(table: string, columns: readonly string[]): Record<string, string> {
  return Object.fromEntries(columns.map((column) => [column, `expected to repeat ${table}`]));
}
