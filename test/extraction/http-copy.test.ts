// A copy behind an address: what it does with the answers of an instance, whole, cut, broken, or none at all.

import { afterAll, describe, expect, test } from "bun:test";
import { type AddressInfo, createServer } from "node:net";
import { systemClock } from "../../src/clock.ts";
import type { InstanceAccess } from "../../src/extraction/ask-instance.ts";
import { CopyError, type Subject } from "../../src/extraction/copy.ts";
import { headLine, subjectLine } from "../../src/extraction/copy-lines.ts";
import { HttpCopy } from "../../src/extraction/http-copy.ts";
import { IdbCopy } from "../../src/extraction/idb-copy.ts";
import { answer, answerBounds } from "../../src/handing-out/answer.ts";
import type { Question } from "../../src/handing-out/question.ts";
import { readQuestion } from "../../src/status/read-parameters.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { until } from "../harness/processes.ts";
import { manyCalls } from "../harness/stored-story.ts";
import { startMs } from "../harness/story.ts";
import { TemporaryDirectory, tamper } from "../idb/temporary.ts";
import { storeCopy } from "./stored-copy.ts";

const second = (seconds: number) => startMs / 1000 + seconds;
const allTime = { from: second(-3600), until: second(7200) };
const ledgerOfAll = { stretch: allTime, changedAfter: null };
const created = { kind: "created", stretch: allTime } as const;

const shared = new TemporaryDirectory();
afterAll(() => shared[Symbol.dispose]());
const idbPath = await storeCopy({ directory: shared.path, payloads: manyCalls({ calls: 450 }).payloads });
const identity = await new IdbCopy(idbPath).identity();
const head = headLine(identity, "icon-a");

/** Serves on loopback until the test is over; what was asked is kept. */
function serving(answerTo: (request: Request) => Response | Promise<Response>) {
  const asked: { readonly authorization: string | null }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch(request) {
      asked.push({ authorization: request.headers.get("authorization") });
      return answerTo(request);
    },
  });
  const origin = `http://127.0.0.1:${server.port}`;
  const copy = (more: Partial<InstanceAccess> = {}) =>
    new HttpCopy({ origin, readToken: () => "icon_test", readAuthorities: () => null, clock: systemClock, ...more });
  return { asked, origin, copy, [Symbol.asyncDispose]: () => server.stop(true) };
}

/** An instance's answers, each ended by its bounds after so many bytes of calls. */
function inParts(bytesMax: number, path = () => idbPath) {
  return serving((request) => {
    const question: Question = readQuestion("extract", new URL(request.url).searchParams);
    const { pieces } = answer(
      { question, instanceName: "icon-a", idbPath: path(), peer: null },
      { ...answerBounds, bytesMax },
    );
    return new Response(pieces as unknown as ReadableStream<Uint8Array>);
  });
}

async function refusal(act: Promise<unknown>): Promise<{ readonly kind: string; readonly message: string }> {
  try {
    await act;
  } catch (error) {
    if (error instanceof CopyError) return { kind: error.kind, message: error.message };
    throw error;
  }
  throw new Error("It was answered");
}

const idsOf = (calls: readonly Subject[]) => calls.map(({ key }) => key);

