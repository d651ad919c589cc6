// A recorded Asterisk as records of a persistent queue.

import { encodeEnvelope, type Mark, type ProjectionOptions, type SessionId } from "../../src/event/envelope.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import { AmiFramer } from "../../src/protocol/ami/framer.ts";
import { loadRecording, type RecordingName } from "./ami-recording.ts";

/** What a live source would have stored of a recorded Asterisk. */
export function asteriskPayloads(
  options: ProjectionOptions,
  name: RecordingName = "ami",
  { role = ["gcc"], withLists = false }: { readonly role?: readonly string[]; readonly withLists?: boolean } = {},
): Uint8Array[] {
  const source = { name: "pbx1", kind: "ami", dbid: 201, primaryDbid: 201, switchDbid: 2, dsType: 101 } as const;
  const payloads: Uint8Array[] = [];
  const mark = (session: number, at: number, each: Mark) => {
    const arrivedAt = arrivalInstant(at);
    payloads.push(encodeEnvelope({ kind: "mark", session: session as SessionId, arrivedAt, mark: each }));
  };
  for (const [index, connection] of loadRecording(name).connections.entries()) {
    const session = index + 1;
    if (index === 0) {
      mark(0, connection.openedAt, {
        mark: "instance started",
        programVersion: "0.1.0",
        instance: { name: "icon-a", dbid: 9001 },
        queueId: "q",
        queueState: "new",
        role,
        sources: [{ ...source, options }],
        configurationHash: "0".repeat(64),
      });
    }
    const { dbid, primaryDbid, switchDbid, dsType } = source;
    const opened = {
      source: "pbx1",
      address: "127.0.0.1:5038",
      serverName: null,
      run: null,
      resumeAfter: null,
    } as const;
    mark(session, connection.openedAt, { mark: "session opened", ...opened, dbid, primaryDbid, switchDbid, dsType });
    const framer = new AmiFramer();
    let arrivalNumber = 0;
    const asked = new Set<string>();
    for (const { at, bytes, answers, actionId } of connection.messages) {
      if (answers !== null && !withLists) continue;
      if (answers !== null && answers !== "Login" && actionId !== null && !asked.has(actionId)) {
        asked.add(actionId);
        mark(session, at, { mark: "list requested", source: "pbx1", action: answers, actionId });
      }
      for (const { bytes: frame, isCut } of framer.push(bytes)) {
        arrivalNumber += 1;
        const arrivedAt = arrivalInstant(at);
        const frameEnvelope = {
          kind: "frame",
          session: session as SessionId,
          arrivedAt,
          arrivalNumber,
          isCut,
          frame,
        } as const;
        payloads.push(encodeEnvelope(frameEnvelope));
      }
    }
    mark(session, connection.closedAt, {
      mark: "session closed",
      source: "pbx1",
      cause: "connection lost",
      detail: null,
    });
  }
  return payloads;
}
