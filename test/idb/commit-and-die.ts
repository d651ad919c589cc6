// Commits thirty times, then kills itself in the middle of things. The directory is given as argument.

import { writeSync } from "node:fs";
import { join } from "node:path";
import { openIdb } from "../../src/idb/open.ts";
import { silentLog } from "../../src/log.ts";
import { batch, call } from "./temporary.ts";

const idb = openIdb({ path: join(process.argv[2] ?? "", "idb.db"), log: silentLog, windowSeconds: 60 });
const commits = 30;
for (let position = 1; position <= commits; position += 1) {
  idb.commit(batch(BigInt(position), { G_CALL: [call(position)] }));
}
writeSync(1, String(commits));
process.kill(process.pid, "SIGKILL");
