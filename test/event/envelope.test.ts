import { expect, test } from "bun:test";
import {
  decodeEnvelope,
  type Envelope,
  EnvelopeError,
  encodeEnvelope,
  envelopeHeaderBytes,
  readArrivedAt,
  type SessionId,
} from "../../src/event/envelope.ts";
import { arrivalInstant, sourceInstant, timecode, timestampText, utcSeconds } from "../../src/event/instant.ts";

const session = 1_795_423_798 as SessionId;
const arrivedAt = arrivalInstant(1_795_423_798_403);

test("a frame comes back byte for byte with what only we know of it", () => {
  const frame = new Uint8Array([0, 255, 10, 13, 34]);
  const envelope: Envelope = { kind: "frame", session, arrivedAt, arrivalNumber: 4_294_967_297, isCut: true, frame };
  expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(envelope);
  expect(encodeEnvelope(envelope).length).toBe(envelopeHeaderBytes + frame.length);
});

test("a mark comes back as it was", () => {
  const mark = { mark: "session closed", source: "north", cause: "silence", detail: null } as const;
  expect(decodeEnvelope(encodeEnvelope({ kind: "mark", session, arrivedAt, mark }))).toEqual({
    kind: "mark",
    session,
    arrivedAt,
    mark,
  });
});

test("bytes that no version of the program wrote are an error that says what is wrong", () => {
  const message = (bytes: Uint8Array) => {
    try {
      decodeEnvelope(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(EnvelopeError);
      return (error as Error).message;
    }
    return "no error";
  };
  expect(message(new Uint8Array(5))).toBe("Cannot read an envelope of 5 bytes: expected at least 24");
  const unknown = new Uint8Array(30);
  unknown[0] = 9;
  expect(message(unknown)).toBe("Cannot read an envelope of kind 9: expected 1 (frame) or 2 (mark)");
  unknown[0] = 2;
  expect(message(unknown)).toBe("Cannot read a mark: its text is not JSON");
});

test("an instant stands in the columns as UTC text with milliseconds, whole seconds and five-minute step", () => {
  const at = sourceInstant(1_795_423_798_403.781);
  expect(timestampText(at)).toBe("2026-11-23T08:49:58.403Z");
  expect(utcSeconds(at)).toBe(1_795_423_798);
  expect(timecode(at)).toBe(1_795_423_500);
});

test("the arrival is read alone as it is read with the rest, of frames and marks, and of nothing else", () => {
  const mark = encodeEnvelope({ kind: "mark", session, arrivedAt, mark: { mark: "instance stopped" } });
  expect(readArrivedAt(mark)).toBe(arrivedAt);
  expect(readArrivedAt(mark)).toBe(decodeEnvelope(mark).arrivedAt);
  expect(readArrivedAt(mark.with(0, 9))).toBeNull();
  expect(readArrivedAt(mark.subarray(0, 15))).toBeNull();
});
