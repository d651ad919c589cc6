// The option `role` of [callconcentrator], with the original's meaning: a comma list in lower case; `~x` is everything
// but x; any upper case makes it `all`. A role decides what is stored, not what is processed.

export const roles = ["cfg", "gcc", "gls", "gud", "gos", "lrm"] as const;
export type Role = (typeof roles)[number];

/** Roles for which this version writes rows. */
export const rolesStored: readonly Role[] = ["gcc", "gls", "gud"];

export const roleExpected = `"all", or a comma list of ${roles.join(", ")}, each also as ~x (everything but x)`;

export type RoleOutcome =
  | { readonly kind: "roles"; readonly roles: readonly Role[]; readonly isUpperCase: boolean }
  | { readonly kind: "wrong"; readonly wrong: string };

export function parseRole(text: string): RoleOutcome {
  if (text !== text.toLowerCase()) return { kind: "roles", roles, isUpperCase: true };
  const included = new Set<Role>();
  const excluded = new Set<Role>();
  for (const item of text.split(",").map((each) => each.trim())) {
    const name = item.startsWith("~") ? item.slice(1).trim() : item;
    const isExcluded = name !== item;
    if (item === "all") {
      for (const role of roles) included.add(role);
      continue;
    }
    const role = roles.find((each) => each === name);
    if (role === undefined)
      return { kind: "wrong", wrong: item === "" ? "an item is empty" : `there is no role ${item}` };
    (isExcluded ? excluded : included).add(role);
  }
  const from = included.size === 0 ? roles : roles.filter((each) => included.has(each));
  const chosen = from.filter((each) => !excluded.has(each));
  if (chosen.length === 0) return { kind: "wrong", wrong: "no role is left" };
  return { kind: "roles", roles: chosen, isUpperCase: false };
}
