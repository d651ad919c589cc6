// One line is one call with all of its rows, a JSON object. A call that changed comes again in a later line with a higher
// revision and replaces the earlier one; a line with `withdrawn` says that it is not part of the record any more.

import { sourceInstant, timestampText } from "../event/instant.ts";
import type { ExtractStore } from "../idb/extract-store.ts";
import { AppendFile } from "./append-file.ts";
import type { HandedCall } from "./handed-call.ts";
import type { Output, OutputCopy } from "./output.ts";

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

  write({ plan, revision, rows }: HandedCall, copies: readonly OutputCopy[]): void {
    const byTable: Record<string, unknown[]> = {};
    for (const { table, values, copy, originalRowId } of rows) {
      const origin = { ORIGIN_IDB_ID: copies[copy]?.idbId ?? null, ORIGIN_ROW_ID: originalRowId };
      byTable[table] ??= [];
      byTable[table].push({ ...values, ...origin });
    }
    this.#line({
      call: plan.callId,
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

  withdraw(call: string, revision: number, withdrawn: string): void {
    this.#line({ call, revision, withdrawn });
  }

  putSessions(): void {
    // A line is a call.
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
