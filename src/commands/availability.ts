// icon availability: for every source and window, which IDB to believe.

import { Command, InvalidArgumentError } from "commander";
import { systemClock } from "../clock.ts";
import { type JudgedStretch, judge, type SourceAvailability } from "../extraction/availability.ts";
import { AvailabilitySummary, within } from "../extraction/availability-summary.ts";
import { summaryLines, windowLine } from "../extraction/availability-text.ts";
import type { Copy, CopyIdentity, Stretch } from "../extraction/copy.ts";
import { looksUntil } from "../extraction/far-ahead.ts";
import { partsOf, readLedgers } from "../extraction/read-ledgers.ts";
import { instancesOf } from "../extraction/same-instance.ts";
import { type SourceExtent, sourceExtents } from "../extraction/source-extent.ts";
import { printed } from "../printed.ts";
import { timeText } from "../time-text.ts";
import { type IdbOptions, idbOption, letterNames, withCopies } from "./copies.ts";
import { withCopyAccess } from "./copy-access.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { exitCodeOf } from "./found.ts";
import { ProgressBar } from "./progress-bar.ts";
import { stretchBetween, timeOption } from "./time-range.ts";

interface Options extends IdbOptions {
  readonly from?: number;
  readonly to?: number;
  readonly source?: string;
  readonly windows: boolean;
  readonly json: boolean;
  readonly limit: number;
}

// So much of the ledgers is in memory at once.
const windowsInPart = 20_000;

export function availabilityCommand(): Command {
  const command = new Command("availability")
    .description("which IDB has every event of which time, and what is missing; nothing is changed")
    .addOption(idbOption("once or more"))
    .option(
      "--from <TIME>",
      "from this time on, by the sources' clocks; default: from each source's first word on",
      timeOption,
    )
    .option("--to <TIME>", "before this time; default: as far as any IDB can tell", timeOption)
    .option("--source <SOURCE>", "only this source: its name in the configuration, or its cluster's DBID")
    .option("--windows", "a line for each window, or stretch of windows of which the same is said", false)
    .option("--limit <count>", "list at most so many stretches in which something is wrong; all are counted", count, 20)
    .option("--json", "one JSON object; with --windows, one a line", false)
    .addHelpText(
      "after",
      `
Exit codes: 0 all windows are complete or silent in at least one IDB; ${exitCodes.incomplete} some are incomplete in all; ${exitCodes.divergence} two IDBs that
vouch for a window contradict each other; ${exitCodes.notYetKnown} some are not yet known; ${exitCodes.noInput} no such IDB, or none tells of
the source; ${exitCodes.usage} wrong usage; ${exitCodes.dataFormat} an IDB cannot be read; ${exitCodes.tryAgain} an IDB cannot be read now.

Example: icon availability --idb A/idb.db --idb https://icon-b:8443 --from 2026-11-23 --to 2026-11-24`,
    )
    .action(async (options: Options) => {
      process.exitCode = await run(options);
    });
  return withCopyAccess(command);
}

async function run(options: Options): Promise<number> {
  const letters = letterNames(options.idb.length);
  return withCopies("Cannot judge", options, async (copies) => {
    const told = (await sourceExtents(copies)).filter((each) => isMeant(each, options.source));
    const extents = options.to === undefined ? told.map(notFarAhead) : told;
    if (extents.length === 0) {
      const which = options.source === undefined ? "any source" : `a source "${options.source}"`;
      throw new CommandError(exitCodes.noInput, `Cannot judge: no IDB tells of ${which}`);
    }
    const summary = new AvailabilitySummary(options.limit);
    if (!options.json) {
      await print(options.idb.map((name, place) => `${letters[place]}: ${name}`));
      await print(ofOneInstance(await Promise.all(copies.map((copy) => copy.identity())), letters));
    }
    const found = new Set<string>();
    const verdicts: JudgedStretch["verdict"][] = [];
    for await (const { source, stretches } of judged(copies, extents, options)) {
      summary.add(source, stretches);
      for (const { verdict } of stretches) {
        const kind = `${verdict.state} ${verdict.agreement}`;
        if (!found.has(kind)) verdicts.push(verdict);
        found.add(kind);
      }
      if (options.windows) {
        await print(
          stretches.map((each) => (options.json ? windowJson(source, each) : windowLine(source, each, letters))),
        );
      }
    }
    if (options.json && !options.windows) {
      await print([JSON.stringify({ idb: options.idb, sources: summary.sources() })]);
    } else if (!options.json) await print(summary.sources().flatMap((each) => ["", ...summaryLines(each, letters)]));
    return exitCodeOf(verdicts);
  });
}

function ofOneInstance(identities: readonly CopyIdentity[], letters: readonly string[]): string[] {
  return instancesOf(identities).flatMap((first, place) => {
    if (first === place) return [];
    return [`${letters[place]} was recorded by the same instance as ${letters[first]}: they do not confirm each other`];
  });
}

