// The binary on a host that does not suit it. The kernel's answer is changed on its way to the program, since not every
// machine may mount a network file system.

import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { iconBinary, TemporaryDirectory } from "../harness/processes.ts";

// statfs(2)'s f_type of NFS, eight bytes, the lowest first.
const nfs = "6969000000000000";
const hasStrace = Bun.which("strace") !== null;

for (const command of ["validate", "run"]) {
  test.if(hasStrace)(
    `icon ${command} refuses a data directory on NFS with exit code 78 and makes nothing${hasStrace ? "" : " (skipped: strace is not installed)"}`,
    async () => {
      using directory = new TemporaryDirectory("nfs");
      const data = directory.at("data");
      writeFileSync(
        directory.at("icon.toml"),
        `[instance]\nname = "a"\ndbid = 1\ndata_dir = ${JSON.stringify(data)}\n`,
      );
      const words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `inject=statfs:poke_exit=@arg2=${nfs}`];
      const child = Bun.spawn([...words, await iconBinary(), command, "--config", directory.at("icon.toml")], {
        stdout: "ignore",
        stderr: "pipe",
      });
      const told = await new Response(child.stderr).text();
      expect(await child.exited).toBe(78);
      expect(told).toContain(
        `Cannot use instance.data_dir ${JSON.stringify(data)}: it is on a network file system (NFS), which does not keep what fdatasync promises; expected a folder on a disk of this host`,
      );
      expect(readdirSync(directory.path)).toEqual(["icon.toml"]);
    },
    20_000,
  );
}
