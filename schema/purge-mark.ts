// How a purge stands in ICON_MARK: KIND "purge", DETAIL "before 2026-11-01T00:00:00.000Z, by command". Rows are deleted by
// this (src/idb/purge-subjects.ts), and readers tell by it what a copy has no calls of (src/extraction/purge.ts).

export const purgeKind = "purge";

/** `before`: milliseconds since 1970 by the sources' clocks, whole seconds. */
export function purgeDetail(before: number, by: string): string {
  return `before ${new Date(before).toISOString()}, ${by}`;
}

const detail = /^before (\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z), /;

/** Milliseconds since 1970; null: this is no purge. */
export function purgedBefore(mark: { readonly KIND: string; readonly DETAIL: string | null }): number | null {
  if (mark.KIND !== purgeKind) return null;
  const before = Date.parse(detail.exec(mark.DETAIL ?? "")?.[1] ?? "");
  return Number.isNaN(before) ? null : before;
}
