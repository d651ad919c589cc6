// Keeps an IDB as it is for as long as its files are copied, beside the instance that writes it.
//
// A child process opens a read transaction and holds it. It writes nothing and makes no checkpoint (reading.ts), and what
// it holds back is only what would make a copy of the files inconsistent:
//
// 1. A checkpoint moves pages from the WAL into the database only as far as the oldest reader has seen, and the WAL
//    begins anew only without readers. So every page that changes in the database meanwhile is in the WAL as well, in
//    the version that it changes to, and a copy of the database and then of the WAL opens as the state of some commit
//    between the beginning and the end of the copying: half-written pages of the one are made good from the other.
// 2. A reader that came when all of the WAL was in the database reads the database alone. Then no checkpoint writes to
//    the database at all while it is there; only the WAL may begin anew, once, which `copyIdb` sees in its header.
//
// The price: the WAL grows by what is committed meanwhile. So the time is bounded, and at the bound the child is killed.
// The files are copied by the parent, which has no connection: closing any descriptor of a file gives up all locks that
// the process has on it.

import { statSync } from "node:fs";
import type Database from "libsql";
import { sleep, systemClock } from "../clock.ts";
import { printed } from "../printed.ts";
import { selfCommand } from "./ask.ts";
import { childEnded } from "./child.ts";
import { IdbDamagedError, IdbNotOursError, IdbTooNewError, IdbUnavailableError, idbError } from "./error.ts";
import { readIdentity } from "./migrate.ts";
import { openReading } from "./reading.ts";

// To open an IDB that a crash left, SQLite reads all of its WAL.
const openMsMax = 60_000;

/** An IDB that cannot change under who copies it. */
export interface Hold {
  /** At least so far are the rows of what is copied now. */
  readonly appliedPosition: bigint;
  /** Null: no batch was ever committed. */
  readonly queueId: string | null;
  /** Aborted when it is held no longer, though nobody let go: what is copied then is worth nothing. */
  readonly lost: AbortSignal;
  /** Lets go, and tells how it was. Changed: a writer came while the file was taken for unused; copy it again. */
  release(): Promise<"kept" | "changed" | "too late">;
}

type Said =
  | { readonly held: { readonly appliedPosition: string; readonly queueId: string | null; readonly inode: number } }
  | { readonly refused: string; readonly isDamaged: boolean };

/** Throws IdbDamagedError for what cannot be read as an IDB of this program, IdbUnavailableError for what cannot be now. */
export async function holdIdb(path: string, holdMsMax: number): Promise<Hold> {
  const words = ["backup", "--as-child", "hold", path, "--hold-max", String(holdMsMax / 1000)];
  const child = Bun.spawn(selfCommand(words), { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  // The child goes by the bound itself, also when this process is stopped; one that hangs does not.
  const timer = setTimeout(() => child.kill("SIGKILL"), openMsMax + holdMsMax);
  const trouble = new Response(child.stderr).text();
  const lines = linesOf(child.stdout);
  const first = await lines.next();
  if (first.done) {
    clearTimeout(timer);
    const exitCode = await child.exited;
    throw childEnded(`Cannot copy IDB "${path}"`, child.signalCode ?? exitCode, await trouble);
  }
  const said = JSON.parse(first.value) as Said; // Written by the other end, below.
  if ("refused" in said) {
    clearTimeout(timer);
    await child.exited;
    throw said.isDamaged ? new IdbDamagedError(said.refused) : new IdbUnavailableError(said.refused);
  }
  const lost = new AbortController();
  const ending = lines.next().then(async (last) => {
    clearTimeout(timer);
    lost.abort();
    await child.exited;
    if (!last.done && last.value === "too late") return "too late";
    // Another file may have been put in its place: a rebuild, or an IDB that was put aside.
    const isInPlace = statSync(path, { throwIfNoEntry: false })?.ino === said.held.inode;
    return isInPlace && !last.done && last.value === "kept" ? "kept" : "changed";
  });
  return {
    appliedPosition: BigInt(said.held.appliedPosition),
    queueId: said.held.queueId,
    lost: lost.signal,
    release() {
      child.stdin.end();
      return ending;
    },
  };
}

/** The child's side: until its standard input ends, or for `holdMsMax`. */
export async function holdAsChild(path: string, holdMsMax: number): Promise<void> {
  let reading: ReturnType<typeof openReading> | undefined;
  try {
    const { ino: inode } = statSync(path);
    reading = openReading(path);
    console.log(JSON.stringify({ held: { ...beginReading(reading.database, path), inode } } satisfies Said));
  } catch (thrown) {
    reading?.close();
    // A file that is gone is told as one that cannot be read now.
    console.log(JSON.stringify(refusal(idbError(thrown, `Cannot read IDB "${path}"`))));
    return;
  }
  const bound = new AbortController();
  const isInTime = await Promise.race([
    Bun.stdin.text().then(() => true),
    sleep(systemClock, holdMsMax, bound.signal).then(() => false),
  ]);
  bound.abort();
  const isKept = reading.isStill();
  reading.close();
  await printed(isInTime ? (isKept ? "kept\n" : "changed\n") : "too late\n");
  process.exit();
}

function beginReading(database: Database.Database, path: string) {
  database.exec("PRAGMA busy_timeout = 2000; BEGIN");
  if (readIdentity(database, path).version === 0) return { appliedPosition: "0", queueId: null };
  const row = database
    .prepare("SELECT CAST(POSITION AS TEXT), CAST(QUEUE_ID AS BLOB) FROM ICON_APPLIED WHERE ID = 1")
    .raw()
    .get() as [string, Uint8Array | null] | undefined;
  if (row === undefined) throw new IdbDamagedError(`Cannot read IDB "${path}": its row in ICON_APPLIED is gone`);
  return { appliedPosition: row[0], queueId: row[1] && new TextDecoder().decode(row[1]) };
}

function refusal(error: unknown): Said {
  const isDamaged = [IdbDamagedError, IdbNotOursError, IdbTooNewError].some((kind) => error instanceof kind);
  if (!isDamaged && !(error instanceof IdbUnavailableError)) throw error;
  return { refused: (error as Error).message, isDamaged };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
