import { expect, test } from "bun:test";
import { at, Story } from "../harness/story.ts";

const anna = { ThisDN: "5001", ThisDNRole: 1, PartyUUID: "A1", CallType: 3, DNIS: "4155550111", OtherDN: "4155550111" };

const busy = (options: object) =>
  new Story({ options }).events(
    [0, "EventDialing", anna],
    [2, "EventDestinationBusy", { ...anna, CallState: 6 }],
    [5, "EventReleased", { ...anna, CallState: 6 }],
  );

test("a busy destination is a row of the caller's history where that is asked for; he goes on dialing", () => {
  const history = (story: Story) =>
    story.rows("G_PARTY_HISTORY", "PHID").map((row) => [row.PSEQ, row.CCEVENT, row.STATE, row.PREVSTATE, row.ADDED]);
  const [dialing, gone] = [6, 1];
  expect(history(busy({}))).toEqual([
    [1, 61, dialing, null, at(0)],
    [2, 65, gone, dialing, at(5)],
  ]);
  const story = busy({ storesBusyDestinations: true });
  expect(history(story)).toEqual([
    [1, 61, dialing, null, at(0)],
    [2, 63, dialing, dialing, at(2)],
    [3, 65, gone, dialing, at(5)],
  ]);
  expect(story.rows("G_PARTY_STAT", "ID")).toMatchObject([{ TT_DIALING: 5 }]);
});

test("of a call or party that is not known, or that is not dialing, a busy destination makes nothing", () => {
  const story = new Story({ options: { storesBusyDestinations: true } });
  story.events([0, "EventDestinationBusy", anna]);
  expect(story.rows("G_CALL", "ID")).toEqual([]);
  story.events([1, "EventDialing", anna], [2, "EventEstablished", anna], [3, "EventDestinationBusy", anna]);
  story.expectParties("5001: dialing 1, connected 2 | …");
});

test("a party says from which switch it was transferred here, where its server does", () => {
  const from = { LastTransferHomeLocation: "Switch_South", LastTransferOrigDN: "7001" };
  const story = new Story().events(
    [0, "EventRinging", { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1", CallType: 2, ...from }],
    [2, "EventEstablished", { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" }],
    [3, "EventRinging", { ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1" }],
  );
  const [first, second] = story.rows("G_PARTY", "ID");
  expect(first).toMatchObject({ GSYS_EXT_VCH1: "Switch_South", GSYS_EXT_VCH2: "7001", STATE: 3 });
  expect(second).not.toHaveProperty("GSYS_EXT_VCH1");
});
