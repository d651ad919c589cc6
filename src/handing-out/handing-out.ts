// Answers questions about what the IDB holds, beside a running instance: the main thread never touches the IDB, so a
// child process of this same program does, and its answer is passed on as fast as who asked takes it.
//
// 1. Nobody can make the instance work hard by asking: a few children at once, each at a lower priority, each for so
//    long; whoever comes beyond that waits for a moment and is then told to come again.
// 2. The child is killed when who asked is gone, at its time's end, and at the instance's stop. It holds no read
//    transaction while it waits for its reader (src/idb/read-subjects.ts), so a slow one does not hold up the WAL.
// 3. The answer's first line, the heading, is for us; what follows is not looked at. An answer whose child did not end
//    in order breaks off, so that nobody takes it for whole.

import type { Clock } from "../clock.ts";
import { selfCommand } from "../idb/ask.ts";
import type { Log } from "../log.ts";
import { giveWay, niceness } from "../niceness.ts";
import { Places } from "./places.ts";
import type { Errand, Heading, Peer, Question } from "./question.ts";

// Each may take a whole core, where the smallest hosts have two; and one slow reader must not keep out the next. Calls
// and login sessions have places of their own: they take minutes where a ledger takes a moment, and the peer's page asks for our ledger.
const childrenMaxDefault = 2;
// A reader that asks for stretch after stretch has one question under way; these are all that a site would run.
const waitingMax = 16;
// A question takes some 200 ms as a rule. Whoever waits holds a connection, of which there is a bounded number.
const waitMsMax = 2_000;
// To start a child costs the main thread a millisecond or more: whoever asks and goes, again and again, starts no more
// than a few a second.
const placeMsMin = 250;
// The child ends its answer in order well before (msMax in answer.ts); this is for one that hangs, or is not read.
const answerMsMax = 90_000;
// A heading is one short line.
const headingBytesMax = 64 * 1024;
const retryAfterSeconds = 3;

export type HandedOut =
  | { readonly kind: "answer"; readonly contentType: string; readonly body: ReadableStream<Uint8Array> }
  /** Too many ask at once. */
  | { readonly kind: "busy"; readonly retryAfterSeconds: number }
  /** The IDB cannot be read, now or at all, or not in this measure; `reason` is a sentence without a caller's data. */
  | { readonly kind: "refused"; readonly isPassing: boolean; readonly reason: string };

export interface HandingOutOptions {
  readonly instanceName: string;
  readonly idbPath: string;
  /** As it is in force. */
  readonly peer: () => Peer | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends every answer. */
  readonly stop: AbortSignal;
  /** How many children at once for calls and login sessions, and how many for the rest; default: two. */
  readonly childrenMax?: number;
  /** The command line that starts a child; default: this program. */
  readonly command?: readonly string[];
}

export class HandingOut {
  readonly #options: HandingOutOptions;
  readonly #places: { readonly subjects: Places; readonly rest: Places };

  constructor(options: HandingOutOptions) {
    this.#options = options;
    const bounds = { placesMax: options.childrenMax ?? childrenMaxDefault, waitingMax, waitMsMax };
    this.#places = { subjects: new Places(options.clock, bounds), rest: new Places(options.clock, bounds) };
  }

  /** Answers that are under way. */
  get underWay(): number {
    return this.#places.subjects.taken + this.#places.rest.taken;
  }

  /** Never rejects. `gone`: nobody waits for the answer any more. */
  async ask(question: Question, gone: AbortSignal): Promise<HandedOut> {
    const { stop } = this.#options;
    const over = AbortSignal.any([gone, stop]);
    const places = question.what === "subjects" ? this.#places.subjects : this.#places.rest;
    const giveBack = await places.take(over);
    if (giveBack === null) return { kind: "busy", retryAfterSeconds };
    try {
      return await this.#answer(question, over, giveBack);
    } catch (error) {
      giveBack();
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log.warn("no process could be started to read the IDB", { reason });
      return { kind: "refused", isPassing: true, reason: "Cannot read the IDB: no process can be started now" };
    }
  }

