// The recordings of a real Asterisk under test/fixture, and its own queue_log, which is the oracle.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Recording, readRecording } from "../../src/simulator/ami/recording.ts";

export const recordings = {
  ami: { file: fixture("asterisk-ami", "ami-session.txt"), queueLog: fixture("asterisk-ami", "queue_log") },
  a: { file: fixture("asterisk-pair", "observer-a.jsonl"), queueLog: fixture("asterisk-pair", "queue_log") },
  b: { file: fixture("asterisk-pair", "observer-b.jsonl"), queueLog: fixture("asterisk-pair", "queue_log") },
} as const;

export type RecordingName = keyof typeof recordings;

function fixture(...parts: string[]): string {
  return join(import.meta.dir, "..", "fixture", ...parts);
}

export function loadRecording(name: RecordingName): Recording {
  const { file } = recordings[name];
  return readRecording(file, readFileSync(file));
}

/** One wait in a queue as the server itself logged it. Seconds since 1970, truncated as the log has them. */
export interface LoggedStay {
  readonly callId: string;
  readonly queue: string;
  readonly enteredAt: number;
  readonly outcome: "answered" | "abandoned" | "left";
  readonly endedAt: number;
  readonly talk: { readonly member: string; readonly startedAt: number; readonly endedAt: number } | null;
}

/** Reads a queue_log: `time|callid|queue|member|event|…`. */
export function readQueueLog(name: RecordingName): readonly LoggedStay[] {
  const stays: LoggedStay[] = [];
  const lines = readFileSync(recordings[name].queueLog, "utf8").trim().split("\n");
  for (const line of lines) {
    const [time = "", callId = "", queue = "", member = "", event = ""] = line.split("|");
    const at = Number(time);
    const index = stays.findLastIndex((stay) => stay.callId === callId && stay.queue === queue);
    const stay = stays[index];
    if (event === "ENTERQUEUE") {
      stays.push({ callId, queue, enteredAt: at, outcome: "left", endedAt: Number.NaN, talk: null });
    } else if (stay === undefined) {
      if (/^(CONNECT|ABANDON|EXIT|COMPLETE|BLINDTRANSFER)/.test(event)) throw new Error(`${event} without ENTERQUEUE`);
    } else if (event === "CONNECT") {
      const talk = { member, startedAt: at, endedAt: Number.NaN };
      stays[index] = { ...stay, outcome: "answered", endedAt: at, talk };
    } else if (event === "ABANDON" || event.startsWith("EXIT")) {
      stays[index] = { ...stay, outcome: event === "ABANDON" ? "abandoned" : "left", endedAt: at };
    } else if (/^(COMPLETE|BLINDTRANSFER)/.test(event) && stay.talk !== null) {
      stays[index] = { ...stay, talk: { ...stay.talk, endedAt: at } };
    }
  }
  return stays;
}