describe("an answer that a bound ended", () => {
  test.each([1, 9_000, 400_000])(
    "is gone on with until all calls are there, each once (%p bytes a part)",
    async (bytesMax) => {
      await using server = inParts(bytesMax);
      await using copy = server.copy();
      await using file = new IdbCopy(idbPath);
      for (const question of [
        { kind: "created", stretch: { from: second(100), until: second(200) } },
        { kind: "alive", stretch: { from: second(301), until: second(360) } },
        { kind: "named", keys: ["C7", "C9", "C8"] },
        ...(bytesMax < 10_000 ? [] : [created]),
      ] as const) {
        server.asked.length = 0;
        expect(await Array.fromAsync(copy.subjects("call", question))).toEqual(
          await Array.fromAsync(file.subjects("call", question)),
        );
        if (bytesMax < 10_000) expect(server.asked.length).toBeGreaterThan(1);
      }
    },
  );

  test("is not gone on with in another IDB that came in its place", async () => {
    using other = new TemporaryDirectory();
    const otherPath = await storeCopy({ directory: other.path, payloads: manyCalls({ calls: 450 }).payloads });
    tamper(otherPath, "UPDATE ICON_APPLIED SET IDB_ID = 'another'");
    let path = idbPath;
    await using server = inParts(20_000, () => path);
    await using copy = server.copy();
    const told: string[] = [];
    const reading = (async () => {
      for await (const { key } of copy.subjects("call", created)) {
        told.push(key);
        if (told.length === 5) path = otherPath;
      }
    })();
    expect(await refusal(reading)).toEqual({
      kind: "passing",
      message: `Cannot read ${server.origin}: its IDB was replaced meanwhile`,
    });
    expect(told).toEqual(
      idsOf((await Array.fromAsync(new IdbCopy(idbPath).subjects("call", created))).slice(0, told.length)),
    );
  });

  test("that does not come further ends the reading", async () => {
    const after = { seconds: 1, created: "x", key: "C1", id: 1 };
    await using server = serving(() => new Response(`${head}{"end":"cut","after":${JSON.stringify(after)}}\n`));
    expect(await refusal(Array.fromAsync(server.copy().subjects("call", created)))).toMatchObject({ kind: "lasting" });
    expect(server.asked.length).toBe(2);
  });
});

describe("an answer that is not whole", () => {
  const { pieces } = answer({
    question: { what: "ledger", ledger: ledgerOfAll },
    instanceName: "icon-a",
    idbPath,
    peer: null,
  });
  const whole = Array.fromAsync(pieces).then((each) => each.join(""));

  test("is not believed, wherever it was cut", async () => {
    const text = await whole;
    let length = 0;
    await using server = serving(() => new Response(text.slice(0, length)));
    await using copy = server.copy();
    // Within each kind of line, at line ends, and one byte before the end.
    const lineEnds = [...text.matchAll(/\n/g)].map(({ index }) => index + 1);
    for (length of [
      0,
      10,
      ...lineEnds.slice(0, 3),
      (lineEnds.at(-2) ?? 0) - 20,
      lineEnds.at(-2) ?? 0,
      text.length - 1,
    ]) {
      expect([length, await refusal(copy.ledger(ledgerOfAll))]).toEqual([
        length,
        { kind: "passing", message: `Cannot read ${server.origin}: its answer was cut short` },
      ]);
    }
    length = text.length;
    expect((await copy.ledger(ledgerOfAll)).windows.length).toBeGreaterThan(10);
  });

  test("because the connection ended is told from one that is", async () => {
    const chunk = `${head.length.toString(16)}\r\n${head}\r\n`;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`, () => socket.destroy());
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const access = { readToken: () => null, readAuthorities: () => null, clock: systemClock };
    await using copy = new HttpCopy({ origin: `http://127.0.0.1:${port}`, ...access });
    expect(await refusal(copy.identity())).toMatchObject({ kind: "passing" });
    server.close();
  });

  test("that does not begin is given up after its time", async () => {
    const clock = new FakeClock();
    await using server = serving(() => new Promise<Response>(() => {}));
    const asked = refusal(server.copy({ clock }).identity());
    await until("it was asked", 5_000, () => server.asked.length === 1);
    await clock.advance(20_000);
    expect(await asked).toEqual({
      kind: "passing",
      message: `Cannot read ${server.origin}: it does not answer in time`,
    });
  });

  test("that stops coming is given up after its time, which does not run while its user is busy", async () => {
    const clock = new FakeClock();
    const [first] = await Array.fromAsync(new IdbCopy(idbPath).subjects("call", { kind: "named", keys: ["C1"] }));
    if (first === undefined) throw new Error("There is no call");
    const begun = new TextEncoder().encode(head + subjectLine(first));
    await using server = serving(
      () => new Response(new ReadableStream({ start: (controller) => controller.enqueue(begun) })),
    );
    const calls = server.copy({ clock }).subjects("call", created)[Symbol.asyncIterator]();
    expect((await calls.next()).value).toEqual(first);
    await clock.advance(60_000);
    const next = refusal(calls.next());
    await clock.advance(14_000);
    expect(await next).toMatchObject({ kind: "passing" });
  });

  test("fails with the reason that its last line gives", async () => {
    let kind = "passing";
    await using server = serving(() => new Response(`${head}{"end":"failed","kind":"${kind}","reason":"locked"}\n`));
    for (kind of ["passing", "lasting"]) {
      expect(await refusal(server.copy().ledger(ledgerOfAll))).toEqual({
        kind,
        message: `Cannot read ${server.origin}: locked`,
      });
    }
  });
});

