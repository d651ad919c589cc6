// May this instance be stopped now? Yes, when nothing is lost by it that the peer does not have: the peer hears every
// source that this instance records, from the same server run, up to now, and keeps up; and of the last minutes there is
// nothing that only this instance has whole. Pure: from both ledgers and the peer's status.
//
// What this instance has is durable in any case and is there again at its next start. What counts is what comes while it
// is stopped, and what whoever reads meanwhile would miss.

import type { JudgedStretch, SourceAvailability } from "../extraction/availability.ts";
import { causeClauses } from "../extraction/cause-words.ts";
import type { Ledger } from "../extraction/copy.ts";
import { isWhole } from "../extraction/verdict.ts";
import type { Judged } from "./ledgers.ts";
import type { PeerSourceStatus, PeerStatus } from "./peer-status.ts";
import type { NamedSource } from "./question.ts";

export interface StopFacts {
  /** Those that this instance records. */
  readonly sources: readonly NamedSource[];
  /** Of both ledgers, or of the own one alone. */
  readonly judged: Judged;
  /** Null: it was not heard; `judged.peerTrouble` says why, or `statusTrouble` does. */
  readonly peerStatus: PeerStatus | null;
  readonly statusTrouble: string | null;
}

export interface StopVerdict {
  readonly isSafe: boolean;
  /** The peer's name, or null. */
  readonly peer: string | null;
  /** Why not, each a sentence. Empty when it is safe. */
  readonly reasons: readonly string[];
  readonly sources: readonly SourceStanding[];
}

export interface SourceStanding {
  readonly name: string;
  /** Newest word of the source in either IDB, by its own clock; null: none. */
  readonly heardUntil: string | null;
  readonly peerHeardUntil: string | null;
}

// Records that wait longer are a backlog; as a rule they wait for some milliseconds.
const backlogMsMax = 5_000;
// The peer hears each word when we do; commits of both may be so far apart.
const behindMsMax = 15_000;

export function judgeStop({ sources, judged, peerStatus, statusTrouble }: StopFacts): StopVerdict {
  const [own, peer] = judged.ledgers;
  const standings = sources.map((source) => standingOf(source, own, peer));
  const name = peerStatus?.instanceName ?? judged.peerName;
  const said = { peer: name, sources: standings.map(({ standing }) => standing) };
  if (peer === undefined || peerStatus === null) {
    const why = [judged.peerTrouble?.reason, statusTrouble].filter((each) => each != null);
    const reason = `The other instance cannot be asked: ${[...new Set(why)].join("; ") || "it was not heard"}.`;
    return { isSafe: false, ...said, reasons: [reason] };
  }
  const reasons = [
    ...instanceReasons(peerStatus),
    ...standings.flatMap((each) => sourceReasons(each, peerStatus)),
    ...judged.availability.sources.flatMap((each) => windowReasons(each, sources, peerStatus.instanceName)),
  ];
  return { isSafe: reasons.length === 0, ...said, reasons };
}

function instanceReasons({ instanceName, state, queueState, idbState, oldestNotAppliedAgeMs }: PeerStatus): string[] {
  const reasons: string[] = [];
  if (state !== "running") reasons.push(`${instanceName} is ${state}.`);
  if (queueState !== "open") reasons.push(`The persistent queue of ${instanceName} is ${queueState}.`);
  if (idbState !== "open") reasons.push(`The IDB of ${instanceName} is ${idbState}.`);
  if (oldestNotAppliedAgeMs !== null && oldestNotAppliedAgeMs > backlogMsMax) {
    reasons.push(`${instanceName} is behind: its oldest record without rows is ${seconds(oldestNotAppliedAgeMs)} old.`);
  }
  return reasons;
}

type Span = Ledger["spans"][number];

interface Standing {
  readonly standing: SourceStanding;
  readonly own: Span | null;
  readonly peer: Span | null;
}

function standingOf(source: NamedSource, own: Ledger | undefined, peer: Ledger | undefined): Standing {
  const [ownSpan, peerSpan] = [newestSpan(own, source), newestSpan(peer, source)];
  const standing = {
    name: source.name,
    heardUntil: ownSpan?.UNTIL_TIME ?? null,
    peerHeardUntil: peerSpan?.UNTIL_TIME ?? null,
  };
  return { standing, own: ownSpan, peer: peerSpan };
}

function newestSpan(ledger: Ledger | undefined, { cluster, switchDbid }: NamedSource): Span | null {
  return (
    ledger?.spans.findLast(
      ({ SOURCE_CLUSTER, SWITCH_DBID }) => SOURCE_CLUSTER === cluster && SWITCH_DBID === switchDbid,
    ) ?? null
  );
}

function sourceReasons({ standing, own, peer }: Standing, { instanceName, sources }: PeerStatus): string[] {
  const { name } = standing;
  // It may be called otherwise there.
  const status = sources.find((each) => each.name === (peer?.SOURCE ?? name));
  if (status === undefined) return [`${instanceName} does not record ${name}.`];
  const reasons = connectionReasons(name, status, instanceName);
  if (reasons.length > 0) return reasons;
  if (peer === null || peer.UNTIL_TIME === null) return [`${instanceName} has not heard anything of ${name} yet.`];
  if (peer.ENDED_BECAUSE !== null) {
    return [`${instanceName} has not heard of ${name} since ${peer.UNTIL_TIME} (${peer.ENDED_BECAUSE}).`];
  }
  if (own === null || own.UNTIL_TIME === null) return [];
  // Without numbers each connection has a run of its own.
  const hasNumbers = own.FROM_SEQ !== null && peer.FROM_SEQ !== null;
  if (hasNumbers && own.RUN !== peer.RUN) return [`${instanceName} hears another run of ${name} than this instance.`];
  const behindMs = Date.parse(own.UNTIL_TIME) - Date.parse(peer.UNTIL_TIME);
  if (behindMs <= behindMsMax) return [];
  return [`${instanceName} is ${seconds(behindMs)} behind this instance in what it has heard of ${name}.`];
}

function connectionReasons(
  name: string,
  { state, isHeldBack, alarms }: PeerSourceStatus,
  instanceName: string,
): string[] {
  if (state !== "connected") return [`${instanceName} is not connected to ${name}.`];
  if (isHeldBack) return [`${instanceName} does not read ${name} at the moment: too much waits for its disk.`];
  return alarms.map((each) => `${instanceName} says of ${name}: ${each}`);
}

/** What only this instance has of the stretch that was judged, and what the two contradict each other about. */
function windowReasons(
  { source, stretches }: SourceAvailability,
  named: readonly NamedSource[],
  instanceName: string,
): string[] {
  const own = named.find(({ cluster, switchDbid }) => cluster === source.cluster && switchDbid === source.switchDbid);
  if (own === undefined) return []; // not recorded here any more
  const { name } = own;
  return stretches.flatMap((each) => {
    const [here, there] = each.verdict.copies;
    if (each.verdict.agreement === "divergent")
      return [`The two contradict each other about ${name}, ${spanText(each)}.`];
    if (there === undefined || there.state !== "incomplete" || !isWhole(here)) return [];
    return [
      `Only this instance has ${name} whole, ${spanText(each)} (${instanceName}: ${causeClauses(there).join(", ")}).`,
    ];
  });
}

function spanText({ from, until }: JudgedStretch): string {
  const text = (at: number) => `${new Date(at * 1000).toISOString().slice(0, 19)}Z`;
  return `${text(from)} to ${text(until)}`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
