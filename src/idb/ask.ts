// The two ends of the pipe between `icon sql` and the child process that opens the IDB. The question goes in through
// standard input, so that it stands in no list of processes a second time; the answer comes back as one JSON text.

import { printed } from "../printed.ts";
import { IdbDamagedError, IdbRejectedError, IdbUnavailableError, IdbUnlikeError } from "./error.ts";
import { type Answer, type FreeSql, runFreeSql, SqlRefusedError, type Value } from "./free-sql.ts";

export type Question = Omit<FreeSql, "bytesMax">;

export type Outcome =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "failure"; readonly message: string }
  | { readonly kind: "timeout" };

// Rows of 1 MiB frames would otherwise fill the memory long before the row count is reached.
const bytesMax = 64 * 1024 * 1024;

// JSON has neither bytes nor integers of 64 bits.
type Packed = null | number | string | { readonly integer: string } | { readonly hex: string };

type Reply =
  | { readonly columns: readonly string[]; readonly rows: readonly (readonly Packed[])[]; readonly isCut: boolean }
  | { readonly failure: string };

/** Asks in a child process of this same program; kills it after `timeoutMs`. */
export async function ask(question: Question, timeoutMs: number): Promise<Outcome> {
  const child = Bun.spawn(selfCommand(["sql", "--as-child"]), {
    stdin: new TextEncoder().encode(JSON.stringify(question)),
    stdout: "pipe",
    stderr: "pipe",
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  try {
    const [output, trouble] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    const exitCode = await child.exited;
    if (isLate) return { kind: "timeout" };
    if (exitCode !== 0) return { kind: "failure", message: childEnded(exitCode, child.signalCode, trouble) };
    const reply = JSON.parse(output) as Reply; // Written by the other end, below.
    if ("failure" in reply) return { kind: "failure", message: reply.failure };
    const { columns, rows, isCut } = reply;
    return { kind: "answer", answer: { columns, rows: rows.map((row) => row.map(unpacked)), isCut } };
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
  }
}

/** The child's side: one question from standard input, one reply to standard output. Returns the exit code. */
export async function answerAsChild(): Promise<number> {
  const question = (await Bun.stdin.json()) as Question;
  let reply: Reply;
  try {
    const { columns, rows, isCut } = runFreeSql({ ...question, bytesMax });
    reply = { columns, rows: rows.map((row) => row.map(packed)), isCut };
  } catch (error) {
    if (!isExpected(error)) throw error;
    reply = { failure: error.message };
  }
  await printed(JSON.stringify(reply));
  return 0;
}

function isExpected(error: unknown): error is Error {
  return [SqlRefusedError, IdbRejectedError, IdbUnavailableError, IdbDamagedError, IdbUnlikeError].some(
    (kind) => error instanceof kind,
  );
}

function childEnded(exitCode: number, signal: NodeJS.Signals | number | null, trouble: string): string {
  const how = signal === null ? `with exit code ${exitCode}` : `by ${signal}`;
  const [firstLine = ""] = trouble.trim().split("\n");
  return `Cannot answer: the process that asked the IDB ended ${how}${firstLine === "" ? "" : ` (${firstLine})`}`;
}

/**
 * The command line that starts this program again with other arguments: the compiled binary is its own executable,
 * from the sources bun needs the entry file.
 */
export function selfCommand(args: readonly string[]): string[] {
  const isCompiled = Bun.main.startsWith("/$bunfs/");
  return isCompiled ? [process.execPath, ...args] : [process.execPath, Bun.main, ...args];
}

function packed(value: Value): Packed {
  if (typeof value === "bigint") return { integer: value.toString() };
  if (value instanceof Uint8Array) return { hex: value.toHex() };
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value;
}

function unpacked(value: Packed): Value {
  if (typeof value !== "object" || value === null) return value;
  return "integer" in value ? BigInt(value.integer) : Uint8Array.fromHex(value.hex);
}
