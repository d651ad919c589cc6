// The child's side: reads one errand from standard input, reads the IDB, and writes the answer to standard output as
// fast as it is taken. When standard input ends, the instance is gone, and so is whoever asked.

import { CopyError } from "../extraction/copy.ts";
import { printed } from "../printed.ts";
import { answer } from "./answer.ts";
import type { Errand, Heading } from "./question.ts";

const contentTypes = { lines: "application/x-ndjson", json: "application/json" } as const;
// Written at once; a line is some hundred bytes to some ten thousand.
const pieceBytes = 64 * 1024;

/** Returns the exit code: 0 when the answer is whole in its own way, also when it says why there is none. */
export async function handOutAsChild(): Promise<number> {
  const errand = await readErrand();
  if (errand === null) return 64;
  let begun = "";
  let isHeaded = false;
  try {
    const { form, pieces } = answer(errand);
    for await (const piece of pieces) {
      if (!isHeaded) begun = `${JSON.stringify({ contentType: contentTypes[form] } satisfies Heading)}\n`;
      isHeaded = true;
      begun += piece;
      if (begun.length < pieceBytes) continue;
      await printed(begun);
      begun = "";
    }
  } catch (error) {
    if (!(error instanceof CopyError) || isHeaded) throw error;
    begun = `${JSON.stringify({ refused: error.message, kind: error.kind } satisfies Heading)}\n`;
  }
  await printed(begun);
  return 0;
}

/** Null: the instance was gone before it said what it wants. */
function readErrand(): Promise<Errand | null> {
  return new Promise((resolve) => {
    let text = "";
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", (piece: string) => {
      text += piece;
      const end = text.indexOf("\n");
      if (end !== -1) resolve(JSON.parse(text.slice(0, end)) as Errand); // Written by handing-out.ts.
    });
    process.stdin.on("end", () => process.exit(0));
  });
}
