// Asks a child process of this same program one thing and reads its answer, one JSON text. What opens an IDB that may be
// damaged, or that somebody else writes, runs there: SQLite may crash or take all its memory, and the parent lives on.

import { selfCommand } from "./ask.ts";
import { IdbUnavailableError } from "./error.ts";

/** Rejects with IdbUnavailableError when the child ended without an answer; `doing`: "Cannot …". */
export async function askChild<Answer>(words: readonly string[], doing: string): Promise<Answer> {
  const child = Bun.spawn(selfCommand(words), { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [output, trouble] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const exitCode = await child.exited;
  if (exitCode !== 0) throw childEnded(doing, child.signalCode ?? exitCode, trouble);
  return JSON.parse(output) as Answer; // Written by the other end, in the same version of the program.
}

export function childEnded(doing: string, how: string | number, trouble: string): IdbUnavailableError {
  const [firstLine = ""] = trouble.trim().split("\n");
  return new IdbUnavailableError(`${doing}: the process that read it ended with ${how}: ${firstLine}`);
}
