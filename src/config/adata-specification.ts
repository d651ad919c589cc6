// The attached data specification: which keys of events are stored where. Judged as a whole, each problem with its line;
// of keys that stand there twice the first counts, as in the original.

import { basename } from "node:path";
import {
  type ColumnKey,
  type ColumnSection,
  columnHistories,
  columnTables,
  type HistoryKey,
  keyHistories,
  keySources,
} from "../event/attached-data.ts";
import { type AdataEntry, type AdataProblem, historySections, isMultimediaSection } from "./adata-entries.ts";
import { readAdataToml } from "./adata-toml.ts";
import { readAdataXml } from "./adata-xml.ts";
import { CredentialsError, readTextFile } from "./credentials.ts";

export interface AdataSpecification {
  readonly public: readonly HistoryKey[];
  readonly secure: readonly HistoryKey[];
  readonly columns: readonly ColumnKey[];
}

export interface AdataWarning {
  readonly line: number;
  readonly sentence: string;
}

export interface AdataVerdict {
  /** Null: there are problems. */
  readonly specification: AdataSpecification | null;
  /** In the order of the lines. */
  readonly problems: readonly AdataProblem[];
  readonly warnings: readonly AdataWarning[];
}

// What stands in each mark of a start, and in the head of every segment of the persistent queue.
export const specificationBytesMax = 65_536;
const fileBytesMax = 1024 * 1024;
const nameLengthMax = 255;

const callFields: Readonly<Record<string, string>> = {
  "customer-segment": "G_CUSTOMER_SEGMENT",
  "service-type": "G_SERVICE_TYPE",
  "service-subtype": "G_SERVICE_SUBTYPE",
  // So the original spells it.
  "busines-result": "G_BUSINESS_RESULT",
  "business-result": "G_BUSINESS_RESULT",
  "customer-id": "CUSTOMER_ID",
  "transaction-id": "TRANSACTION_ID",
  "cause-id": "CAUSE_ID",
  "account-id": "ACCOUNT_ID",
  "destination-id": "DESTINATION_ID",
  "target-id": "TARGET_ID",
};
const customFields: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from({ length: 16 }, (_, index) => [`cust-data-${index + 1}`, `CUST_DATA_${index + 1}`]),
);

/** Reads and judges the file at `path`: TOML if it is named so, else XML. */
export function readAdataSpecification(path: string): AdataVerdict {
  let text: string;
  try {
    text = readTextFile(path, { bytesMax: fileBytesMax, expected: "a readable UTF-8 file", isStrict: true });
  } catch (error) {
    if (!(error instanceof CredentialsError)) throw error;
    const problem = { line: 1, column: 1, problem: error.problem, expected: error.expected };
    return { specification: null, problems: [problem], warnings: [] };
  }
  return judgeAdataSpecification(text, basename(path));
}

/** As readAdataSpecification, for a text that is at hand; `name` tells its form. */
export function judgeAdataSpecification(text: string, name: string): AdataVerdict {
  const { entries, problems } = name.endsWith(".toml") ? readAdataToml(text) : readAdataXml(text);
  const judging = new Judging(problems);
  for (const entry of entries) judging.judge(entry);
  return judging.verdict();
}

class Judging {
  readonly #problems: AdataProblem[];
  readonly #warnings: AdataWarning[] = [];
  readonly #specification = { public: [] as HistoryKey[], secure: [] as HistoryKey[], columns: [] as ColumnKey[] };
  /** By what must be there once, the line on which it is. */
  readonly #seen = new Map<string, number>();
  #isMultimediaSaid = false;

  constructor(problems: readonly AdataProblem[]) {
    this.#problems = [...problems];
  }

  judge(entry: AdataEntry): void {
    const { section } = entry;
    if (isMultimediaSection(section)) return this.#passOverMultimedia(entry);
    const isHistory = (historySections as readonly string[]).includes(section);
    const allowed = isHistory ? ["name", "source", "history"] : ["name", "source", "history", "field"];
    for (const attribute of Object.keys(entry.attributes)) {
      if (!allowed.includes(attribute)) {
        this.#say(entry, `a key of ${section} has ${attribute}`, `nothing but ${allowed.join(", ")}`);
      }
    }
    const name = this.#name(entry);
    const source = this.#oneOf(entry, "source", keySources, "userdata");
    if (isHistory) {
      const history = this.#oneOf(entry, "history", keyHistories, null);
      if (name === null || source === null || history === null) return;
      if (this.#isTwice(entry, [section, source, name], "this name and source")) return;
      this.#specification[section as "public" | "secure"].push([name, source, history]);
      return;
    }
    const history = this.#oneOf(entry, "history", columnHistories, null);
    const fields = section === "call" ? callFields : customFields;
    const field = this.#oneOf(entry, "field", Object.keys(fields), null);
    if (name === null || source === null || history === null || field === null) return;
    const column = fields[field] ?? "";
    if (this.#isTwice(entry, [section, column], "this field")) return;
    const table = columnTables[section as ColumnSection];
    this.#specification.columns.push([name, source, history, table, column]);
  }

  verdict(): AdataVerdict {
    const bytes = new TextEncoder().encode(JSON.stringify(this.#specification)).length;
    if (bytes > specificationBytesMax && this.#problems.length === 0) {
      const problem = `what it comes to takes ${bytes} bytes in each mark of the persistent queue`;
      this.#problems.push({ line: 1, column: 1, problem, expected: `at most ${specificationBytesMax}: fewer keys` });
    }
    const problems = this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
    return {
      specification: problems.length === 0 ? this.#specification : null,
      problems,
      warnings: this.#warnings.toSorted((a, b) => a.line - b.line),
    };
  }

  #passOverMultimedia({ section, line }: AdataEntry): void {
    if (this.#isMultimediaSaid) return;
    this.#isMultimediaSaid = true;
    const sentence = `keys of ${section} are passed over: this version records no interactions of other media`;
    this.#warnings.push({ line, sentence });
  }

  #name(entry: AdataEntry): string | null {
    const { name } = entry.attributes;
    const expected = `name="…" with 1 to ${nameLengthMax} characters`;
    if (name === undefined) return this.#say(entry, "a key has no name", expected);
    if (name === "" || name.length > nameLengthMax) {
      return this.#say(entry, `a key's name has ${name.length} characters`, expected);
    }
    return name;
  }

  #oneOf<T extends string>(entry: AdataEntry, attribute: string, values: readonly T[], otherwise: T | null): T | null {
    const written = Object.hasOwn(entry.attributes, attribute) ? entry.attributes[attribute] : undefined;
    if (written === undefined && otherwise !== null) return otherwise;
    const found = values.find((value) => value === written);
    if (found !== undefined) return found;
    const problem =
      written === undefined ? `a key has no ${attribute}` : `${attribute} is ${JSON.stringify(written.slice(0, 80))}`;
    return this.#say(entry, problem, `one of ${values.join(", ")}`);
  }

  #isTwice(entry: AdataEntry, what: readonly string[], said: string): boolean {
    const id = JSON.stringify(what);
    const before = this.#seen.get(id);
    if (before === undefined) {
      this.#seen.set(id, entry.line);
      return false;
    }
    // Without the name: what a secure key is called may be nobody's business either.
    const sentence = `a key of ${entry.section} is rejected: ${said} stands on line ${before} already, and the first one counts`;
    this.#warnings.push({ line: entry.line, sentence });
    return true;
  }

  #say({ line, column }: AdataEntry, problem: string, expected: string): null {
    this.#problems.push({ line, column, problem, expected });
    return null;
  }
}
