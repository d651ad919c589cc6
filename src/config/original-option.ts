// What is said of an option of the original: what it means there and what becomes of it here.

export type OptionSection =
  | "callconcentrator"
  | "filter-data"
  | "custom-states"
  | "log-filter"
  | "log-filter-data"
  | "gts" // annex of a Switch or DN
  | "annex"; // of other objects

/** What becomes of an option here. */
export type OptionState =
  /** Set under `key`. */
  | {
      readonly kind: "in force";
      readonly key: string;
      readonly defaultHere: string;
      /** What it is to the original's default, and why; absent: it is the same, or nothing else suggests itself. */
      readonly because?: string;
      readonly takesEffect: string;
    }
  /** Nothing is to be set: it is always so, or something else is in its place. */
  | { readonly kind: "replaced"; readonly by: string }
  /** This version does not act on it, and refuses it. */
  | { readonly kind: "not yet"; readonly meanwhile: string }
  /** Nothing public says what it does, and its name is not enough to build on; refused too. */
  | { readonly kind: "not public"; readonly instead: string };

export interface OriginalOption {
  readonly name: string;
  readonly section: OptionSection;
  readonly meaning: string;
  /** As the original has it. */
  readonly default: string | null;
  readonly values: string | null;
  /** When a change takes effect there: "restart", "at once". */
  readonly takesEffect: string | null;
  readonly here: OptionState;
}

/** Meanings, defaults and values are the vendor's documents'; null: they do not say, or could not be read. */
export type Description = readonly [
  name: string,
  meaning: string,
  original: readonly [default_: string | null, values: string | null, takesEffect: string | null],
  here: OptionState,
];

export const replaced = (by: string): OptionState => ({ kind: "replaced", by });
export const notYet = (meanwhile: string): OptionState => ({ kind: "not yet", meanwhile });

export function inForce(key: string, defaultHere: string, takesEffect = "at SIGHUP"): OptionState {
  return { kind: "in force", key, defaultHere, takesEffect };
}

/** Its default here is another one than there, or may be. */
export function inForceUnlike(
  key: string,
  defaultHere: string,
  because: string,
  takesEffect = "at SIGHUP",
): OptionState {
  return { kind: "in force", key, defaultHere, because, takesEffect };
}

/** The safe default where the original's would lose what costs little to store. */
export const notStoredIsLost = "unlike there, the safe one: what is not stored is lost";

/** An option of which the documents have the name alone. */
export function nameOnly(name: string, instead: string): Description {
  return [name, "name only", unknown, { kind: "not public", instead }];
}

export const nothingStored = {
  multimedia: "no Interaction Server is read",
  outbound: "no Outbound Contact Server is read",
  configuration: "no Configuration Server is read",
};
export const unknown = [null, null, null] as const;
export const onOff = "0, 1";