test("what another host says of itself and of its trouble does not reach a terminal as it came", async () => {
  const reason = `locked\u001b[2J\n${"x".repeat(1000)}`;
  await using server = serving(
    () =>
      new Response(
        `${headLine(identity, "icon\u001b[31m-b")}${JSON.stringify({ end: "failed", kind: "passing", reason })}\n`,
      ),
  );
  const copy = server.copy();
  const { message } = await refusal(copy.ledger(ledgerOfAll));
  expect(message).not.toMatch(/\p{Cc}/u);
  expect(message.length).toBeLessThan(500);
  expect(copy.instanceName).toBe("icon [31m-b");
});

describe("what is no answer of a copy", () => {
  const window = { SOURCE_CLUSTER: 1, RUN: "1/x", SWITCH_DBID: 1, WINDOW_TS: 60, EVENTS: 1, VERSION: 1 };
  test.each([
    ["another program's page", "<html>hello</html>\n", "a line is no JSON"],
    ["JSON of somebody else", '{"hello":1}\n', "a line is of no kind that this version knows"],
    ["a list", "[1]\n", "a line is no object"],
    ["another format", head.replace('"format":1', '"format":2'), "it speaks format 2 and this program format 1"],
    ["no identity", '{"icon":"copy","format":1}\n', "a line is no object"],
    ["half an identity", '{"icon":"copy","format":1,"identity":{"idbId":"x"}}\n', "its identity is none"],
    ["a later schema", head.replace(/"schemaVersion":\d+/, '"schemaVersion":9999'), "its schema version is 9999"],
    ["no head", '{"end":"whole"}\n', "its answer does not begin as one of a copy"],
    ["a second head", `${head}${head}`, "its answer does not begin as one of a copy"],
    ["more behind its end", `${head}{"end":"whole"}\n{"end":"whole"}\n`, "its answer goes on after its end"],
    ["an end of no kind", `${head}{"end":"perhaps"}\n`, "its last line is none"],
    ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe, 10]), "a line is no UTF-8"],
    ["a row that lacks a value", `${head}{"window":{"RUN":"x"}}\n`, "a row of ICON_WINDOW has no right SOURCE_CLUSTER"],
    [
      "a row with a value of another type",
      `${head}{"window":${JSON.stringify({ ...window, EVENTS: "4989555013377" })}}\n`,
      "a row of ICON_WINDOW has no right EVENTS",
    ],
    ["a line without an end", "x".repeat(17 * 1024 * 1024), "a line is longer than 16777216 bytes"],
  ])("is refused with a reason: %s", async (_, body, reason) => {
    await using server = serving(() => new Response(body));
    const { kind, message } = await refusal(server.copy().ledger(ledgerOfAll));
    expect(kind).toBe("lasting");
    expect(message).toStartWith(`Cannot read ${server.origin}: ${reason}`);
    expect(message).not.toContain("4989555013377");
  });

  test("columns that an earlier version does not know are empty, and others are left out", async () => {
    const text = `${head}{"window":${JSON.stringify({ ...window, LATER: 1 })}}\n{"end":"whole"}\n`;
    await using server = serving(() => new Response(text));
    const empty = { FIRST_SEQ: null, LAST_SEQ: null, HOLES: null, FAULTS: null, DIGEST: null, IS_SEALED: null };
    expect((await server.copy().ledger(ledgerOfAll)).windows).toEqual([{ ...window, ...empty }]);
  });
});

test("a call from another host with a time that is none is refused, and not left out", async () => {
  const [first] = await Array.fromAsync(new IdbCopy(idbPath).subjects("call", created));
  if (first === undefined) throw new Error("No call");
  const call = {
    ...first,
    rows: { ...first.rows, G_CALL: (first.rows.G_CALL ?? []).map((row) => ({ ...row, CREATED: "x" })) },
  };
  await using server = serving(() => new Response(`${head}${subjectLine(call)}{"end":"whole"}\n`));
  expect(await refusal(Array.fromAsync(server.copy().subjects("call", created)))).toEqual({
    kind: "lasting",
    message: `Cannot read ${server.origin}: a row of G_CALL has no right CREATED`,
  });
});

