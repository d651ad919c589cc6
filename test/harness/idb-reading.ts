// Run by IdbReader in a process of its own: holds one transaction that reads the IDB until standard input ends.

import Database from "libsql";

const [path = ""] = process.argv.slice(2);
const database = new Database(path);
database.exec("BEGIN");
database.prepare("SELECT count(*) FROM ICON_APPLIED").get();
console.log("reading");
for await (const _ of process.stdin) {
  // Nothing is said; only the end counts.
}
database.exec("COMMIT");
