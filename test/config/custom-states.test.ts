// The options of [custom-states]: lists as the original writes them.

import { expect, test } from "bun:test";
import { ConfigError, judgeConfig, projectionConfiguration } from "../../src/config.ts";

const text = (lines: string) => `[instance]
name = "icon-a"
dbid = 9001
data_dir = "data"
[custom-states]
${lines}
[[source]]
name = "north"
kind = "tevent"
addresses = ["127.0.0.1:7001"]
dbid = 101
switch_dbid = 1
`;

function problems(lines: string): string[] {
  try {
    judgeConfig(text(lines), "icon.toml");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, problem, expected }) => `${key}: ${problem}; ${expected.slice(0, 40)}`);
  }
}

test("lists are read as the original writes them, and are part of what rows depend on", () => {
  const { config } = judgeConfig(
    text(
      'store-event-data = "conf"\nEventData = "char,CUSTOMER_NAME, int,CUSTOMER_PHONE"\nGlobalData = "char,SITE"\n' +
        'AgentRecordUserTypes = "200,Research,201,Typing"\nAgentUserFields = "char,TOPIC,ResearchTopic"\nmax-party-info = 32',
    ),
    "icon.toml",
  );
  expect(projectionConfiguration(config).userEvents).toEqual({
    store: "conf",
    eventKeys: ["CUSTOMER_NAME", "CUSTOMER_PHONE"],
    globalKeys: ["SITE"],
    states: [
      [200, "Research"],
      [201, "Typing"],
    ],
    fields: [["TOPIC", "ResearchTopic"]],
    callsMax: 32,
  });
});

test("extensions are asked for likewise; without them nothing of them stands in the configuration that rows depend on", () => {
  const mapping = (lines: string) => projectionConfiguration(judgeConfig(text(lines), "icon.toml").config).userEvents;
  const extensions = 'store-event-extensions = "conf"\nEventExtensions = "char,MonitorMode,char,Supervisor"';
  expect(mapping(extensions)).toMatchObject({
    ...{ store: "none", storeExtensions: "conf", extensionKeys: ["MonitorMode", "Supervisor"] },
  });
  expect(mapping('EventExtensions = "char,MonitorMode"')).toBeUndefined();
  expect(Object.keys(mapping('store-event-data = "all"') ?? {})).not.toContain("storeExtensions");
  expect(problems('store-event-extensions = "some"')).toEqual([
    "custom-states.store-event-extensions: null; one of none, all, conf",
  ]);
});

test("without anything that is stored by it, it is no part of the configuration", () => {
  const { config } = judgeConfig(text("max-party-info = 32"), "icon.toml");
  expect("userEvents" in projectionConfiguration(config)).toBe(false);
});

test("what is wrong in a list is said", () => {
  expect(problems('EventData = "char"')).toEqual([
    'custom-states.EventData: 1 items do not go by 2; a list of "type,key" pairs, such as "cha',
  ]);
  expect(problems('EventData = "char,A,char,A"')[0]).toContain("an item stands there twice");
  expect(problems('GlobalData = "char,,int,B"')[0]).toContain("an item is empty");
  expect(problems('AgentRecordUserTypes = "199,A"')[0]).toContain("a code is none");
  expect(problems('AgentUserFields = "char,A"')[0]).toContain("2 items do not go by 3");
  expect(problems("max-party-info = 3")[0]).toContain("a whole number of calls from 4 to 128");
  expect(problems('EventData = "char,A"\nGlobalData = "int,A"')).toEqual([
    "custom-states.GlobalData: a key of it stands in EventData too; each key in one of EventData, GlobalData",
  ]);
  expect(problems('EventExtensions = "char"')[0]).toContain("1 items do not go by 2");
});
