import { expect, test } from "bun:test";
import type { CallId } from "../../src/event/happening.ts";
import { sourceInstant } from "../../src/event/instant.ts";
import type { Call } from "../../src/projection/call.ts";
import { LiveState, LiveStateDamagedError, LiveStateVersionError } from "../../src/projection/live-state.ts";
import { liveStateVersion } from "../../src/projection/world.ts";

const call = (name: string, over: Partial<Call> = {}) => ({ callId: name, parties: {}, ...over }) as unknown as Call;

test("a step that fails leaves nothing: no entity, no row, no row id, no deadline", () => {
  const live = new LiveState();
  live.step((world) => {
    world.put("call", "a", call("a"));
    world.schedule("north", sourceInstant(5), "a" as CallId);
  });
  live.takeBatch();
  const idBefore = live.rowSequence;
  const failing = () =>
    live.step((world) => {
      world.put("call", "a", call("changed"));
      world.put("call", "b", call("b"));
      world.remove("call", "a");
      world.takeDue("north", sourceInstant(9));
      world.write("G_TIMECODE", { ID: world.nextRowId() });
      throw new Error("planted");
    });
  expect(failing).toThrow("planted");
  expect(live.all("call")).toEqual([["a", call("a")]]);
  expect(live.rowSequence).toBe(idBefore);
  expect([...live.takeBatch().rows]).toEqual([]);
  live.step((world) => expect(world.takeDue("north", sourceInstant(9)).map(String)).toEqual(["a"]));
});

test("a batch has each row once, as it was written last, and of what came and went only that it is gone", () => {
  const live = new LiveState();
  live.step((world) => world.write("ICON_COUNTER", { SOURCE: "north", NAME: "n", VALUE: 1 }));
  live.step((world) => {
    world.write("ICON_COUNTER", { SOURCE: "north", NAME: "n", VALUE: 2 });
    world.put("call", "kept", call("kept"));
    world.put("call", "gone", call("gone"));
  });
  live.step((world) => world.remove("call", "gone"));
  const { rows, live: changes } = live.takeBatch();
  expect([...(rows.get("ICON_COUNTER")?.values() ?? [])]).toEqual([{ SOURCE: "north", NAME: "n", VALUE: 2 }]);
  expect(changes.map(({ kind, key, data }) => [kind, key, data === null])).toEqual([
    ["call", "kept", false],
    ["call", "gone", true],
  ]);
  expect(live.takeBatch().live).toEqual([]);
});

test("a call is found by its ConnID while it is open, after a restart and after a step that failed", () => {
  const older = call("older", { source: "north", connId: "01", createdAt: sourceInstant(1) });
  const newer = call("newer", { source: "north", connId: "01", createdAt: sourceInstant(2) });
  const live = new LiveState();
  const found = (source = "north", connId = "01") => live.callByConnId(source, connId)?.callId as string | undefined;
  live.restore(
    [newer, older].map((each) => ({
      kind: "call",
      key: each.callId,
      version: liveStateVersion,
      data: JSON.stringify(each),
    })),
    0,
  );
  expect([found(), found("south"), found("north", "02")]).toEqual(["newer", undefined, undefined]);
  live.step((world) => world.remove("call", "newer"));
  expect(found()).toBe("older");
  const failing = () =>
    live.step((world) => {
      world.put("call", "older", { ...older, connId: "02" });
      world.put("call", "third", call("third", { source: "north", connId: "01" }));
      throw new Error("planted");
    });
  expect(failing).toThrow("planted");
  expect([found(), found("north", "02")]).toEqual(["older", undefined]);
  live.step((world) => world.put("call", "older", { ...older, connId: "02" }));
  expect([found(), found("north", "02")]).toEqual([undefined, "older"]);
});

test("live state of another version of the program is refused by its name", () => {
  const stored = [{ kind: "call", key: "a", version: liveStateVersion + 1, data: "{}" }];
  expect(() => new LiveState().restore(stored, 0)).toThrow(LiveStateVersionError);
});

test.each(['{"callId', "", "5", "null", "[]"])(
  "live state that is %j is refused as damaged, by its kind alone",
  (data) => {
    const stored = [{ kind: "call", key: "a", version: liveStateVersion, data }];
    const restore = () => new LiveState().restore(stored, 0);
    expect(restore).toThrow(LiveStateDamagedError);
    expect(restore).toThrow(/an entity of kind "call" is not (JSON|an object)$/);
  },
);
