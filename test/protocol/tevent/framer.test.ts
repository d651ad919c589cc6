import { expect, test } from "bun:test";
import { LineFramer } from "../../../src/protocol/tevent/framer.ts";
import { lineBytesMax } from "../../../src/protocol/tevent/line.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function framed(chunks: readonly Uint8Array[]): string[] {
  const framer = new LineFramer();
  return chunks
    .flatMap((chunk) => [...framer.push(chunk)].map(({ bytes: line, isCut }) => [line.slice(), isCut] as const))
    .map(([line, isCut]) => `${new TextDecoder().decode(line)}${isCut ? " (cut)" : ""}`);
}

test("lines are the same wherever the stream is split; CR before LF and empty lines are tolerated", () => {
  const stream = bytes('{"a":1}\r\n\n{"b":"ä€"}\n{"c":3}\n{"unfinished"');
  const expected = ['{"a":1}', '{"b":"ä€"}', '{"c":3}'];
  expect(framed([stream])).toEqual(expected);
  for (let at = 0; at <= stream.length; at++) {
    expect(framed([stream.subarray(0, at), stream.subarray(at)])).toEqual(expected);
  }
  expect(framed([...stream].map((byte) => new Uint8Array([byte])))).toEqual(expected);
});

test("a line over the bound is cut to it, the rest skipped, and the next line is whole; memory stays bounded", () => {
  const framer = new LineFramer();
  const chunk = new Uint8Array(64 * 1024).fill(0x78);
  let lines = 0;
  for (let sent = 0; sent < 4 * lineBytesMax; sent += chunk.length) {
    lines += [...framer.push(chunk)].length;
    expect(framer.pendingBytes).toBeLessThanOrEqual(lineBytesMax);
  }
  expect(lines).toBe(0);
  const [long, next] = framer.push(bytes("end\n{}\n"));
  expect([long?.bytes.length, long?.isCut]).toEqual([lineBytesMax, true]);
  expect([new TextDecoder().decode(next?.bytes), next?.isCut]).toEqual(["{}", false]);
});

test("a long line in one chunk is cut as well", () => {
  const framer = new LineFramer();
  const [line] = framer.push(bytes(`${"y".repeat(lineBytesMax + 5)}\n`));
  expect([line?.bytes.length, line?.isCut]).toEqual([lineBytesMax, true]);
});

test("a chunk of tiny lines is not all lines at once: each is made when it is asked for", () => {
  const chunk = bytes("first\nsecond\n");
  const lines = new LineFramer().push(chunk);
  const next = () => new TextDecoder().decode(lines.next().value?.bytes);
  expect(next()).toBe("first");
  chunk.set(bytes("se\n"), "first\n".length);
  expect([next(), next(), lines.next().done]).toEqual(["se", "ond", true]);
});
