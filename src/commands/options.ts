// icon options: the original's options by name, and what becomes of each here, for whoever brings a configuration along.

import { Command } from "commander";
import { optionsNamed, originalOptions } from "../config/original.ts";
import type { OptionState, OriginalOption } from "../config/original-option.ts";
import { sectionOfKey } from "../config/template.ts";
import { printed } from "../printed.ts";
import { nearestName } from "../suggestion.ts";
import { CommandError, exitCodes } from "./exit.ts";

interface Given {
  readonly json?: true;
  readonly inForce?: true;
}

export function optionsCommand(): Command {
  return new Command("options")
    .description("list the original's options: meaning, default, and what becomes of each here")
    .argument("[NAME]", "only this one, or those in whose names this stands")
    .option("--in-force", "only those that this version acts on")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      `
An option that this version does not act on is refused in the configuration, so that nobody believes it to work.
Where the original's default would lose what costs little to store, the default here stores it (store-releasing-party,
dest-busy-processing, ssc-processing, extended-route-result). Data of calls and of user events is stored as there, where it is asked for:
adata-spec-name, adata-userdata-history, store-event-data.`,
    )
    .action(async (name: string | undefined, { json, inForce }: Given) => {
      const named = name === undefined ? originalOptions : known(name);
      const shown = inForce ? named.filter(({ here }) => here.kind === "in force") : named;
      await printed(json ? `${JSON.stringify(shown, null, 2)}\n` : textOf(shown));
    });
}

function known(name: string): readonly OriginalOption[] {
  const found = optionsNamed(name);
  if (found.length > 0) return found;
  const part = name.toLowerCase();
  const alike = originalOptions.filter((option) => part !== "" && option.name.toLowerCase().includes(part));
  if (alike.length > 0) return alike;
  const section = sectionOfKey(name);
  if (section !== null) {
    throw new CommandError(
      exitCodes.usage,
      `Cannot show option "${name}": it is icon's own key, in [${section}], and the original has no such option; docs/configuration.md says what it does`,
    );
  }
  const names = originalOptions.map((option) => option.name);
  const nearest = nearestName(name, names);
  const meant = nearest === null ? `one of the ${names.length} that icon options lists` : `"${nearest}"`;
  throw new CommandError(exitCodes.usage, `Cannot show option "${name}": the original has none; expected ${meant}`);
}

function textOf(options: readonly OriginalOption[]): string {
  const sections = Map.groupBy(options, ({ section }) => section);
  const byKind = Map.groupBy(options, ({ here }) => here.kind);
  const counts = kinds.filter((kind) => byKind.has(kind)).map((kind) => `${byKind.get(kind)?.length} ${kind}`);
  const blocks = [...sections].map(([section, own]) => `${sectionTitles[section]}\n\n${own.map(blockOf).join("\n")}`);
  return `${blocks.join("\n")}\n${options.length} options: ${counts.join(", ")}\n`;
}

const kinds: readonly OptionState["kind"][] = ["in force", "replaced", "not yet", "not public"];

const sectionTitles: Readonly<Record<OriginalOption["section"], string>> = {
  callconcentrator: "[callconcentrator]",
  "filter-data": "[filter-data]",
  "custom-states": "[custom-states]",
  "log-filter": "[log-filter]",
  "log-filter-data": "[log-filter-data]",
  gts: "[gts], annex of a Switch or DN",
  annex: "annexes of other objects",
};

function blockOf({ name, meaning, default: default_, values, takesEffect, here }: OriginalOption): string {
  const there = [
    `default ${default_ ?? "not documented"}`,
    ...(values === null ? [] : [values]),
    ...(takesEffect === null ? [] : [takesEffect === "restart" ? "at a restart" : takesEffect]),
  ];
  return `  ${name}: ${meaning}\n      there: ${there.join("; ")}\n      here:  ${stateText(here)}\n`;
}

function stateText(here: OptionState): string {
  switch (here.kind) {
    case "in force":
      return `in force, ${here.key}; default ${here.defaultHere}${inBrackets(here.because)}; ${here.takesEffect}`;
    case "replaced":
      return here.by.startsWith("nothing: ")
        ? `nothing to set: ${here.by.slice("nothing: ".length)}`
        : `instead: ${here.by}`;
    case "not yet":
      return `not yet: ${here.meanwhile}`;
    case "not public":
      return `refused, for nothing public says what it does: ${here.instead}`;
  }
}

function inBrackets(because: string | undefined): string {
  return because === undefined ? "" : ` (${because})`;
}
