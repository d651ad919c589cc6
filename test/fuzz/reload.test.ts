import { expect, test } from "bun:test";
import { type Config, ConfigError, judgeConfig } from "../../src/config.ts";
import type { Log } from "../../src/log.ts";
import { silentLog } from "../../src/log.ts";
import { judgeReload, Reloading } from "../../src/reload.ts";
import { inputsInAll, Mutator } from "./mutator.ts";

const original = `
[instance]
name = "icon-a"
dbid = 9001
data_dir = "data"
[callconcentrator]
role = "gcc"
[queue]
segment_bytes = "64MiB"
retention_age = "7d"
retention_bytes = "20GiB"
reserve = "64MiB"
[idb]
window = "60s"
wal_limit = "4GiB"
[log]
level = "info"
[[source]]
name = "north"
kind = "tevent"
addresses = ["127.0.0.1:7001", "127.0.0.2:7001"]
dbid = 101
switch_dbid = 1
silence = "30s"
reconnect_min = "500ms"
[source.gts]
call-deletion-timeout = 30
`;

/** Everything that a start decides and a reload must leave alone. */
function fixedPart({ instance, idb, queue }: Config): unknown {
  return { instance, idb, segmentBytes: queue.segmentBytes, reserveBytes: queue.reserveBytes };
}

test("whatever is reloaded, a wrong file changes nothing, a right one only what may change, and twice is as once", async () => {
  const mutator = new Mutator("reloaded configurations");
  const first = judgeConfig(original, "/nowhere/icon.toml").config;
  let inForce = first;
  let text = original;
  let ask: () => void = () => {};
  const said: string[] = [];
  const note = (sentence: string) => {
    said.push(sentence);
  };
  const log: Log = { ...silentLog, info: note, error: note };
  const reloading = new Reloading({
    reload: {
      onRequest: (listener) => {
        ask = listener;
        return () => {};
      },
      load: () => judgeConfig(text, "/nowhere/icon.toml").config,
    },
    stop: new AbortController().signal,
    log,
    now: () => inForce,
    putInForce: async (next) => {
      inForce = next;
    },
  });
  const verdicts = new Set<string>();
  for (let input = 0; input < inputsInAll * 0.01; input += 1) {
    text = new TextDecoder().decode(mutator.mutate(Buffer.from(original)));
    const before = inForce;
    said.length = 0;
    ask();
    await reloading.settled();
    const isRight = said.includes("configuration in force");
    verdicts.add(isRight ? "in force" : (said[0] ?? "nothing said"));
    if (!isRight) {
      expect(inForce).toBe(before);
      expect(() => judgeConfig(text, "/nowhere/icon.toml")).toThrow(ConfigError);
      continue;
    }
    expect(fixedPart(inForce)).toEqual(fixedPart(first));
    const again = judgeReload(inForce, judgeConfig(text, "/nowhere/icon.toml").config);
    expect(again.changed).toEqual([]);
    expect(again.config).toEqual(inForce);
  }
  expect([...verdicts].sort()).toEqual(["configuration is wrong and stays as it was", "in force"]);
}, 900_000);
