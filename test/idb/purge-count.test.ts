// What a purge would delete is counted before it: the counts are those of the rows that are then gone, and nothing changes.

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { countPurge, type PurgeCount } from "../../src/idb/purge-count.ts";
import { differencesBetween, readWhole } from "../harness/dump.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { store } from "../harness/stored-story.ts";
import { Story, startMs } from "../harness/story.ts";
import { led, purge, purgeAll, query } from "./purged.ts";

const desk = (dn: string, data: object) => ({ ConnID: undefined, CallUUID: undefined, ThisDN: dn, UserData: data });
const agent = (number: number) => ({ ConnID: null, CallUUID: null, ThisDN: `5${number}`, AgentID: `A${number}` });
const on = (call: number) => ({
  ConnID: call.toString(16).padStart(16, "0"),
  ...{ ThisDN: `5${call}`, ThisDNRole: 2, PartyUUID: `P${call}`, CallUUID: `C${call}`, UserData: { k: String(call) } },
});

/** Calls, login sessions, data of calls and of none, doubts; of each kind some stay. */
function story(): Story {
  const s = new Story({
    role: ["gcc", "gls", "gud"],
    attachedData: { public: [], secure: [], columns: [], otherKeys: "all", valueLengthMax: 255 },
    userEvents: { store: "all", eventKeys: [], globalKeys: [], states: [], fields: [], callsMax: 16 },
    callDeletionTimeoutSeconds: 1,
  });
  s.events(
    [1, "EventUserEvent", desk("6001", { note: "without a call" })],
    [2, "EventAgentLogin", agent(1)],
    [2, "EventAgentLogin", agent(2)],
    // Its beginning was not seen.
    [3, "EventAgentReady", agent(3)],
    [4, "EventAgentReady", agent(1)],
    [9, "EventEstablished", on(9)],
  );
  for (let call = 1; call <= 5; call++) {
    s.events([call * 10, "EventRinging", on(call)], [call * 10 + 9, "EventReleased", on(call)]);
  }
  s.events([70, "EventAgentLogout", agent(1)], [70, "EventAgentLogout", agent(3)], [71, "EventReleased", on(9)]);
  s.heartbeat(90).wait(95).mark({ mark: "idb back" }).wait(100_000);
  s.events([100_000, "EventRinging", on(6)], [100_001, "EventUserEvent", desk("6001", { note: "young" })]);
  s.events([100_010, "EventReleased", on(6)]).heartbeat(100_020);
  return s.mark({ mark: "idb back" });
}

test("counted are the rows that a purge at that moment then deletes, table by table, and counting changes nothing", async () => {
  using directory = new TemporaryDirectory("purge-count");
  const [queue, path] = [directory.at("queue"), directory.at("idb.db")];
  const told = story();
  const end = BigInt(told.payloads.length);
  await store(queue, purge(told, 100).payloads);
  led({ queue, idb: path }, (idb, upTo) => {
    upTo(end);
    const before = readWhole(path);
    const count: PurgeCount = countPurge(path, startMs + 100_000);
    expect(differencesBetween(before, readWhole(path))).toEqual([]);
    upTo(end + 1n);
    purgeAll(idb);
    const after = readWhole(path);
    const gone = differencesBetween(before, after)
      .map((line) => line.slice(0, line.indexOf(":")))
      .filter((table) => table !== "ICON_MARK" && table !== "G_PROV_CONTROL");
    const rows = Object.fromEntries([...Map.groupBy(gone, (each) => each)].map(([table, all]) => [table, all.length]));
    expect(count).toEqual({ calls: 6, loginSessions: 2, rows });
    expect(Object.keys(rows)).toEqual(expect.arrayContaining(["G_CALL", "G_CUSTOM_DATA_S", "ICON_ROW_QUALITY"]));
    expect(query(path, "SELECT CALLID FROM G_CALL")).toEqual([{ CALLID: "C6" }]);
    expect(countPurge(path, startMs + 100_000)).toEqual({ calls: 0, loginSessions: 0, rows: {} });
  });
});

test("a file that is no IDB is refused, and one that is not there is not made", () => {
  using directory = new TemporaryDirectory("purge-count");
  expect(() => countPurge(directory.at("none.db"), startMs)).toThrow();
  expect(existsSync(directory.at("none.db"))).toBe(false);
});
