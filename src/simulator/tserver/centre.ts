// The simulated contact centre as a whole: switch, schedule and traffic, moved on in source time by whoever owns it.

import { BetweenSites } from "./between-sites.ts";
import { CallFactory } from "./call-factory.ts";
import { embellisher } from "./data-entry.ts";
import type { TserverOptions } from "./options.ts";
import { Random } from "./random.ts";
import { Schedule } from "./schedule.ts";
import type { Agent, EventSink } from "./switch-event.ts";
import { Switchboard } from "./switchboard.ts";
import { Traffic } from "./traffic.ts";

// Counted over long runs of the mix in traffic.ts; only how well `rate` is met depends on them.
const eventsPerCall = 7.9;
const eventsPerCallInFull = 14.5;
const eventsPerCallOfMonitoring = 2;
// A call keeps agents busy for about two talks; with a little more than that, callers wait for one now and then.
const agentsPerConcurrentTalk = 2.4;
// With `voiceInFull` many of them are in a break, at work after a call, or not there.
const agentsPerConcurrentTalkInFull = 4.5;

export class Centre {
  readonly board: Switchboard;
  readonly #schedule = new Schedule();
  readonly #traffic: Traffic;

  constructor(options: TserverOptions, startUs: number, sink: EventSink) {
    const callsPerSourceSecond = meanCallsPerSecond(options) / options.clockSpeed;
    const agentsPerTalk = options.voiceInFull ? agentsPerConcurrentTalkInFull : agentsPerConcurrentTalk;
    const agentCount = options.agents ?? Math.ceil(5 + callsPerSourceSecond * options.talkSeconds * agentsPerTalk);
    this.board = new Switchboard({
      sink,
      hasCallMonitoring: options.hasCallMonitoring,
      agents: Array.from({ length: agentCount }, (_, index) => agentAt(index, startUs)),
      startUs,
      ...(options.voiceInFull
        ? { hasLogins: true, embellish: embellisher(new Random(options.seed, "embellishment")) }
        : {}),
    });
    this.#traffic = new Traffic({
      seed: options.seed,
      board: this.board,
      schedule: this.#schedule,
      callsPerSourceSecond,
      queues: ["8001", ...Array.from({ length: options.queues - 1 }, (_, index) => String(8002 + index))],
      talkSeconds: options.talkSeconds,
      transferShare: options.transferPercent / 100,
      startUs,
    });
    this.#traffic.begin();
    if (options.sites === null) return;
    const { seconds } = options;
    const endUs = seconds === null ? Number.POSITIVE_INFINITY : startUs + seconds * options.clockSpeed * 1_000_000;
    new BetweenSites({
      ...{ options: options.sites, board: this.board, schedule: this.#schedule, startUs, endUs },
      ...{ talkSeconds: options.talkSeconds, calls: new CallFactory(options.seed, startUs, "sites") },
    }).begin();
  }

  /** Lets everything happen that is due up to `untilUs`, unless `isOver` says so before. */
  advance(untilUs: number, isOver: () => boolean): void {
    for (;;) {
      const due = this.#schedule.takeDue(untilUs);
      if (due === undefined) break;
      this.board.nowUs = due.atUs;
      due.act();
      if (isOver()) return;
    }
    this.board.nowUs = untilUs;
  }

  dropCalls(): void {
    this.#traffic.dropCalls();
  }
}

/** In seconds of the options, not of source time. */
export function meanEventsPerSecond(options: TserverOptions): number {
  return options.callsPerSecond === null ? options.rate : options.callsPerSecond * meanEventsPerCall(options);
}

function meanCallsPerSecond(options: TserverOptions): number {
  return options.callsPerSecond ?? options.rate / meanEventsPerCall(options);
}

function meanEventsPerCall(options: TserverOptions): number {
  const perCall = options.voiceInFull ? eventsPerCallInFull : eventsPerCall;
  return perCall + (options.hasCallMonitoring ? eventsPerCallOfMonitoring : 0);
}

function agentAt(index: number, startUs: number): Agent {
  return { dn: String(50_001 + index), id: `A${50_001 + index}`, isReady: true, sinceUs: startUs };
}
