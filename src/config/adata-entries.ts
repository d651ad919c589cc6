// An attached data specification as it is written, whichever form it has: a list of keys, each in its section, with the
// place of each.

import { columnTables } from "../event/attached-data.ts";

/** One key of the specification, not judged yet. */
export interface AdataEntry {
  readonly section: string;
  /** What is said of the key, by the name under which it is said. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly line: number;
  readonly column: number;
}

export interface AdataProblem {
  /** Both 1-based. */
  readonly line: number;
  readonly column: number;
  readonly problem: string;
  readonly expected: string;
}

export interface AdataEntries {
  readonly entries: readonly AdataEntry[];
  readonly problems: readonly AdataProblem[];
}

export const historySections = ["public", "secure"] as const;

export const sectionsExpected = `one of ${[...historySections, ...Object.keys(columnTables)].join(", ")}`;

/** Sections of interactions that are no calls; known by their beginning. */
export function isMultimediaSection(section: string): boolean {
  return section.startsWith("mcr-");
}

export function isKnownSection(section: string): boolean {
  return (
    (historySections as readonly string[]).includes(section) ||
    Object.hasOwn(columnTables, section) ||
    isMultimediaSection(section)
  );
}
