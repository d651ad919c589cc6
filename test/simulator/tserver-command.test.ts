import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulateTserverCommand } from "../../src/commands/simulate-tserver.ts";
import { LinkClient } from "../harness/link-client.ts";

function spawnTserver(words: readonly string[]) {
  const entry = join(import.meta.dir, "../../src/main.ts");
  return Bun.spawn([process.execPath, entry, "simulate", "tserver", ...words], { stdout: "pipe", stderr: "pipe" });
}

test("the command says where it listens, and on SIGTERM ends in order with its oracles written", async () => {
  const directory = mkdtempSync(join(tmpdir(), "icon-tserver-"));
  try {
    const truth = join(directory, "truth.ndjson");
    const observable = join(directory, "observable.ndjson");
    const process = spawnTserver([
      "--rate",
      "5000",
      "--clock-speed",
      "20",
      "--truth",
      truth,
      "--observable",
      observable,
    ]);
    const output = process.stdout.getReader();
    const decoder = new TextDecoder();
    const first = decoder.decode((await output.read()).value);
    const { listening } = JSON.parse(first);
    using client = await LinkClient.connect(listening);
    client.acksAtOnce = true;
    await client.hello();
    client.open({ client: "icon-a" });
    await client.until(() => client.lastSeq > 3_000);

    process.kill("SIGTERM");
    await client.until(() => client.isClosed);
    expect(client.lines.at(-1)?.json).toMatchObject({ bye: "shutdown" });
    const summary = JSON.parse(decoder.decode((await output.read()).value));
    expect(await process.exited).toBe(0);
    expect(summary.events).toBeGreaterThan(3_000);
    const linesIn = (path: string) => readFileSync(path, "utf8").split("\n").length - 1;
    expect(linesIn(`${truth}.events.ndjson`)).toBe(summary.events);
    expect(linesIn(truth)).toBe(summary.calls + summary.callsOpen);
    expect(linesIn(join(directory, "observable-icon-a.ndjson"))).toBeGreaterThan(100);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 20_000);

for (const [words, message] of [
  [["--rate", "0"], "expected a number above 0"],
  [["--seed", "1.5"], "expected a whole number from 0"],
  [["--cut-every", "9-3"], "expected seconds, or a range of seconds like 5-20"],
  [["--restart-at", "3,x"], "expected seconds, or several like 10,25,40"],
  [["--sites", "North,South,North"], "expected the names of three switches, like North,South,West"],
  [["--sites", "North,South,West"], "--sites needs --start-time, the same at both servers, and call monitoring"],
  [["--start-time", "yesterday"], "expected a time like 2026-11-23T08:00:00.000Z"],
] as const) {
  test(`${words.join(" ")} is refused with what would be right`, async () => {
    const command = simulateTserverCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    expect(command.parseAsync(words, { from: "user" })).rejects.toThrow(message);
  });
}
