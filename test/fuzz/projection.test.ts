import { expect, test } from "bun:test";
import type { AttachedDataMapping } from "../../src/event/attached-data.ts";
import { encodeEnvelope, type SessionId } from "../../src/event/envelope.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import type { UserEventMapping } from "../../src/event/user-events.ts";
import { LiveState } from "../../src/projection/live-state.ts";
import { stepRecord } from "../../src/projection/projection.ts";
import { rescheduleEndings } from "../../src/projection/put-in-force.ts";
import { Story, startMs } from "../harness/story.ts";
import { inputsInAll, Mutator } from "./mutator.ts";

const settings = { windowSeconds: 60 };
const names = ["A1", "A2", "constructor", "__proto__", "toString", "", "\u0000", "ü", "x".repeat(300)];
const ids = [
  "EventQueued",
  "EventDiverted",
  "EventRinging",
  "EventDialing",
  "EventEstablished",
  "EventHeld",
  "EventRetrieved",
  "EventAbandoned",
  "EventReleased",
  "EventPartyChanged",
  "EventRouteRequest",
  "EventRouteUsed",
  "EventAttachedDataChanged",
  "EventUserEvent",
  "EventAgentLogout",
  "EventCallDeleted",
  "EventAgentLogin",
  "EventAgentReady",
  "EventAgentNotReady",
  "EventDNDOn",
  "constructor",
];
const numbers = [
  0,
  -1,
  1,
  2,
  3,
  21,
  1e15,
  2 ** 53,
  0.5,
  null,
  "2",
  "000000000000000c",
  "RoleDestination",
  true,
  {},
  [],
];

const pairs = [
  { a: "1", __proto__x: 2, constructor: { a: [], b: { c: null } } },
  { Research: "+", Topic: "t" },
  { Research: "-", b: "x".repeat(300) },
  JSON.parse('{"__proto__":"p","a":"\ud83d"}'),
  [{ key: "a", value: 1 }, { key: "a" }, { key: "", type: "list", value: [{ key: "k", value: [1, [2]] }] }],
  [{ key: 1 }],
  [1, 2],
  "text",
  null,
  {},
  [],
];
const attachedData: AttachedDataMapping = {
  public: [["a", "userdata", "first"]],
  secure: [["a", "reasons", "last"]],
  columns: [["a", "extensions", "last", "G_CALL_USERDATA_CUST", "CUST_DATA_16"]],
  otherKeys: "all",
  valueLengthMax: 20,
};
const userEvents: UserEventMapping = {
  ...{ store: "all", eventKeys: [], globalKeys: ["b"], callsMax: 4 },
  ...{ states: [[200, "Research"]], fields: [["TOPIC", "Topic"]] },
};

/** A line of the link: most often an event, with the members that machines look at. */
function lineOf(mutator: Mutator, sequence: number): unknown {
  const seconds = startMs / 1000 + mutator.below(200) - 20;
  const kind = mutator.below(24);
  if (kind === 0) return { snapshot: mutator.pick(["begin", "end", "middle"]), lastSeq: sequence - mutator.below(3) };
  if (kind === 1) return { heartbeat: seconds, lastSeq: sequence };
  if (kind === 2) return { gap: { from: sequence, to: mutator.pick([null, sequence + 2, -1]) } };
  if (kind === 3) return { [mutator.pick(["cti", "link", "role", "bye", "__proto__"])]: mutator.pick(["up", "down"]) };
  const event: Record<string, unknown> = {
    id: mutator.pick(ids),
    EventSequenceNumber: mutator.below(12) === 0 ? mutator.pick(numbers) : sequence + mutator.pick([0, 0, 0, 0, 1, -1]),
    time: mutator.below(12) === 0 ? mutator.pick(numbers) : seconds,
    ConnID: mutator.pick(["01", "02", "constructor", "__proto__"]),
    ThisDN: mutator.pick(["5001", "5002", "__proto__"]),
  };
  for (const name of ["PartyUUID", "CallUUID", "ANI"]) {
    if (mutator.below(3) > 0) event[name] = mutator.pick(names);
  }
  for (const name of ["PreviousConnID", "ThisQueue", "ThirdPartyDN"]) {
    if (mutator.below(3) === 0) event[name] = mutator.pick([...names, "01", "02", "5001", "5002", 7, {}]);
  }
  for (const name of ["CtrlParty", "ThisDNRole", "ThirdPartyDNRole", "CallType", "CallState", "CallID"]) {
    if (mutator.below(3) === 0) event[name] = mutator.pick([...numbers, 4, 7]);
  }
  const keys = ["VQID", "ReleasingParty", "RTargetAgentSelected", "RTargetTypeSelected", "__proto__"];
  for (const name of ["Extensions", "UserData"]) {
    if (mutator.below(3) > 0) continue;
    const [key, value] = [mutator.pick(keys), mutator.pick([...numbers, ...names])];
    event[name] = mutator.pick<unknown>([{ [key]: value }, [{ key, value }], [key], value]);
  }
  for (const name of ["UserData", "Reasons", "Extensions"]) {
    if (mutator.below(3) === 0) event[name] = mutator.pick(pairs);
  }
  if (mutator.below(2) === 0) event["AgentID"] = mutator.pick([...names, 7]);
  for (const name of ["Reasons", "Extensions", "AgentWorkMode"]) {
    if (mutator.below(4) === 0)
      event[name] = mutator.pick([...numbers, { __proto__x: "1", a: { b: [] } }, [{ key: "k" }]]);
  }
  if (mutator.below(6) === 0) Object.assign(event, { snapshot: true, EventSequenceNumber: undefined });
  if (mutator.below(8) === 0) event["origin"] = { run: mutator.pick(names), seq: 3, time: seconds };
  return event;
}

