// The simulated T-Server's own log of every event that it told: server run, number, source time. It says what a window
// really had in it.

import { readFileSync } from "node:fs";
import type { EventStory } from "../../src/simulator/tserver/truth.ts";

export interface ToldEvent {
  readonly seq: number;
  /** Milliseconds since 1970 by the server's clock, with microseconds as fraction. */
  readonly at: number;
}

/** What one window of one run really had; `windowTs` in UTC seconds. */
export interface ToldWindow {
  readonly run: string;
  readonly windowTs: number;
  readonly events: number;
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
}

export class EventLog {
  private constructor(
    /** By startTime of the server run, in the order of their numbers. */
    readonly runs: ReadonlyMap<string, readonly ToldEvent[]>,
  ) {}

  /** Of a simulation whose truth was written to `truthPath`. */
  static read(truthPath: string): EventLog {
    const runs = new Map<string, ToldEvent[]>();
    for (const line of readFileSync(`${truthPath}.events.ndjson`, "utf8").split("\n")) {
      if (line === "") continue;
      const { run, seq, at } = JSON.parse(line) as EventStory;
      const events = runs.get(run);
      if (events === undefined) runs.set(run, [{ seq, at }]);
      else events.push({ seq, at });
    }
    return new EventLog(runs);
  }

  /** Second after that of the last event. */
  get untilSeconds(): number {
    return Math.floor(Math.max(...[...this.runs.values()].map((events) => events.at(-1)?.at ?? 0)) / 1000) + 1;
  }

  /** Every window from each run's first event to its last, those without an event too. */
  windows(windowSeconds: number): ToldWindow[] {
    return [...this.runs].flatMap(([run, events]) => {
      const startOf = ({ at }: ToldEvent) => Math.floor(at / 1000 / windowSeconds) * windowSeconds;
      const byStart = Map.groupBy(events, startOf);
      const windows: ToldWindow[] = [];
      const [first, last] = [events[0], events.at(-1)];
      if (first === undefined || last === undefined) return [];
      for (let windowTs = startOf(first); windowTs <= startOf(last); windowTs += windowSeconds) {
        const inside = byStart.get(windowTs) ?? [];
        const ends = { firstSeq: inside[0]?.seq ?? null, lastSeq: inside.at(-1)?.seq ?? null };
        windows.push({ run, windowTs, events: inside.length, ...ends });
      }
      return windows;
    });
  }
}
