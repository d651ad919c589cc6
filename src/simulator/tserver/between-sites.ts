// Plays this site's legs of the journeys between sites (journey.ts) at the switch.

import type { CallFactory } from "./call-factory.ts";
import { type Journey, Journeys, type Leg, type SitesOptions } from "./journey.ts";
import type { Schedule } from "./schedule.ts";
import type { Switchboard } from "./switchboard.ts";

export interface BetweenSitesSetting {
  readonly options: SitesOptions;
  readonly board: Switchboard;
  readonly schedule: Schedule;
  readonly calls: CallFactory;
  readonly startUs: number;
  /** Journeys that would not be over by then do not begin. */
  readonly endUs: number;
  readonly talkSeconds: number;
}

export class BetweenSites {
  readonly #setting: BetweenSitesSetting;
  readonly #journeys: Journeys;

  constructor(setting: BetweenSitesSetting) {
    this.#setting = setting;
    this.#journeys = new Journeys(setting.options, setting.startUs, Math.round(setting.talkSeconds * 1_000_000));
  }

  begin(): void {
    this.#plan(0);
  }

  #plan(index: number): void {
    const beginUs = this.#journeys.beginUs(index);
    if (beginUs > this.#setting.endUs) return;
    this.#setting.schedule.plan(beginUs, () => {
      const journey = this.#journeys.journey(index);
      if (journey.overUs <= this.#setting.endUs) this.#begin(journey);
      this.#plan(index + 1);
    });
  }

  #begin({ legs }: Journey): void {
    const { schedule, options } = this.#setting;
    for (const leg of legs) {
      if (leg.site === options.here) schedule.plan(leg.fromUs, () => this.#play(leg));
    }
  }

  #play(leg: Leg): void {
    const { board, schedule, calls } = this.#setting;
    const { callUuid: uuid, connId, switchCallId, fromUs, untilUs, dn } = leg;
    const facts = { uuid, connId, switchCallId, callType: 2, ani: null, dnis: null, consultOf: null } as const;
    const call = board.createCall(
      facts,
      [],
      leg.links.filter(({ atUs }) => atUs <= fromUs),
    );
    const party = board.enter(
      call,
      { uuid: calls.partyUuid(), dn, role: 2, queue: null, otherDn: null },
      "EventRinging",
    );
    const at = (atUs: number, act: () => void) => schedule.plan(atUs, act);
    at(fromUs + Math.round((untilUs - fromUs) / 5), () => {
      if (call.endedAtUs === null) board.change(party, "EventEstablished");
    });
    for (const link of leg.links) if (link.atUs > fromUs) at(link.atUs, () => board.link(call, link));
    at(untilUs, () => {
      if (call.endedAtUs !== null) return;
      board.leave(party, "EventReleased", 0);
      board.endCall(call);
    });
  }
}
