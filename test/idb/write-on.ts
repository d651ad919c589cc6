// Commits until told to stop: ten calls and twenty history rows a position. The directory is given as argument.

import { writeSync } from "node:fs";
import { join } from "node:path";
import { openIdb } from "../../src/idb/open.ts";
import { silentLog } from "../../src/log.ts";
import { batch, call } from "./temporary.ts";

const idb = openIdb({ path: join(process.argv[2] ?? "", "idb.db"), log: silentLog, windowSeconds: 60 });
let isStopped = false;
process.on("SIGTERM", () => {
  isStopped = true;
});

for (let position = 1; !isStopped; position += 1) {
  const calls = Array.from({ length: 10 }, (_, index) => call(position * 10 + index));
  const history = Array.from({ length: 20 }, (_, index) => {
    const id = position * 20 + index;
    return [id, { CHID: id, CALLID: `call-${id}`, CSEQ: 1, ADDED: "2026-11-25T00:00:00.000Z" }] as const;
  });
  idb.commit(batch(BigInt(position), { G_CALL: calls, G_CALL_HISTORY: history }));
  if (position === 1) writeSync(1, "ready\n");
  if (position % 50 === 0) idb.checkpoint();
  await Bun.sleep(1);
}
idb.close();
