// icon stop-safe as an operator runs it, against another instance's HTTP side.

import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { storeCopy } from "../extraction/stored-copy.ts";
import { ServedIdb } from "../handing-out/served-idb.ts";
import { Story } from "../harness/story.ts";
import { TemporaryDirectory } from "../idb/temporary.ts";
import { runIcon } from "./run-icon.ts";

const timeoutMs = 60_000;
const folder = new TemporaryDirectory();
const story = () => {
  const told = new Story().snapshot(0);
  for (let at = 1; at < 300; at += 20) told.events([at, "EventRinging", { CallUUID: `C${at}`, ThisDN: "5" }]);
  return told;
};
const peerPath = await storeCopy({ directory: join(folder.path, "b"), payloads: story().heartbeat(400).payloads });
await storeCopy({ directory: join(folder.path, "a"), payloads: story().heartbeat(405).payloads });
await storeCopy({ directory: join(folder.path, "ahead"), payloads: story().heartbeat(700).payloads });
const peer = await ServedIdb.start({ idbPath: peerPath });
afterAll(async () => {
  await peer[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});
writeFileSync(join(folder.path, "peer.token"), `${peer.tokens.read}\n`, { mode: 0o600 });

function stopSafe(dataDir: string, http: string, ...words: string[]) {
  const configuration = `[instance]
name = "icon-b"
dbid = 9002
data_dir = "${dataDir}"
[http]
${http}
[[source]]
name = "north"
kind = "tevent"
addresses = ["127.0.0.1:1"]
dbid = 101
switch_dbid = 1
`;
  writeFileSync(join(folder.path, "icon.toml"), configuration, { mode: 0o600 });
  return runIcon(["stop-safe", ...words], folder.path);
}

const asked = `peer = "${peer.origin}"\npeer_token_file = "peer.token"`;

test(
  "an instance whose peer has and hears the same may be stopped",
  async () => {
    expect(await stopSafe("a", asked)).toEqual({
      exitCode: 0,
      stdout:
        "icon-b may be stopped: icon-a has and hears all that it does.\n" +
        "  north: heard there until 2026-11-23T08:06:40.000Z, here until 2026-11-23T08:06:45.000Z\n",
      stderr: "",
    });
    const { exitCode, stdout } = await stopSafe("a", asked, "--json");
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { isSafe: true, peer: "icon-a", reasons: [] }]);
  },
  timeoutMs,
);

test(
  "one whose peer is behind, away or not open to it must not, and says why",
  async () => {
    const behind = await stopSafe("ahead", asked);
    expect(behind).toEqual({
      exitCode: 1,
      stdout:
        "icon-b must not be stopped now.\n" + "  icon-a is 300 s behind this instance in what it has heard of north.\n",
      stderr: "",
    });
    // Asked again until the time is over.
    const away = await stopSafe("a", 'peer = "http://127.0.0.1:1"', "--within", "100ms");
    expect([away.exitCode, away.stdout]).toEqual([
      1,
      "icon-b must not be stopped now.\n" + "  The other instance cannot be asked: it refuses the connection.\n",
    ]);
    const closed = await stopSafe("a", `peer = "${peer.origin}"`);
    expect([closed.exitCode, closed.stdout]).toEqual([1, expect.stringContaining("it wants a token")]);
    const nothing = await stopSafe("none", asked);
    expect([nothing.exitCode, nothing.stdout]).toEqual([1, expect.stringContaining("there is no such file")]);
  },
  timeoutMs,
);

test(
  "without a peer in the configuration, or with words that are none, it is wrong usage",
  async () => {
    const { exitCode, stderr } = await stopSafe("a", "");
    expect([exitCode, stderr]).toEqual([78, expect.stringContaining("expected [http] peer")]);
    expect((await stopSafe("a", asked, "--within", "soon")).exitCode).toBe(64);
    expect((await stopSafe("a", "peer = 7")).exitCode).toBe(78);
  },
  timeoutMs,
);
