// How far back the page's time line reaches: four choices, by link.

export interface PairSpan {
  /** As it stands in the page's address. */
  readonly key: string;
  readonly label: string;
  readonly ms: number;
  /** From one mark of the scale to the next; six or so fit a narrow screen. */
  readonly tickMs: number;
  /** How old what is shown may be, while somebody looks. More of the ledger is read less often. */
  readonly readEveryMs: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const hour: PairSpan = { key: "1h", label: "1 h", ms: hourMs, tickMs: 10 * minuteMs, readEveryMs: 10_000 };

export const pairSpans: readonly PairSpan[] = [
  { key: "15m", label: "15 min", ms: 15 * minuteMs, tickMs: 3 * minuteMs, readEveryMs: 5_000 },
  hour,
  { key: "6h", label: "6 h", ms: 6 * hourMs, tickMs: hourMs, readEveryMs: 30_000 },
  { key: "24h", label: "24 h", ms: 24 * hourMs, tickMs: 4 * hourMs, readEveryMs: 60_000 },
];

/** The choice of an address; an hour where it names none. */
export function spanNamed(key: string | undefined): PairSpan {
  return pairSpans.find((each) => each.key === key) ?? hour;
}
