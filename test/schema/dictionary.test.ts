import { expect, test } from "bun:test";
import { getTableColumns } from "drizzle-orm";
import * as dictionary from "../../schema/dictionary.ts";
import {
  agentChangeTypes,
  agentStates,
  agentWorkModes,
  callChangeTypes,
  callTypes,
  ccEventCauses,
  ccEvents,
  connectionTypes,
  dataSourceTypes,
  irChangeTypes,
  irStates,
  linkChangeTypes,
  linkMergeStates,
  linkStates,
  linkTypes,
  loginStates,
  mergeTypes,
  parentLinkTypes,
  partyChangeTypes,
  partyRoles,
  partyStates,
  partyTypes,
  providerTags,
  reasonKinds,
  releasingParties,
  routeResults,
  userDataChangeTypes,
  userDataKeyTypes,
  virtualQueueCauses,
  virtualQueueStatuses,
} from "../../schema/dictionary.ts";
import { dictionaries } from "../../schema/dictionary-values.ts";
import { type TableName, tables } from "../../schema/tables.ts";
import shipped from "../fixture/dictionary-numbers.json" with { type: "json" };
import { reference } from "./reference.ts";

test("numbers keep the meaning with which they were shipped", () => {
  const now = Object.fromEntries(
    dictionaries.flatMap(({ type, values }) => values.map(({ value, name }) => [`${type}/${value}`, name])),
  );
  // A new value is added to the fixture in the change that adds it; a changed one is a mistake.
  expect(now).toEqual(shipped.values);
});

test("the constants in the code keep the numbers with which they were shipped", () => {
  expect<unknown>({ ...dictionary }).toEqual(shipped.constants);
});

test("a value that is called seen stands in the reference, with that number and that name", () => {
  const namesInReference: Readonly<Record<number, string>> = {
    ...{ 1004: "dss_ds_type", 1005: "dss_dsconn_type", 1007: "agent_state", 1009: "agent_state_history_type" },
  };
  for (const { type, values } of dictionaries) {
    const theirs = reference.dictionaries[namesInReference[type] ?? String(type)] ?? {};
    for (const { value, name, origin } of values) {
      if (origin !== "seen" || type === 11) continue; // 11: "always 0" stands with the column, not in the dictionary.
      expect({ type, value, name: theirs[value]?.slice(0, name.length) }).toEqual({ type, value, name });
    }
  }
});

test("the constants that the projection writes are the values that the dictionary explains", () => {
  const constants: readonly (readonly [number, Readonly<Record<string, number>>])[] = [
    [1, callChangeTypes],
    [3, irChangeTypes],
    [7, irStates],
    [8, partyStates],
    [9, partyTypes],
    [10, partyRoles],
    [11, parentLinkTypes],
    [21, linkStates],
    [22, linkChangeTypes],
    [26, providerTags],
    [27, linkTypes],
    [29, {}],
    [30, mergeTypes],
    [83, reasonKinds],
    [86, mergeTypes],
    [1000, callTypes],
    [1001, partyChangeTypes],
    [1002, ccEvents],
    [1003, ccEventCauses],
    [1004, dataSourceTypes],
    [1005, connectionTypes],
    [1006, releasingParties],
    [1007, agentStates],
    [1008, agentWorkModes],
    [1009, agentChangeTypes],
    [1010, userDataChangeTypes],
    [1011, userDataKeyTypes],
    [1012, virtualQueueStatuses],
    [1013, virtualQueueCauses],
    [1014, routeResults],
    [1015, loginStates],
    [1020, linkMergeStates],
  ];
  expect(constants.map(([type]) => type)).toEqual(dictionaries.map(({ type }) => type));
  for (const [type, numbers] of constants) {
    const explained = dictionaries.find((each) => each.type === type)?.values.map(({ value }) => value) ?? [];
    expect(explained).toEqual(expect.arrayContaining(Object.values(numbers)));
  }
});

test("roles, causes and events carry T-Lib's own numbers", () => {
  expect<number[]>(Object.values(partyRoles)).toEqual(Object.values(reference.tlib.TDNRole));
  expect<number[]>(Object.values(ccEventCauses)).toEqual(Object.values(reference.tlib.TCallState));
  const named = dictionaries.find(({ type }) => type === 1002)?.values.map(({ name, value }) => [name, value]) ?? [];
  expect(Object.fromEntries(named)).toEqual(reference.tlib.messages);
});

test("each class is used by columns that exist", () => {
  for (const { usedBy } of dictionaries) {
    for (const place of usedBy) {
      const [table, column] = place.split(".") as [TableName, string];
      expect({ place, exists: Object.hasOwn(getTableColumns(tables[table]), column) }).toEqual({ place, exists: true });
    }
  }
});
