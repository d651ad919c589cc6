// Copies of a scripted server's events in a directory of their own, and extractions from them.

import { mkdirSync } from "node:fs";
import { systemClock } from "../../src/clock.ts";
import type { Copy } from "../../src/extraction/copy.ts";
import { kindOfName, openDestination } from "../../src/extraction/destination.ts";
import { extract } from "../../src/extraction/extract.ts";
import { IdbCopy } from "../../src/extraction/idb-copy.ts";
import type { ExtractReport } from "../../src/extraction/report.ts";
import { TemporaryDirectory } from "../idb/temporary.ts";
import { type ScriptedServer, type Spell, type SpelledServer, secondOf } from "./scripted-server.ts";
import { storeCopy } from "./stored-copy.ts";

export const windowSeconds = 1;

export class ExtractionSetting<Server extends SpelledServer = ScriptedServer> {
  readonly #directory = new TemporaryDirectory();

  constructor(readonly server: Server) {}

  /** The whole script, up to where copies that heard it to its end know everything. */
  get stretch(): { readonly from: number; readonly until: number } {
    return { from: secondOf(5), until: secondOf(this.server.endSeconds - 8) };
  }

  at(name: string): string {
    return `${this.#directory.path}/${name}`;
  }

  /** Path of the IDB. */
  idb(name: string): string {
    return this.at(`${name}/idb.db`);
  }

  /** Folds an instance's IDB from what it heard. */
  async copy(name: string, ...spells: readonly Spell[]): Promise<string> {
    mkdirSync(this.at(name));
    const instance = { name: `icon-${name}`, dbid: 9000 + name.charCodeAt(0) };
    return storeCopy({ directory: this.at(name), payloads: this.server.heard(spells, instance), windowSeconds });
  }

  /** Hears everything. */
  truth(name = "truth"): Promise<string> {
    return this.copy(name, [0, this.server.endSeconds]);
  }

  /** One run of an extraction from the named copies into the named output. */
  async extract(names: readonly string[], out: string, options: Partial<ExtractOptions> = {}): Promise<ExtractReport> {
    const { withOpen = false, stretch = this.stretch, isForced = false, wrap = (copy: Copy) => copy } = options;
    const copies = names.map((name) => new IdbCopy(this.at(name)));
    const destination = openDestination({
      path: this.at(out),
      kind: kindOfName(out) ?? "idb",
      windowSeconds,
      now: systemClock.now(),
      isFollowed: false,
      isForced,
      inputs: copies.map(({ path }) => path),
    });
    try {
      const report = await extract({ copies: copies.map(wrap), output: destination.output, withOpen }, stretch);
      destination.finish();
      return report;
    } catch (error) {
      destination.abandon();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }
}

export interface ExtractOptions {
  readonly withOpen: boolean;
  readonly stretch: { readonly from: number; readonly until: number };
  readonly isForced: boolean;
  readonly wrap: (copy: Copy) => Copy;
}
