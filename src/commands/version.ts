// icon version: which program this is, for a support ticket.

import { Command } from "commander";
import { programVersion } from "../version.ts";

export function versionCommand(): Command {
  return new Command("version").description("print version, runtime and platform").action(() => {
    console.log(`icon ${programVersion} (bun ${Bun.version}, ${process.platform}-${process.arch})`);
  });
}
