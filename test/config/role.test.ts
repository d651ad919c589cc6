import { expect, test } from "bun:test";
import { parseRole, roles } from "../../src/config/role.ts";

test.each([
  ["all", [...roles]],
  ["gcc", ["gcc"]],
  ["gls, gcc", ["gcc", "gls"]],
  ["~cfg", ["gcc", "gls", "gud", "gos", "lrm"]],
  ["~cfg,~lrm", ["gcc", "gls", "gud", "gos"]],
  ["all,~cfg", ["gcc", "gls", "gud", "gos", "lrm"]],
  ["gcc,gls,~gls", ["gcc"]],
] as const)("role %p means %p", (text, expected) => {
  expect(parseRole(text)).toEqual({ kind: "roles", roles: [...expected], isUpperCase: false });
});

test("any upper-case letter makes the role all, as in the original", () => {
  expect(parseRole("GCC,gls")).toEqual({ kind: "roles", roles, isUpperCase: true });
});

test.each(["", "gcc,", "foo", "~foo", "~all", "gcc,~gcc", "gcc gls"])("role %p is wrong", (text) => {
  expect(parseRole(text).kind).toBe("wrong");
});
