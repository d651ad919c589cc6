import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { AmiFramer, amiMessageBytesMax } from "../../src/protocol/ami/framer.ts";
import { decodeAmi } from "../../src/protocol/ami/message.ts";
import { inputsInAll, Mutator } from "./mutator.ts";

const recording = readFileSync(new URL("../fixture/asterisk-ami/ami-session.txt", import.meta.url));

test.each([amiMessageBytesMax, 300])(
  "a mutated recording of Asterisk splits into the same frames of at most %i bytes however it comes",
  (bytesMax) => {
    const mutator = new Mutator(`AMI, at most ${bytesMax} bytes`);
    const kinds = new Set<string>();
    for (let input = 0; input < inputsInAll * 0.05; input += 1) {
      const from = mutator.below(4) === 0 ? 0 : mutator.below(recording.length);
      const stream = mutator.mutate(recording.subarray(from, from + 1500));
      const framer = new AmiFramer(bytesMax);
      const split = mutator.chunks(stream).flatMap((chunk) => {
        const frames = framer.push(chunk);
        if (framer.heldBytes > bytesMax + 4) throw new Error(`Holds ${framer.heldBytes} bytes`);
        return frames;
      });
      const whole = new AmiFramer(bytesMax).push(stream);
      expect(split.length).toBe(whole.length);
      for (const [index, { bytes, isCut }] of whole.entries()) {
        if (bytes.length > bytesMax) throw new Error(`A frame of ${bytes.length} bytes`);
        const other = split[index];
        if (other === undefined || other.isCut !== isCut || Buffer.compare(other.bytes, bytes) !== 0) {
          throw new Error(`Frame ${index} differs: ${Buffer.from(bytes)}`);
        }
        kinds.add(decodeAmi(bytes, isCut).kind);
      }
    }
    expect([...kinds]).toEqual(expect.arrayContaining(["event", "undecodable"]));
  },
);
