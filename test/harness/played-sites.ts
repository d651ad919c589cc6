// The simulated contact centres of two sites, told to the machines as one instance would hear them, in one process and at
// once, and the truth that they keep of the calls between them.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Centre } from "../../src/simulator/tserver/centre.ts";
import { LineWriter } from "../../src/simulator/tserver/line.ts";
import { type TserverOptions, tserverDefaults } from "../../src/simulator/tserver/options.ts";
import { Random } from "../../src/simulator/tserver/random.ts";
import { ServerRun } from "../../src/simulator/tserver/server-run.ts";
import { Truth } from "../../src/simulator/tserver/truth.ts";
import { type Expecting, readSitesTruth, type SitesTruth } from "./inter-site-oracle.ts";
import { type Site, SitesStory } from "./sites-story.ts";
import { startMs } from "./story.ts";

/** Whose event comes when: by their times, or the one site's all after the other's. */
export type Interleaving = "by time" | "north first" | "south first";

export interface PlayedSites {
  readonly story: SitesStory;
  readonly truth: SitesTruth;
}

const switches = { north: ["North", "South"], south: ["South", "North"] } as const;

export function playSites(
  seed: number,
  seconds: number,
  interleaving: Interleaving,
  expecting: Expecting,
  given: ConstructorParameters<typeof SitesStory>[0],
): PlayedSites {
  const directory = mkdtempSync(join(tmpdir(), "icon-sites-"));
  try {
    const told: { readonly site: Site; readonly atUs: number; readonly line: string }[] = [];
    const paths = (["north", "south"] as const).map((site, index) => {
      const [here, other] = switches[site];
      const options: TserverOptions = {
        ...tserverDefaults,
        ...{ seed: seed + index, rate: 40, seconds, talkSeconds: 2, transferPercent: 20 },
        sites: { seed, here, other, elsewhere: "West" },
      };
      const path = join(directory, `${site}.ndjson`);
      const truth = new Truth(path, options);
      const lines = new LineWriter(options, new Random(options.seed, "encoding"));
      const centre: Centre = new Centre(options, startMs * 1000, {
        emit: (event) => {
          const { number, line } = server.tell(event);
          told.push({ site, atUs: event.atUs, line });
          return number;
        },
        callOver: (call) => truth.call(call),
        linkTold: (call, link) => truth.link(call, link),
        sessionOver: () => {},
      });
      const server = new ServerRun({
        ...{ startTime: new Date(startMs).toISOString(), resendEvents: 10, lines, board: centre.board },
        ...{ hasCallUuid: true, keepsEvents: false },
      });
      centre.advance(startMs * 1000 + seconds * 1_000_000, () => false);
      for (const call of centre.board.liveCalls) truth.call(call);
      truth.close();
      return path;
    });
    const rank = ({ site }: { readonly site: Site }) => Number(interleaving === `${site} first` ? 0 : 1);
    told.sort((a, b) => (interleaving === "by time" ? a.atUs - b.atUs : rank(a) - rank(b)));
    const story = new SitesStory(given);
    for (const { site, line } of told) story.line(site, line);
    story.heartbeats(seconds + 3600);
    return { story, truth: readSitesTruth(paths, expecting) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
