// Durations and sizes as people write them: a number and its unit. A bare number of a duration is refused, for nobody
// can tell whether it means seconds or milliseconds; a bare number of a size is bytes.

const durationUnitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const sizeUnitsBytes: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1000,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

export const durationExpected = 'a duration with its unit (ms, s, m, h, d), such as "30s" or "7d"';
export const sizeExpected = 'a number of bytes, or a size with its unit, such as "64MiB" or "20GiB"';

/** Milliseconds, whole; null when `text` is no duration. */
export function parseDuration(text: string): number | null {
  return parseQuantity(text, durationUnitsMs);
}

/** Bytes, whole; null when `text` is no size. */
export function parseSize(text: string): number | null {
  return parseQuantity(text, sizeUnitsBytes);
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | null {
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(text);
  const factor = Object.hasOwn(units, match?.[2] ?? "") ? units[match?.[2] ?? ""] : undefined;
  if (match === null || factor === undefined) return null;
  const quantity = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(quantity) ? quantity : null;
}
