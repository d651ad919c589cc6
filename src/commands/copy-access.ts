// How a command reaches copies that are named by HTTP address: whose token, and whose word on certificates. Secrets are
// named by file, for arguments and environment are seen by others.

import type { Command } from "commander";
import { Option } from "commander";
import { isLoopback } from "../config/address.ts";
import { CopyError } from "../extraction/copy.ts";
import { HttpCopy } from "../extraction/http-copy.ts";
import type { CopyAccess } from "../extraction/open-copy.ts";
import { instanceAccess } from "../handing-out/instance-access.ts";

export interface CopyAccessOptions {
  readonly tokenFile?: readonly string[];
  readonly caFile?: string;
  readonly plaintext?: boolean;
}

/** Adds the options of every command that reads copies. */
export function withCopyAccess(command: Command): Command {
  const collect = (value: string, before: readonly string[] = []) => [...before, value];
  return command
    .addOption(
      new Option(
        "--token-file <[ADDRESS=]FILE>",
        "a file that holds the token for http(s) addresses, or for that one; may be repeated",
      )
        .argParser(collect)
        .env("ICON_TOKEN_FILE"),
    )
    .addOption(
      new Option("--ca-file <FILE>", "the authorities that certificates of https addresses may come from, PEM").env(
        "ICON_CA_FILE",
      ),
    )
    .option("--plaintext", "send the token over http to another host, because what lies between is safe otherwise");
}

/** For openCopy. */
export function copyAccess(options: CopyAccessOptions): CopyAccess {
  return { openHttp: (address) => openHttp(address, options) };
}

/** Throws CopyError for an address that is none, or that a token must not go to. */
function openHttp(address: string, { tokenFile = [], caFile, plaintext = false }: CopyAccessOptions): HttpCopy {
  const url = URL.parse(address);
  const isBare = url !== null && url.pathname === "/" && url.search === "" && url.hash === "";
  if (url === null || !isBare || url.username !== "" || url.password !== "") {
    throw new CopyError("lasting", 'Cannot use this address as IDB: expected "https://host:port" of an instance');
  }
  const token = tokenFileOf(url.origin, tokenFile);
  const isNear = url.protocol === "https:" || isLoopback(url.hostname.replace(/^\[|\]$/g, ""));
  if (token !== null && !isNear && !plaintext) {
    throw new CopyError(
      "lasting",
      `Cannot use "${url.origin}" as IDB: a token would go there in the open; expected https, or --plaintext`,
    );
  }
  return new HttpCopy(instanceAccess({ origin: url.origin, tokenFile: token, caFile: caFile ?? null }));
}

/** The file for that very address before the one for all. */
function tokenFileOf(origin: string, given: readonly string[]): string | null {
  let forAll: string | null = null;
  for (const each of given) {
    const [, address, file] = /^(https?:\/\/[^=]+)=(.+)$/i.exec(each) ?? [];
    if (address === undefined || file === undefined) forAll = each;
    else if (URL.parse(address)?.origin === origin) return file;
  }
  return forAll;
}
