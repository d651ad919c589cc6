// Whoever counts as things happen and whoever counts afterwards, from the rows, must come to the same.

import { expect, test } from "bun:test";
import type { RowOf, TableName } from "../../schema/tables.ts";
import { countAnew } from "../../src/extraction/join-counted.ts";
import type { SubjectVersion } from "../../src/extraction/subject-version.ts";
import type { Segment, TakenRow } from "../../src/extraction/taken-row.ts";
import { Mutator } from "../fuzz/mutator.ts";
import { Story } from "../harness/story.ts";

const ids = [
  ...["EventQueued", "EventDiverted", "EventAbandoned", "EventDialing", "EventRinging", "EventRinging"],
  ...["EventEstablished", "EventEstablished", "EventHeld", "EventRetrieved", "EventReleased", "EventPartyChanged"],
];

function randomStory(mutator: Mutator): Story {
  const story = new Story({
    options: { storesReleasingParty: true },
    callDeletionTimeoutSeconds: mutator.below(2) * 5,
  });
  let seconds = 0;
  for (let event = 0; event < 60; event += 1) {
    seconds += mutator.pick([0, 0.1, 0.4, 1.7, 9, -0.2]);
    const call = mutator.pick(["1", "1", "2"]);
    const dn = mutator.pick(["8001", "5001", "5002", "5003"]);
    const line: readonly [number, string, Record<string, unknown>] = [
      seconds,
      mutator.pick(ids),
      {
        ConnID: `0${call}`,
        CallUUID: `C${call}`,
        ThisDN: dn,
        ThisDNRole: mutator.pick([1, 2, 2, 10]),
        CallState: mutator.pick([0, 0, 1, 2]),
        Extensions: { ReleasingParty: mutator.pick(["1 Local", "2", "other"]) },
        ...(mutator.below(4) > 0 && { PartyUUID: `${dn} ${mutator.below(3)}` }),
        ...(mutator.below(3) === 0 && { ThirdPartyDN: "5001", ThirdPartyDNRole: mutator.pick([7, 9]) }),
        ...(mutator.below(3) === 0 && { PreviousConnID: mutator.pick(["01", "02"]) }),
      },
    ];
    const kind = mutator.below(40);
    if (kind === 0)
      story.snapshot(event * 2 + 100, [seconds, "EventHeld", line[2]], [seconds, "EventRinging", line[2]]);
    else if (kind === 1) story.events([seconds, "EventCallDeleted", { ...line[2], CtrlParty: dn }]);
    else story.events(line);
  }
  for (const call of ["1", "2"]) {
    story.events([seconds + 1, "EventCallDeleted", { ConnID: `0${call}`, CallUUID: `C${call}` }]);
  }
  return story.heartbeat(seconds + 100);
}

/** What the story wrote, as one copy whose word holds throughout. */
function segmentOf(story: Story): Segment {
  const rows = {
    G_CALL_STAT: story.rows("G_CALL_STAT", "ID"),
    G_PARTY_STAT: story.rows("G_PARTY_STAT", "ID"),
  };
  const version = { copy: 0, subject: { rows } } as unknown as SubjectVersion;
  return { version, from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY, isGap: false };
}

const taken = <T extends TableName>(rows: readonly RowOf<T>[]): TakenRow[] =>
  rows.map((values) => ({ values: values as TakenRow["values"], copy: 0, rowId: null }));

test("statistics counted from the rows afterwards are those that were counted as things happened", () => {
  const mutator = new Mutator("counted statistics");
  const seen = new Set<string>();
  for (let run = 0; run < 120; run += 1) {
    const story = randomStory(mutator);
    const parties = story.rows("G_PARTY", "ID");
    const history = story.rows("G_PARTY_HISTORY", "PHID");
    for (const call of story.rows("G_CALL", "ID")) {
      const own = parties.filter(({ CALLID }) => CALLID === call.CALLID);
      const ofCall = new Set(own.map(({ PARTYID }) => PARTYID));
      // An identifier that is given out twice names two calls; which row is whose nobody can tell.
      if (story.rows("G_CALL", "ID").filter(({ CALLID }) => CALLID === call.CALLID).length > 1) continue;
      const ownHistory = history.filter(({ PARTYID }) => ofCall.has(PARTYID));
      const isTwofold = new Set(own.map(({ PARTYID }) => PARTYID)).size !== own.length;
      if (isTwofold) continue;
      const written = segmentOf(story);
      const own_ = (rows: readonly Record<string, unknown>[]) =>
        rows.filter(({ CALLID, PARTYID }) => CALLID === call.CALLID || ofCall.has(PARTYID as string));
      const stats = written.version.subject.rows;
      const segment = {
        ...written,
        version: {
          ...written.version,
          subject: {
            rows: { G_CALL_STAT: own_(stats.G_CALL_STAT ?? []), G_PARTY_STAT: own_(stats.G_PARTY_STAT ?? []) },
          },
        } as unknown as SubjectVersion,
      };
      const again = countAnew([segment], taken(own), taken(ownHistory), true);
      const values = (rows: readonly TakenRow[]) => rows.map((row) => row.values);
      const byId = (rows: readonly Record<string, unknown>[]) =>
        rows.toSorted((a, b) => Number(a["ID"]) - Number(b["ID"]));
      expect(byId(values(again.G_PARTY_STAT))).toEqual(byId(own_(stats.G_PARTY_STAT ?? [])));
      expect(values(again.G_CALL_STAT)).toEqual([...own_(stats.G_CALL_STAT ?? [])]);
      for (const row of own_(stats.G_CALL_STAT ?? [])) {
        for (const [column, value] of Object.entries(row))
          if (/^(F|CNT)_/.test(column) && value !== 0) seen.add(column);
      }
    }
  }
  expect([...seen].sort()).toEqual(
    ["CNT_CONFERENCE", "CNT_DIVERT", "CNT_HOLD", "CNT_TRANSFER", "F_CONN", "F_CONN_EXTN", "F_TE_ABND"].sort(),
  );
});

test("of two copies' statistics only one is taken, with who released as whichever copy knows it", () => {
  const stat = { ID: 1, PARTYID: "p", TT_CONNECTED: 3, RELEASINGPARTY: null as number | null, GSYS_DOMAIN: 7 };
  const copies = [
    { ...stat, RELEASINGPARTY: 2 },
    { ...stat, TT_CONNECTED: 1 },
  ];
  const segments = copies.map((row, copy) => ({
    version: { copy, subject: { rows: { G_CALL_STAT: [], G_PARTY_STAT: [row] } } } as unknown as SubjectVersion,
    from: copy * 10,
    until: copy * 10 + 10,
    isGap: false,
  }));
  const party = { PARTYID: "p", TYPE: 1, TERMINATED: "2026-11-23T08:00:09.500Z", PARENTLINKTYPE: null };
  const change = (ADDED: string, CHANGETYPE: number, STATE: number) => ({ PARTYID: "p", ADDED, CHANGETYPE, STATE });
  const history = [
    change("2026-11-23T08:00:01.900Z", 1, 2),
    change("2026-11-23T08:00:04.000Z", 3, 3),
    change("2026-11-23T08:00:09.500Z", 2, 1),
  ];
  const { G_PARTY_STAT } = countAnew(segments, taken([party as never]), taken(history as never), true);
  expect(G_PARTY_STAT).toMatchObject([
    { copy: 1, values: { TT_ALERTING: 3, TT_CONNECTED: 5, TT_HOLD: 0, RELEASINGPARTY: 2, GSYS_DOMAIN: 7 } },
  ]);
});
