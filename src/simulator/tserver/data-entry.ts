// What agents and their desktops write down during a call, with `voiceInFull`: attached data added, changed, deleted and
// emptied, also from elsewhere; user events of the desktop; Reasons and Extensions on the call's own events.

import type { Pace } from "./pace.ts";
import type { Random } from "./random.ts";
import type { Party, UserData, UserDataValue } from "./switch-event.ts";
import type { Embellish, Switchboard } from "./switchboard.ts";

const entries: readonly [key: string, ...values: [UserDataValue, ...UserDataValue[]]][] = [
  ["AccountNumber", "0815", "4711-Ä", ""],
  ["Priority", 1, 2, 7],
  ["Product", "Tarif «M»", "保険"],
  [
    "Offer",
    [
      ["price", 19],
      ["currency", "EUR"],
    ],
  ],
  ["Note", 'said "no"', "line 1\nline 2"],
];

export class DataEntry {
  readonly #pace: Pace;
  readonly #board: Switchboard;

  constructor(pace: Pace, board: Switchboard) {
    this.#pace = pace;
    this.#board = board;
  }

  /** In the course of a conversation, as long as this party is in it. */
  accompany(party: Party): void {
    const { random } = this.#pace;
    for (let rest = random.pick([0, 1, 2, 4]); rest > 0; rest--) {
      this.#pace.after(this.#pace.talk(0.01, 0.8), () => this.#enter(party));
    }
    if (random.chance(0.1)) this.#pace.after(this.#pace.talk(0.01, 0.5), () => this.#tell(party));
  }

  #enter(party: Party): void {
    if (party.end !== null) return;
    const { random } = this.#pace;
    const { userData } = party.call;
    const thirdPartyDn = random.chance(0.2) ? (random.pick(["9001", "50001", "50002"]) as string) : null;
    this.#board.attach(party, this.#changed(userData), thirdPartyDn);
  }

  #changed(userData: UserData): UserData {
    const { random } = this.#pace;
    const dice = random.fraction();
    if (dice < 0.05) return [];
    if (dice < 0.25) {
      const gone = userData[random.below(userData.length)];
      return userData.filter((entry) => entry !== gone);
    }
    const [key, ...values] = entries[random.below(entries.length)] ?? ["AccountNumber", "0815"];
    const value = values[random.below(values.length)] ?? "";
    if (!userData.some(([each]) => each === key)) return [...userData, [key, value]];
    return userData.map((entry) => (entry[0] === key ? [key, value] : entry));
  }

  #tell({ dn, end }: Party): void {
    const session = this.#board.desks?.at(dn);
    if (end !== null || session === undefined) return;
    const { random } = this.#pace;
    this.#board.desks?.userEvent(session, [
      ["CustomState", random.pick(["reading", "typing"])],
      ["Step", random.below(9)],
      // A state of the site's own, on and off in turn; it ends with the session at the latest.
      ["Reading", session.userEvents.length % 2 === 0 ? "+" : "-"],
    ]);
  }
}

/** Some of a call's events give reasons, or say what this switch alone has a word for. */
export function embellisher(random: Random): Embellish {
  const embellished = new Set<string>([
    "EventDialing",
    "EventRinging",
    "EventEstablished",
    "EventHeld",
    "EventRetrieved",
    "EventReleased",
  ]);
  return (event) => {
    if (!embellished.has(event) || !random.chance(0.1)) return null;
    const reasons: UserData = random.chance(0.5) ? [["CallReason", random.pick(["callback", "Rückfrage", 3])]] : [];
    const extensions: UserData = [["OtherTrunkName", `T-${random.below(4)}`]];
    return { reasons, extensions: reasons.length > 0 && random.chance(0.5) ? [] : extensions };
  };
}
