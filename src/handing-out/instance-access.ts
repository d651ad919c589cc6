// How another instance is reached: its token and authorities stay in their files and are read for each question.

import { systemClock } from "../clock.ts";
import { readCertificates } from "../config/certificates.ts";
import { readToken } from "../config/credentials.ts";
import type { InstanceAccess } from "../extraction/ask-instance.ts";
import type { Peer } from "./question.ts";

/** Reads nothing yet: a file that cannot be used is said with the first question. */
export function instanceAccess({ origin, tokenFile, caFile }: Peer): InstanceAccess {
  return {
    origin,
    readToken: () => (tokenFile === null ? null : readToken(tokenFile)),
    readAuthorities: () => (caFile === null ? null : readCertificates(caFile)),
    clock: systemClock,
  };
}
