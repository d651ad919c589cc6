// Calls that go from site to site, planned from one seed that the simulated T-Servers of all sites are given: each plays its
// own legs of a journey, and none needs a word from another.
//
//   handed on    one site, then the other          told late   as handed on, but the link is told after the first leg's end
//   returned     there and back again              elsewhere   to a site that is not recorded
//   lost         to the other site, which never tells its end of the link

import { Random } from "./random.ts";

export interface SitesOptions {
  readonly seed: number;
  /** The name of this server's switch, of the other one's, and of a switch that nobody records. */
  readonly here: string;
  readonly other: string;
  readonly elsewhere: string;
}

export const journeyKinds = ["handed on", "returned", "told late", "elsewhere", "lost"] as const;
export type JourneyKind = (typeof journeyKinds)[number];

/** A call's end of a link. */
export interface CallLink {
  readonly linkId: string;
  readonly type: "source" | "target";
  /** The switch at its other end. */
  readonly location: string;
  readonly atUs: number;
  /** CallUUID of the call at the other end; null: nobody tells of it. */
  readonly partner: string | null;
}

/** One call of a journey. */
export interface Leg {
  readonly site: string;
  readonly callUuid: string;
  readonly connId: string;
  readonly switchCallId: number;
  readonly dn: string;
  readonly fromUs: number;
  readonly untilUs: number;
  readonly links: readonly CallLink[];
}

export interface Journey {
  readonly kind: JourneyKind;
  readonly legs: readonly Leg[];
  /** Nothing is told of it any more. */
  readonly overUs: number;
}

const weights: readonly (readonly [JourneyKind, number])[] = [
  ["handed on", 0.4],
  ["returned", 0.2],
  ["told late", 0.15],
  ["elsewhere", 0.15],
  ["lost", 0.1],
];

// Beyond what the centre's own script gives out.
const firstSwitchCallId = 1_000_000;
const legsMax = 4;
const linkDelayUs = 20_000;

/** The journeys of all sites, by their number. `unitUs`: about the length of a leg. */
export class Journeys {
  readonly #options: SitesOptions;
  readonly #startUs: number;
  readonly #unitUs: number;
  readonly #names: { readonly uuid: string; readonly connId: string };

  constructor(options: SitesOptions, startUs: number, unitUs: number) {
    this.#options = options;
    this.#startUs = startUs;
    this.#unitUs = unitUs;
    const digest = new Bun.CryptoHasher("sha256").update(`sites/${options.seed}/${startUs}`).digest("hex");
    this.#names = { uuid: digest.slice(0, 20), connId: digest.slice(20, 26) };
  }

  /** When the journey with this number begins. */
  beginUs(index: number): number {
    return this.#startUs + Math.round(((index + 1) * this.#unitUs) / 10);
  }

  journey(index: number): Journey {
    const random = new Random(this.#options.seed, `journey ${index}`);
    const kind = kindOf(random.fraction());
    const sites = [this.#options.here, this.#options.other].sort();
    const first = random.below(2);
    const count = kind === "returned" ? 3 : kind === "elsewhere" || kind === "lost" ? 1 : 2;
    const legs: Leg[] = [];
    let fromUs = this.beginUs(index);
    for (let leg = 0; leg < count; leg++) {
      const length = Math.round(this.#unitUs * random.between(0.3, 1.2));
      const untilUs = fromUs + length;
      const isLast = leg === count - 1;
      const goesOn = !isLast || kind === "elsewhere" || kind === "lost";
      const isLate = kind === "told late";
      const linkAtUs = isLate ? untilUs + Math.round(this.#unitUs / 20) : fromUs + Math.round(length * 0.6);
      const links: CallLink[] = [];
      if (leg > 0)
        links.push(this.#link(index, leg - 1, "target", this.#siteOf(sites, first, leg - 1), fromUs, leg - 1));
      if (goesOn) {
        const to = kind === "elsewhere" ? this.#options.elsewhere : this.#siteOf(sites, first, leg + 1);
        links.push(this.#link(index, leg, "source", to, linkAtUs, isLast ? null : leg + 1));
      }
      const number = index * legsMax + leg;
      legs.push({
        site: this.#siteOf(sites, first, leg),
        callUuid: this.#callUuid(number),
        connId: `00${this.#names.connId}${number.toString(16).padStart(8, "0")}`,
        switchCallId: firstSwitchCallId + number,
        dn: String(70_001 + (number % 1000)),
        ...{ fromUs, untilUs, links },
      });
      fromUs = linkAtUs + linkDelayUs;
    }
    const overUs = Math.max(...legs.flatMap(({ untilUs, links }) => [untilUs, ...links.map(({ atUs }) => atUs)]));
    return { kind, legs, overUs };
  }

  #siteOf(sites: readonly string[], first: number, leg: number): string {
    return sites[(first + leg) % 2] ?? "";
  }

  #callUuid(number: number): string {
    return `S${this.#names.uuid}${number.toString(16).padStart(11, "0")}`.toUpperCase();
  }

  #link(
    index: number,
    hop: number,
    type: CallLink["type"],
    location: string,
    atUs: number,
    partnerLeg: number | null,
  ): CallLink {
    const partner = partnerLeg === null ? null : this.#callUuid(index * legsMax + partnerLeg);
    return { linkId: `L${this.#callUuid(index * legsMax + hop).slice(1)}`, type, location, atUs, partner };
  }
}

function kindOf(fraction: number): JourneyKind {
  let sum = 0;
  for (const [kind, weight] of weights) {
    sum += weight;
    if (fraction < sum) return kind;
  }
  return "handed on";
}
