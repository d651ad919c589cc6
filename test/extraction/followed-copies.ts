// IDBs that grow while they are followed.

import { mkdirSync } from "node:fs";
import { openDestination } from "../../src/extraction/destination.ts";
import { Follower } from "../../src/extraction/follow.ts";
import { IdbCopy } from "../../src/extraction/idb-copy.ts";
import { store } from "../harness/stored-story.ts";
import { windowSeconds } from "./extraction-setting.ts";
import { foldOn } from "./stored-copy.ts";

/** An instance whose queue comes in pieces. */
export class GrowingCopy {
  readonly #payloads: readonly Uint8Array[];
  #stored = 0;

  constructor(
    readonly directory: string,
    payloads: readonly Uint8Array[],
  ) {
    mkdirSync(directory);
    this.#payloads = payloads;
  }

  /** Records and projects up to this share of everything. */
  async grow(share: number): Promise<void> {
    const count = Math.floor(this.#payloads.length * share);
    await store(`${this.directory}/queue`, this.#payloads.slice(this.#stored, count), 1024 * 1024);
    this.#stored = count;
    foldOn(`${this.directory}/queue`, `${this.directory}/idb.db`, windowSeconds);
  }
}

/** Follows the IDBs in these directories into an output, from and up to UTC seconds. */
export function following(
  directories: readonly string[],
  out: string,
  { from, until }: { readonly from: number; readonly until: number },
) {
  const copies = directories.map((directory) => new IdbCopy(directory));
  const destination = openDestination({
    path: out,
    kind: out.endsWith(".db") ? "idb" : "ndjson",
    windowSeconds,
    now: 0,
    isFollowed: true,
    isForced: false,
    inputs: copies.map(({ path }) => path),
  });
  const progress: { readonly done: number; readonly all: number }[] = [];
  const onProgress = (each: (typeof progress)[number]) => void progress.push(each);
  const follower = new Follower({ copies, output: destination.output, withOpen: false, onProgress }, { from, until });
  return {
    progress,
    async catchUp() {
      for (;;) {
        const outcome = await follower.step(until);
        if (!outcome.hasMore) return outcome;
      }
    },
    report: () => follower.report(),
    [Symbol.dispose]: () => destination.finish(),
  };
}
