// Planning over more time than is held in memory at once.

import { expect, test } from "bun:test";
import { callTableNames } from "../../schema/life.ts";
import type { Copy, CopyIdentity, Subject } from "../../src/extraction/copy.ts";
import { Judgement } from "../../src/extraction/judgement.ts";
import { plannedSubjects } from "../../src/extraction/planned-subjects.ts";
import { beginningSeconds, cluster, ledger, spans, switchDbid } from "./ledger-story.ts";

const hour = 3600;
const text = (seconds: number) => new Date((beginningSeconds + seconds) * 1000).toISOString();

/** One that began at that hour and lasted for a minute. */
function callAt(at: number): Subject {
  const call = { CALLID: `C${at}`, CREATED: text(at * hour + 60), TERMINATED: text(at * hour + 120) };
  const rows = Object.fromEntries(callTableNames.map((table) => [table, table === "G_CALL" ? [call] : []]));
  return {
    family: "call",
    key: call.CALLID,
    isKeyLocal: false,
    sourceCluster: cluster,
    switchDbid,
    rows,
    quality: [],
  };
}

test("calls of a quiet source, planned together, may lie further apart than ledgers are kept in memory", async () => {
  const hours = 100;
  const stretch = { from: beginningSeconds, until: beginningSeconds + hours * hour };
  const told = ledger({ spans: spans({ from: [-60, 0], until: [hours * hour + 60, hours * 10] }) });
  const identity: CopyIdentity = told.identity;
  const copy: Copy = {
    name: "quiet",
    identity: async () => identity,
    ledger: async () => told,
    async *subjects() {
      for (let at = 0; at < hours; at += 1) yield callAt(at);
    },
    async [Symbol.asyncDispose]() {},
  };
  const judgement = new Judgement([copy], [identity]);
  await judgement.findFirstWord(stretch);
  const question = { kind: "created", stretch } as const;
  const verdicts: string[] = [];
  const planning = { family: "call", copies: [copy], judgement, question, knownUntil: () => stretch.until } as const;
  for await (const batch of plannedSubjects(planning)) {
    for (const planned of batch) verdicts.push(planned.kind === "planned" ? planned.plan.verdict : planned.kind);
  }
  expect(verdicts).toEqual(Array.from({ length: hours }, () => "complete"));
});
