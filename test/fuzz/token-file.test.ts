import { expect, test } from "bun:test";
import { findToken, hashToken, makeToken, tokenRoles } from "../../src/access/token.ts";
import { parseTokens, TokenFileError, tokenNamePattern } from "../../src/access/token-file.ts";
import { inputsInAll, Mutator } from "./mutator.ts";

const secret = makeToken();
const line = (name: string, role: string, token: string) =>
  `${name} ${role} sha256:${Buffer.from(hashToken(token)).toString("hex")}\n`;
const originals = [
  `# who may ask\n\n${line("wall", "read", secret)}${line("desk", "read-personal", makeToken())}`,
  `${line("runbook", "act", makeToken())}\t ${line("a.b-c_d", "read", secret)}  # the last one`,
  `${line("wall", "read", secret)}wall2 read ${secret}\n`,
].map((each) => Buffer.from(each));

test("a mutated token file gives tokens that are whole, or an error that names a line and repeats nothing", () => {
  const mutator = new Mutator("token file");
  const verdicts = { read: 0, refused: 0 };
  for (let input = 0; input < inputsInAll * 0.05; input += 1) {
    const bytes = mutator.mutate(mutator.pick(originals));
    const text = Buffer.from(bytes).toString("utf8");
    try {
      const tokens = parseTokens("icon.tokens", text);
      verdicts.read += 1;
      for (const { name, role, hash } of tokens) {
        const isWhole = tokenNamePattern.test(name) && tokenRoles.includes(role) && hash.length === 32;
        // Nobody is let in whose name, role and hash do not stand in one line.
        const stands = text.split("\n").some((each) => {
          const words =
            each
              .split("#", 1)[0]
              ?.split(/[ \t\r]+/)
              .filter((word) => word !== "") ?? [];
          return words.join(" ") === `${name} ${role} sha256:${Buffer.from(hash).toString("hex")}`;
        });
        if (!isWhole || !stands) throw new Error(`Not what the file says: ${JSON.stringify(text)}`);
      }
      if (new Set(tokens.map(({ name }) => name)).size !== tokens.length) throw new Error("A name came twice");
      if (findToken(tokens, "") !== null) throw new Error("An empty token lets somebody in");
    } catch (error) {
      if (!(error instanceof TokenFileError)) throw new Error(JSON.stringify(text), { cause: error });
      verdicts.refused += 1;
      if (!/: line \d+: /.test(error.message)) throw new Error(`No line is named: ${error.message}`);
      if (error.message.includes(secret.slice(5, 15))) throw new Error(`A token is in the message: ${error.message}`);
    }
  }
  expect([verdicts.read > 0, verdicts.refused > 0]).toEqual([true, true]);
}, 900_000);
