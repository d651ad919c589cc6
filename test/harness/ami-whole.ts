// Which of the logged stays an observer saw whole, and how stays are counted.

import { type LoggedStay, loadRecording, type RecordingName } from "./ami-recording.ts";

/** Calls that began and ended while the observer was connected. The recorded dialplan waits half a second before Queue. */
export function sawWhole(name: RecordingName): (stay: LoggedStay) => boolean {
  const { connections } = loadRecording(name);
  return (stay) =>
    connections.some(({ openedAt, closedAt }) => {
      const end = Math.max(stay.endedAt, stay.talk?.endedAt ?? 0);
      return openedAt / 1000 < stay.enteredAt - 0.51 && closedAt / 1000 > end + 1;
    });
}

/** Stays per queue: entered, and by outcome. */
export function countByQueue(stays: readonly { readonly queue: string; readonly outcome: string }[]) {
  const counts: Record<string, Record<string, number>> = {};
  for (const { queue, outcome } of stays) {
    const ofQueue = counts[queue] ?? { entered: 0 };
    counts[queue] = { ...ofQueue, entered: (ofQueue["entered"] ?? 0) + 1, [outcome]: (ofQueue[outcome] ?? 0) + 1 };
  }
  return counts;
}
