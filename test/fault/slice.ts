// What `bun run fault` runs: slice after slice, each a test file (or script) with the environment that makes it long.
// A fault test that stands in no slice here is one of its own; its first line and its figures say which promise it shows.

import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const checkout = fileURLToPath(new URL("../..", import.meta.url));

export interface Slice {
  /** As it is named on the command line and in the results: the file, and which part of it. */
  readonly name: string;
  /** Promises that it shows, in part at least. None: it belongs to the suite all the same, and gets a row of its own. */
  readonly promises: readonly string[];
  /** Words after `bun`. */
  readonly words: readonly string[];
  /** Only tests whose names match are run. */
  readonly tests?: RegExp;
  /** What makes it long. A variable that is already set stays as it is. */
  readonly environment: Readonly<Record<string, string>>;
}

/** By promise, what is promised in short. */
export const promised: Readonly<Record<string, string>> = {
  R1: "acknowledged survives kill -9",
  R2: "… at every persistent system call",
  R3: "… and a power cut",
  R4: "a torn tail is cut at the last whole record",
  R5: "a damaged record costs that record alone",
  R6: "a full disk loses nothing and heals by itself",
  R7: "after a failed write or fsync: exit 74, nothing lost",
  R8: "each event's rows exactly once; one instance a directory",
  R9: "IDB locked, slow or gone: intake goes on",
  R10: "a lost or damaged IDB is rebuilt by itself",
  R11: "no window is called complete that is not",
  R12: "clock steps never reorder, repeat or drop",
  R13: "a slow disk costs latency and nothing else",
  R14: "a flood is met by back-pressure, fairly",
  R15: "malformed input never crashes, hangs or leaks",
  R16: "older formats are read, newer refused untouched",
  R17: "the HTTP side cannot harm intake",
  R18: "no secret and nothing of a caller's leaks",
  R19: "runs unprivileged and boxed",
  R20: "holds in seeded simulation",
  Backup: "backed up under load, restored: sound, equal dump, nothing lost",
  Purge: "a day purged beside full load: that day alone, and told as purged",
};

interface TestFile {
  readonly promises?: readonly string[];
  readonly tests?: RegExp;
  readonly environment?: Readonly<Record<string, string>>;
}

// Short of it: a test that waits for something that will not come ends with its own words, not with ours.
const testMsMax = 1_800_000;

function testFile(file: string, { promises = [], tests, environment = {} }: TestFile = {}): Slice {
  const words = ["test", `--timeout=${testMsMax}`, `./${file}`];
  const name = tests === undefined ? file : `${file} ${tests.source}`;
  return {
    name,
    promises,
    words: tests === undefined ? words : [...words, "--test-name-pattern", tests.source],
    ...(tests && { tests }),
    environment,
  };
}

