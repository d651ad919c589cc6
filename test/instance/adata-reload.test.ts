// The specification is read again at SIGHUP, though the configuration file itself is as it was: from then on the new one
// holds, a wrong one changes nothing, and the IDB equals its rebuild, which obeys what was in force at the time.

import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import Database from "libsql";
import { differencesBetween, readWhole } from "../harness/dump.ts";
import {
  dataDirectoryOf,
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  readLog,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

const hello =
  '{"hello":"tevent/1","server":"S","type":"TServer","dbid":101,"primaryDbid":101,"switch":"S","switchDbid":1,' +
  '"startTime":"2026-11-23T08:00:00.000Z","role":"primary","lastSeq":0,"oldestSeq":null,"heartbeatMs":60000}\n';

async function server() {
  const connected = Promise.withResolvers<Socket>();
  const listening = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(hello);
    socket.once("data", () => {
      socket.write('{"snapshot":"begin"}\n{"snapshot":"end","lastSeq":0}\n');
      connected.resolve(socket);
    });
  });
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const bound = listening.address();
  if (bound === null || typeof bound === "string") throw new Error("Cannot tell on which port it listens");
  let sequence = 0;
  return {
    address: `127.0.0.1:${bound.port}`,
    async tell(id: string, data: Readonly<Record<string, string>>): Promise<number> {
      sequence += 1;
      const call = { ConnID: "01", CallUUID: "C1", ThisDN: "5001", ThisDNRole: 2, UserData: data };
      const time = 1795423790 + sequence;
      (await connected.promise).write(`${JSON.stringify({ id, EventSequenceNumber: sequence, time, ...call })}\n`);
      return sequence;
    },
    async [Symbol.asyncDispose]() {
      listening.close();
      (await connected.promise).destroy();
    },
  };
}

test("a changed specification holds from SIGHUP on, a wrong one changes nothing, and a rebuild obeys both", async () => {
  const binary = await iconBinary();
  using directory = new TemporaryDirectory("adata-reload");
  mkdirSync(directory.path, { recursive: true });
  const specify = (key: string, history = "all") =>
    writeFileSync(directory.at("adata.toml"), `[[public]]\nname = "${key}"\nhistory = "${history}"\n`);
  specify("first");
  await using tserver = await server();
  const setting: InstanceSetting = {
    directory: directory.path,
    callconcentrator: ['role = "gcc,gud"', 'adata-spec-name = "adata.toml"'],
    sources: [{ name: "north", address: tserver.address, dbid: 101, switchDbid: 1 }],
  };
  await using instance = await Instance.start(setting);
  const applied = async (sequence: number) =>
    until("it is applied", 20_000, async () => {
      const { sources, queue } = await instance.status();
      return sources[0]?.lastSequence === sequence && queue.recordsNotApplied === 0;
    });
  await applied(await tserver.tell("EventRinging", { first: "1", second: "1" }));

  specify("second");
  instance.reload(setting);
  const reloaded = () => readLog(setting).find(({ event }) => event === "configuration in force");
  await until("the reload is over", 10_000, () => reloaded() !== undefined);
  expect(reloaded()?.["changed"]).toBe("callconcentrator.adata-spec-name, adata-userdata-history, max-userdata-length");
  await applied(await tserver.tell("EventAttachedDataChanged", { first: "2", second: "2" }));

  specify("second", "sometimes");
  instance.reload(setting);
  const wrong = () => readLog(setting).find(({ event }) => event === "configuration is wrong and stays as it was");
  await until("the problem is logged", 10_000, () => wrong() !== undefined);
  expect(String(wrong()?.["problem"])).toEndWith('adata.toml:1:1: history is "sometimes"');
  await applied(await tserver.tell("EventAttachedDataChanged", { first: "3", second: "3" }));
  expect(await instance.stop()).toBe(0);

  const database = new Database(idbPathOf(setting));
  const rows = database.prepare("SELECT KEYNAME, VALUE FROM G_USERDATA_HISTORY ORDER BY SEQ").raw().all();
  database.close();
  expect<unknown>(rows).toEqual([
    ["first", "1"],
    ["second", "2"],
    ["second", "3"],
  ]);
  const out = directory.at("rebuilt.db");
  const rebuilt = Bun.spawnSync([binary, "rebuild", dataDirectoryOf(setting), "--out", out]);
  expect(rebuilt.exitCode).toBe(0);
  expect(differencesBetween(readWhole(idbPathOf(setting)), readWhole(out))).toEqual([]);
}, 120_000);
