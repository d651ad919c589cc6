import { expect, test } from "bun:test";
import { judgeConfig } from "../src/config.ts";
import { judgeReload } from "../src/reload.ts";

const asLeftOut = `
[instance]
name = "icon-a"
dbid = 9001
data_dir = "data"
`;

/** A file with one more key than the one in force, or another value of it. */
function reloaded(section: string, line: string) {
  const key = line.slice(0, line.indexOf(" "));
  const isThere = section === "instance";
  const text = isThere
    ? asLeftOut.replace(new RegExp(`^${key} = .*$`, "m"), line)
    : `${asLeftOut}[${section}]\n${line}\n`;
  const { config } = judgeConfig(text, "/nowhere/icon.toml");
  const { changed, waiting } = judgeReload(judgeConfig(asLeftOut, "/nowhere/icon.toml").config, config);
  return { key: `${section}.${key}`, changed, waiting };
}

const atOnce = [
  ["callconcentrator", 'role = "gcc"'],
  ["callconcentrator", "gls-acw-first = 1"],
  ["callconcentrator", "gls-active-reason-codes = true"],
  ["callconcentrator", 'remote-locations = ["West"]'],
  ["callconcentrator", 'is-link-timeout = "2h"'],
  ["queue", 'retention_age = "8d"'],
  ["queue", 'retention_bytes = "21GiB"'],
  ["log", 'level = "debug"'],
  ["http", 'peer = "https://icon-b.example.com:8443"'],
] as const;

const atTheNextStart = [
  ["instance", 'name = "icon-b"'],
  ["instance", "dbid = 9002"],
  ["instance", 'data_dir = "elsewhere"'],
  ["queue", 'segment_bytes = "32MiB"'],
  ["queue", 'reserve = "65MiB"'],
  ["idb", 'path = "other.db"'],
  ["idb", 'window = "30s"'],
  ["idb", 'wal_limit = "1GiB"'],
  ["idb", 'check_every = "off"'],
  ["http", 'listen = "off"'],
  ["http", 'names = ["icon.example.com"]'],
] as const;

for (const [section, line] of atOnce) {
  test(`[${section}] ${line}: a reload puts it in force, and names it as the file does`, () => {
    const { key, changed, waiting } = reloaded(section, line);
    expect({ changed, waiting }).toEqual({ changed: [key], waiting: [] });
  });
}

for (const [section, line] of atTheNextStart) {
  test(`[${section}] ${line}: a reload leaves it for the next start, and names it as the file does`, () => {
    const { key, changed, waiting } = reloaded(section, line);
    expect(changed).toEqual([]);
    // The IDB lies in data_dir where nothing else is said.
    expect(waiting).toEqual(key === "instance.data_dir" ? [key, "idb.path"] : [key]);
  });
}
