// Numbers, sizes and times as the page shows them: short, aligned, in UTC.

const kib = 1024;
const sizeUnits = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= kib && unit < sizeUnits.length - 1) {
    value /= kib;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 100 ? 1 : 0)} ${sizeUnits[unit]}`;
}

/** Thousands are parted by a thin space, which no reader takes for a decimal sign. */
export function countText(count: number | bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+(?!\d))/g, "\u2009");
}

export function rateText(perSecond: number): string {
  return perSecond >= 100 ? countText(Math.round(perSecond)) : perSecond.toFixed(1);
}

/** The two largest units of a duration: "3 d 4 h", "12 min 5 s", "0.4 s", "12 ms". */
export function durationText(ms: number): string {
  if (ms < 100) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** ISO 8601 in UTC, whole seconds, with a space for the eye. */
export function instantText(at: number): string {
  return new Date(at)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " UTC");
}

/** The time of day alone, where the day is plain: "02:41:07". */
export function timeText(at: number): string {
  return new Date(at).toISOString().slice("yyyy-mm-ddT".length, "yyyy-mm-ddThh:mm:ss".length);
}

/** As on a scale: "02:40". */
export function minuteText(at: number): string {
  return timeText(at).slice(0, "hh:mm".length);
}

/** How another clock stands to this host's: "1.2 s ahead (± 3 ms)", "as ours (± 3 ms)". */
export function clockText(clock: { readonly differenceMs: number; readonly uncertaintyMs: number }): string {
  const { differenceMs, uncertaintyMs } = clock;
  const tolerance = `(± ${durationText(uncertaintyMs)})`;
  if (Math.abs(differenceMs) <= uncertaintyMs) return `as ours ${tolerance}`;
  return `${durationText(Math.abs(differenceMs))} ${differenceMs < 0 ? "behind" : "ahead"} ${tolerance}`;
}
