// When an observer of a recorded Asterisk was listening, by the server's own times: read from the recording alone, so that
// what the program says of its copies can be held against it.

import { loadRecording, type RecordingName } from "./ami-recording.ts";

/** From an observer's first timed event to its last, between a login and a cut. Seconds since 1970, with fractions. */
export interface Listening {
  readonly from: number;
  readonly until: number;
}

/** One a connection. Lines of list answers carry no time of their own. */
export function listenings(name: RecordingName): readonly Listening[] {
  return loadRecording(name).connections.map(({ messages }) => {
    const times = messages.flatMap(({ bytes, answers }) => {
      const time = /^Timestamp: (\d+\.\d+)\r?$/m.exec(new TextDecoder("latin1").decode(bytes))?.[1];
      return answers !== null || time === undefined ? [] : [Number(time)];
    });
    return { from: Math.min(...times), until: Math.max(...times) };
  });
}

/** Whether the observer listened without interruption from before the second to after it. */
export function heardSecond(name: RecordingName): (second: number) => boolean {
  const stretches = listenings(name);
  return (second) => stretches.some(({ from, until }) => from < second && until > second + 1);
}
