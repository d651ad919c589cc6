// One instance under load: the binary as it ships, in a directory of its own, fed by the generator from a process of
// its own.

import { Database } from "bun:sqlite";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StatusReport } from "../../src/status/report.ts";
import type { Sent } from "./load-generator.ts";

export interface Run {
  readonly icon: string;
  /** An empty directory's path; made here. */
  readonly directory: string;
  readonly loadPath: string;
  readonly windowBytes: number;
  readonly eventsMax: number;
  readonly secondsMax: number;
  /** "paused": somebody else holds the IDB's write lock, so that only the intake works. */
  readonly idb: "written" | "paused";
  /** "acknowledged": killed when the last event is; "readable": stopped in order when the last row is. */
  readonly until: "acknowledged" | "readable";
}

export interface RunResult extends Sent {
  /** When a reader could see the last event's rows, milliseconds since 1970; null when that was not waited for. */
  readonly readableAt: number | null;
  readonly idbPath: string;
  readonly queueDirectory: string;
  readonly commits: number;
}

const pollMs = 5;
const patienceMs = 300_000;

export async function runInstanceUnderLoad(run: Run): Promise<RunResult> {
  mkdirSync(run.directory, { recursive: true, mode: 0o700 });
  const generator = Bun.spawn(
    [
      process.execPath,
      join(import.meta.dir, "load-generator.ts"),
      run.loadPath,
      ...[run.windowBytes, run.eventsMax, run.secondsMax].map(String),
    ],
    { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  );
  const said = linesOf(generator.stdout);
  const { listening } = JSON.parse(await said()) as { listening: string };
  const config = join(run.directory, "icon.toml");
  writeFileSync(config, configText(listening));
  const instance = Bun.spawn([run.icon, "run", "--config", config], {
    cwd: run.directory,
    stdout: "pipe",
    stderr: Bun.file(join(run.directory, "log.ndjson")),
  });
  const idbPath = join(run.directory, "data", "idb.db");
  let lock: Database | null = null;
  try {
    const { status } = JSON.parse(await linesOf(instance.stdout)()) as { status: string };
    // The session is open and the IDB made: what is measured is neither.
    await until(async () => {
      const { idb, sources } = await report(status);
      return idb.commits > 0 && sources[0]?.state === "connected";
    });
    if (run.idb === "paused") {
      lock = new Database(idbPath);
      lock.exec("PRAGMA busy_timeout = 10000");
      lock.exec("BEGIN IMMEDIATE");
    }
    const commitsBefore = (await report(status)).idb.commits;
    generator.stdin.write("\n");
    await generator.stdin.flush();
    const sent = JSON.parse(await said()) as Sent;
    let readableAt: number | null = null;
    let commits = 0;
    if (run.until === "readable") {
      // Asked of the file itself, as a reader would: the position is committed together with the rows.
      const { durablePosition } = (await report(status)).queue;
      using reader = new Database(idbPath, { readonly: true });
      const applied = reader.query<{ POSITION: number }, []>("SELECT POSITION FROM ICON_APPLIED");
      await until(async () => BigInt(applied.get()?.POSITION ?? 0) >= BigInt(durablePosition ?? 0));
      readableAt = performance.timeOrigin + performance.now();
      await until(async () => (await report(status)).queue.recordsNotApplied < 10);
      commits = (await report(status)).idb.commits - commitsBefore;
    }
    instance.kill(run.until === "readable" ? "SIGTERM" : "SIGKILL");
    await instance.exited;
    return { ...sent, readableAt, idbPath, queueDirectory: join(run.directory, "data", "queue"), commits };
  } catch (cause) {
    const log = readFileSync(join(run.directory, "log.ndjson"), "utf8").slice(-2000);
    throw new Error(`Cannot measure the instance in "${run.directory}"; the end of its log:\n${log}`, { cause });
  } finally {
    lock?.close();
    instance.kill("SIGKILL");
    generator.kill();
  }
}

function configText(address: string): string {
  return `[instance]
name = "bench"
dbid = 9001
data_dir = "data"

[callconcentrator]
role = "gcc"

[http]
listen = "127.0.0.1:0"

[log]
level = "warn"

[[source]]
name = "bench"
kind = "tevent"
addresses = ["${address}"]
dbid = 101
switch_dbid = 1
reconnect_min = "20ms"
reconnect_max = "100ms"
`;
}

async function report(status: string): Promise<StatusReport> {
  const answer = await fetch(new URL("/api/v1/status", status));
  return (await answer.json()) as StatusReport;
}

/** Polls until it holds; a bench that hangs helps nobody. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const patience = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > patience) throw new Error(`Cannot wait longer than ${patienceMs / 1000} s`);
    await Bun.sleep(pollMs);
  }
}

/** Gives the lines of a child's output one at a time. */
function linesOf(stream: ReadableStream<Uint8Array>): () => Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  return async () => {
    while (!text.includes("\n")) {
      const { done, value } = await reader.read();
      if (done) throw new Error("Cannot read on: the child has ended");
      text += decoder.decode(value, { stream: true });
    }
    const [line = "", ...others] = text.split("\n");
    text = others.join("\n");
    return line;
  };
}
