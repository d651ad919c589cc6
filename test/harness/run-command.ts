// One command of the binary under test, from its start to its end.

import { iconBinary } from "./processes.ts";

export interface CommandEnding {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that is running; `kill` ends it before its end. */
export interface RunningCommand {
  readonly ended: Promise<CommandEnding>;
  kill(signal: NodeJS.Signals): void;
}

export async function startCommand(words: readonly string[], binary?: string): Promise<RunningCommand> {
  const child = Bun.spawn([binary ?? (await iconBinary()), ...words], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return {
    ended: output.then(([stdout, stderr, exitCode]) => ({ exitCode, stdout, stderr })),
    kill: (signal) => child.kill(signal),
  };
}

export async function runCommand(words: readonly string[], binary?: string): Promise<CommandEnding> {
  return (await startCommand(words, binary)).ended;
}

/** As runCommand, for a command that must succeed: rejects with what it said otherwise. Returns its standard output. */
export async function mustRun(words: readonly string[], binary?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(words, binary);
  if (exitCode !== 0) throw new Error(`icon ${words.join(" ")} ended with ${exitCode}: ${stderr}${stdout}`);
  return stdout;
}
