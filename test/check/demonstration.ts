// An HA pair on this host: one simulated T-Server that tells all of voice, two instances that know nothing of each other,
// and at the end what both have recorded, held against what the server really told.

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Subprocess } from "bun";
import { decodeEnvelope } from "../../src/event/envelope.ts";
import { noteSequence } from "../../src/protocol/tevent/line.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { differencesBetween, readDump, rowCount } from "../harness/dump.ts";
import { compare, readIdbCalls, readOracle } from "../harness/oracle.ts";
import { iconBinary, until } from "../harness/processes.ts";

interface Member {
  readonly name: string;
  readonly directory: string;
  readonly page: string;
  readonly child: Subprocess<"ignore", "pipe", number>;
}

interface Told {
  readonly events: number;
  readonly calls: number;
  readonly callsOpen: number;
}

/** Which keys of attached data go where: the example of docs/attached-data.md. */
const specification = "ccon_adata_spec.xml";

/** Returns the exit code: 0 when nothing was lost, nothing came twice and both copies are equal. */
export async function demonstrate(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      seconds: { type: "string" },
      dir: { type: "string" },
      rate: { type: "string", default: "50" },
      "clock-speed": { type: "string", default: "1" },
      "start-time": { type: "string" },
    },
  });
  const seconds = values.seconds === undefined ? null : positive("seconds", values.seconds);
  const rate = positive("rate", values.rate);
  const clock = [
    ...["--clock-speed", String(positive("clock-speed", values["clock-speed"]))],
    ...(values["start-time"] === undefined ? [] : ["--start-time", values["start-time"]]),
  ];
  const directory = values.dir === undefined ? mkdtempSync(join(tmpdir(), "icon-demo-")) : resolve(values.dir);
  if (existsSync(join(directory, "truth.ndjson"))) {
    throw new Error(`Cannot use --dir "${directory}": it holds an earlier demo; expected a new or empty directory`);
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const children: Subprocess<"ignore", "pipe", number>[] = [];
  try {
    return await run({ directory, seconds, rate, clock, children });
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map((child) => child.exited));
    if (values.dir === undefined) rmSync(directory, { recursive: true, force: true });
    else {
      console.log(`the data is in ${directory}; docs/reading-the-data.md has questions that can be asked of it:`);
      console.log(`  icon sql --data-dir ${join(directory, "icon-a", "data")} "SELECT …"`);
    }
  }
}

interface Plan {
  readonly directory: string;
  readonly seconds: number | null;
  readonly rate: number;
  /** Options of the simulator about its clock. */
  readonly clock: readonly string[];
  /** Whoever is started is put here, so that nobody stays behind. */
  readonly children: Subprocess<"ignore", "pipe", number>[];
}

