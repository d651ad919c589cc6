import { describe, expect, test } from "bun:test";
import { type AmiMessage, timestampOf } from "../../../src/event/ami-message.ts";
import { sourceInstant } from "../../../src/event/instant.ts";
import { AmiActionError, encodeAction } from "../../../src/protocol/ami/action.ts";
import { AmiFramer } from "../../../src/protocol/ami/framer.ts";
import { decodeAmi, decodeFields } from "../../../src/protocol/ami/message.ts";
import { loadRecording } from "../../harness/ami-recording.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const decode = (text: string) => decodeAmi(bytesOf(text));

describe("a decoded message of the manager interface", () => {
  test("an event has its name and its fields, whatever their case", () => {
    const message = decode("Event: Hangup\r\nUniqueid: pbx1-1.2\r\nCause: 16\r\nCause-txt: Normal Clearing");
    if (message.kind !== "event") throw new Error(message.kind);
    expect(message.name).toBe("Hangup");
    expect(message.fields.get("uniqueID")).toBe("pbx1-1.2");
    expect(message.fields.get("cause-TXT")).toBe("Normal Clearing");
    expect(message.fields.get("Linkedid")).toBeUndefined();
  });

  test("repeated fields are all kept, in order, and a value keeps its colons", () => {
    const message = decode("Response: Success\r\nOutput: a: 1\r\nOutput: b\r\nActionID: 7:x");
    if (message.kind !== "response") throw new Error(message.kind);
    expect(message.fields.all("output")).toEqual(["a: 1", "b"]);
    expect(message).toMatchObject({ success: true, actionId: "7:x" });
  });

  test.each([
    ["Response: Error\r\nMessage: Authentication failed", { kind: "response", success: false, actionId: null }],
    ["Response: Goodbye", { kind: "response", success: true, actionId: null }],
    ["Asterisk Call Manager/5.0.1", { kind: "banner", text: "Asterisk Call Manager/5.0.1" }],
    ["SSH-2.0-OpenSSH_9.6", { kind: "undecodable" }],
    ["Event:", { kind: "undecodable" }],
    ["\u0000\u0001\u0002", { kind: "undecodable" }],
    ["", { kind: "undecodable" }],
  ] as [string, Partial<AmiMessage>][])("%j is read for what it is", (text, expected) => {
    expect(decode(text)).toMatchObject(expected);
  });

  test("a message that was cut to its bound is not read", () => {
    expect(decodeAmi(bytesOf("Event: A\r\nX: yyy"), true)).toMatchObject({ kind: "undecodable" });
  });

  test.each([
    ["1795423798.403781", 1795423798403.781],
    ["1795423798", 1795423798000],
    ["yesterday", null],
    ["-1.5", null],
    ["999999999999.0", null],
    ["", null],
  ])("Timestamp %j is %p", (text, expected) => {
    const at = timestampOf(decode(`Event: A\r\nTimestamp: ${text}`));
    expect(at).toBe(expected === null ? null : sourceInstant(expected));
  });

  test.each(["ami", "a", "b"] as const)("recording %s has no message that cannot be decoded", (name) => {
    let count = 0;
    for (const { greeting, messages } of loadRecording(name).connections) {
      const framer = new AmiFramer();
      for (const bytes of [greeting, ...messages.map((message) => message.bytes)]) {
        for (const frame of framer.push(bytes)) {
          const message = decodeAmi(frame.bytes, frame.isCut);
          if (message.kind === "undecodable") throw new Error(message.reason);
          count += 1;
        }
      }
      expect(framer.heldBytes).toBe(0);
    }
    expect(count).toBeGreaterThan(800);
  });
});

describe("an action", () => {
  test("is written as header lines and read back", () => {
    const action = encodeAction("Login", { ActionID: "icon-1", Username: "icon", Secret: "s: 1" });
    expect(new TextDecoder().decode(action)).toBe(
      "Action: Login\r\nActionID: icon-1\r\nUsername: icon\r\nSecret: s: 1\r\n\r\n",
    );
    const [frame] = new AmiFramer().push(action);
    expect(decodeFields(frame?.bytes ?? new Uint8Array()).get("secret")).toBe("s: 1");
  });

  test("may repeat a field", () => {
    const action = encodeAction("Originate", [
      ["Variable", "A=1"],
      ["Variable", "B=2"],
    ]);
    expect(new TextDecoder().decode(action)).toBe("Action: Originate\r\nVariable: A=1\r\nVariable: B=2\r\n\r\n");
  });

  test.each(["a\r\nAction: Command", "a\nb", "a\rb", "a\0b"])("refuses the value %j without repeating it", (value) => {
    const encode = () => encodeAction("Login", { Secret: value });
    expect(encode).toThrow(AmiActionError);
    expect(encode).toThrow("Secret");
    expect(encode).not.toThrow("Command");
  });

  test("refuses a field name that would break the line", () => {
    expect(() => encodeAction("Login", { "X: y": "z" })).toThrow(AmiActionError);
  });
});
