// icon purge --dry-run: what it prints, and how it ends. Its instance is played, the IDB is a real one.

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { differencesBetween, readWhole } from "../harness/dump.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { manyCalls, store } from "../harness/stored-story.ts";
import { led } from "../idb/purged.ts";
import { runIcon } from "./run-icon.ts";

const day = "2026-11-23T08:00:40Z";

async function setting(directory: TemporaryDirectory): Promise<{ readonly idb: string; config(port: number): string }> {
  const [queue, idb] = [directory.at("queue"), directory.at("idb.db")];
  await store(queue, manyCalls({ calls: 30 }).payloads);
  led({ queue, idb }, (_, upTo, end) => upTo(end));
  const config = (port: number) => {
    const file = directory.at("icon.toml");
    const lines = ["[instance]", 'name = "icon-a"', "dbid = 9001", 'data_dir = "."', "[http]"];
    writeFileSync(file, [...lines, `listen = "127.0.0.1:${port}"`, ""].join("\n"));
    return file;
  };
  return { idb, config };
}

test("a dry run counts what would go and says that it would be done, or why not, and nothing is changed", async () => {
  using directory = new TemporaryDirectory("purge-dry-run");
  const { idb, config } = await setting(directory);
  const asked: string[] = [];
  let refusal: string | null = null;
  using instance = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch({ method, url }) {
      asked.push(`${method} ${new URL(url).search}`);
      if (refusal !== null) return Response.json({ title: "Conflict", status: 409, detail: refusal }, { status: 409 });
      return Response.json({ before: "2026-11-23T08:00:40.000Z", result: "would be asked for" });
    },
  });
  const before = readWhole(idb);
  const words = ["purge", "--dry-run", "--before", day, "--config", config(instance.port ?? 0)];
  const text = await runIcon(words, directory.path);
  expect(text).toMatchObject({ exitCode: 0, stderr: "" });
  expect(text.stdout).toStartWith(
    "Of what ended before 2026-11-23T08:00:40.000Z a purge would delete 17 calls and 0 login sessions. Rows by table:\n",
  );
  expect(text.stdout).toMatch(/^ {2}G_CALL +17$/m);
  expect(text.stdout).toEndWith("Nothing was changed. The instance would do it.\n");
  expect(asked).toEqual(["POST ?before=2026-11-23T08%3A00%3A40.000Z&evenIfOnlyCopy=false&dryRun=true"]);
  refusal = "No peer is configured, so no other copy is known.";
  const refused = await runIcon([...words, "--json"], directory.path);
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(refusal) });
  expect(JSON.parse(refused.stdout)).toMatchObject({
    ...{ before: "2026-11-23T08:00:40.000Z", dryRun: true, result: "refused", calls: 17, loginSessions: 0 },
    rows: { G_CALL: 17, G_PARTY: 17 },
  });
  expect(differencesBetween(before, readWhole(idb))).toEqual([]);
});

test("where the instance does not run it is counted all the same, and the exit code says so", async () => {
  using directory = new TemporaryDirectory("purge-dry-run");
  const { config } = await setting(directory);
  const closed = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("") });
  const file = config(closed.port ?? 0);
  await closed.stop(true);
  const { exitCode, stdout, stderr } = await runIcon(
    ["purge", "--dry-run", "--before", day, "--config", file],
    directory.path,
  );
  expect(exitCode).toBe(69);
  expect(stdout).toContain("a purge would delete 17 calls");
  expect(stderr).toContain("it refuses the connection");
});

test("without an IDB there is nothing to count", async () => {
  using directory = new TemporaryDirectory("purge-dry-run");
  const file = directory.at("icon.toml");
  writeFileSync(file, '[instance]\nname = "icon-a"\ndbid = 9001\ndata_dir = "data"\n');
  expect(await runIcon(["purge", "--dry-run", "--before", day, "--config", file], directory.path)).toMatchObject({
    ...{ exitCode: 66, stdout: "", stderr: expect.stringContaining('there is no IDB "') },
  });
});