async function run({ directory, seconds, rate, clock, children }: Plan): Promise<number> {
  const icon = await iconBinary();
  const truth = join(directory, "truth.ndjson");
  const simulator = start(
    [icon, "simulate", "tserver", "--rate", String(rate), "--clients-min", "2", "--linger", "1"],
    {
      more: [
        ...clock,
        "--voice-in-full",
        "--transfer-percent",
        "10",
        ...(seconds === null ? [] : ["--seconds", String(seconds)]),
        "--truth",
        truth,
      ],
      log: join(directory, "tserver.log"),
      children,
    },
  );
  const simulatorSays = linesOf(simulator.stdout);
  const { listening } = JSON.parse(await next(simulatorSays, "the simulated T-Server")) as { listening: string };
  const members: Member[] = [];
  for (const [name, dbid] of [
    ["icon-a", 9001],
    ["icon-b", 9002],
  ] as const) {
    members.push(
      await startMember({ icon, name, dbid, directory: join(directory, name), source: listening, children }),
    );
  }

  console.log(`a simulated T-Server on ${listening} tells about ${rate} events a second to an HA pair:`);
  for (const { name, page } of members) console.log(`  ${name}  ${page}`);
  console.log(seconds === null ? "Ctrl-C ends it." : `It ends by itself after ${seconds} s.`);

  // `bun run` passes Ctrl-C on, and the terminal sends it too: the second one must not cut the ending short.
  let isEnding = false;
  const interrupt = () => {
    if (!isEnding) simulator.kill("SIGTERM");
    isEnding = true;
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  const told = JSON.parse(await next(simulatorSays, "the simulated T-Server")) as Told;
  await simulator.exited;
  for (const { name, page } of members) {
    await until(`${name} has put everything into its IDB`, 60_000, async () => {
      const answer = await fetch(new URL("/api/v1/status", page));
      const { queue } = (await answer.json()) as { queue: { recordsNotApplied: number } };
      return queue.recordsNotApplied === 0;
    });
  }
  const exitCodes = await Promise.all(members.map(({ child }) => stop(child)));
  return summarize(told, members, truth, exitCodes);
}

async function startMember(plan: {
  readonly icon: string;
  readonly name: string;
  readonly dbid: number;
  readonly directory: string;
  readonly source: string;
  readonly children: Plan["children"];
}): Promise<Member> {
  const { icon, name, dbid, directory, source, children } = plan;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const configuration = join(directory, "icon.toml");
  writeFileSync(configuration, configurationOf(name, dbid, source));
  copyFileSync(join(import.meta.dir, "../fixture", specification), join(directory, specification));
  const child = start([icon, "run", "--config", configuration], { log: join(directory, "icon.log"), children });
  const { status } = JSON.parse(await next(linesOf(child.stdout), name)) as { status: string };
  return { name, directory, page: status, child };
}

function configurationOf(name: string, dbid: number, source: string): string {
  return `[instance]
name = "${name}"
dbid = ${dbid}
data_dir = "data"

[callconcentrator]
role = "gcc,gls,gud"
adata-spec-name = "${specification}"
adata-userdata-history = "all"

[http]
listen = "127.0.0.1:0"

[[source]]
name = "tserver"
kind = "tevent"
addresses = ["${source}"]
dbid = 101
switch_dbid = 1

[source.gts]
call-deletion-timeout = 0
`;
}

function summarize(told: Told, members: readonly Member[], truth: string, exitCodes: readonly number[]): number {
  let isGood = exitCodes.every((code) => code === 0);
  console.log(`\nthe T-Server told ${told.events} events of ${told.calls + told.callsOpen} calls`);
  const oracle = readOracle(truth);
  const dumps = members.map(({ directory }) => readDump(join(directory, "data", "idb.db")));
  for (const [index, { name, directory }] of members.entries()) {
    const { lost, twice } = auditEvents(join(directory, "data", "queue"), told.events);
    const calls = readIdbCalls(join(directory, "data", "idb.db"));
    const { differences } = compare(calls, oracle);
    const parties = dumps[index] === undefined ? 0 : rowCount(dumps[index], "G_PARTY");
    console.log(
      `  ${name}: ${calls.length} calls and ${parties} parties recorded, events lost ${lost}, twice ${twice}, differences from what happened ${differences.length}`,
    );
    for (const difference of differences.slice(0, 5)) console.log(`    ${difference}`);
    isGood &&= lost === 0 && twice === 0 && differences.length === 0;
  }
  const [a, b] = dumps;
  const apart = a === undefined || b === undefined ? [] : differencesBetween(a, b);
  console.log(`  dumps of the pair: ${apart.length === 0 ? "equal" : `${apart.length} rows differ`}`);
  for (const line of apart.slice(0, 5)) console.log(`    ${line}`);
  if (exitCodes.some((code) => code !== 0)) console.log(`  exit codes of the instances: ${exitCodes.join(", ")}`);
  return isGood && apart.length === 0 ? 0 : 1;
}

/** Holds the sequence numbers in a persistent queue against 1 to `told`. */
function auditEvents(queueDirectory: string, told: number): { readonly lost: number; readonly twice: number } {
  using reader = new QueueReader({ directory: queueDirectory, disk: systemDisk });
  const end = reader.lastWholePosition();
  const seen = new Set<number>();
  let twice = 0;
  for (;;) {
    const outcomes = reader.read(end, { recordsMax: 10_000, bytesMax: 1024 * 1024 });
    if (outcomes.length === 0) break;
    for (const outcome of outcomes) {
      if (outcome.kind !== "record") continue;
      const envelope = decodeEnvelope(outcome.payload);
      const note = envelope.kind === "frame" ? noteSequence(envelope.frame, envelope.isCut) : null;
      if (note?.kind !== "event") continue;
      if (seen.has(note.sequence)) twice += 1;
      seen.add(note.sequence);
    }
  }
  let lost = 0;
  for (let sequence = 1; sequence <= told; sequence += 1) if (!seen.has(sequence)) lost += 1;
  return { lost, twice };
}

interface StartOptions {
  readonly more?: readonly string[];
  readonly log: string;
  readonly children: Plan["children"];
}

function start(
  command: readonly string[],
  { more = [], log, children }: StartOptions,
): Subprocess<"ignore", "pipe", number> {
  const child = Bun.spawn([...command, ...more], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: openSync(log, "a", 0o600),
    // In a process group of its own: Ctrl-C reaches this process alone, which then stops them in order.
    detached: true,
  });
  children.push(child);
  return child;
}

function stop(child: Subprocess): Promise<number> {
  child.kill("SIGTERM");
  return child.exited;
}

async function next(lines: AsyncGenerator<string>, who: string): Promise<string> {
  const { done, value } = await lines.next();
  if (done) throw new Error(`Cannot go on: ${who} has ended; its log is in the demo's directory (keep it with --dir)`);
  return value;
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) {
    throw new Error(`Cannot use --${name} "${text}": expected a number above 0`);
  }
  return value;
}
