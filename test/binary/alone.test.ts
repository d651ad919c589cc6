import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { version } from "../../package.json" with { type: "json" };
import { until } from "../harness/processes.ts";
import { firstLine, LoneBinary } from "./alone.ts";

const buildMs = 60_000;

test(
  "alone in an empty directory the binary says its version and leaves nothing behind",
  async () => {
    using icon = await LoneBinary.make();
    expect(await icon.run(["version"])).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await icon.run(["--version"])).stdout.trim()).toBe(version);
    expect(icon.files()).toEqual([]);
  },
  buildMs,
);

test(
  "what init writes is valid as it stands, and a second init leaves it alone",
  async () => {
    using icon = await LoneBinary.make();
    expect(await icon.run(["init"])).toMatchObject({ exitCode: 0 });
    expect(icon.files()).toEqual(["icon.toml"]);
    const written = readFileSync(icon.at("icon.toml"), "utf8");
    expect(await icon.run(["validate"])).toMatchObject({ exitCode: 0 });
    expect(await icon.run(["init"])).toMatchObject({ exitCode: 73 });
    expect(readFileSync(icon.at("icon.toml"), "utf8")).toBe(written);
    expect(icon.files()).toEqual(["icon.toml"]);
  },
  buildMs,
);

test(
  "a wrong configuration ends validate and run with 78, and touches nothing",
  async () => {
    using icon = await LoneBinary.make();
    writeFileSync(icon.at("icon.toml"), '[instance]\nname = "a b"\ndbid = 0\ndata_dir = "data"\n');
    for (const command of ["validate", "run"]) {
      const { exitCode, stderr } = await icon.run([command]);
      expect(exitCode).toBe(78);
      expect(stderr).toContain("instance.name");
      expect(stderr).toContain("instance.dbid");
    }
    expect(icon.files()).toEqual(["icon.toml"]);
  },
  buildMs,
);

test(
  "it records a simulated T-Server, both from the one file, with sql and dump beside it, and stops in order",
  async () => {
    using icon = await LoneBinary.make();
    const simulator = icon.start(["simulate", "tserver", "--rate", "200", "--clients-min", "1", "--seconds", "60"]);
    try {
      const { listening } = JSON.parse(await firstLine(simulator.stdout)) as { listening: string };
      writeFileSync(icon.at("icon.toml"), configuration(listening));
      const instance = icon.start(["run", "--config", "icon.toml"]);
      try {
        const { status } = JSON.parse(await firstLine(instance.stdout)) as { status: string };
        expect((await fetch(new URL("/healthz", status))).status).toBe(200);
        const query = ["sql", "--data-dir", "data", "--format", "json", "SELECT count(*) AS CALLS FROM G_CALL"];
        await until("calls are in the IDB", 20_000, async () => {
          const { exitCode, stdout } = await icon.run(query);
          return exitCode === 0 && ((JSON.parse(stdout) as { CALLS: number }[])[0]?.CALLS ?? 0) > 5;
        });
        expect((await fetch(new URL("/readyz", status))).status).toBe(200);
        expect(await icon.run(["sql", "--data-dir", "data", "DELETE FROM G_CALL"])).toMatchObject({ exitCode: 65 });

        const dump = await icon.run(["dump", "data", "--json", "--limit", "3"]);
        expect(dump).toMatchObject({ exitCode: 0, stderr: "" });
        const records = dump.stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        expect(records.map(({ position, kind }) => ({ position, kind }))).toEqual([
          { position: 1, kind: "mark" },
          { position: 2, kind: "mark" },
          { position: 3, kind: "frame" },
        ]);

        const second = await icon.run(["run", "--config", "icon.toml"]);
        expect(second.exitCode).toBe(69);
        instance.kill("SIGTERM");
        expect(await instance.exited).toBe(0);
        expect(await icon.run(["dump", "data", "--segments"])).toMatchObject({ exitCode: 0 });
        expect(icon.files()).toEqual(["data", "icon.toml"]);
      } finally {
        instance.kill("SIGKILL");
        await instance.exited;
      }
    } finally {
      simulator.kill("SIGKILL");
      await simulator.exited;
    }
  },
  buildMs + 60_000,
);

test(
  "it reads neither .env nor bunfig.toml of the directory it is started in",
  async () => {
    using icon = await LoneBinary.make();
    writeFileSync(icon.at(".env"), "TMPDIR=/nowhere/at/all\n");
    writeFileSync(icon.at("bunfig.toml"), 'preload = ["./not-there.ts"]\n');
    expect(await icon.run(["version"])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await icon.run(["sql", "--idb", "not-there.db", "SELECT 1"])).toMatchObject({ exitCode: 66 });
  },
  buildMs,
);

function configuration(address: string): string {
  return `[instance]
name = "alone"
dbid = 9001
data_dir = "data"
[callconcentrator]
role = "gcc"
[http]
listen = "127.0.0.1:0"
[[source]]
name = "north"
kind = "tevent"
addresses = ["${address}"]
dbid = 101
switch_dbid = 1
`;
}
