import { describe, expect, test } from "bun:test";
import { ParameterError, type ReadPage, readPages, readQuestion } from "../../src/status/read-parameters.ts";
import { seededRandom } from "../harness/load-verdict.ts";

const ask = (page: ReadPage, query: string) => readQuestion(page, new URLSearchParams(query));
const stretch = { from: 1_795_423_790, until: 1_795_427_390 };

describe("the parameters of the read API", () => {
  test("a stretch is two times, as seconds or as dates with their zone", () => {
    for (const query of [
      "from=1795423790&to=1795427390",
      "from=2026-11-23T08:49:50Z&to=2026-11-23T09:49:50Z",
      "from=2026-11-23T09:49:50%2B01:00&to=2026-11-23T09:49:50.000Z",
    ]) {
      expect([query, ask("availability", query)]).toEqual([query, { what: "availability", stretch, source: null }]);
    }
    expect(ask("windows", "from=2026-11-23&to=2026-11-24")).toMatchObject({
      stretch: { from: 1_795_392_000, until: 1_795_478_400 },
    });
    expect(ask("explain", "at=2026-11-23")).toEqual({ what: "explain", at: 1_795_392_000 });
    const whole = "from=2026-11-23T08:49Z&to=1795427390.5";
    expect(() => ask("windows", whole)).toThrow("Cannot use the parameter to: expected a UTC time such as");
  });

  test("each page takes its own", () => {
    const query = "from=1795423790&to=1795427390";
    expect(ask("windows", `${query}&source=north`)).toEqual({ what: "windows", stretch, source: "north" });
    expect(ask("explain", "at=1795423790")).toEqual({ what: "explain", at: 1_795_423_790 });
    expect(ask("extract", "what=identity")).toEqual({ what: "identity" });
    expect(ask("extract", `what=ledger&${query}&changed_after=17`)).toEqual({
      what: "ledger",
      ledger: { stretch, changedAfter: 17 },
    });
    expect(ask("extract", `what=ledger&${query}&changed_after=${Number.MAX_SAFE_INTEGER}`)).toMatchObject({
      ledger: { changedAfter: Number.MAX_SAFE_INTEGER },
    });
    expect(ask("extract", `what=calls&calls=alive&${query}`)).toEqual({
      what: "subjects",
      family: "call",
      question: { kind: "alive", stretch },
      after: null,
    });
    expect(ask("extract", `what=login_sessions&login_sessions=ended&${query}`)).toEqual({
      what: "subjects",
      family: "login session",
      question: { kind: "ended", stretch },
      after: null,
    });
    expect(ask("extract", "what=login_sessions&login_sessions=named&login_session=L1")).toEqual({
      what: "subjects",
      family: "login session",
      question: { kind: "named", keys: ["L1"] },
      after: null,
    });
    const after = { seconds: 1, created: "2026-11-23T08:49:50.1Z", key: "C1", id: 7 };
    const place = encodeURIComponent(JSON.stringify(after));
    expect(ask("extract", `what=calls&calls=named&call=C1&call=C2&after=${place}`)).toEqual({
      what: "subjects",
      family: "call",
      question: { kind: "named", keys: ["C1", "C2"] },
      after,
    });
  });

  test.each([
    [
      "availability",
      "",
      "the parameter from: expected a UTC time such as 2026-11-30T10:00:00Z, a date, or seconds since 1970",
    ],
    ["availability", "from=1", "the parameter to: expected a UTC time"],
    ["availability", "from=2&to=2", "the parameter to: expected a time after that of from"],
    ["availability", "from=1&to=2&source=", "the parameter source: expected the name of a data source"],
    ["availability", "from=1&from=1&to=2", "the parameter from: expected it once"],
    ["availability", "from=1&to=2&until=3", "a parameter of this address: expected only from, to, source"],
    ["windows", "from=-1&to=2", "the parameter from"],
    ["windows", "from=1e3&to=2000", "the parameter from"],
    ["windows", "from=0&to=999999999999", "the parameter to"],
    ["windows", "from=2026-02-30&to=2026-11-24", "the parameter from"],
    ["windows", "from=2026-11-23T08:49:50&to=2026-11-24T00:00:00Z", "the parameter from"],
    ["windows", "from=2026-13-23T08:49:50Z&to=2026-11-24T00:00:00Z", "the parameter from"],
    ["explain", "at=yesterday", "the parameter at"],
    ["explain", "from=1&to=2", "a parameter of this address: expected only at"],
    ["extract", "", "the parameter what: expected identity, ledger, calls or login_sessions"],
    ["extract", "what=everything", "the parameter what"],
    ["extract", "what=identity&from=1", "the parameter from: not beside what=identity"],
    ["extract", "what=ledger&from=1&to=2&changed_after=-1", "the parameter changed_after: expected a version"],
    ["extract", "what=ledger&from=1&to=2&changed_after=9007199254740993", "the parameter changed_after"],
    ["extract", "what=ledger&from=1&to=2&call=C1", "the parameter call: not beside what=ledger"],
    ["extract", "what=calls&from=1&to=2", "the parameter calls: expected created, ended, alive or named"],
    ["extract", "what=calls&calls=created&from=1&to=2&login_session=L", "the parameter login_session: not beside what"],
    ["extract", "what=login_sessions&login_sessions=named", "the parameter login_session: expected 1 to 200 LOGINSESS"],
    ["extract", "what=calls&calls=created&from=1&to=2&call=C1", "the parameter call: not beside calls=created"],
    ["extract", "what=calls&calls=named", "the parameter call: expected 1 to 200 CALLIDs"],
    ["extract", `what=calls&calls=named${"&call=C".repeat(201)}`, "the parameter call: expected 1 to 200 CALLIDs"],
    ["extract", `what=calls&calls=named&call=${"C".repeat(256)}`, "the parameter call"],
    ["extract", "what=calls&calls=named&call=C&from=1", "the parameter from: not beside calls=named"],
    ["extract", "what=calls&calls=created&from=1&to=2&after=7", "the parameter after: expected what the last line"],
    ["extract", "what=calls&calls=created&from=1&to=2&after=null", "the parameter after"],
    ["extract", "what=calls&calls=created&from=1&to=2&after={}", "the parameter after"],
  ] as const)("%s?%s is refused with what would be right", (page, query, message) => {
    expect(() => ask(page, query)).toThrow(ParameterError);
    expect(() => ask(page, query)).toThrow(`Cannot use ${message}`);
  });

  test("whatever stands there, it is a question within its bounds or a sentence that does not repeat it", () => {
    const { seed, next } = seededRandom("read parameters");
    const pick = <T>(among: readonly T[]): T => among[Math.floor(next() * among.length)] as T;
    const names = [
      "what",
      "from",
      "to",
      "at",
      "source",
      "changed_after",
      "calls",
      "call",
      "login_sessions",
      "login_session",
      "after",
      "x",
      "",
    ];
    const values = [
      ...[
        "identity",
        "ledger",
        "calls",
        "login_sessions",
        "created",
        "alive",
        "named",
        "north",
        "C1",
        "",
        "0",
        "1",
        "1795423790",
      ],
      ...[
        "2026-11-23T08:49:50Z",
        "253402300799",
        "253402300800",
        "-1",
        "1e9",
        "NaN",
        "9".repeat(400),
        "\0",
        "%00",
        "'--",
      ],
      ...['{"seconds":1,"created":"","key":"","id":1}', "[]", "canary-4989555013377", "\u202e", "x".repeat(5000)],
    ];
    const rights = [
      ...[
        "from=1&to=2",
        "from=1&to=2&source=north",
        "at=1",
        "what=identity",
        "what=ledger&from=1&to=2&changed_after=1",
      ],
      ...["what=calls&calls=created&from=1&to=2", "what=calls&calls=named&call=C1&call=C2"],
    ];
    let questions = 0;
    for (let input = 0; input < 20_000; input += 1) {
      const page = pick(readPages);
      const query = new URLSearchParams(pick(rights));
      for (let changes = Math.floor(next() * 4); changes > 0; changes -= 1) {
        const change = pick(["set", "append", "delete"] as const);
        query[change](pick([...query.keys(), ...names]), pick(values));
      }
      try {
        const question = readQuestion(page, query);
        questions += 1;
        const found = [seed, input, JSON.stringify(question)];
        if ("stretch" in question) {
          const { from, until } = question.stretch;
          expect([...found, from >= 0 && from < until && until <= 253_402_300_799]).toEqual([...found, true]);
        }
      } catch (error) {
        expect([seed, input, error instanceof ParameterError]).toEqual([seed, input, true]);
        expect((error as Error).message).not.toContain("canary");
        expect((error as Error).message.length).toBeLessThan(200);
      }
    }
    expect(questions).toBeGreaterThan(500);
  });
});
