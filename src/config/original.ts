// The original's options, each with what it means there and what becomes of it here. Those that still mean something keep
// their names; the rest are refused by name, because an option that is silently ignored is believed to work.

import { instanceOptions } from "./original-instance.ts";
import type { Description, OptionSection, OriginalOption } from "./original-option.ts";
import {
  annexOptions,
  customStateOptions,
  filterOptions,
  logFilterDataOptions,
  logFilterOptions,
  storedOptions,
} from "./original-stored.ts";
import { switchOptions } from "./original-switch.ts";

const bySection: Readonly<Record<OptionSection, readonly Description[]>> = {
  callconcentrator: [...instanceOptions, ...storedOptions],
  "filter-data": filterOptions,
  "custom-states": customStateOptions,
  "log-filter": logFilterOptions,
  "log-filter-data": logFilterDataOptions,
  gts: switchOptions,
  annex: annexOptions,
};

export const originalOptions: readonly OriginalOption[] = Object.entries(bySection).flatMap(([section, described]) =>
  described.map(([name, meaning, [default_, values, takesEffect], here]) => ({
    ...{ name, section: section as OptionSection, meaning, default: default_, values, takesEffect, here },
  })),
);

/** The original's sections of which no option is of use yet. */
export const originalSections: readonly string[] = ["log-filter", "log-filter-data"];

export interface RefusedOption {
  readonly problem: string;
  readonly expected: string;
}

/** Those of this name: one may stand in several sections. */
export function optionsNamed(name: string): readonly OriginalOption[] {
  // Families of names.
  const family = /^EventData_/.test(name)
    ? "EventData"
    : /^support-dn-type-\d+$/.test(name)
      ? "support-dn-type-N"
      : name;
  return originalOptions.filter((option) => option.name === family);
}

/** What to say of an option of the original that this version refuses; null when `name` is none. */
export function refusedOption(name: string): RefusedOption | null {
  const states = optionsNamed(name).map(({ here }) => here);
  const instead = states.find((here) => here.kind === "replaced");
  if (instead !== undefined) {
    return { problem: "this option of the original has no place here", expected: instead.by };
  }
  if (states.some(({ kind }) => kind === "not public")) {
    return {
      problem: "this option of the original has no place here: nothing public says what it does",
      expected: "the option to be left out",
    };
  }
  if (!states.some(({ kind }) => kind === "not yet")) return null;
  return {
    problem: "this version does not act on this option of the original yet",
    expected: "the option to be left out",
  };
}
