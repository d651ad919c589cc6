// From when until when copies know anything, by the sources' clocks: what is asked about when nobody says a time.

import { allTime, type Copy, type Ledger, type Stretch } from "./copy.ts";

/** Whole windows, none that begins after `untilMax` (UTC seconds); null: no copy knows anything yet. Throws CopyError. */
export async function extentOf(
  copies: readonly Copy[],
  { windowSeconds, untilMax }: { readonly windowSeconds: number; readonly untilMax: number },
): Promise<Stretch | null> {
  const times: number[] = [];
  for (const copy of copies) {
    const { version } = await copy.identity();
    // Asked with the newest version, a ledger has no windows; spans and sessions are few.
    const told = timesIn(await copy.ledger({ stretch: allTime, changedAfter: version }));
    times.push(...told.filter((ms) => ms / 1000 <= untilMax));
  }
  if (times.length === 0) return null;
  const [first, last] = times.reduce(
    ([least, most], at) => [Math.min(least, at), Math.max(most, at)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return {
    from: Math.floor(first / 1000 / windowSeconds) * windowSeconds,
    until: (Math.floor(last / 1000 / windowSeconds) + 1) * windowSeconds,
  };
}

/** Milliseconds. */
function timesIn({ windows, spans, sessions }: Ledger): number[] {
  const texts = [
    ...spans.flatMap(({ FROM_TIME, UNTIL_TIME }) => [FROM_TIME, UNTIL_TIME]),
    ...sessions.flatMap(({ FEVENT_DSTIME, LEVENT_DSTIME }) => [FEVENT_DSTIME, LEVENT_DSTIME]),
  ];
  return [
    ...texts.flatMap((text) => (text === null ? [] : [Date.parse(text)])),
    // What an instance has written since it was asked for its version.
    ...windows.map(({ WINDOW_TS }) => WINDOW_TS * 1000),
  ].filter((ms) => !Number.isNaN(ms));
}
