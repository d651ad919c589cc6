import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type AmiFrame, AmiFramer, amiMessageBytesMax } from "../../../src/protocol/ami/framer.ts";
import { recordings } from "../../harness/ami-recording.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (frame: AmiFrame) => new TextDecoder().decode(frame.bytes);

function frame(text: string): string[] {
  return new AmiFramer().push(bytesOf(text)).map(textOf);
}

describe("the framer of the manager interface", () => {
  test("a message is its header lines, without the line end of the last one and without the empty line", () => {
    expect(frame("Event: A\r\nX: 1\r\n\r\nEvent: B\r\n\r\n")).toEqual(["Event: A\r\nX: 1", "Event: B"]);
  });

  test("lines may end with a line feed alone", () => {
    expect(frame("Event: A\nX: 1\n\nEvent: B\n\n")).toEqual(["Event: A\nX: 1", "Event: B"]);
  });

  test("the greeting is a message of its own though no empty line follows it", () => {
    const greeted = frame("Asterisk Call Manager/13.0.0\r\nResponse: Success\r\n\r\n");
    expect(greeted).toEqual(["Asterisk Call Manager/13.0.0", "Response: Success"]);
  });

  test("a foreign greeting is seen at once", () => {
    expect(frame("SSH-2.0-OpenSSH_9.6\r\n")).toEqual(["SSH-2.0-OpenSSH_9.6"]);
  });

  test("a later line that is no header line stays within its message", () => {
    expect(frame("Response: Follows\r\nsome output\r\n--END COMMAND--\r\n\r\n")).toEqual([
      "Response: Follows\r\nsome output\r\n--END COMMAND--",
    ]);
  });

  test("empty lines between messages are not messages", () => {
    expect(frame("\r\n\r\nEvent: A\r\n\r\n\r\n\n\nEvent: B\r\n\r\n")).toEqual(["Event: A", "Event: B"]);
  });

  test("half a message is kept until the rest comes", () => {
    const framer = new AmiFramer();
    expect(framer.push(bytesOf("Event: A\r\nX"))).toEqual([]);
    expect(framer.push(bytesOf(": 1\r\n\r"))).toEqual([]);
    expect(framer.push(bytesOf("\n")).map(textOf)).toEqual(["Event: A\r\nX: 1"]);
    expect(framer.heldBytes).toBe(0);
  });

  test("every point at which a real excerpt can be split gives the same messages", () => {
    const excerpt = new Uint8Array(readFileSync(recordings.ami.file)).subarray(0, 6000);
    const whole = new AmiFramer().push(excerpt).map(textOf);
    expect(whole.length).toBeGreaterThan(10);
    for (let split = 0; split <= excerpt.length; split += 1) {
      const framer = new AmiFramer();
      const parts = [...framer.push(excerpt.subarray(0, split)), ...framer.push(excerpt.subarray(split))];
      if (parts.length !== whole.length || parts.some((part, index) => textOf(part) !== whole[index])) {
        throw new Error(`Split at byte ${split}: ${JSON.stringify(parts.map(textOf))}`);
      }
    }
  });

  test("byte by byte gives the same messages, and joined they are the stream", () => {
    const stream = new Uint8Array(readFileSync(recordings.ami.file));
    const framer = new AmiFramer();
    const frames: AmiFrame[] = [];
    for (let index = 0; index < stream.length; index += 1)
      frames.push(...framer.push(stream.subarray(index, index + 1)));
    const [greeting, ...messages] = frames.map(textOf);
    const joined = `${greeting}\r\n${messages.map((message) => `${message}\r\n\r\n`).join("")}`;
    expect(joined).toBe(new TextDecoder().decode(stream));
    expect(frames.every((each) => !each.isCut)).toBe(true);
  });

  test("2 MiB without an empty line are cut to the bound, flagged, and what follows is read again", () => {
    const framer = new AmiFramer();
    const garbage = new Uint8Array(64 * 1024).fill(0x61);
    const frames = [...framer.push(bytesOf("Event: Big\r\nX: "))];
    let most = 0;
    for (let sent = 0; sent < 2 * amiMessageBytesMax; sent += garbage.length) {
      frames.push(...framer.push(garbage));
      most = Math.max(most, framer.heldBytes);
    }
    frames.push(...framer.push(bytesOf("\r\nY: 2\r\n\r\nEvent: Next\r\n\r\n")));
    expect(frames.map((each) => [each.bytes.length, each.isCut])).toEqual([
      [amiMessageBytesMax, true],
      ["Event: Next".length, false],
    ]);
    expect(most).toBeLessThanOrEqual(amiMessageBytesMax + 4);
  });

  test.each([-2, -1, 0, 1, 2, 3, 4, 5, 6])(
    "a message %p bytes beyond the bound is cut exactly when it is longer",
    (beyond) => {
      const bound = 64;
      for (const lineEnd of ["\n", "\r\n"]) {
        const message = `Event: A${lineEnd}X: `.padEnd(bound + beyond, "y");
        const stream = bytesOf(`${message}${lineEnd}${lineEnd}Event: Next${lineEnd}${lineEnd}`);
        for (let split = 0; split <= stream.length; split += 1) {
          const framer = new AmiFramer(bound);
          const frames = [...framer.push(stream.subarray(0, split)), ...framer.push(stream.subarray(split))];
          expect(frames.map((each) => [textOf(each), each.isCut])).toEqual([
            [message.slice(0, bound), beyond > 0],
            ["Event: Next", false],
          ]);
        }
      }
    },
  );

  test("random bytes never fail, in whatever pieces, and give the same messages", () => {
    const seed = Date.now() >>> 0;
    console.log(`framer seed ${seed}`);
    let state = seed;
    const next = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const alphabet = bytesOf("aE:\r\n\r\n\0 ");
    for (let round = 0; round < 300; round += 1) {
      const stream = Uint8Array.from({ length: next(200) }, () => alphabet[next(alphabet.length)] ?? 0);
      const whole = new AmiFramer(40).push(stream);
      const framer = new AmiFramer(40);
      const pieces: AmiFrame[] = [];
      for (let offset = 0; offset < stream.length; ) {
        const end = offset + 1 + next(7);
        pieces.push(...framer.push(stream.subarray(offset, end)));
        offset = end;
      }
      expect(pieces).toEqual(whole);
      expect(whole.every((each) => each.bytes.length > 0 && each.bytes.length <= 40)).toBe(true);
    }
  });
});
