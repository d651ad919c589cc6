// Reads one frame of the manager interface. Nothing here fails: what cannot be read says why.

import { AmiFields, type AmiMessage } from "../../event/ami-message.ts";

const greeting = "Asterisk Call Manager";
const successes = new Set(["success", "follows", "goodbye", "pong"]);
// Names in caller IDs may be in any encoding; what is not UTF-8 becomes U+FFFD here and stays as it came in the frame.
const decoder = new TextDecoder();

/** The message in a frame as `AmiFramer` cuts it. What was cut to its bound is not read: its end decides what it says. */
export function decodeAmi(frame: Uint8Array, isCut = false): AmiMessage {
  if (isCut) return { kind: "undecodable", reason: "the message is longer than the bound" };
  const text = decoder.decode(frame);
  if (text.startsWith(greeting)) return { kind: "banner", text };
  const fields = new AmiFields(readLines(text));
  const [first] = fields.entries;
  if (first === undefined) return { kind: "undecodable", reason: "the message is empty" };
  const [title, value] = first;
  switch (title.toLowerCase()) {
    case "event":
      return value === ""
        ? { kind: "undecodable", reason: "the event has no name" }
        : { kind: "event", name: value, fields };
    case "response":
      return {
        kind: "response",
        success: successes.has(value.toLowerCase()),
        actionId: fields.get("ActionID") ?? null,
        fields,
      };
    default:
      return { kind: "undecodable", reason: 'expected the first line to begin with "Event:" or "Response:"' };
  }
}

/** The header lines of a frame, whatever its first line says; for actions, which a client sends. */
export function decodeFields(frame: Uint8Array): AmiFields {
  return new AmiFields(readLines(decoder.decode(frame)));
}

// A line without a colon is the output of a command in the old form; it is kept under the empty name.
function readLines(text: string): (readonly [string, string])[] {
  const entries: (readonly [string, string])[] = [];
  for (const ended of text.split("\n")) {
    const line = ended.endsWith("\r") ? ended.slice(0, -1) : ended;
    if (line === "") continue;
    const colon = line.indexOf(":");
    if (colon === -1) entries.push(["", line]);
    else entries.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  return entries;
}
