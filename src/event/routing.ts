// What a routing server attaches to a call when it has chosen a target, under the names that URS uses
// [S: recorded log of a T-Lib client].

/** Null: not attached; an empty text is attached where none was selected. */
export interface RouteKeys {
  readonly rule: string | null;
  readonly object: string | null;
  readonly type: number | null;
  readonly agent: string | null;
  readonly place: string | null;
  readonly strategy: string | null;
  /** The stay in a virtual queue out of which the call was sent. */
  readonly vqid: string | null;
}

export function isSameDecision(one: RouteKeys, other: RouteKeys): boolean {
  return (
    one.rule === other.rule &&
    one.object === other.object &&
    one.type === other.type &&
    one.agent === other.agent &&
    one.place === other.place &&
    one.strategy === other.strategy &&
    one.vqid === other.vqid
  );
}
