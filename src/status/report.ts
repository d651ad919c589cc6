// What the status side is told: plain numbers and words, nothing of a caller's. instance.ts
// puts it together from what the stages say of themselves; the page, the metrics and the API all show this one value.

/** Milliseconds since 1970 by this instance's clock, in every member whose name ends in At or Since. */
export interface StatusReport {
  readonly instance: InstanceStatus;
  readonly sources: readonly SourceStatus[];
  readonly queue: QueueStatus;
  readonly idb: IdbStatus;
  readonly openCalls: number;
  readonly openParties: number;
  /** Frames kept in ICON_UNDECODED since the IDB was made. */
  readonly undecodedTotal: number;
  /** The newest last; bounded by whoever reports. */
  readonly trouble: readonly TroubleStatus[];
  readonly http: HttpStatus;
}

/** What the HTTP side is told; what it knows of itself it adds. */
export type InstanceReport = Omit<StatusReport, "http">;

export interface HttpStatus {
  readonly connections: number;
  readonly connectionsMax: number;
  /** Since the instance started: connections closed because of a bound (number, rate, time). */
  readonly turnedAway: number;
  /** Since the instance started: wrong tokens shown. */
  readonly wrongTokens: number;
  /** Why the token file as it is now is not in use; null: it is, or there is none. */
  readonly tokensProblem: string | null;
  /** Null: plain HTTP. */
  readonly certificate: CertificateStatus | null;
}

export interface CertificateStatus {
  /** When the one in use ceases to hold. */
  readonly notAfter: number;
  /** Why the files as they are now are not in use; null: they are. */
  readonly problem: string | null;
}

export interface InstanceStatus {
  readonly name: string;
  readonly dbid: number;
  readonly version: string;
  readonly startedAt: number;
  readonly state: "starting" | "running" | "stopping";
}

export interface TrimmedEarly {
  readonly firstPosition: bigint;
  readonly lastPosition: bigint;
  /** When the last of it was written. */
  readonly lastAt: number;
}

export interface SourceStatus {
  readonly name: string;
  readonly kind: string;
  /** host:port that is connected or being tried. */
  readonly address: string;
  /** "waiting" is the back-off between two attempts. */
  readonly state: "connected" | "connecting" | "waiting";
  readonly connectedSince: number | null;
  readonly lastEventAt: number | null;
  readonly eventsPerSecond: number;
  /** Since the instance started. */
  readonly framesTotal: number;
  /** Since the IDB was made: frames kept in ICON_UNDECODED, and events dropped as duplicates. */
  readonly undecodable: number;
  readonly duplicates: number;
  /** Since the IDB was made: how often sequence numbers were missing. */
  readonly holes: number;
  /** Since the IDB was made: stuck calls and parties, closed because the source no longer had them. */
  readonly endedUnseen: { readonly calls: number; readonly parties: number };
  /** By its own clock: up to here the ledger can say what is missing and what is not. Null: it has said nothing yet. */
  readonly lastWordAt: number | null;
  /** Since the instance started. */
  readonly reconnects: number;
  /** One sentence, without a caller's data. */
  readonly lastTrouble: string | null;
  /** How the last session ended; null: none has. `at` null: an earlier run of the instance crashed while it was open. */
  readonly lastEnd: { readonly cause: string; readonly detail: string | null; readonly at: number | null } | null;
  /** Ended sessions by cause, since the instance started. */
  readonly sessionEnds: Readonly<Record<string, number>>;
  /** What does not go away by trying again. */
  readonly alarms: readonly SourceAlarmStatus[];
  /** The source's clock minus this host's, ms; the true value is within the uncertainty. Null: not measured. */
  readonly clock: { readonly differenceMs: number; readonly uncertaintyMs: number } | null;
  /** The socket is not read at the moment: too much of it is not durable, or the queue is full. */
  readonly isHeldBack: boolean;
  /** Bytes read and not durable, and how many there may be. */
  readonly notDurableBytes: number;
  readonly allowanceBytes: number;
  /** Identity of the server run, where the source has one. */
  readonly run: string | null;
  readonly lastSequence: number | null;
  readonly ackedSequence: number | null;
}

export interface SourceAlarmStatus {
  readonly kind: "refused" | "no primary" | "two primaries" | "CTI link down";
  readonly sentence: string;
  readonly since: number;
}

export interface QueueStatus {
  /** "full": the disk has no room for the next segment, sources are held back; "failed" after an fsync that failed. */
  readonly state: "open" | "full" | "failed";
  readonly bytes: number;
  readonly retentionBytes: number;
  /** Free bytes of the file system that holds the queue; null where it was not measured. */
  readonly diskFreeBytes: number | null;
  readonly segments: number;
  /** Null while the queue is empty. */
  readonly firstPosition: bigint | null;
  /** Since the instance started: what a full disk had it delete before its retention was over; null: nothing. */
  readonly trimmedEarly: TrimmedEarly | null;
  readonly durablePosition: bigint | null;
  readonly appliedPosition: bigint | null;
  /** Null while the IDB is not open yet: how far it has come is not known. */
  readonly recordsNotApplied: number | null;
  /** Null when everything is applied, or that is not known yet. */
  readonly oldestNotAppliedAgeMs: number | null;
}

export interface IdbStatus {
  readonly path: string;
  readonly state: "open" | "locked" | "rebuilding" | "unavailable";
  readonly bytes: number;
  readonly walBytes: number;
  /**
   * A reader keeps the write-ahead log from being moved into the IDB, at least since `since`; the processes that read,
   * where they can be seen. Null: none does.
   */
  readonly walBlock: WalBlockStatus | null;
  readonly appliedPosition: bigint | null;
  readonly commits: number;
  readonly lastCommitAt: number | null;
  /** When a row was last written; commits also happen for positions alone. */
  readonly lastRowAt: number | null;
  readonly purge: PurgeReport;
}

export interface PurgeReport {
  /** The purge that went furthest: calls and login sessions that had ended before `before` are gone. Null: nothing was purged. */
  readonly furthest: { readonly before: number; readonly askedAt: number } | null;
  /** Rows are still being deleted. */
  readonly isUnderWay: boolean;
  /** Deleted since the instance, or its recorder, was started. */
  readonly calls: number;
  readonly rows: number;
}

export interface WalBlockStatus {
  readonly since: number;
  /** Then nothing more is committed until the reader has gone. */
  readonly isAtLimit: boolean;
  readonly readers: readonly { readonly pid: number; readonly command: string }[];
}

export interface TroubleStatus {
  readonly at: number;
  readonly level: "warn" | "error";
  readonly sentence: string;
  readonly fields: Readonly<Record<string, string | number | bigint | boolean | null | undefined>>;
}
