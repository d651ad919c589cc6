// One line is one call or one login session with all of its rows, a JSON object. One that changed comes again in a later
// line with a higher revision and replaces the earlier one; a line with `withdrawn` says that it is not part of the record
// any more.

import type { FamilyName } from "../../schema/life.ts";
import { sourceInstant, timestampText } from "../event/instant.ts";
import type { ExtractStore } from "../idb/extract-store.ts";
import type { SubjectName } from "../idb/stored-subject.ts";
import { AppendFile } from "./append-file.ts";
import type { HandedSubject } from "./handed-subject.ts";
import type { Output, OutputCopy } from "./output.ts";

/** The member of a line that says which it is of. */
const members: Readonly<Record<FamilyName, string>> = { call: "call", "login session": "loginSession" };

export class NdjsonOutput implements Output {
  readonly store: ExtractStore;
  readonly #file: AppendFile;

  /** Throws AppendFileError. */
  constructor(store: ExtractStore, path: string) {
    this.store = store;
    this.#file = new AppendFile(path, {
      committedBytes: store.files().get("calls") ?? 0,
      isBuilding: store.isBuilding,
    });
  }

  write({ plan, revision, rows }: HandedSubject, copies: readonly OutputCopy[]): void {
    const byTable: Record<string, unknown[]> = {};
    for (const { table, values, copy, originalRowId } of rows) {
      const origin = { ORIGIN_IDB_ID: copies[copy]?.idbId ?? null, ORIGIN_ROW_ID: originalRowId };
      byTable[table] ??= [];
      byTable[table].push({ ...values, ...origin });
    }
    this.#line({
      [members[plan.family]]: plan.key,
      revision,
      verdict: plan.verdict,
      isProven: plan.isProven,
      created: textOf(plan.createdMs),
      terminated: plan.endedMs === null ? null : textOf(plan.endedMs),
      sourceCluster: plan.source?.cluster ?? null,
      switchDbid: plan.source?.switchDbid ?? null,
      reasons: plan.reasons,
      idbIds: plan.copies.map((copy) => copies[copy]?.idbId ?? null),
      rows: byTable,
    });
  }

  withdraw({ family, key }: SubjectName, revision: number, withdrawn: string): void {
    this.#line({ [members[family]]: key, revision, withdrawn });
  }

  putSessions(): void {
    // A line is a call or a login session.
  }

  sync(): void {
    this.store.putFile("calls", this.#file.sync());
  }

  close(): void {
    this.#file.close();
    this.store.close();
  }

  #line(value: unknown): void {
    this.#file.append(`${JSON.stringify(value)}\n`);
  }
}

function textOf(ms: number): string {
  return timestampText(sourceInstant(ms));
}
