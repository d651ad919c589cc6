// Looks through an IDB in a child process of this same program: a damaged file may crash SQLite or take all the time there
// is, and the parent lives on and says so.

import { giveWay, niceness } from "../niceness.ts";
import { printed } from "../printed.ts";
import { selfCommand } from "./ask.ts";
import { type InspectionOutcome, inspectIdb } from "./inspect.ts";

export interface ChildInspection {
  readonly path: string;
  /** The child is killed after so long. */
  readonly timeoutMs: number;
  /** It takes what others leave, and reads table by table, so that no long transaction holds up the WAL. */
  readonly isGentle: boolean;
  readonly stop?: AbortSignal;
}

/** The words behind `verify --as-child` that ask for a gentle inspection. */
export const gentleWord = "--gentle";

/** Never rejects: what became of the child, or that none can be started now, is in the outcome, as "unavailable". */
export async function inspectInChild(inspection: ChildInspection): Promise<InspectionOutcome> {
  try {
    return await ask(inspection);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "unavailable", message: `Cannot inspect IDB "${inspection.path}": ${reason}` };
  }
}

async function ask({ path, timeoutMs, isGentle, stop }: ChildInspection): Promise<InspectionOutcome> {
  const child = Bun.spawn(selfCommand(["verify", "--as-child", ...(isGentle ? [gentleWord] : []), path]), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  if (isGentle) giveWay(niceness.furthest, child.pid);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  const onStop = () => child.kill("SIGKILL");
  stop?.addEventListener("abort", onStop, { once: true });
  if (stop?.aborted) onStop();
  try {
    const [output, trouble] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    const exitCode = await child.exited;
    if (exitCode === 0) return JSON.parse(output) as InspectionOutcome; // Written by inspectAsChild.
    const [firstLine = ""] = trouble.trim().split("\n");
    const why = isLate
      ? `it took longer than ${timeoutMs / 1000} s`
      : `the process that read it ended with ${child.signalCode ?? exitCode}: ${firstLine}`;
    return { kind: "unavailable", message: `Cannot inspect IDB "${path}": ${why}` };
  } finally {
    clearTimeout(timer);
    stop?.removeEventListener("abort", onStop);
    child.kill("SIGKILL");
  }
}

/** The child's side. */
export async function inspectAsChild(path: string, isGentle: boolean): Promise<void> {
  await printed(JSON.stringify(inspectIdb(path, isGentle ? "table by table" : "all")));
}
