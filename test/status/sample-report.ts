// A report as an instance with two sources gives it, for the tests of the status side.

import type { SourceStatus, StatusReport } from "../../src/status/report.ts";

/** 2026-11-25 03:00:00 UTC: what the tests' clock says. */
export const sampleNow = Date.UTC(2026, 10, 25, 3, 0, 0);

export const north: SourceStatus = {
  name: "north",
  kind: "tevent",
  address: "10.1.2.3:7001",
  state: "connected",
  connectedSince: sampleNow - 7_500_000,
  lastEventAt: sampleNow - 400,
  eventsPerSecond: 412.4,
  framesTotal: 3_093_481,
  undecodable: 2,
  duplicates: 17,
  holes: 1,
  endedUnseen: { calls: 3, parties: 7 },
  lastWordAt: sampleNow - 1_200,
  reconnects: 1,
  lastTrouble: null,
  lastEnd: null,
  sessionEnds: {},
  alarms: [],
  clock: null,
  isHeldBack: false,
  notDurableBytes: 0,
  allowanceBytes: 1_048_576,
  run: "2026-11-23T08:00:00.000Z",
  lastSequence: 3_093_462,
  ackedSequence: 3_093_460,
};

export const asterisk: SourceStatus = {
  ...north,
  name: "asterisk",
  kind: "ami",
  address: "pbx.example:5038",
  eventsPerSecond: 35.26,
  framesTotal: 81_002,
  undecodable: 0,
  duplicates: 0,
  holes: 0,
  endedUnseen: { calls: 0, parties: 0 },
  lastWordAt: null,
  reconnects: 0,
  run: null,
  lastSequence: null,
  ackedSequence: null,
};

export const sampleReport: StatusReport = {
  instance: { name: "icon-a", dbid: 9001, version: "0.1.0", startedAt: sampleNow - 7_600_000, state: "running" },
  sources: [north, asterisk],
  queue: {
    state: "open",
    bytes: 6_442_450_944,
    retentionBytes: 21_474_836_480,
    diskFreeBytes: 81_604_378_624,
    segments: 96,
    firstPosition: 1n,
    trimmedEarly: null,
    durablePosition: 9_007_199_254_740_993n,
    appliedPosition: 9_007_199_254_740_990n,
    recordsNotApplied: 3,
    oldestNotAppliedAgeMs: 12,
  },
  idb: {
    path: "/var/lib/icon/idb.db",
    state: "open",
    bytes: 912_680_550,
    walBytes: 1_048_576,
    walBlock: null,
    appliedPosition: 9_007_199_254_740_990n,
    commits: 41_002,
    lastCommitAt: sampleNow - 20,
    lastRowAt: sampleNow - 300,
    purge: {
      furthest: { before: Date.parse("2026-11-01T00:00:00Z"), askedAt: sampleNow - 3_600_000 },
      isUnderWay: false,
      calls: 12,
      rows: 240,
    },
  },
  http: {
    connections: 3,
    connectionsMax: 256,
    turnedAway: 0,
    wrongTokens: 1,
    tokensProblem: null,
    certificate: { notAfter: sampleNow + 61.5 * 86_400_000, problem: null },
  },
  openCalls: 73,
  openParties: 181,
  undecodedTotal: 2,
  trouble: [
    {
      at: sampleNow - 7_510_000,
      level: "warn",
      sentence: "data source connection lost",
      fields: { source: "north", cause: "silence", session: 41 },
    },
  ],
};

/** As `sampleReport`, on a bad night: one source away, the IDB locked and behind. */
export const troubledReport: StatusReport = {
  ...sampleReport,
  sources: [
    north,
    {
      ...asterisk,
      state: "waiting",
      connectedSince: null,
      lastEventAt: sampleNow - 95_000,
      eventsPerSecond: 0,
      lastTrouble: "The server refused the connection; next attempt within 30 s.",
    },
  ],
  queue: { ...sampleReport.queue, recordsNotApplied: 48_211, oldestNotAppliedAgeMs: 94_000 },
  idb: { ...sampleReport.idb, state: "locked", lastCommitAt: sampleNow - 94_000, lastRowAt: sampleNow - 94_000 },
  trouble: [
    ...sampleReport.trouble,
    {
      at: sampleNow - 95_000,
      level: "warn",
      sentence: "data source connection lost",
      fields: { source: "asterisk", cause: "connection lost" },
    },
    {
      at: sampleNow - 90_000,
      level: "error",
      sentence: "IDB is locked by another process",
      fields: { path: "/var/lib/icon/idb.db", sinceMs: 4000 },
    },
  ],
};
