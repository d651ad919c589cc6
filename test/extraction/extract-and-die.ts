// Follows into an output and dies by SIGKILL at a step of its writing: before or after a call's rows, with the data written
// and the book not committed, right after the commit. Exit code 0: it came to the end before that step.
//
//   bun extract-and-die.ts STEP OUT FROM UNTIL IDB…

import { type Destination, kindOfName, openDestination } from "../../src/extraction/destination.ts";
import { Follower } from "../../src/extraction/follow.ts";
import { IdbCopy } from "../../src/extraction/idb-copy.ts";
import type { Output } from "../../src/extraction/output.ts";
import { windowSeconds } from "./extraction-setting.ts";

const [step = "", out = "", from = "", until = "", ...idbs] = process.argv.slice(2);
let steps = 0;

function mayDie(): void {
  steps += 1;
  if (steps === Number(step)) process.kill(process.pid, "SIGKILL");
}

/** The output with a step before and after everything that it does; the many calls of a batch are few steps. */
function mortal({ output }: Destination): Output {
  const { store } = output;
  const transaction = store.transaction.bind(store);
  store.transaction = (act) => {
    transaction(() => {
      act();
      mayDie();
    });
    mayDie();
  };
  let writes = 0;
  return {
    store,
    write(call, copies) {
      writes += 1;
      if (writes % 60 === 0) mayDie();
      output.write(call, copies);
    },
    withdraw: (callId, revision, reason) => output.withdraw(callId, revision, reason),
    putSessions: (sessions) => output.putSessions(sessions),
    sync() {
      mayDie();
      output.sync();
    },
    close: () => output.close(),
  };
}

const copies = idbs.map((path) => new IdbCopy(path));
const destination = openDestination({
  path: out,
  kind: kindOfName(out) ?? "idb",
  windowSeconds,
  now: 0,
  isFollowed: true,
  isForced: false,
  inputs: idbs,
});
const bounds = { from: Number(from), until: Number(until) };
const follower = new Follower({ copies, output: mortal(destination), withOpen: false }, bounds);
while ((await follower.step(Number(until))).hasMore);
destination.finish();
