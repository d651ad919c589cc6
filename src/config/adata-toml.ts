// Our own form of the specification: a section is a list of tables, [[public]] and so on, with the same words in them.

import {
  type AdataEntries,
  type AdataEntry,
  type AdataProblem,
  isKnownSection,
  sectionsExpected,
} from "./adata-entries.ts";
import { readDocument } from "./document.ts";

const tableExpected = 'lines of name = "…", source = "…", history = "…" under [[…]]';

/** By sections in the order in which these begin, and in each the keys in theirs. */
export function readAdataToml(text: string): AdataEntries {
  const document = readDocument(text);
  if ("problem" in document) {
    const { line, column, problem, expected } = document.problem;
    return {
      entries: [],
      problems: [{ line: line ?? 1, column: column ?? 1, problem: problem ?? "the text is not TOML", expected }],
    };
  }
  const entries: AdataEntry[] = [];
  const problems: AdataProblem[] = [];
  for (const [section, tables] of Object.entries(document.values)) {
    const place = document.placeOf([section]);
    if (!isKnownSection(section)) {
      problems.push({ ...place, problem: `there is no section ${section}`, expected: sectionsExpected });
      continue;
    }
    if (!Array.isArray(tables)) {
      problems.push({ ...place, problem: `${section} is no list of tables`, expected: `[[${section}]] for each key` });
      continue;
    }
    tables.forEach((table: unknown, index) => {
      const at = document.placeOf([section, index]);
      if (typeof table !== "object" || table === null) {
        problems.push({ ...at, problem: `an item of ${section} is no table`, expected: tableExpected });
        return;
      }
      const attributes: Record<string, string> = {};
      for (const [name, value] of Object.entries(table)) {
        if (typeof value === "string") attributes[name] = value;
        else {
          const there = document.placeOf([section, index, name]);
          problems.push({ ...there, problem: `${name} is no string`, expected: tableExpected });
        }
      }
      entries.push({ section, attributes, ...at });
    });
  }
  return { entries, problems };
}