  async #answer(question: Question, over: AbortSignal, giveBack: () => void): Promise<HandedOut> {
    const { instanceName, idbPath, peer, clock, command = selfCommand(["hand-out"]) } = this.#options;
    const errand: Errand = { question, instanceName, idbPath, peer: peer() };
    const startedAt = clock.monotonic();
    const child = Bun.spawn([...command], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    giveWay(niceness.far, child.pid);
    const trouble = new Response(child.stderr).text();
    const kill = () => child.kill("SIGKILL");
    const cancel = clock.after(answerMsMax, kill);
    over.addEventListener("abort", kill, { once: true });
    if (over.aborted) kill();
    const ended = child.exited.finally(() => {
      cancel();
      over.removeEventListener("abort", kill);
      const leftMs = startedAt + placeMsMin - clock.monotonic();
      if (leftMs <= 0 || this.#options.stop.aborted) giveBack();
      else clock.after(leftMs, giveBack);
    });
    // Its end tells the child that we are gone, however we went.
    child.stdin.write(`${JSON.stringify(errand)}\n`);
    child.stdin.flush();
    const reader = child.stdout.getReader();
    const { line, rest } = await readHeading(reader);
    const heading = line === null ? null : parseHeading(line);
    if (heading === null || "refused" in heading) {
      kill();
      const how = await ended.then(() => child.signalCode ?? child.exitCode);
      if (heading !== null) return { kind: "refused", isPassing: heading.kind === "passing", reason: heading.refused };
      if (!over.aborted) {
        const [reason = ""] = (await trouble).trim().split("\n");
        this.#options.log.warn("a process that read the IDB ended without an answer", { how: String(how), reason });
      }
      return {
        kind: "refused",
        isPassing: true,
        reason: "Cannot read the IDB: the process that read it ended without an answer",
      };
    }
    return { kind: "answer", contentType: heading.contentType, body: passOn(reader, rest, { ended, kill }) };
  }
}

interface ByteReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array<ArrayBuffer> | undefined }>;
}

interface Ending {
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  readonly kill: () => void;
}

/** A piece is read from the child when the one before was taken. */
function passOn(
  reader: ByteReader,
  first: Uint8Array<ArrayBuffer>,
  { ended, kill }: Ending,
): ReadableStream<Uint8Array> {
  let begun: Uint8Array<ArrayBuffer> | null = first.length === 0 ? null : first;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (begun !== null) {
          controller.enqueue(begun);
          begun = null;
          return;
        }
        const { done, value } = await reader.read();
        if (!done && value !== undefined) return controller.enqueue(value);
        if ((await ended) === 0) controller.close();
        else controller.error(new Error("The process that read the IDB did not end in order"));
      },
      async cancel() {
        kill();
        await ended;
      },
    },
    { highWaterMark: 0 },
  );
}

/** Null: the child ended, or said something else, before its first line was over. */
async function readHeading(
  reader: ByteReader,
): Promise<{ readonly line: string | null; readonly rest: Uint8Array<ArrayBuffer> }> {
  let bytes = new Uint8Array();
  while (bytes.length <= headingBytesMax) {
    const { done, value } = await reader.read();
    if (done || value === undefined) break;
    bytes = bytes.length === 0 ? value : new Uint8Array(Buffer.concat([bytes, value]));
    const end = bytes.indexOf(10);
    if (end !== -1) return { line: new TextDecoder().decode(bytes.subarray(0, end)), rest: bytes.subarray(end + 1) };
  }
  return { line: null, rest: bytes };
}

function parseHeading(line: string): Heading | null {
  try {
    return JSON.parse(line) as Heading; // Written by child.ts, in the same version of the program.
  } catch {
    return null;
  }
}
