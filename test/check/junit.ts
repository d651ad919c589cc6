// What a test run's JUnit report says in numbers. The report is asked and not the output, for tests print as well.

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const nothing: Counts = { passed: 0, failed: 0, skipped: 0 };

export function sum(counts: readonly Counts[]): Counts {
  return counts.reduce(
    (total, each) => ({
      passed: total.passed + each.passed,
      failed: total.failed + each.failed,
      skipped: total.skipped + each.skipped,
    }),
    nothing,
  );
}

/** The counts of a report's root; null when it is none, or no test was run at all. */
export function readJunit(report: string): Counts | null {
  const [, attributes] = /<testsuites\b([^>]*)>/.exec(report) ?? [];
  if (attributes === undefined) return null;
  const [tests, failures, errors, skipped] = ["tests", "failures", "errors", "skipped"].map((name) =>
    Number(new RegExp(`\\b${name}="(\\d+)"`).exec(attributes)?.[1] ?? 0),
  ) as [number, number, number, number];
  if (tests === 0) return null;
  const failed = failures + errors;
  return { passed: tests - failed - skipped, failed, skipped };
}

export interface FileTime {
  readonly file: string;
  readonly seconds: number;
}

/** The files that took the longest, the longest first. */
export function slowestFiles(report: string, count: number): FileTime[] {
  return [...report.matchAll(/<testsuite name="([^"]*)" file="([^"]*)"[^>]* time="([\d.]+)"/g)]
    .filter(([, name, file]) => name === file)
    .map(([, , file = "", seconds]) => ({ file, seconds: Number(seconds) }))
    .sort((one, other) => other.seconds - one.seconds)
    .slice(0, count);
}

/** The last line of a check. */
export function countsLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
