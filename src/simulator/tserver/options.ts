// What a simulated T-Server can be told. Seconds are real seconds at the nominal pace, so one second is `clockSpeed`
// seconds of source time; with `asFastAsPossible` the same source times hold and only the waiting is left out.

import type { SitesOptions } from "./journey.ts";
import type { SecondsRange } from "./outage.ts";

export interface TserverOptions {
  /** host:port; port 0 lets the system choose. */
  readonly listen: string;
  readonly seed: number;
  /** ISO 8601; with it a seed gives the same stream byte for byte. Null: now. */
  readonly startTime: string | null;
  /** Events a second to aim at; reached once the first calls have come to their end. */
  readonly rate: number;
  /** Instead of `rate`. */
  readonly callsPerSecond: number | null;
  /** How long the centre works; null: until `events`, or for ever. */
  readonly seconds: number | null;
  /** Ends with the happening in which this many events are reached; null: no bound. */
  readonly events: number | null;
  /** Heartbeats go on for so many seconds of source time after the end, for a receiver's own deadlines. */
  readonly lingerSeconds: number;
  /** Source time runs so many times faster than real time. */
  readonly clockSpeed: number;
  readonly asFastAsPossible: boolean;
  /** How many events can be sent again. */
  readonly resendEvents: number;
  /** Real milliseconds between heartbeats. */
  readonly heartbeatMs: number;
  readonly cutEvery: SecondsRange | null;
  readonly cutFor: SecondsRange;
  /** Real milliseconds to wait for acknowledgements, sending nothing new, before connections are lost. */
  readonly cutSettleMs: number;
  readonly restartAt: readonly number[];
  /** Calls live on when the server restarts; else they are dropped and nobody tells. */
  readonly restartKeepsCalls: boolean;
  readonly gapAt: readonly number[];
  readonly dbid: number;
  readonly primaryDbid: number;
  readonly switchDbid: number;
  readonly serverName: string;
  readonly switchName: string;
  readonly token: string | null;
  /** Served over TLS with these files, PEM; `clientCaFile`: clients must show a certificate of that authority. */
  readonly tls: { readonly certFile: string; readonly keyFile: string; readonly clientCaFile: string | null } | null;
  readonly role: "primary" | "backup";
  /** The pair's other server, on a port of its own; it tells of the same centre once it has taken over. */
  readonly standby: { readonly listen: string; readonly dbid: number } | null;
  readonly hasPartyUuid: boolean;
  readonly hasCallUuid: boolean;
  readonly hasCallMonitoring: boolean;
  /** Every event in the usual encoding. */
  readonly plain: boolean;
  /** Null: as many as the rate asks for. */
  readonly agents: number | null;
  readonly queues: number;
  /** Mean length of a talk, seconds of source time. */
  readonly talkSeconds: number;
  /** How many of a hundred answered calls are transferred or conferenced. */
  readonly transferPercent: number;
  /** Logins, routing points with virtual queues, changing attached data, and who hung up, too. */
  readonly voiceInFull: boolean;
  /** Calls go between this switch and another one, whose T-Server is given the same seed; null: none does. */
  readonly sites: SitesOptions | null;
  /** The centre begins to work when so many clients are served. */
  readonly clientsMin: number;
  /** Real milliseconds to wait for the last acknowledgements. */
  readonly finalAckMs: number;
  /** File of the oracle "truth"; what else it tells goes to files beside it, see truth.ts. */
  readonly truth: string | null;
  /** File of the oracle "observable"; each client's name is put before its ending. */
  readonly observable: string | null;
}

export const tserverDefaults: TserverOptions = {
  listen: "127.0.0.1:0",
  seed: 1,
  startTime: null,
  rate: 100,
  callsPerSecond: null,
  seconds: null,
  events: null,
  // The default call-deletion-timeout is 30 s.
  lingerSeconds: 35,
  clockSpeed: 1,
  asFastAsPossible: false,
  resendEvents: 200_000,
  heartbeatMs: 10_000,
  cutEvery: null,
  cutFor: { min: 0.5, max: 0.5 },
  cutSettleMs: 0,
  restartAt: [],
  restartKeepsCalls: false,
  gapAt: [],
  dbid: 101,
  primaryDbid: 101,
  switchDbid: 1,
  serverName: "TServer_Sim",
  switchName: "Sim",
  token: null,
  tls: null,
  role: "primary",
  standby: null,
  hasPartyUuid: true,
  hasCallUuid: true,
  hasCallMonitoring: true,
  plain: false,
  agents: null,
  queues: 8,
  talkSeconds: 6,
  transferPercent: 0,
  voiceInFull: false,
  sites: null,
  clientsMin: 0,
  finalAckMs: 5_000,
  truth: null,
  observable: null,
};
