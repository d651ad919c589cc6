// Whose token goes where, when copies are named by address.

import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CopyAccessOptions, copyAccess } from "../../src/commands/copy-access.ts";
import { CopyError } from "../../src/extraction/copy.ts";
import { headLine } from "../../src/extraction/copy-lines.ts";
import { openCopy } from "../../src/extraction/open-copy.ts";
import { TemporaryDirectory } from "../idb/temporary.ts";

const folder = new TemporaryDirectory();
const file = (name: string, mode = 0o600) => {
  const path = join(folder.path, name);
  writeFileSync(path, `${name}-text\n`, { mode });
  return path;
};
const identity = { idbId: "i", queueId: "q", version: 1, schemaVersion: 4, windowSeconds: 60, iconDbids: [9001] };
const shown: (string | null)[] = [];
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    shown.push(request.headers.get("authorization"));
    return new Response(`${headLine(identity, "icon-a")}{"end":"whole"}\n`);
  },
});
const origin = `http://127.0.0.1:${server.port}`;
afterAll(async () => {
  await server.stop(true);
  folder[Symbol.dispose]();
});

async function tokenShown(options: CopyAccessOptions): Promise<string | null | undefined> {
  await using copy = openCopy(`${origin}/`, copyAccess(options));
  expect([copy.name, await copy.identity()]).toEqual([origin, identity]);
  return shown.pop();
}

function refusal(address: string, options: CopyAccessOptions): string {
  try {
    openCopy(address, copyAccess(options));
  } catch (error) {
    if (error instanceof CopyError && error.kind === "lasting") return error.message;
    throw error;
  }
  throw new Error("It was opened");
}

test("a token for this very address goes before the one for all, and none where none is named", async () => {
  const [all, own, other] = [file("all"), file("own"), file("other")];
  expect(await tokenShown({})).toBeNull();
  expect(await tokenShown({ tokenFile: [all] })).toBe("Bearer all-text");
  expect(await tokenShown({ tokenFile: [`${origin}=${own}`, all] })).toBe("Bearer own-text");
  expect(await tokenShown({ tokenFile: [all, `http://127.0.0.1:1=${other}`] })).toBe("Bearer all-text");
  expect(await tokenShown({ tokenFile: [`http://127.0.0.1:1=${other}`] })).toBeNull();
});

test("a token that everybody can read is not used, and the token's text is in no message", async () => {
  await using copy = openCopy(origin, copyAccess({ tokenFile: [file("open", 0o644)] }));
  const before = shown.length;
  await expect(copy.identity()).rejects.toThrow("everybody on this host can reach it (mode 0644)");
  expect(shown.length).toBe(before);
});

test("a token does not go to another host in the open, unless that is waived, and an address is an address alone", () => {
  const tokenFile = [file("far")];
  expect(refusal("http://10.0.0.2:8080", { tokenFile })).toContain("a token would go there in the open");
  for (const [address, options] of [
    ["http://10.0.0.2:8080", { tokenFile, plaintext: true }],
    ["http://10.0.0.2:8080", {}],
    ["https://10.0.0.2:8443", { tokenFile }],
    ["http://[::1]:8080", { tokenFile }],
  ] as const) {
    expect(openCopy(address, copyAccess(options)).name).toBe(address);
  }
  for (const address of ["https://icon:secret@b:8443", "https://b:8443/api", "https://b:8443/?x=1", "https://"]) {
    expect(refusal(address, {})).toBe('Cannot use this address as IDB: expected "https://host:port" of an instance');
  }
});
