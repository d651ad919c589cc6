import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CredentialsError, readAmiCredentials, readToken } from "../../src/config/credentials.ts";
import { inputsInAll, Mutator } from "./mutator.ts";

const secret = "kept-7f3a91c2";
const login = Buffer.from(`username = "icon"\nsecret = "${secret}"\n`);
const token = Buffer.from(`${secret}\r\n`);

test.each([
  ["manager login", login, (path: string) => Object.values(readAmiCredentials(path))],
  ["token", token, (path: string) => [readToken(path)]],
] as const)(
  "a mutated %s file gives one line each or a CredentialsError that keeps the secret",
  (what, original, read) => {
    const mutator = new Mutator(`credentials, ${what}`);
    const directory = mkdtempSync(join(tmpdir(), "icon-credentials-"));
    const path = join(directory, "secret");
    const verdicts = new Set<string>();
    try {
      for (let input = 0; input < inputsInAll * 0.01; input += 1) {
        const bytes = mutator.mutate(original);
        writeFileSync(path, bytes, { mode: 0o600 });
        try {
          for (const value of read(path)) {
            if (value === "" || /\p{Cc}/u.test(value)) throw new Error(`Not one line: ${JSON.stringify(value)}`);
          }
          verdicts.add("read");
        } catch (error) {
          if (!(error instanceof CredentialsError)) {
            throw new Error(`Not a CredentialsError: ${Buffer.from(bytes)}`, { cause: error });
          }
          if (error.message.includes("7f3a")) throw new Error(`The secret is in the message: ${error.message}`);
          verdicts.add("error");
        }
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
    expect([...verdicts].sort()).toEqual(["error", "read"]);
  },
  900_000,
);