// So many on each file system, with the IDB beside the queue and again with it on another disk.
const cuts = { ICON_POWER_CUTS: "20" };
const listed: readonly Slice[] = [
  testFile("test/fault/kill.test.ts", { promises: ["R1", "R8"], environment: { ICON_KILL_CYCLES: "200" } }),
  // So many kills stand for the long run there too.
  testFile("test/instance/start-and-stop.test.ts", { promises: ["R8"], environment: { ICON_KILL_CYCLES: "200" } }),
  testFile("test/fault/voice-killed.test.ts", { promises: ["R8"], environment: { ICON_VOICE_KILLS: "100" } }),
  testFile("test/fault/system-calls.test.ts", { promises: ["R2"], environment: { ICON_SYSTEM_CALLS: "all" } }),
  testFile("test/fault/power-cut.test.ts", { promises: ["R3"], tests: /ext4/, environment: cuts }),
  testFile("test/fault/power-cut.test.ts", { promises: ["R3"], tests: /xfs/, environment: cuts }),
  testFile("test/fault/torn-tail.test.ts", { promises: ["R4"] }),
  testFile("test/fault/bit-rot.test.ts", {
    promises: ["R5"],
    environment: { ICON_ROT_BITS: "1", ICON_ROT_ROUNDS: "8" },
  }),
  testFile("test/fault/full-disk.test.ts", { promises: ["R6"] }),
  testFile("test/fault/failed-write.test.ts", {
    promises: ["R7"],
    environment: { ICON_FAILED_CALLS: "all", ICON_FAILED_CALLS_CUT: "10" },
  }),
  testFile("test/fault/failed-disk.test.ts", { promises: ["R7"], environment: { ICON_DISK_FAILURES: "20" } }),
  testFile("test/fault/idb-damage.test.ts", { promises: ["R10"], environment: { ICON_IDB_DAMAGE: "all" } }),
  testFile("test/fault/idb-locked.test.ts", { promises: ["R9"], environment: { ICON_LOCK_SECONDS: "30" } }),
  testFile("test/fault/idb-blocked.test.ts", { promises: ["R9"], environment: { ICON_LOCK_SECONDS: "30" } }),
  testFile("test/fault/pair-windows.test.ts", {
    promises: ["R11"],
    environment: { ICON_PAIR_WINDOWS: "2000", ICON_PAIR_LANES: "8" },
  }),
  testFile("test/fault/pair-lies.test.ts", { promises: ["R11"], environment: { ICON_PAIR_LIES: "all" } }),
  testFile("test/fault/pair-failures.test.ts", { environment: { ICON_PAIR_FAILURES: "all" } }),
  testFile("test/fault/pair-extraction.test.ts", {
    environment: { ICON_PAIR_EXTRACT_SECONDS: "150", ICON_PAIR_EXTRACT_KILLS: "20", ICON_PAIR_EXTRACT_RATE: "200" },
  }),
  testFile("test/fault/clock.test.ts", { promises: ["R12"], environment: { ICON_CLOCK_STEPS: "60" } }),
  testFile("test/fault/slow-disk.test.ts", { promises: ["R13"], environment: { ICON_SLOW_SECONDS: "60" } }),
  testFile("test/fault/flood.test.ts", { promises: ["R14"], environment: { ICON_FLOOD_EVENTS: "300000" } }),
  {
    name: "test/fuzz",
    promises: ["R15"],
    words: ["test", `--timeout=${testMsMax}`, "./test/fuzz"],
    environment: { ICON_FUZZ_INPUTS: "1000000" },
  },
  testFile("test/fault/upgrade.test.ts", { promises: ["R16"] }),
  testFile("test/fault/http.test.ts", {
    promises: ["R17"],
    environment: { ICON_HTTP_SECONDS: "32", ICON_HTTP_EVENTS_PER_SECOND: "8000" },
  }),
  testFile("test/fault/http-capacity.test.ts", {
    promises: ["R17"],
    environment: { ICON_HTTP_CAPACITY_EVENTS: "1000000" },
  }),
  testFile("test/fault/secrets.test.ts", { promises: ["R18"] }),
  testFile("test/fault/file-modes.test.ts", { promises: ["R18"] }),
  testFile("test/binary/service-manager.test.ts", { promises: ["R19"], tests: /R19/ }),
  {
    name: "test/simulation/seeds.ts",
    promises: ["R20"],
    words: ["test/simulation/seeds.ts", "--count", "2000"],
    environment: {},
  },
  testFile("test/fault/backup.test.ts", { promises: ["Backup"], environment: { ICON_BACKUPS: "20" } }),
  testFile("test/fault/backup-broken-off.test.ts", { promises: ["Backup"], environment: { ICON_BACKUP_KILLS: "20" } }),
  testFile("test/fault/restored.test.ts", { promises: ["Backup"] }),
  testFile("test/fault/purge-load.test.ts", {
    promises: ["Purge"],
    environment: { ICON_PURGE_DAYS: "30", ICON_PURGE_KILLS: "10", ICON_PURGE_EVENTS: "500000" },
  }),
  testFile("test/instance/truth.test.ts", { environment: { ICON_TRUTH_SECONDS: "60" } }),
];

// What these test is the suite itself.
const ofTheSuite: ReadonlySet<string> = new Set([
  "test/fault/pair-audit.test.ts",
  "test/fault/plant.test.ts",
  "test/fault/table.test.ts",
]);

/** All slices, in the order of their promises. */
export function slices(): Slice[] {
  const here = new Set(listed.flatMap(({ words }) => words));
  const others = ["test/fault", "test/instance"].flatMap((folder) =>
    [...new Bun.Glob("*.test.ts").scanSync({ cwd: join(checkout, folder), absolute: true })]
      .map((path) => relative(checkout, path))
      .filter((file) => !ofTheSuite.has(file) && !here.has(`./${file}`))
      .sort()
      .map((file) => testFile(file, { promises: promisesInHead(file) })),
  );
  return [...listed, ...others].sort((a, b) => rank(a) - rank(b));
}

/** A fault test begins with the promises that it shows: "// R1 and R8: …". */
function promisesInHead(file: string): string[] {
  const [, head = ""] = /^\/\/ (R[^:]*):/.exec(readFileSync(join(checkout, file), "utf8")) ?? [];
  return head.match(/R\d+/g) ?? [];
}

function rank({ promises: [first] }: Slice): number {
  const number = Number(first?.slice(1));
  return Number.isNaN(number) ? Number.POSITIVE_INFINITY : number;
}

/** Those that the words name: a promise, or a part of a slice's name. Without words: all. Throws on a word that names none. */
export function chosenSlices(all: readonly Slice[], words: readonly string[]): Slice[] {
  const isNamed = (slice: Slice, word: string) =>
    slice.promises.some((promise) => promise.toLowerCase() === word.toLowerCase()) || slice.name.includes(word);
  for (const word of words) {
    if (!all.some((slice) => isNamed(slice, word))) {
      throw new RangeError(`Cannot run "${word}": expected a promise, or a part of a name that --list shows`);
    }
  }
  return words.length === 0 ? [...all] : all.filter((slice) => words.some((word) => isNamed(slice, word)));
}
