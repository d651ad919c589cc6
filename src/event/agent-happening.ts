// What happened to agents, told the same way whichever wire language it came in, as happening.ts does for calls. The agent
// machine knows nothing else of a source's agent events. Names are T-Lib's.

import type { SourceInstant } from "./instant.ts";

/** Names one login session: LOGINSESSIONID. The same on both instances of a pair, unless local. */
export type LoginSessionId = string & { readonly brand: "LoginSessionId" };

/** Of whom and where an event speaks. */
export interface AgentPlace {
  /** The login id; null: this event does not say. */
  readonly agent: string | null;
  readonly dn: string;
  /** The ACD queue that it is about; null: the whole DN, or the agent is logged in without one. */
  readonly queue: string | null;
}

/** Hardware: the telephone set's, under the key ReasonCode. Software: the desktop's, with the full path of its key. */
export interface AgentReason {
  readonly isHardware: boolean;
  readonly key: string;
  readonly value: string | null;
}

/** What a source can say of readiness. Busy is not told: it follows from the calls. */
export type ToldState = "login" | "notReady" | "ready" | "afterCallWork";

/** What a source said of an agent's readiness: it holds until it says something else, whatever calls come between. */
export interface Told {
  readonly state: ToldState;
  /** T-Lib TAgentWorkMode. */
  readonly workMode: number;
  readonly reasons: readonly AgentReason[];
}

/** The event that began a login session. */
export interface LoginOrigin {
  readonly key: LoginSessionId;
  readonly at: SourceInstant;
}

export type AgentHappening =
  | {
      readonly kind: "agent login";
      readonly at: SourceInstant;
      readonly place: AgentPlace;
      readonly told: Told;
      /** The key of a session that begins with this. */
      readonly key: LoginSessionId;
    }
  /** `place.queue` null: out of all of the DN's queues. `reasons`: why. */
  | {
      readonly kind: "agent logout";
      readonly at: SourceInstant;
      readonly place: AgentPlace;
      readonly reasons: readonly AgentReason[];
    }
  | {
      readonly kind: "agent state";
      readonly at: SourceInstant;
      readonly place: AgentPlace;
      readonly told: Told;
    }
  /** The same state goes on, for these reasons. */
  | {
      readonly kind: "agent reasons";
      readonly at: SourceInstant;
      readonly place: AgentPlace;
      readonly reasons: readonly AgentReason[];
    }
  | {
      readonly kind: "do not disturb";
      readonly at: SourceInstant;
      readonly place: AgentPlace;
      readonly isOn: boolean;
    }
  /** A snapshot's word: this agent is logged in there, at the latest since `at`. */
  | {
      readonly kind: "agent present";
      readonly at: SourceInstant;
      readonly place: AgentPlace;
      /** What the agent is; null: it does not say, and `at` is when that login was. */
      readonly told: Told | null;
      /** Since when; null: it does not say. */
      readonly toldAt: SourceInstant | null;
      /** What began the session, or this login of it; null: the source does not say. */
      readonly origin: LoginOrigin | null;
    };
