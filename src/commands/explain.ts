// icon explain: what each IDB has of one moment, and why.

import { Command } from "commander";
import { systemClock } from "../clock.ts";
import { causeClauses } from "../extraction/cause-words.ts";
import { type Explanation, explain, stretchAround } from "../extraction/explain.ts";
import { explanationLines, stretchText } from "../extraction/explanation-text.ts";
import { readLedgers } from "../extraction/read-ledgers.ts";
import { printed } from "../printed.ts";
import { timeText } from "../time-text.ts";
import { type IdbOptions, idbOption, letterNames, withCopies } from "./copies.ts";
import { withCopyAccess } from "./copy-access.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { exitCodeOf } from "./found.ts";
import { type TimeGiven, timeOrTodayOption } from "./time-range.ts";

interface Options extends IdbOptions {
  readonly source?: string;
  readonly json: boolean;
}

export function explainCommand(): Command {
  const command = new Command("explain")
    .description("why the window that holds a moment is complete or not: what happened, what is missing, who has it")
    .argument(
      "<TIME>",
      "by the sources' clocks: 2026-11-23T09:30:15Z, or 09:30:15 of today, UTC",
      timeOrTodayOption(systemClock.now()),
    )
    .addOption(idbOption("once or more"))
    .option("--source <SOURCE>", "only this source: its name in the configuration, or its cluster's DBID")
    .option("--json", "one JSON object", false)
    .addHelpText(
      "after",
      `
Of a time without a day the answer begins with the day that was taken. Nothing is changed. Exit codes: 0 everything is here; ${exitCodes.incomplete} something is missing in all IDBs; ${exitCodes.divergence} two that vouch for it
contradict each other; ${exitCodes.notYetKnown} not yet known; ${exitCodes.noInput} no such IDB, or none has the source; ${exitCodes.usage} wrong usage; ${exitCodes.dataFormat} an IDB cannot be read;
${exitCodes.tryAgain} an IDB cannot be read now.

Example: icon explain 09:30:15 --idb A/idb.db --idb https://icon-b:8443`,
    )
    .action(async (at: TimeGiven, options: Options) => {
      process.exitCode = await run(at, options);
    });
  return withCopyAccess(command);
}

async function run({ ms: atMs, isOfToday }: TimeGiven, options: Options): Promise<number> {
  const found = await withCopies("Cannot explain", options, async (copies) => {
    const { windowSeconds } = (await copies[0]?.identity()) ?? { windowSeconds: 1 };
    const read = await readLedgers(copies, stretchAround(atMs, windowSeconds));
    return explain(read, atMs).filter((each) => isMeant(each, options.source));
  });
  if (found.length === 0) {
    const which = options.source === undefined ? "any source" : `a source "${options.source}"`;
    throw new CommandError(exitCodes.noInput, `Cannot explain: no IDB tells of ${which} near ${timeText(atMs)}`);
  }
  const letters = letterNames(options.idb.length);
  const text = options.json
    ? JSON.stringify({ at: timeText(atMs), idb: options.idb, sources: found.map(explanationJson) })
    : [
        // Whoever asks just after midnight may mean the day before.
        ...(isOfToday ? [`at ${timeText(atMs)}: of today, UTC`] : []),
        ...options.idb.map((name, place) => `${letters[place]}: ${name}`),
        ...found.flatMap((each) => ["", ...explanationLines(each, letters)]),
      ].join("\n");
  await printed(`${text}\n`);
  return exitCodeOf(found.map(({ verdict }) => verdict));
}

function isMeant({ names, source }: Explanation, wanted: string | undefined): boolean {
  return wanted === undefined || names.includes(wanted) || String(source.cluster) === wanted;
}

/** IDBs by their place in `idb`, from 0. Times by the sources' clocks are UTC seconds, those of `chain` milliseconds. */
function explanationJson({ source, names, window, verdict, copies }: Explanation) {
  return {
    ...source,
    names,
    window,
    windowText: stretchText(window),
    state: verdict.state,
    agreement: verdict.agreement,
    chosen: verdict.chosen,
    copies: copies.map(({ verdict: { causes, ...own }, stretch, chain }) => ({
      ...own,
      causes,
      because: causeClauses({ causes, ...own }),
      stretch,
      chain: chain.map((link) =>
        "doubt" in link
          ? { kind: link.kind, atMs: link.atMs, clock: link.clock, word: link.doubt.word, missing: link.doubt.missing }
          : link,
      ),
    })),
  };
}
