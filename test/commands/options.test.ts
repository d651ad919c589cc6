import { expect, test } from "bun:test";
import { judge } from "../../src/config/judge.ts";
import { originalOptions } from "../../src/config/original.ts";
import { runIcon } from "./run-icon.ts";

const icon = (...words: string[]) => runIcon(["options", ...words], ".");

interface Shown {
  readonly name: string;
  readonly section: string;
  readonly here: { readonly kind: string };
}

test("every option of the original is listed with its default there and what becomes of it here", async () => {
  const { exitCode, stdout } = await icon();
  expect(exitCode).toBe(0);
  for (const { name, meaning } of originalOptions) expect(stdout).toContain(`  ${name}: ${meaning}\n`);
  expect(stdout.match(/^ {6}there: /gm)).toHaveLength(originalOptions.length);
  expect(stdout.match(/^ {6}here: {2}\S/gm)).toHaveLength(originalOptions.length);
  expect(stdout).toMatch(/\d+ options: \d+ in force, \d+ replaced, \d+ not yet, \d+ not public\n$/);
});

test("one option is shown in every section that has it, and as JSON", async () => {
  const shown = JSON.parse((await icon("gls-acw-first", "--json")).stdout) as Shown[];
  expect(shown.map(({ section, here }) => [section, here.kind])).toEqual([
    ["callconcentrator", "in force"],
    ["gts", "in force"],
  ]);
  expect((await icon("EventData_7")).stdout).toContain("  EventData: ");
  expect((await icon("--in-force", "--json")).stdout).toContain('"role"');
});

test("a name that the original does not have is refused, with the one that was probably meant", async () => {
  expect(await icon("gls-acw-frist")).toMatchObject({
    exitCode: 64,
    stdout: "",
    stderr: 'Cannot show option "gls-acw-frist": the original has none; expected "gls-acw-first"\n',
  });
  expect(await icon("is-link-timeout")).toMatchObject({
    exitCode: 64,
    stdout: "",
    stderr:
      'Cannot show option "is-link-timeout": it is icon\'s own key, in [callconcentrator], and the original has no such option; docs/configuration.md says what it does\n',
  });
  expect((await icon("zzzzzzzzz")).stderr).toContain(`expected one of the ${originalOptions.length} that icon options`);
});

const configuration = (section: string, line: string) => `
[instance]
name = "icon-a"
dbid = 9001
data_dir = "/var/lib/icon"
${section === "gts" ? "" : `[${section}]\n${line}`}
[[source]]
name = "north"
kind = "tevent"
addresses = ["127.0.0.1:7001"]
dbid = 101
switch_dbid = 1
${section === "gts" ? `[source.gts]\n${line}` : ""}
`;

const values: Readonly<Record<string, string>> = {
  role: '"gcc"',
  "adata-spec-name": `"${new URL("../fixture/ccon_adata_spec.xml", import.meta.url).pathname}"`,
  "adata-userdata-history": '"last"',
  "gls-max-duration": "60",
  "gls-max-inactivity": "60",
  "store-event-data": '"all"',
  "store-event-extensions": '"all"',
  EventExtensions: '"char,X"',
  EventData: '"char,A"',
  GlobalData: '"char,B"',
  AgentRecordUserTypes: '"200,S"',
  AgentUserFields: '"char,F,K"',
  "max-party-info": "4",
};

test("what is listed as in force is accepted in the configuration, and everything else refused by its name", () => {
  for (const { name, section, here } of originalOptions) {
    if (section === "annex" || name.startsWith("<")) continue;
    const value = values[name] ?? "1";
    const { problems } = judge(configuration(section, `${name} = ${value}`), ".");
    const said = problems.map(({ problem }) => problem);
    if (here.kind === "in force") expect({ name, said }).toEqual({ name, said: [] });
    else expect({ name, said }).toEqual({ name, said: [expect.stringMatching(/^this (option|version) /)] });
  }
});

test("a default that is another one than the original's is said so with the option, with the reason", async () => {
  // What is said of the same value in other words there.
  const inOtherWords = [
    ...["max-userdata-length", "gls-acw-first", "max-party-info", "call-deletion-timeout"],
    "delivered-flag",
  ];
  const differing = originalOptions.filter(({ name, default: there, here }) => {
    const isOther = here.kind === "in force" && there !== null && there !== here.defaultHere;
    return isOther && !inOtherWords.includes(name);
  });
  expect(differing.map(({ name }) => name)).toEqual([
    "adata-spec-name",
    "extended-route-result",
    "store-releasing-party",
  ]);
  for (const { name, here } of differing) {
    if (here.kind !== "in force" || here.because === undefined)
      throw new Error(`"${name}" says nothing of its default`);
    expect((await icon(name)).stdout).toContain(
      `default ${here.defaultHere} (unlike there${here.because.slice("unlike there".length)}); `,
    );
  }
  expect((await icon("dest-busy-processing")).stdout).toContain("default 1 (the safe one, whatever it is there: ");
  expect((await icon("gud-cust-disp")).stdout).toContain("instead: the sections call_cust");
  expect((await icon("vq-write-mode")).stdout).toContain("refused, for nothing public says what it does");
});

test("no name stands twice in a section", () => {
  const names = originalOptions.map(({ name, section }) => `${section}/${name}`);
  expect(new Set(names).size).toBe(names.length);
});

test("a part of a name shows all that it stands in", async () => {
  const { exitCode, stdout } = await icon("releasing", "--json");
  expect(exitCode).toBe(0);
  expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)).toEqual(["store-releasing-party"]);
});
