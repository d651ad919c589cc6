// What the instance's state comes to: ready or not for whoever asks by machine, and one sentence for whoever looks at
// the page at night. Both are functions of the report alone.

import type { CertificateStatus, SourceStatus, StatusReport, WalBlockStatus } from "./report.ts";
import { instantText } from "./wording.ts";

export interface ReadinessReason {
  readonly subject: "instance" | "queue" | "idb" | "source";
  /** The source's name; null for the others. */
  readonly source: string | null;
  readonly sentence: string;
}

/** What keeps the instance from being ready; empty when it is: queue and IDB open, every source connected. */
export function reasonsNotReady(report: StatusReport): ReadinessReason[] {
  const reasons: ReadinessReason[] = [];
  const add = (subject: ReadinessReason["subject"], sentence: string, source: string | null = null) =>
    reasons.push({ subject, source, sentence });
  if (report.instance.state !== "running") add("instance", `The instance is ${report.instance.state}.`);
  if (report.queue.state !== "open") add("queue", `The persistent queue is ${queueWord(report.queue.state)}.`);
  if (report.idb.state !== "open") add("idb", `The IDB is ${report.idb.state}.`);
  for (const source of report.sources) {
    if (source.state === "connected") continue;
    add("source", `Source ${source.name} is ${source.state}.`, source.name);
    for (const { sentence } of source.alarms) add("source", `${sentence}.`, source.name);
  }
  return reasons;
}

/** What somebody should look at although the instance is ready. */
export function warningsOf(report: StatusReport): ReadinessReason[] {
  const warnings: ReadinessReason[] = [];
  const { walBlock } = report.idb;
  if (walBlock !== null) {
    const since = instantText(walBlock.since);
    const sentence = `${readersText(walBlock)} has been reading the IDB since ${since} or longer, so its write-ahead log grows.`;
    warnings.push({ subject: "idb", source: null, sentence });
  }
  for (const { name, state, alarms } of report.sources) {
    if (state !== "connected") continue;
    for (const { sentence } of alarms) warnings.push({ subject: "source", source: name, sentence: `${sentence}.` });
  }
  return warnings;
}

function readersText({ readers }: WalBlockStatus): string {
  if (readers.length === 0) return "A process that cannot be seen from here";
  return readers.map(({ pid, command }) => `Process ${pid} (${command})`).join(", ");
}

export type Tone = "good" | "look" | "bad";

export interface Verdict {
  readonly tone: Tone;
  readonly word: string;
  readonly sentences: readonly string[];
}

// Beyond this the reader of the IDB sees an old state, though nothing is lost.
const ageNotAppliedMsMax = 60_000;
// Well before the reserve is touched that [queue] reserve keeps, while there is still time to look.
const diskFreeBytesMin = 1024 ** 3;

const dayMs = 86_400_000;
// As long before its end as certificates are renewed at the latest that are renewed by machine.
const certificateDaysMin = 14;

/** In words how long the certificate in use holds, and how that is to be taken. */
export function certificateWord({ notAfter }: CertificateStatus, now: number): [Tone, string] {
  const days = Math.floor((notAfter - now) / dayMs);
  if (days < 0) return ["bad", "expired"];
  return [days < certificateDaysMin ? "look" : "good", `${days} ${days === 1 ? "day" : "days"} left, until`];
}

function httpSentences({ certificate, tokensProblem }: StatusReport["http"], now: number): string[] {
  const sentences: string[] = [];
  if (tokensProblem !== null)
    sentences.push("The token file cannot be used as it is now; the tokens before it are in force.");
  if (certificate === null) return sentences;
  if (certificate.problem !== null) sentences.push("The certificate was not renewed; the one before it is in use.");
  const [tone, word] = certificateWord(certificate, now);
  if (tone !== "good")
    sentences.push(
      `The certificate of this page: ${word} ${new Date(certificate.notAfter).toISOString().slice(0, 10)}.`,
    );
  return sentences;
}

/** The answer to "is it recording?". */
export function verdictOn(report: StatusReport, now: number): Verdict {
  const connected = report.sources.filter((each) => each.state === "connected").length;
  const bad: string[] = [];
  if (report.queue.state === "failed") bad.push("The persistent queue has failed; the instance must be restarted.");
  if (report.queue.state === "full") bad.push("The persistent queue is full, so the sources are not being read.");
  if (report.sources.length > 0 && connected === 0) {
    bad.push("No data source is connected.");
    bad.push(...report.sources.flatMap(({ alarms }) => alarms.map(({ sentence }) => `${sentence}.`)));
  }
  if (bad.length > 0) return { tone: "bad", word: "Not recording", sentences: bad };

  const look: string[] = [];
  if (report.instance.state !== "running") look.push(`The instance is ${report.instance.state}.`);
  if (report.sources.length === 0) look.push("No data source is configured.");
  look.push(...report.sources.filter((each) => each.state !== "connected").map(missingSource));
  if (report.idb.state !== "open") {
    look.push(`The IDB is ${report.idb.state}; what arrives waits in the persistent queue.`);
  }
  look.push(...warningsOf(report).map(({ sentence }) => sentence));
  const behindMs = report.queue.oldestNotAppliedAgeMs ?? 0;
  if (behindMs > ageNotAppliedMsMax) look.push("The IDB is more than a minute behind the persistent queue.");
  const { diskFreeBytes } = report.queue;
  if (diskFreeBytes !== null && diskFreeBytes < diskFreeBytesMin) look.push("Less than 1 GiB of disk is free.");
  look.push(...httpSentences(report.http, now));
  if (look.length > 0) return { tone: "look", word: "Recording, but look", sentences: look };
  return { tone: "good", word: "Recording", sentences: [] };
}

function missingSource({ name, state, alarms }: SourceStatus): string {
  if (alarms.length > 0) return alarms.map(({ sentence }) => `${sentence}.`).join(" ");
  return state === "waiting" ? `Source ${name} is not connected.` : `Source ${name} is being connected.`;
}

function queueWord(state: StatusReport["queue"]["state"]): string {
  return state === "failed" ? "unusable after a failed write" : state;
}
