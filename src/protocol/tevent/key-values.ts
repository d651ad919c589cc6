// Key-value lists of an event (UserData, Extensions, Reasons), however a server writes them: as an object, or as a list of
// {key, type, value} (docs/link.md). Order and repeated keys of a list are kept.

export interface KeyValue {
  readonly key: string;
  /** A text, a number or a list of pairs itself; anything else as it stands in the line. */
  readonly value: unknown;
}

/** Null: the member is not there, is null, or is no key-value list. */
export function keyValues(member: unknown): readonly KeyValue[] | null {
  if (typeof member !== "object" || member === null) return null;
  if (!Array.isArray(member)) return Object.entries(member).map(([key, value]) => ({ key, value }));
  const pairs: KeyValue[] = [];
  for (const each of member as readonly unknown[]) {
    if (typeof each !== "object" || each === null) return null;
    const { key, value } = each as Readonly<Record<string, unknown>>;
    if (typeof key !== "string") return null;
    pairs.push({ key, value: value ?? null });
  }
  return pairs;
}

/** The first value under this key as text; null: there is none, or it is neither text nor number. */
export function textUnder(member: unknown, key: string): string | null {
  const value = keyValues(member)?.find((pair) => pair.key === key)?.value;
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : null;
}
