// The attached data specification: both forms say the same, what is wrong is said with its line, and the first counts.

import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { callUserDataTables } from "../../schema/user-data.ts";
import { judgeAdataSpecification, specificationBytesMax } from "../../src/config/adata-specification.ts";
import { adataNamespace } from "../../src/config/adata-xml.ts";
import { ConfigError, judgeConfig, projectionConfiguration } from "../../src/config.ts";
import { columnTables } from "../../src/event/attached-data.ts";

const xml = (inside: string) =>
  `<?xml version="1.0"?>\n<adata_spec xmlns="${adataNamespace}">\n${inside}\n</adata_spec>\n`;
const problemsOf = (text: string, name = "spec.xml") =>
  judgeAdataSpecification(text, name).problems.map(
    ({ line, column, problem, expected }) => `${line}:${column}: ${problem}; expected ${expected}`,
  );

/** The example of docs/attached-data.md in this form. */
function example(form: "xml" | "toml"): string {
  const text = readFileSync(new URL("../../docs/attached-data.md", import.meta.url), "utf8");
  const blocks = [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter(([, language]) => language === form);
  return blocks.at(-1)?.[2] ?? "";
}

test("the example of the documentation says the same in both forms", () => {
  const expected = {
    public: [
      ["CustomerSegment", "userdata", "all"],
      ["ReasonCode", "extensions", "last"],
    ],
    secure: [["AccountPIN", "userdata", "first"]],
    columns: [
      ["CustomerSegment", "userdata", "last", "G_CALL_USERDATA", "G_CUSTOMER_SEGMENT"],
      ["OrderNumber", "userdata", "first", "G_CALL_USERDATA_CUST", "CUST_DATA_1"],
    ],
  };
  for (const form of ["xml", "toml"] as const) {
    const verdict = judgeAdataSpecification(example(form), `spec.${form}`);
    expect<unknown>(verdict).toEqual({ specification: expected, problems: [], warnings: [] });
  }
});

test("the original's spelling of a field is known, a prefix is as good as a default namespace, and entities are XML's own", () => {
  const text = `<i:x xmlns:i="${adataNamespace}"><i:call><i:key name="A &amp; B" history="last" field="busines-result"></i:key></i:call></i:x>`;
  expect(judgeAdataSpecification(text, "spec.xml").specification).toEqual({
    public: [],
    secure: [],
    columns: [["A & B", "userdata", "last", "G_CALL_USERDATA", "G_BUSINESS_RESULT"]],
  });
});

test("what stands there twice is rejected with a warning, and the first one counts; another source or section is another key", () => {
  const verdict = judgeAdataSpecification(
    xml(
      [
        '<public><key name="k" source="userdata" history="first"/>',
        '<key name="k" source="reasons" history="first"/>',
        '<key name="k" source="userdata" history="all"/></public>',
        '<secure><key name="k" source="userdata" history="last"/></secure>',
        '<call><key name="k" source="userdata" history="last" field="account-id"/>',
        '<key name="l" source="userdata" history="last" field="account-id"/></call>',
      ].join("\n"),
    ),
    "spec.xml",
  );
  expect(verdict.specification).toEqual({
    public: [
      ["k", "userdata", "first"],
      ["k", "reasons", "first"],
    ],
    secure: [["k", "userdata", "last"]],
    columns: [["k", "userdata", "last", "G_CALL_USERDATA", "ACCOUNT_ID"]],
  });
  expect(verdict.warnings).toEqual([
    {
      line: 5,
      sentence: "a key of public is rejected: this name and source stands on line 3 already, and the first one counts",
    },
    { line: 8, sentence: "a key of call is rejected: this field stands on line 7 already, and the first one counts" },
  ]);
});

test("sections of other media are passed over with a word", () => {
  const verdict = judgeAdataSpecification(
    xml('<mcr-first><key name="s" field="mcr-subject" history="first"/></mcr-first>'),
    "spec.xml",
  );
  expect(verdict.specification).toEqual({ public: [], secure: [], columns: [] });
  expect(verdict.warnings).toEqual([
    { line: 3, sentence: "keys of mcr-first are passed over: this version records no interactions of other media" },
  ]);
});

test("what is wrong is said with its line, what it is, and what would be right", () => {
  expect(
    problemsOf(
      xml(
        [
          '<public><key name="a" source="user" history="all"/>',
          '<key name="a" source="userdata"/>',
          '<key source="userdata" history="all"/>',
          '<key name="a" source="userdata" history="all" field="account-id"/></public>',
          '<call><key name="a" history="all" field="account"/></call>',
          '<privat><key name="a"/></privat>',
          "<public>text<keys/></public>",
        ].join("\n"),
      ),
    ),
  ).toEqual([
    '3:9: source is "user"; expected one of userdata, reasons, extensions',
    "4:1: a key has no history; expected one of none, first, last, all",
    '5:1: a key has no name; expected name="…" with 1 to 255 characters',
    "6:1: a key of public has field; expected nothing but name, source, history",
    '7:7: history is "all"; expected one of first, last',
    '7:7: field is "account"; expected one of customer-segment, service-type, service-subtype, busines-result, business-result, customer-id, transaction-id, cause-id, account-id, destination-id, target-id',
    "8:1: there is no section <privat>; expected one of public, secure, call, call_cust, call_cust1, call_cust2",
    '9:1: text stands in <public>; expected <key name="…" source="…" history="…"/>',
    '9:13: <keys> stands in <public>; expected <key name="…" source="…" history="…"/>',
  ]);
  expect(problemsOf('[[public]]\nname = 5\nhistory = "all"\n[[publik]]\n[secure]\n', "spec.toml")).toEqual([
    '1:1: a key has no name; expected name="…" with 1 to 255 characters',
    '2:8: name is no string; expected lines of name = "…", source = "…", history = "…" under [[…]]',
    "4:1: there is no section publik; expected one of public, secure, call, call_cust, call_cust1, call_cust2",
    "5:1: secure is no list of tables; expected [[secure]] for each key",
  ]);
});

test("another document is refused by its namespace, and what is no XML by the place where it stops being one", () => {
  expect(problemsOf('<html><body class="x"/></html>')).toEqual([
    `1:1: <html> is in no namespace; expected xmlns="${adataNamespace}" on the root element`,
  ]);
  const [broken] = problemsOf(xml('<public><key name="a" history="all"></public>'));
  expect(broken).toStartWith("3:");
  expect(broken).toContain("the text is not XML here (");
  expect(problemsOf("")[0]).toContain("expected well-formed XML");
  expect(problemsOf("<a>&lol;</a>")[1]).toContain("the text is not XML here (");
});

test("a specification that would make every mark large is refused", () => {
  const keys = Array.from({ length: 300 }, (_, index) => `<key name="${"k".repeat(240)}${index}" history="all"/>`);
  const [problem] = problemsOf(xml(`<public>${keys.join("\n")}</public>`));
  expect(problem).toContain(`expected at most ${specificationBytesMax}: fewer keys`);
});

test("whatever the bytes, there is a verdict with problems that have a place, or a specification", () => {
  const form = fc.constantFrom("spec.xml", "spec.toml");
  const pieces = fc.array(
    fc.constantFrom(
      ...[
        "<",
        ">",
        "/>",
        "<key ",
        "<public>",
        "</public>",
        'name="a"',
        "history='all'",
        "&amp;",
        "&x;",
        "<![CDATA[",
        "]]>",
      ],
      ...[
        "<!--",
        "-->",
        "<!DOCTYPE a [",
        "]>",
        `<r xmlns="${adataNamespace}">`,
        "[[public]]",
        "\n",
        "name = ",
        '"',
        "\u0000",
        "é",
      ],
      ...["<?xml version='1.1'?>", "xmlns:x='y'", "x:"],
    ),
    { maxLength: 40 },
  );
  const text = fc.oneof(
    pieces.map((each) => each.join("")),
    fc.string({ unit: "binary", maxLength: 200 }),
  );
  fc.assert(
    fc.property(text, form, (written, name) => {
      const { specification, problems } = judgeAdataSpecification(written, name);
      expect(specification === null).toBe(problems.length > 0);
      for (const { line, column } of problems) expect(line >= 1 && column >= 1).toBe(true);
    }),
    { numRuns: 3000 },
  );
});

const config = (lines: string) => `[instance]
name = "icon-a"
dbid = 9001
data_dir = "data"
[callconcentrator]
${lines}
[[source]]
name = "north"
kind = "tevent"
addresses = ["127.0.0.1:7001"]
dbid = 101
switch_dbid = 1
`;

test("the configuration names the file; what is wrong in it is a problem of the configuration, with the file's own line", () => {
  const folder = mkdtempSync(join(tmpdir(), "icon-adata-"));
  try {
    writeFileSync(join(folder, "spec.xml"), example("xml"));
    const text = config(
      'role = "gcc,gud"\nadata-spec-name = "spec.xml"\nadata-userdata-history = "first"\nmax-userdata-length = 1024',
    );
    const { config: judged } = judgeConfig(text, join(folder, "icon.toml"));
    expect(judged.callconcentrator.attachedData).toMatchObject({
      secure: [["AccountPIN", "userdata", "first"]],
      otherKeys: "first",
      valueLengthMax: 1024,
    });
    expect(projectionConfiguration(judged).attachedData).toEqual(judged.callconcentrator.attachedData ?? undefined);

    writeFileSync(join(folder, "spec.xml"), xml('<public><key name="a" history="never"/></public>'));
    let message = "";
    try {
      judgeConfig(text, join(folder, "icon.toml"));
    } catch (error) {
      if (error instanceof ConfigError) message = error.message;
    }
    expect(message).toBe(
      `${join(folder, "icon.toml")}:7:19: Cannot use callconcentrator.adata-spec-name "spec.xml": ${join(folder, "spec.xml")}:3:9: history is "never"; expected one of none, first, last, all`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("without a file and with the default for other keys nothing of attached data is part of the configuration", () => {
  const { config: judged } = judgeConfig(config('role = "gcc,gud"'), "icon.toml");
  expect(judged.callconcentrator.attachedData).toBeNull();
  expect("attachedData" in projectionConfiguration(judged)).toBe(false);
  expect(() => judgeConfig(config('adata-spec-name = "not-there.xml"'), "/nowhere/icon.toml")).toThrow(
    "the file cannot be read (ENOENT); expected a readable UTF-8 file",
  );
});

test("the sections with columns are those whose tables the schema has", () => {
  expect(Object.values(columnTables)).toEqual([...callUserDataTables]);
});

test("elements without end, text in CDATA and another encoding are named, and the rest of such a file is not read", () => {
  const opening = '<adata_spec xmlns="http://www.genesyslab.com/standards/icon/ed1">';
  const deep = problemsOf(`${opening}${"<a>".repeat(100_000)}`);
  expect(deep.at(-1)).toContain("stands 16 elements deep");
  expect(deep.length).toBeLessThan(20);
  expect(problemsOf(`${opening}<public><![CDATA[Segment]]></public></adata_spec>`).join()).toContain(
    "text stands in <public>",
  );
  expect(problemsOf(`<?xml version="1.0" encoding="ISO-8859-1"?>${opening}</adata_spec>`).join()).toContain(
    'its encoding is "ISO-8859-1"',
  );
});
