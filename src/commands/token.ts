// icon token: who may ask the HTTP side. A token is shown once, when it is made; the file keeps its hash.

import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { hashToken, makeToken, type TokenRole, tokenRoles } from "../access/token.ts";
import {
  addToken,
  type Owner,
  readTokenFile,
  removeToken,
  tokenFileOwners,
  tokenNameExpected,
  tokenNamePattern,
} from "../access/token-file.ts";
import { readDocument } from "../config/document.ts";
import { CommandError, exitCodes } from "./exit.ts";

interface Where {
  readonly file?: string;
  readonly config: string;
}

export function tokenCommand(): Command {
  const command = new Command("token").description("make, list and remove the tokens that may ask the HTTP side");
  command
    .command("add")
    .description("make a token, print it once, and add its hash to the token file")
    .argument("<NAME>", "who it is for", parseName)
    .addOption(new Option("--role <ROLE>", "what it may do").choices(tokenRoles).makeOptionMandatory())
    .addOption(fileOption())
    .addOption(configOption())
    .action((name: string, { role, ...where }: Where & { readonly role: TokenRole }) => {
      const { file, owner } = place(where);
      const token = makeToken();
      addToken(file, { name, role, hash: hashToken(token) }, owner);
      console.log(token);
      console.error(
        `This is the only time that it is shown. ${file} has its hash; a running instance that uses that file knows it within a second.`,
      );
    });
  command
    .command("list")
    .description("name the tokens there are, with their roles")
    .addOption(fileOption())
    .addOption(configOption())
    .action((where: Where) => {
      const { file, owner } = place(where);
      const owners = [...tokenFileOwners(null), ...(owner === null ? [] : [owner.userId])];
      for (const { name, role } of readTokenFile(file, owners)) console.log(`${name}  ${role}`);
    });
  command
    .command("remove")
    .description("take a token out of the file; whoever holds it is no longer let in")
    .argument("<NAME>", "as it stands in the file", parseName)
    .addOption(fileOption())
    .addOption(configOption())
    .action((name: string, where: Where) => {
      const { file } = place(where);
      if (!removeToken(file, name)) {
        throw new CommandError(
          exitCodes.noInput,
          `Cannot remove token "${name}": it is not in "${file}"; expected a name that \`icon token list\` prints`,
        );
      }
      console.log(`Removed ${name} from ${file}. A running instance lets nobody in with it any more.`);
    });
  return command;
}

const fileOption = () => new Option("--file <FILE>", "the token file; default: the one that the configuration names");
const configOption = () => new Option("-c, --config <FILE>", "the configuration file").default("icon.toml");

function parseName(text: string): string {
  if (!tokenNamePattern.test(text)) throw new InvalidArgumentError(`Expected ${tokenNameExpected}.`);
  return text;
}

/** Where the token file is, and to whom it belongs when it is made by root: to whom the data directory does. */
function place({ file, config }: Where): { readonly file: string; readonly owner: Owner | null } {
  if (file !== undefined) return { file: resolve(file), owner: null };
  const folder = dirname(resolve(config));
  const document = readDocument(readConfiguration(config));
  if ("problem" in document) throw notNamed(config, `line ${document.problem.line} is not TOML`);
  const tokens = valueAt(document.values, "http", "tokens");
  if (tokens === null) throw notNamed(config, "it does not say where the token file is");
  const dataDirectory = valueAt(document.values, "instance", "data_dir");
  const status =
    dataDirectory === null ? undefined : statSync(resolve(folder, dataDirectory), { throwIfNoEntry: false });
  const owner = status === undefined ? null : { userId: status.uid, groupId: status.gid };
  return { file: resolve(folder, tokens), owner };
}

// Not the whole judgement: while the token file is missing, the configuration that names it is wrong.
function readConfiguration(config: string): string {
  try {
    return readFileSync(config, "utf8");
  } catch (cause) {
    throw notNamed(config, "it cannot be read", cause);
  }
}

function notNamed(config: string, problem: string, cause?: unknown): CommandError {
  return new CommandError(
    exitCodes.configuration,
    `Cannot find the token file by "${config}": ${problem}; expected tokens = "…" in [http], or --file FILE`,
    { cause },
  );
}

function valueAt(values: Readonly<Record<string, unknown>>, section: string, key: string): string | null {
  const table = values[section];
  if (typeof table !== "object" || table === null || !Object.hasOwn(table, key)) return null;
  const value = (table as Readonly<Record<string, unknown>>)[key];
  return typeof value === "string" && value !== "" ? value : null;
}
