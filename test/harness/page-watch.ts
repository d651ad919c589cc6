// Asks an instance for its page and its status over and over, from a process of its own: how long an answer takes must
// not depend on what the test is busy with.

import type { Subprocess } from "bun";

export interface PageTimes {
  readonly answers: number;
  /** Answers other than 200, and requests without any. */
  readonly failures: number;
  readonly longestMs: number;
}

const paths = ["/", "/api/v1/status"];
const everyMs = 50;
const answerMsMax = 10_000;

export class PageWatch {
  readonly #child: Subprocess<"pipe", "pipe", "inherit">;

  /** `page`: the address that `Instance.ready` gives. */
  constructor(page: string) {
    this.#child = Bun.spawn([process.execPath, import.meta.path, page], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
  }

  /** What it has seen until now; it has ended then. */
  async end(): Promise<PageTimes> {
    this.#child.stdin.end();
    return JSON.parse(await new Response(this.#child.stdout).text()) as PageTimes;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

async function watch(page: string): Promise<PageTimes> {
  let isOver = false;
  // The test is gone, or has seen enough, when nobody holds our input open any more.
  void Bun.stdin.text().then(() => {
    isOver = true;
  });
  const seen = { answers: 0, failures: 0, longestMs: 0 };
  for (let at = 0; !isOver; at += 1) {
    const startedAt = performance.now();
    try {
      const url = new URL(paths[at % paths.length] ?? "/", page);
      const response = await fetch(url, { signal: AbortSignal.timeout(answerMsMax) });
      await response.text();
      if (response.ok) seen.answers += 1;
      else seen.failures += 1;
    } catch {
      seen.failures += 1;
    }
    seen.longestMs = Math.max(seen.longestMs, performance.now() - startedAt);
    await Bun.sleep(everyMs);
  }
  return seen;
}

if (import.meta.main) {
  console.log(JSON.stringify(await watch(process.argv[2] ?? "")));
  process.exit(0);
}
