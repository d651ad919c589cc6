// A copy that is another instance's IDB, read over its HTTP API (GET /api/v1/extract), of which it needs only that it
// speaks the format of copy-lines.ts. An answer has an end that says it is whole: without it nothing of a ledger is
// believed, and of calls and login sessions the loop ends with an error. One that was cut at a bound of the other side is gone on with.

import type { FamilyName } from "../../schema/life.ts";
import { isBehind, type Place } from "../idb/find-subjects.ts";
import { versionKnown } from "../idb/migrate.ts";
import { askInstance, type InstanceAccess } from "./ask-instance.ts";
import {
  allTime,
  type Copy,
  CopyError,
  type CopyIdentity,
  type Ledger,
  type LedgerQuestion,
  type SessionRow,
  type Stretch,
  type Subject,
  type SubjectsQuestion,
} from "./copy.ts";
import { type CopyEnd, type CopyLine, CopyLineError, parseCopyLine } from "./copy-lines.ts";
import { ledgerProblem } from "./ledger-check.ts";
import { LinesError, linesOf } from "./lines.ts";
import { plainClause } from "./plain-line.ts";
import { subjectProblem } from "./subject-check.ts";

// A call or a login session with all its rows; the longest seen have some thousand.
const lineBytesMax = 16 * 1024 * 1024;
// Whatever an IDB can say of a stretch that an instance answers for; see windowsMax in src/handing-out/answer.ts.
const linesMax = 2_000_000;
// A request's first line has room for them.
const namesPerQuestion = 100;

/** How an address asks for a family, and names one of it. */
const parameters: Readonly<Record<FamilyName, { readonly what: string; readonly key: string }>> = {
  call: { what: "calls", key: "call" },
  "login session": { what: "login_sessions", key: "login_session" },
};

type Answer = { readonly kind: "line"; readonly line: Exclude<CopyLine, { readonly kind: "head" | "end" }> };
type Reply =
  | Answer
  | { readonly kind: "identity"; readonly identity: CopyIdentity }
  | { readonly kind: "end"; readonly end: CopyEnd };

export class HttpCopy implements Copy {
  readonly name: string;
  readonly #access: InstanceAccess;
  readonly #closed = new AbortController();
  #instance: string | null = null;

  /** Nothing is asked before the first question. */
  constructor(access: InstanceAccess) {
    this.name = access.origin;
    this.#access = access;
  }

  /** Name of the instance that answers; null: it has not answered yet. */
  get instanceName(): string | null {
    return this.#instance;
  }

  async identity(): Promise<CopyIdentity> {
    const { identity, end } = await this.#whole(new URLSearchParams({ what: "identity" }), () => {});
    if (end.end === "whole") return identity;
    throw this.#error("lasting", "its answer makes no sense");
  }