describe("an instance that does not answer", () => {
  const problem = (detail: string) => JSON.stringify({ title: "x", detail });
  test.each([
    [401, problem("There is no such token"), "lasting", "it does not accept the token (There is no such token)"],
    [403, problem("Token has the role read"), "lasting", "Token has the role read"],
    [404, "nothing", "lasting", "it has no such page; is it an instance of this version of the program?"],
    [421, "Cannot answer for this Host header", "lasting", "Cannot answer for this Host header"],
    [429, problem("Too many"), "passing", "Too many"],
    [503, problem("others are being answered"), "passing", "others are being answered"],
    [502, "", "passing", "HTTP 502"],
    [500, `\u001b[2Jclear\r\n${"x".repeat(1000)}`, "passing", `[2Jclear ${"x".repeat(391)}…`],
  ])("with %p is an error of its kind", async (status, body, kind, reason) => {
    await using server = serving(() => new Response(body, { status }));
    expect(await refusal(server.copy().identity())).toEqual({
      kind,
      message: `Cannot read ${server.origin}: ${reason}`,
    });
  });

  test("because none was given wants a token", async () => {
    await using server = serving(() => new Response(problem("This needs a token"), { status: 401 }));
    expect(await refusal(server.copy({ readToken: () => null }).identity())).toEqual({
      kind: "lasting",
      message: `Cannot read ${server.origin}: it wants a token, and none was given; --token-file or [http] peer_token_file`,
    });
  });

  test.each([401, 302, 500])(
    "with %p and goes on for ever is not listened to for long",
    async (status) => {
      let pieces = 0;
      const piece = new Uint8Array(16 * 1024).fill(120);
      await using server = serving(() => {
        async function* endless() {
          for (;;) {
            pieces += 1;
            yield piece;
            await Bun.sleep(1);
          }
        }
        return new Response(endless() as unknown as ReadableStream<Uint8Array>, { status });
      });
      expect((await refusal(server.copy().identity())).message).toStartWith(`Cannot read ${server.origin}: `);
      // And what buffers on the way hold.
      expect(pieces).toBeLessThan(1000);
    },
    15_000,
  );

  test("because nobody listens there may answer later", async () => {
    const server = serving(() => new Response(""));
    await server[Symbol.asyncDispose]();
    expect(await refusal(server.copy().identity())).toEqual({
      kind: "passing",
      message: `Cannot read ${server.origin}: it refuses the connection`,
    });
  });

  test("but leads elsewhere gets no token there", async () => {
    await using elsewhere = serving(() => new Response(`${head}{"end":"whole"}\n`));
    await using server = serving(() => Response.redirect(`${elsewhere.origin}/api/v1/extract`, 302));
    expect(await refusal(server.copy().identity())).toMatchObject({ kind: "lasting" });
    expect(server.asked).toEqual([{ authorization: "Bearer icon_test" }]);
    expect(elsewhere.asked).toEqual([]);
  });

  test("is not asked at all when the token's file cannot be used", async () => {
    await using server = serving(() => new Response(""));
    const readToken = () => {
      throw new Error('Cannot use credentials file "x": it is no file');
    };
    expect(await refusal(server.copy({ readToken }).identity())).toEqual({
      kind: "lasting",
      message: `Cannot read ${server.origin}: Cannot use credentials file "x": it is no file`,
    });
    expect(server.asked).toEqual([]);
  });
});

test("whoever breaks off the loop ends the reading, and a copy that is closed ends what is under way", async () => {
  let isGone = false;
  await using server = serving(
    () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode(head)),
          cancel: () => {
            isGone = true;
          },
        }),
      ),
  );
  const copy = server.copy();
  const reading = refusal(Array.fromAsync(copy.subjects("call", created)));
  await until("it was asked", 5_000, () => server.asked.length === 1);
  await copy[Symbol.asyncDispose]();
  expect(await reading).toEqual({ kind: "passing", message: `Cannot read ${server.origin}: it was broken off` });
  await until("the other side knows", 5_000, () => isGone);

  await using parts = inParts(9_000);
  for await (const { key } of parts.copy().subjects("call", created)) if (key === "C1") break;
  expect(parts.asked.length).toBe(1);
});
