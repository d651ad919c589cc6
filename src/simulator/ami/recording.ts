// A recorded stream of Asterisk's manager interface, read into connections and their messages.
//
// Two forms are known. Raw: the bytes of one connection as they came. Observer: one JSON object a line,
// {"at": seconds, "mark": "open" | "close"} or {"at": seconds, "data": text}, with several connections in one file.

/** The actions of ours whose recorded answers are given to a client under its own ActionID. */
export type AnsweredAction = "Login" | "CoreShowChannels" | "QueueStatus";

export interface RecordedMessage {
  /** When it was sent, milliseconds since 1970 by the recording's clock. */
  readonly at: number;
  /** As it came, with its empty line. */
  readonly bytes: Uint8Array;
  /** The action that it answers, when the replay matches it to the client's; null: sent as it is. */
  readonly answers: AnsweredAction | null;
  readonly actionId: string | null;
}

export interface RecordedConnection {
  readonly openedAt: number;
  /** The manager's first line, as it came. */
  readonly greeting: Uint8Array;
  readonly messages: readonly RecordedMessage[];
  readonly closedAt: number;
}

export interface Recording {
  readonly form: "raw" | "observer";
  readonly connections: readonly RecordedConnection[];
}

/** The file is not a recording. */
export class RecordingError extends Error {
  override readonly name = "RecordingError";
}

/** Reads a recording of either form. Throws RecordingError naming the line that does not fit. */
export function readRecording(file: string, content: Uint8Array): Recording {
  const text = Buffer.from(content).toString("latin1");
  const recording = text.trimStart().startsWith("{") ? readObserver(file, content) : readRaw(text);
  if (recording.connections.length === 0) {
    throw new RecordingError(`Cannot replay "${file}": it holds no message of a manager, expected at least one`);
  }
  return recording;
}

const defaultGreeting = "Asterisk Call Manager/13.0.0\r\n";

function readRaw(text: string): Recording {
  const { greeting, pieces } = split(text);
  if (pieces.length === 0) return { form: "raw", connections: [] };
  let at = firstTimestamp(pieces) ?? 0;
  let hasLogin = false;
  const messages = pieces.map((piece): RecordedMessage => {
    at = Math.max(at, timestamp(piece) ?? at);
    const answersLogin = !hasLogin && piece.startsWith("Response:");
    hasLogin ||= answersLogin;
    return { at, bytes: bytesOf(piece), answers: answersLogin ? "Login" : null, actionId: actionIdOf(piece) };
  });
  const openedAt = messages[0]?.at ?? 0;
  return { form: "raw", connections: [{ openedAt, greeting: bytesOf(greeting), messages, closedAt: at }] };
}

interface ObserverLine {
  readonly at: number;
  readonly mark?: string;
  readonly data?: string;
}

function readObserver(file: string, content: Uint8Array): Recording {
  const connections: RecordedConnection[] = [];
  let open: { readonly openedAt: number; readonly chunks: { readonly at: number; readonly text: string }[] } | null =
    null;
  const close = (at: number) => {
    if (open !== null) connections.push(connectionOf(open.openedAt, open.chunks, at));
    open = null;
  };
  let last = 0;
  for (const [index, line] of new TextDecoder().decode(content).split("\n").entries()) {
    if (line.trim() === "") continue;
    const entry = readLine(file, index + 1, line);
    last = entry.at * 1000;
    if (entry.mark === "close") close(last);
    else if (entry.mark === "open") {
      close(last);
      open = { openedAt: last, chunks: [] };
    } else if (entry.data !== undefined) {
      open ??= { openedAt: last, chunks: [] };
      open.chunks.push({ at: last, text: Buffer.from(entry.data).toString("latin1") });
    }
  }
  close(last);
  return { form: "observer", connections };
}

function readLine(file: string, number: number, line: string): ObserverLine {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch (cause) {
    throw new RecordingError(`Cannot read line ${number} of recording "${file}": it is not JSON`, { cause });
  }
  if (typeof entry !== "object" || entry === null || !("at" in entry) || typeof entry.at !== "number") {
    throw new RecordingError(
      `Cannot read line ${number} of recording "${file}": expected an object with a number "at"`,
    );
  }
  return entry as ObserverLine;
}

function connectionOf(
  openedAt: number,
  chunks: readonly { readonly at: number; readonly text: string }[],
  closedAt: number,
): RecordedConnection {
  const { greeting, pieces } = split(chunks.map((chunk) => chunk.text).join(""));
  // A message was sent when the chunk came that completed it.
  const ends: { readonly end: number; readonly at: number }[] = [];
  let length = 0;
  for (const chunk of chunks) {
    length += chunk.text.length;
    ends.push({ end: length, at: chunk.at });
  }
  let position = greeting.length;
  let index = 0;
  const answered = new Map<string, AnsweredAction>();
  const messages = pieces.map((piece): RecordedMessage => {
    position += piece.length;
    while ((ends[index]?.end ?? Number.POSITIVE_INFINITY) < position) index += 1;
    const actionId = actionIdOf(piece);
    const action = answeredAction(piece, answered.size === 0);
    if (action !== null && actionId !== null) answered.set(actionId, action);
    return {
      at: ends[index]?.at ?? closedAt,
      bytes: bytesOf(piece),
      answers: actionId === null ? null : (answered.get(actionId) ?? null),
      actionId,
    };
  });
  return { openedAt, greeting: bytesOf(greeting === "" ? defaultGreeting : greeting), messages, closedAt };
}

/** Which action a response begins to answer, by what it says; the first response of a connection answers Login. */
function answeredAction(piece: string, isFirst: boolean): AnsweredAction | null {
  if (!piece.startsWith("Response:")) return null;
  if (isFirst) return "Login";
  if (/^Message: Channels will follow/m.test(piece)) return "CoreShowChannels";
  if (/^Message: Queue status will follow/m.test(piece)) return "QueueStatus";
  return null;
}

function split(text: string): { greeting: string; pieces: string[] } {
  const [firstLine = ""] = /^[^\n]*\n?/.exec(text) ?? [];
  const greeting = /^[A-Za-z][\w.-]*:/.test(firstLine) ? "" : firstLine;
  const pieces: string[] = [];
  let start = greeting.length;
  const ending = /\n\r?\n/g;
  ending.lastIndex = start;
  for (let match = ending.exec(text); match !== null; match = ending.exec(text)) {
    pieces.push(text.slice(start, ending.lastIndex));
    start = ending.lastIndex;
  }
  return { greeting, pieces };
}

function actionIdOf(piece: string): string | null {
  return /^ActionID: *([^\r\n]*)/im.exec(piece)?.[1] ?? null;
}

function timestamp(piece: string): number | null {
  const [, seconds] = /^Timestamp: (\d+(?:\.\d+)?)/m.exec(piece) ?? [];
  return seconds === undefined ? null : Number(seconds) * 1000;
}

function firstTimestamp(pieces: readonly string[]): number | null {
  for (const piece of pieces) {
    const at = timestamp(piece);
    if (at !== null) return at;
  }
  return null;
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}