interface JudgedPart {
  readonly source: SourceAvailability;
  readonly stretches: readonly JudgedStretch[];
}

/** A time that is named is looked at, however far it is. */
function notFarAhead(extent: SourceExtent): SourceExtent {
  const { names, known } = extent;
  const until = looksUntil(systemClock.now());
  if (known.until <= until) return extent;
  process.stderr.write(
    `Source "${names.join(", ")}" told of times up to ${timeText(known.until * 1000)}; looked through up to ${timeText(until * 1000)}, ` +
      "a year from now: expected --to TIME for more\n",
  );
  return { ...extent, known: { from: Math.min(known.from, until), until } };
}

/** Part after part, each source cut to what is asked of it. */
async function* judged(
  copies: readonly Copy[],
  extents: readonly SourceExtent[],
  { from, to }: Options,
): AsyncGenerator<JudgedPart> {
  // Who says where to begin asks about all of the time since; a source that nobody hears any more is not yet known there.
  const lastKnown = Math.max(...extents.map(({ known }) => known.until));
  const boundsOf = ({ known }: SourceExtent): Stretch | null => {
    if (from !== undefined && to !== undefined) return stretchBetween(from, to);
    const fromMs = from ?? known.from * 1000;
    const untilMs = to ?? (from === undefined ? known.until : lastKnown) * 1000;
    return fromMs < untilMs ? stretchBetween(fromMs, untilMs) : null;
  };
  const asked = extents.map((extent) => ({ extent, bounds: boundsOf(extent) }));
  const bounds = asked.flatMap((each) => (each.bounds === null ? [] : [each.bounds]));
  if (bounds.length === 0) {
    throw new CommandError(exitCodes.notYetKnown, "Cannot judge: no IDB can tell anything of this time yet");
  }
  const whole = {
    from: Math.min(...bounds.map((each) => each.from)),
    until: Math.max(...bounds.map((each) => each.until)),
  };
  const known = extents.map((each) => each.known);
  const windowSeconds = extents[0]?.windowSeconds ?? 1;
  const bar = new ProgressBar(process.stderr, () => systemClock.monotonic());
  for (const part of knownPartsOf(whole, known, windowsInPart * windowSeconds)) {
    bar.show(part.from - whole.from, whole.until - whole.from, "seconds of source time");
    const { ledgers, read } = await readLedgers(copies, part);
    const { sources } = judge(ledgers, part, read);
    bar.clear();
    for (const source of sources) {
      const own = asked.find(({ extent }) => isSame(extent, source));
      if (own?.bounds == null) continue;
      const cut = aligned(intersection(own.bounds, part), windowSeconds);
      const stretches = [...within(source.stretches, cut)];
      if (stretches.length > 0) yield { source, stretches };
    }
  }
}

/** Parts of what is known; before and after it nothing has rows, so it is one part each. */
function* knownPartsOf(whole: Stretch, known: readonly Stretch[], partSeconds: number): Generator<Stretch> {
  const from = Math.min(Math.max(whole.from, Math.min(...known.map((each) => each.from))), whole.until);
  const until = Math.max(from, Math.min(whole.until, Math.max(...known.map((each) => each.until))));
  if (whole.from < from) yield { from: whole.from, until: from };
  yield* partsOf({ from, until }, partSeconds);
  if (until < whole.until) yield { from: until, until: whole.until };
}

function intersection(one: Stretch, other: Stretch): Stretch {
  return { from: Math.max(one.from, other.from), until: Math.min(one.until, other.until) };
}

/** Each window belongs to the part that its start lies in. */
function aligned({ from, until }: Stretch, windowSeconds: number): Stretch {
  return {
    from: Math.floor(from / windowSeconds) * windowSeconds,
    until: Math.ceil(until / windowSeconds) * windowSeconds,
  };
}

function isSame({ source }: SourceExtent, other: SourceAvailability): boolean {
  return source.cluster === other.source.cluster && source.switchDbid === other.source.switchDbid;
}

function isMeant({ names, source }: SourceExtent, wanted: string | undefined): boolean {
  return wanted === undefined || names.includes(wanted) || String(source.cluster) === wanted;
}

/** IDBs by their place on the command line, from 0; UTC seconds. */
function windowJson({ source }: SourceAvailability, { from, until, windowCount, verdict }: JudgedStretch): string {
  const { state, agreement, chosen, copies } = verdict;
  return JSON.stringify({ ...source, from, until, windows: windowCount, state, agreement, chosen, copies });
}

// Waits for a slow pipe, so that a large ledger does not pile up in memory.
async function print(lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await printed(`${lines.join("\n")}\n`);
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("expected a whole number from 0.");
  return Number(text);
}
