import { expect, test } from "bun:test";
import { linkTypes } from "../../../schema/dictionary.ts";
import { linkKinds } from "../../../src/event/inter-site.ts";
import { isLinkCreated, linksInExtensions, toldLinks } from "../../../src/protocol/tevent/is-links.ts";

const south = { linkId: "L1", kind: linkKinds.source, location: "South" };

test.each([
  ["by its id, as an object", { L1: { location: "South", type: "source" } }],
  [
    "by its id, as a list of pairs",
    [
      {
        key: "L1",
        type: "list",
        value: [
          { key: "Location", value: "South" },
          { key: "Type", value: 2 },
        ],
      },
    ],
  ],
  ["by its own attributes", { LinkID: "L1", location: "South", type: "2" }],
  [
    "by its own attributes, as a list of pairs",
    [
      { key: "link-id", value: "L1" },
      { key: "location", value: "South" },
      { key: "type", value: 2 },
    ],
  ],
  ["in a list of such", [{ islink_id: "L1", RemoteLocation: "South", "link type": "SOURCE" }]],
])("a link is told %s", (_, member) => {
  expect(toldLinks(member)).toEqual({ links: [south], unusable: 0, oddTypes: 0 });
});

test("what is not said of a link is not known", () => {
  const bare = { linkId: "L1", kind: null, location: null };
  for (const member of ["L1", ["L1"], { L1: {} }, { L1: null }, [{ key: "L1" }], { L1: { location: 5 } }]) {
    expect(toldLinks(member)).toEqual({ links: [bare], unusable: 0, oddTypes: 0 });
  }
  expect(toldLinks({ L1: "South", L2: "West" })?.links).toEqual([
    { ...bare, location: "South" },
    { linkId: "L2", kind: null, location: "West" },
  ]);
});

test("a list without links says that there are none, and no list says nothing", () => {
  for (const member of [{}, []]) expect(toldLinks(member)).toEqual({ links: [], unusable: 0, oddTypes: 0 });
  for (const member of [undefined, null]) expect(toldLinks(member)).toBeNull();
});

test("what cannot be a link is counted, whatever it is", () => {
  const hostile = { toString: 1, valueOf: 1 };
  for (const member of [5, true, "", ["x".repeat(51)], [{ location: "South" }], [null], [hostile]]) {
    expect(toldLinks(member)).toEqual({ links: [], unusable: 1, oddTypes: 0 });
  }
  expect(toldLinks({ L1: { type: hostile, location: hostile } })).toEqual({
    links: [{ linkId: "L1", kind: null, location: null }],
    ...{ unusable: 0, oddTypes: 1 },
  });
});

test("a transaction tells of a link when its creation is told and did not fail", () => {
  expect(isLinkCreated({ "iscc.is-link-creation": "completed" })).toBe(true);
  expect(isLinkCreated([{ key: "iscc.is-link-creation", type: "int", value: 1 }])).toBe(true);
  expect(isLinkCreated({ "iscc.is-link-creation": { toString: 1 } })).toBe(true);
  for (const outcome of ["terminated", "Failed"])
    expect(isLinkCreated({ "iscc.is-link-creation": outcome })).toBe(false);
  for (const other of [{ "iscc.transaction": "completed" }, {}, null, 7]) expect(isLinkCreated(other)).toBeNull();
  expect(linksInExtensions({ "iscc.ISLinkList": { L1: "South" } })).toEqual({ L1: "South" });
});

test("links are numbered as the dictionary has them", () => {
  expect<Record<string, number>>({ ...linkKinds }).toEqual({ ...linkTypes });
});
