// Calls that go on at another site (ISCC): what an event says of the links between them, and what the configuration says of
// the sites. A link has an id of its own, which both sites' T-Servers give.

export const linkKinds = { bidirectional: 0, unidirectional: 1, source: 2, target: 3 } as const;
export type LinkKind = (typeof linkKinds)[keyof typeof linkKinds];

/** One call's end of one link, as an event tells of it. */
export interface ToldLink {
  readonly linkId: string;
  /** What this call is to it: where the other one comes from, or where it goes on. Null: not said. */
  readonly kind: LinkKind | null;
  /** The switch on which the other call is; null: not said. */
  readonly location: string | null;
}

/** The part of the configuration that joining depends on. */
export interface InterSiteOptions {
  /** Switches whose calls are not recorded by this instance: no end of a link is waited for there. */
  readonly remoteLocations: readonly string[];
  /** How long the other end of a link is waited for, by the clock of the end that waits. */
  readonly linkTimeoutSeconds: number;
}

// Longer than the other site's T-Server takes to be reached again after a cut, in which its events wait to be sent.
export const interSiteDefaults: InterSiteOptions = { remoteLocations: [], linkTimeoutSeconds: 3600 };
