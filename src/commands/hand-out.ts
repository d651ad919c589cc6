// icon hand-out: the process that reads the IDB for whoever asks a running instance over HTTP. Started by that instance
// only, and told by its standard input what to do.

import { Command } from "commander";
import { handOutAsChild } from "../handing-out/child.ts";

export function handOutCommand(): Command {
  return new Command("hand-out").description("started by a running instance").action(async () => {
    process.exit(await handOutAsChild());
  });
}
