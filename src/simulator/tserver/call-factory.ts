// Names, numbers and attached data of new calls. Every name is unique within the simulated site and comes from the seed
// and the start time alone.

import { Random } from "./random.ts";
import type { Call, CallType, UserData } from "./switch-event.ts";
import type { Switchboard } from "./switchboard.ts";

const base32Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
const segments = ["gold", "silver", "bronze", "Grüße", "新規"] as const;

export class CallFactory {
  readonly #random: Random;
  readonly #uuidPrefix: string;
  readonly #connIdPrefix: string;
  #callCount = 0;
  #partyCount = 0;
  #virtualCount = 0;

  /** `purpose`: another one gives other names. */
  constructor(seed: number, startUs: number, purpose?: string) {
    this.#random = new Random(seed, "calls");
    const named = purpose === undefined ? `${seed}/${startUs}` : `${seed}/${startUs}/${purpose}`;
    const digest = new Bun.CryptoHasher("sha256").update(named).digest();
    this.#uuidPrefix = Array.from(digest.subarray(0, 23), (byte) => base32Digits.charAt(byte & 31)).join("");
    this.#connIdPrefix = `00${Buffer.from(digest.subarray(23, 26)).toString("hex")}`;
  }

  /** Creates the call at the switch. Without `numbers` it comes from outside. */
  create(
    board: Switchboard,
    callType: CallType,
    numbers?: { readonly ani: string; readonly dnis: string },
    consultOf: Call | null = null,
  ): Call {
    const count = ++this.#callCount;
    return board.createCall(
      {
        uuid: `C${this.#uuidPrefix}${base32(count)}`,
        connId: `${this.#connIdPrefix}${count.toString(16).padStart(8, "0")}`,
        switchCallId: count,
        callType,
        ani: numbers?.ani ?? this.outsideNumber(),
        dnis: numbers?.dnis ?? `0800${100_000 + this.#random.below(20)}`,
        consultOf: consultOf?.connId ?? null,
      },
      this.#random.chance(0.8) ? this.#firstUserData(count) : [],
    );
  }

  partyUuid(): string {
    return `P${this.#uuidPrefix}${base32(++this.#partyCount)}`;
  }

  virtualQueueId(): string {
    return `${this.#uuidPrefix}V${base32(++this.#virtualCount)}`;
  }

  outsideNumber(): string {
    return `4155${String(this.#random.below(1_000_000)).padStart(6, "0")}`;
  }

  nextUserData(call: Call): UserData {
    if (this.#random.chance(0.05)) return [];
    const kept = call.userData.filter(([key]) => key !== "Disposition");
    return [...kept, ["Disposition", this.#random.pick(["sold", "callback", "complaint"])]];
  }

  #firstUserData(count: number): UserData {
    const data: [string, string | number | UserData][] = [
      ["CustomerSegment", this.#random.pick(segments)],
      ["CaseId", count],
    ];
    if (this.#random.chance(0.3))
      data.push([
        "Nested",
        [
          ["k", 1],
          ["Deeper", [["language", 'de "AT"']]],
        ],
      ]);
    return data;
  }
}

/** Eight digits, enough for 2^40 names. */
function base32(count: number): string {
  let rest = count;
  let digits = "";
  for (let index = 0; index < 8; index++) {
    digits = base32Digits.charAt(rest % 32) + digits;
    rest = Math.floor(rest / 32);
  }
  return digits;
}
