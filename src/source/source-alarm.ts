// What about a data source somebody has to see to, for it does not go away by trying again.

export type SourceAlarmKind =
  | "refused" // the server and this instance do not accept each other
  | "no primary" // each server that was asked says that it is the backup
  | "two primaries"
  | "CTI link down"; // the server is there, the switch is not

export interface SourceAlarm {
  readonly kind: SourceAlarmKind;
  /** One sentence, without a caller's data. */
  readonly sentence: string;
  /** By this host's clock. */
  readonly since: number;
}
