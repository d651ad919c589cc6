// The attacker's process, told from here when to attack and when to let go.

import { linesOf, whenGone } from "../harness/processes.ts";
import type { Repulse } from "./http-attacker.ts";

export class Attacker implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #lines: AsyncIterator<string>;

  constructor(port: number, isTls: boolean) {
    const script = new URL("http-attacker.ts", import.meta.url).pathname;
    this.#child = Bun.spawn([process.execPath, script, String(port), isTls ? "tls" : "plain"], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    void this.#child.exited.then(whenGone(["kill", "-9", String(this.#child.pid)]));
    this.#lines = linesOf(this.#child.stdout);
  }

  async tell(word: "attack" | "calm"): Promise<Repulse> {
    this.#child.stdin.write(`${word}\n`);
    await this.#child.stdin.flush();
    const { value } = await this.#lines.next();
    return JSON.parse(String(value)) as Repulse;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