test("no line makes the projection fail, every value can be a row's, and live state read back goes on as it was", () => {
  const mutator = new Mutator("projected lines");
  const opening = new Story({ role: ["gcc", "gls", "gud"], attachedData, userEvents }).payloads;
  const linesEach = 40;
  const tables = new Set<string>();
  for (let story = 0; story < (inputsInAll * 0.05) / linesEach; story += 1) {
    let live = new LiveState();
    const stored = new Map<string, { kind: string; key: string; version: number; data: string }>();
    let position = 0n;
    const take = (payload: Uint8Array) => {
      position += 1n;
      live.step((world) => stepRecord(world, settings, position, payload));
    };
    const commit = () => {
      const { rows, live: changes, rowSequence } = live.takeBatch();
      for (const [table, byKey] of rows) {
        tables.add(table);
        for (const row of byKey.values()) {
          for (const [column, value] of Object.entries(row ?? {})) {
            const fits =
              value == null ||
              typeof value === "string" ||
              value instanceof Uint8Array ||
              (typeof value === "number" && Number.isFinite(value));
            if (!fits) throw new Error(`${table}.${column} would be ${String(value)}`);
          }
        }
      }
      for (const { kind, key, version, data } of changes) {
        if (data === null) stored.delete(`${kind} ${key}`);
        else stored.set(`${kind} ${key}`, { kind, key, version, data });
      }
      return rowSequence;
    };
    for (const payload of opening) take(payload);
    const said: string[] = [];
    for (let line = 1; line <= linesEach; line += 1) {
      const text = JSON.stringify(lineOf(mutator, line));
      const frame = mutator.below(10) === 0 ? mutator.mutate(Buffer.from(text)) : Buffer.from(text);
      said.push(Buffer.from(frame).toString());
      const arrivedAt = arrivalInstant(startMs + line * 1000);
      try {
        take(
          encodeEnvelope({
            kind: "frame",
            session: 1001 as SessionId,
            arrivedAt,
            arrivalNumber: line,
            isCut: false,
            frame,
          }),
        );
        if (mutator.below(10) > 0) continue;
        const rowSequence = commit();
        const again = new LiveState();
        again.restore(stored.values(), rowSequence);
        again.step((world) => rescheduleEndings(world));
        for (const kind of [
          ...(["call", "session", "source", "call alias", "snapshot item"] as const),
          ...(["call data", "device calls", "custom states", "configuration", "login session", "agent dn"] as const),
        ]) {
          expect(again.all(kind)).toEqual(live.all(kind));
        }
        live = again;
      } catch (error) {
        throw new Error(`After\n${said.join("\n")}`, { cause: error });
      }
    }
    commit();
  }
  expect([...tables]).toEqual(
    expect.arrayContaining([
      "G_CALL",
      "G_PARTY",
      "G_AGENT_STATE_HISTORY",
      "GS_AGENT_STAT",
      "ICON_UNDECODED",
      "ICON_MARK",
    ]),
  );
}, 900_000);
