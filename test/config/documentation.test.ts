import { expect, test } from "bun:test";
import { keysByTable, sections } from "../../src/config/file.ts";
import { configTemplate } from "../../src/config/template.ts";
import { judgeConfig } from "../../src/config.ts";

const titles: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.keys(sections).map((each) => [each, `[${each}]`])),
  source: "[[source]]",
  "source.gts": "[source.gts]",
  "source.tls": "[source.tls]",
};

test("every key of the configuration has its row in docs/configuration.md, and no row is for a key that is not there", async () => {
  const text = await Bun.file(new URL("../../docs/configuration.md", import.meta.url)).text();
  const documented: Record<string, string[]> = {};
  let table: string | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("#")) {
      table = Object.keys(titles).find((each) => titles[each] === line.replace(/^#+ /, ""));
    }
    const key = /^\| `([^`]+)` \|/.exec(line)?.[1];
    if (table !== undefined && key !== undefined) documented[table] = [...(documented[table] ?? []), key].sort();
  }
  const expected = Object.entries(keysByTable).map(([each, keys]) => [each, [...keys].sort()]);
  expect(documented).toEqual(Object.fromEntries(expected));
});

test("every key stands in the file that init writes, in its own section", () => {
  const present: Record<string, Set<string>> = {};
  let table = "";
  for (const line of configTemplate.split("\n")) {
    const header = /^#?(\[\[?[a-z.-]+\]?\])$/.exec(line)?.[1];
    if (header !== undefined) table = Object.keys(titles).find((each) => titles[each] === header) ?? "";
    const key = /^#?([A-Za-z_-]+) = /.exec(line)?.[1];
    if (key === undefined) continue;
    present[table] ??= new Set();
    present[table]?.add(key);
  }
  const sorted = Object.fromEntries(Object.entries(present).map(([each, keys]) => [each, [...keys].sort()]));
  const expected = Object.entries(keysByTable).map(([each, keys]) => [each, [...keys].sort()]);
  expect(sorted).toEqual(Object.fromEntries(expected));
});

test("the file that init writes is right as it stands, without a warning", () => {
  const { config, warnings } = judgeConfig(configTemplate, "/etc/icon/icon.toml");
  expect(warnings).toEqual([]);
  expect(config.sources.map((each) => each.identity.name)).toEqual(["north"]);
});

test("the defaults that the file shows in comments are the defaults", () => {
  const withDefaults = configTemplate
    .slice(0, configTemplate.indexOf("# An Asterisk"))
    .replaceAll(/^#(\w[\w-]* = .*)$/gm, (line, setting: string) =>
      /token_file|adata-spec-name|EventData|GlobalData|Agent|silence|tokens|tls_certificate|tls_key|^peer|^#?(ca|cert|key)_file|server_name/.test(
        setting,
      )
        ? line
        : setting,
    );
  expect(withDefaults).toContain("\nretention_bytes = ");
  expect(judgeConfig(withDefaults, "/etc/icon/icon.toml").config).toEqual(
    judgeConfig(configTemplate, "/etc/icon/icon.toml").config,
  );
});
