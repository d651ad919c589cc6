// A simulated contact centre told to the machines as an instance would hear it over the link, in one process and at
// once, and the truth that it keeps of itself.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CallDetail, SessionStory } from "../../src/simulator/tserver/call-detail.ts";
import { Centre } from "../../src/simulator/tserver/centre.ts";
import { LineWriter } from "../../src/simulator/tserver/line.ts";
import { type TserverOptions, tserverDefaults } from "../../src/simulator/tserver/options.ts";
import { Random } from "../../src/simulator/tserver/random.ts";
import { ServerRun } from "../../src/simulator/tserver/server-run.ts";
import { type CallStory, Truth } from "../../src/simulator/tserver/truth.ts";
import { Story, startMs } from "./story.ts";
import { readCallDetails, readCallStories, readSessionStories } from "./voice-truth.ts";

export interface Played {
  readonly story: Story;
  readonly details: readonly CallDetail[];
  readonly calls: readonly CallStory[];
  readonly sessions: readonly SessionStory[];
}

/** All of voice for so many seconds of the source's time; then its clock goes on for a minute and nothing happens. */
export function playCentre(
  given: Partial<TserverOptions>,
  seconds: number,
  story = new Story({ options: { storesReleasingParty: true, extendsRouteResults: true, delivered: "dialing" } }),
): Played {
  const options: TserverOptions = {
    ...tserverDefaults,
    ...{ rate: 400, talkSeconds: 2, voiceInFull: true, transferPercent: 20, ...given },
  };
  const directory = mkdtempSync(join(tmpdir(), "icon-voice-"));
  try {
    const path = join(directory, "truth.ndjson");
    const truth = new Truth(path, options);
    const lines = new LineWriter(options, new Random(options.seed, "encoding"));
    const centre: Centre = new Centre(options, startMs * 1000, {
      emit: (event) => {
        const { number, line } = server.tell(event);
        story.line(line);
        return number;
      },
      callOver: (call) => truth.call(call),
      sessionOver: (session) => truth.session(session),
    });
    const server = new ServerRun({
      ...{ startTime: new Date(startMs).toISOString(), resendEvents: 10, lines, board: centre.board },
      ...{ hasCallUuid: options.hasCallUuid, keepsEvents: false },
    });
    centre.advance(startMs * 1000 + seconds * 1_000_000, () => false);
    for (const call of centre.board.liveCalls) truth.call(call);
    for (const session of centre.board.desks?.sessions ?? []) truth.session(session);
    truth.close();
    story.heartbeat(seconds + 60);
    return {
      ...{ story, details: readCallDetails(path) },
      ...{ calls: readCallStories(path), sessions: readSessionStories(path) },
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
