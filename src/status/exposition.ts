// Prometheus' text format, version 0.0.4: families of samples as lines. The usual client library does the same at the
// price of 15 MiB of resident memory for what it could measure by itself.

export const expositionContentType = "text/plain; version=0.0.4; charset=utf-8";

export type Labels = Readonly<Record<string, string>>;
/** Null: the value is not known, and the sample is left out. */
export type Sample = readonly [labels: Labels, value: number | bigint | null];

export interface Family {
  /** A counter's name ends in _total. */
  readonly kind: "gauge" | "counter";
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Families without a known sample are left out. */
export function exposition(families: readonly Family[]): string {
  return families.map(familyLines).join("");
}

function familyLines({ kind, name, help, samples }: Family): string {
  const known = samples.flatMap(([labels, value]) =>
    value === null ? [] : [`${name}${labelText(labels)} ${value}\n`],
  );
  if (known.length === 0) return "";
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${kind}\n${known.join("")}`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