  async ledger({ stretch, changedAfter }: LedgerQuestion): Promise<Ledger> {
    const windows: Ledger["windows"][number][] = [];
    const spans: Ledger["spans"][number][] = [];
    const sessions: SessionRow[] = [];
    const marks: Ledger["marks"][number][] = [];
    const query = new URLSearchParams({ what: "ledger", ...bounds(stretch) });
    if (changedAfter !== null) query.set("changed_after", String(changedAfter));
    const { identity, end } = await this.#whole(query, (line) => {
      if (line.kind === "window") windows.push(line.row);
      else if (line.kind === "span") spans.push(line.row);
      else if (line.kind === "session") sessions.push(line.row);
      else if (line.kind === "mark") marks.push(line.row);
    });
    if (end.end !== "whole") throw this.#error("lasting", "its answer makes no sense");
    const ledger = { identity, windows, spans, sessions, marks };
    const problem = ledgerProblem(ledger);
    if (problem !== null) throw this.#error("lasting", problem);
    return ledger;
  }

  async *subjects(family: FamilyName, question: SubjectsQuestion): AsyncIterable<Subject> {
    const { what, key } = parameters[family];
    if (question.kind !== "named") {
      const query = { what, [what]: question.kind, ...bounds(question.stretch) };
      yield* this.#subjectsOf(family, new URLSearchParams(query));
      return;
    }
    for (let at = 0; at < question.keys.length; at += namesPerQuestion) {
      const query = new URLSearchParams({ what, [what]: "named" });
      for (const name of question.keys.slice(at, at + namesPerQuestion)) query.append(key, name);
      yield* this.#subjectsOf(family, query);
    }
  }

  /** Ends whatever is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
  }

  async *#subjectsOf(family: FamilyName, query: URLSearchParams): AsyncGenerator<Subject> {
    let first: CopyIdentity | null = null;
    let after: Place | null = null;
    for (;;) {
      if (after !== null) query.set("after", JSON.stringify(after));
      let end: CopyEnd = { end: "whole" };
      for await (const reply of this.#ask(query)) {
        if (reply.kind === "identity") {
          if (first !== null && !isSameIdb(first, reply.identity)) {
            throw this.#error("passing", "its IDB was replaced meanwhile");
          }
          first ??= reply.identity;
        } else if (reply.kind === "end") end = reply.end;
        else if (reply.line.kind === "subject" && reply.line.subject.family === family) {
          const problem = subjectProblem(reply.line.subject);
          if (problem !== null) throw this.#error("lasting", problem);
          yield reply.line.subject;
        }
      }
      if (end.end !== "cut") return;
      if (after !== null && !isBehind(end.after, after)) throw this.#error("lasting", "it does not come further");
      after = end.after;
    }
  }

  async #whole(
    query: URLSearchParams,
    take: (line: Answer["line"]) => void,
  ): Promise<{ readonly identity: CopyIdentity; readonly end: CopyEnd }> {
    let identity: CopyIdentity | null = null;
    let end: CopyEnd | null = null;
    for await (const reply of this.#ask(query)) {
      if (reply.kind === "identity") identity = reply.identity;
      else if (reply.kind === "end") end = reply.end;
      else take(reply.line);
    }
    if (identity === null || end === null) throw this.#error("passing", "its answer is not whole");
    return { identity, end };
  }

  /** The identity first, the end last; throws CopyError where one of them is missing. */
  async *#ask(query: URLSearchParams): AsyncGenerator<Reply> {
    const doing = `Cannot read ${this.name}`;
    const pieces = askInstance(this.#access, `/api/v1/extract?${query}`, { doing, signal: this.#closed.signal });
    let count = 0;
    let isEnded = false;
    try {
      for await (const { text, isEnded: hasLineEnd } of linesOf(pieces, lineBytesMax)) {
        if (!hasLineEnd) break;
        if (isEnded) throw this.#error("lasting", "its answer goes on after its end");
        const line = parseCopyLine(text);
        count += 1;
        if (count > linesMax) throw this.#error("lasting", `its answer has more than ${linesMax} lines`);
        if ((count === 1) !== (line.kind === "head"))
          throw this.#error("lasting", "its answer does not begin as one of a copy");
        if (line.kind === "head") {
          this.#instance = line.instance;
          yield { kind: "identity", identity: this.#known(line.identity) };
        } else if (line.kind !== "end") yield { kind: "line", line };
        else {
          isEnded = true;
          if (line.end.end === "failed") throw this.#error(line.end.kind, plainClause(line.end.reason));
          yield { kind: "end", end: line.end };
        }
      }
    } catch (error) {
      if (error instanceof CopyLineError || error instanceof LinesError) {
        throw new CopyError("lasting", `${doing}: ${error.message}`, { cause: error });
      }
      throw error;
    }
    if (!isEnded) throw this.#error("passing", "its answer was cut short");
  }

  #known(identity: CopyIdentity): CopyIdentity {
    if (identity.schemaVersion <= versionKnown) return identity;
    throw this.#error(
      "lasting",
      `its schema version is ${identity.schemaVersion} and this program knows versions up to ${versionKnown}; use the program version that made it, or a newer one`,
    );
  }

  #error(kind: CopyError["kind"], reason: string): CopyError {
    return new CopyError(kind, `Cannot read ${this.name}: ${reason}`);
  }
}

/** A stretch may be meant to be all of time. */
function bounds({ from, until }: Stretch): { from: string; to: string } {
  const within = (seconds: number) => Math.min(Math.max(seconds, allTime.from), allTime.until);
  return { from: String(Math.floor(within(from))), to: String(Math.ceil(within(until))) };
}

function isSameIdb(one: CopyIdentity, other: CopyIdentity): boolean {
  return one.idbId === other.idbId && one.queueId === other.queueId;
}
