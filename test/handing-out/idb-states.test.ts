// What is answered for an IDB that is not there, not whole, locked, or another one than a moment ago.

import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { storeCopy } from "../extraction/stored-copy.ts";
import { manyCalls } from "../harness/stored-story.ts";
import { TemporaryDirectory } from "../idb/temporary.ts";
import { ServedIdb } from "./served-idb.ts";

const timeoutMs = 60_000;

test(
  "an IDB that is away, damaged, held by somebody or replaced is told apart, and nothing of it is changed",
  async () => {
    using directory = new TemporaryDirectory();
    const first = await storeCopy({
      directory: join(directory.path, "a"),
      payloads: manyCalls({ calls: 10 }).payloads,
    });
    const second = await storeCopy({
      directory: join(directory.path, "b"),
      payloads: manyCalls({ calls: 20 }).payloads,
    });
    const data = join(directory.path, "data");
    mkdirSync(data);
    const idbPath = join(data, "idb.db");
    await using served = await ServedIdb.start({ idbPath });
    const ask = async (path = "/api/v1/extract?what=identity") => {
      const answer = await served.get(path);
      const text = await answer.text();
      const retryAfter = answer.headers.get("retry-after");
      return { status: answer.status, retryAfter, text };
    };
    const passing = { status: 503, retryAfter: "5" };
    const lasting = { status: 409, retryAfter: null };

    expect(await ask()).toMatchObject({ ...passing, text: expect.stringContaining("there is no such file") });
    writeFileSync(idbPath, "SQLite format 3\0".padEnd(8192, "x"));
    expect(await ask()).toMatchObject({ ...lasting, text: expect.stringContaining("its header is damaged") });
    writeFileSync(idbPath, "no database".repeat(1000));
    expect(await ask()).toMatchObject({ ...lasting, text: expect.stringContaining("it is no SQLite file") });
    rmSync(idbPath);
    mkdirSync(idbPath);
    expect((await ask()).status).toBeOneOf([409, 503]);
    rmSync(idbPath, { recursive: true });

    copyFileSync(first, idbPath);
    const identityOf = async () => (await served.copy().identity()).idbId;
    const before = await identityOf();
    // As an instance writes it: readers are let in.
    const writer = new Database(idbPath);
    writer.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; UPDATE ICON_APPLIED SET POSITION = POSITION");
    expect(await identityOf()).toBe(before);
    writer.exec("ROLLBACK");
    writer.close();
    const holder = new Database(idbPath);
    holder.exec(
      "PRAGMA journal_mode = WAL; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE ICON_APPLIED SET POSITION = POSITION",
    );
    expect(await ask()).toMatchObject(passing);
    holder.exec("ROLLBACK");
    holder.close();
    expect(await identityOf()).toBe(before);

    // Rebuilt: another file is put in its place.
    const built = `${idbPath}.building`;
    copyFileSync(second, built);
    renameSync(built, idbPath);
    expect(await identityOf()).not.toBe(before);
  },
  timeoutMs,
);
