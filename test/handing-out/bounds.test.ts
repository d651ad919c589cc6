// What the children may take, and when they go. A shell script stands in for the program where it is about the process
// and not about what it reads.

import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { type HandedOut, HandingOut, type HandingOutOptions } from "../../src/handing-out/handing-out.ts";
import { silentLog } from "../../src/log.ts";
import { FakeClock, settle } from "../harness/fake-clock.ts";
import { until } from "../harness/processes.ts";
import { TemporaryDirectory } from "../idb/temporary.ts";
import { RawClient } from "../status/raw-client.ts";
import { ServedIdb } from "./served-idb.ts";

const directory = new TemporaryDirectory();
afterAll(() => directory[Symbol.dispose]());

const heading = `echo '{"contentType":"application/x-ndjson"}'`;
let scripts = 0;

/** A child that runs these lines of shell; each run leaves its process id in a file of its own. */
function child(...lines: string[]) {
  scripts += 1;
  const pids = join(directory.path, `pids-${scripts}`);
  const script = join(directory.path, `child-${scripts}.sh`);
  writeFileSync(pids, "");
  writeFileSync(script, [`echo $$ >> '${pids}'`, "read errand", ...lines].join("\n"));
  return {
    command: ["sh", script],
    started: () => readFileSync(pids, "utf8").split("\n").filter(Boolean).map(Number),
    alive: () =>
      readFileSync(pids, "utf8")
        .split("\n")
        .filter((pid) => pid !== "" && existsSync(`/proc/${pid}`)),
  };
}

function handingOut(command: readonly string[], more: Partial<HandingOutOptions> = {}) {
  const stop = new AbortController();
  const options = {
    instanceName: "icon-a",
    idbPath: "/nowhere",
    peer: () => null,
    clock: systemClock,
    log: silentLog,
    stop: stop.signal,
  };
  return { handingOut: new HandingOut({ ...options, command, ...more }), stop };
}

const identity = { what: "identity" } as const;
const nobodyGone = new AbortController().signal;

async function bodyOf(answered: HandedOut): Promise<string> {
  if (answered.kind !== "answer") throw new Error(`There is no answer: ${JSON.stringify(answered)}`);
  return new Response(answered.body).text();
}

/** 200 times 64 KiB, or until nobody takes them; what was written is told beside it, piece by piece. */
const endless = (count: string) => [
  heading,
  "piece=$(head -c 65535 /dev/zero | tr '\\0' x)",
  `for n in $(seq 1 200); do echo "$piece"; echo "$n" > '${count}'; done`,
];

describe("an answer that is not taken", () => {
  test("holds its child back, and no more of it is in memory than is under way", async () => {
    const count = join(directory.path, "count");
    writeFileSync(count, "0");
    const { command } = child(...endless(count));
    const { handingOut: handing, stop } = handingOut(command);
    const answered = await handing.ask(identity, nobodyGone);
    if (answered.kind !== "answer") throw new Error("There is no answer");
    const reader = answered.body.getReader();
    let taken = 0;
    for (let each = 0; each < 40; each += 1) {
      taken += (await reader.read()).value?.length ?? 0;
      const written = Number(readFileSync(count, "utf8")) * 65_536;
      expect(written - taken).toBeLessThan(2 * 1024 * 1024);
    }
    stop.abort();
    await until("it is over", 5_000, () => handing.underWay === 0);
  });

  test("is given up, and its child killed, when its reader goes, over HTTP as well", async () => {
    const { command, started, alive } = child(...endless(join(directory.path, "count")));
    await using served = await ServedIdb.start({ idbPath: "/nowhere", command });
    const port = Number(new URL(served.origin).port);
    const request = `GET /api/v1/extract?what=identity HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${served.tokens.read}\r\n\r\n`;
    for (let round = 1; round <= 3; round += 1) {
      const client = new RawClient({ port, isTls: false }, request);
      await client.got("xxx");
      client.stopReading();
      expect(started().length).toBe(round);
      client[Symbol.dispose]();
      await until("its child is gone", 5_000, () => alive().length === 0 && served.handingOut.underWay === 0);
    }
  });
});

describe("a child", () => {
  test("that hangs before its answer, or in it, is killed at its time's end", async () => {
    for (const lines of [["exec sleep 1000"], [heading, "exec sleep 1000"]]) {
      const clock = new FakeClock();
      const { command, started, alive } = child(...lines);
      const { handingOut: handing } = handingOut(command, { clock });
      const asked = handing.ask(identity, nobodyGone);
      await until("it runs", 5_000, () => started().length === 1);
      if (lines.length > 1) expect((await asked).kind).toBe("answer");
      const whole = asked.then(bodyOf);
      whole.catch(() => {});
      await clock.advance(89_000);
      expect(alive().length).toBe(1);
      await clock.advance(2_000);
      await expect(whole).rejects.toThrow(lines.length === 1 ? "ended without an answer" : "did not end in order");
      await until("it is gone", 5_000, () => alive().length === 0 && handing.underWay === 0);
    }
  });

  test("that dies in its answer breaks it off, so that nobody takes it for whole", async () => {
    const { command } = child(heading, "echo '{\"mark\":{}}'", "kill -9 $$");
    await using served = await ServedIdb.start({ idbPath: "/nowhere", command });
    const answer = await served.get("/api/v1/extract?what=identity");
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
  });

  test.each([
    ["that dies before its answer", "kill -9 $$"],
    ["that says something else", "echo nonsense; exec sleep 1000"],
    ["that says nothing", "exit 0"],
    ["that says too much", "head -c 100000 /dev/zero; exec sleep 1000"],
  ])("%s is a reason to ask again", async (_, line) => {
    const { command, alive } = child(line);
    await using served = await ServedIdb.start({ idbPath: "/nowhere", command });
    const answer = await served.get("/api/v1/extract?what=identity");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await answer.json()).toEqual({
      title: "Service Unavailable",
      status: 503,
      detail: "Cannot read the IDB: the process that read it ended without an answer",
    });
    expect(alive()).toEqual([]);
  });

  test("that cannot be started is a reason to ask again", async () => {
    const { handingOut: handing } = handingOut([join(directory.path, "no such program")]);
    expect(await handing.ask(identity, nobodyGone)).toMatchObject({ kind: "refused", isPassing: true });
    expect(handing.underWay).toBe(0);
  });

  test("is killed with its instance's HTTP side", async () => {
    const { command, started, alive } = child(heading, "exec sleep 1000");
    const served = await ServedIdb.start({ idbPath: "/nowhere", command });
    const answer = served.get("/api/v1/extract?what=identity").then((each) => each.text());
    answer.catch(() => {});
    await until("it runs", 5_000, () => started().length === 1);
    await served[Symbol.asyncDispose]();
    await expect(answer).rejects.toThrow();
    await until("it is gone", 5_000, () => alive().length === 0);
  });
});

describe("many at once", () => {
  test("are answered two at a time, in the order in which they came; whoever waits too long is told when to come again", async () => {
    const clock = new FakeClock();
    const { command, started } = child(heading, "read go", "echo over");
    const { handingOut: handing, stop } = handingOut(command, { clock });
    const asked = Array.from({ length: 22 }, () => handing.ask(identity, nobodyGone));
    await until("two run", 5_000, () => started().length === 2);
    await settle();
    expect(handing.underWay).toBe(2);
    // 2 run, 16 wait, 4 are sent away at once.
    const busy = { kind: "busy", retryAfterSeconds: 3 } as const;
    for (const each of asked.slice(18)) expect(await each).toEqual(busy);
    await clock.advance(2_000);
    for (const each of asked.slice(2, 18)) expect(await each).toEqual(busy);
    expect(started().length).toBe(2);
    stop.abort();
    await until("all are over", 5_000, () => handing.underWay === 0);
  });

  test("50 clients over HTTP: each is answered whole or told to come again, and never more than two children run", async () => {
    const { command, alive } = child(heading, "sleep 0.05", 'echo \'{"end":"whole"}\'');
    await using served = await ServedIdb.start({ idbPath: "/nowhere", command });
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, alive().length);
    }, 5);
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const answer = await served.get("/api/v1/extract?what=identity", served.tokens.read);
        return [answer.status, answer.headers.get("retry-after"), (await answer.text()).slice(0, 15)];
      }),
    );
    clearInterval(watch);
    const whole = answers.filter(([status]) => status === 200);
    expect(whole.length).toBeGreaterThanOrEqual(2);
    for (const each of answers) {
      expect(each).toEqual(each[0] === 200 ? [200, null, '{"end":"whole"}'] : [503, "3", '{"title":"Servi']);
    }
    expect(most).toBeLessThanOrEqual(2);
    await until("all places are free", 5_000, () => served.handingOut.underWay === 0);
  });

  test("of calls do not keep anybody from the ledger", async () => {
    const { command, started } = child(heading, "read go");
    const { handingOut: handing, stop } = handingOut(command, { clock: new FakeClock() });
    const calls = {
      what: "subjects",
      family: "call",
      question: { kind: "named", keys: ["C1"] },
      after: null,
    } as const;
    const asked = [calls, calls, calls, identity].map((question) => handing.ask(question, nobodyGone));
    await until("three run", 5_000, () => started().length === 3);
    expect((await asked[3])?.kind).toBe("answer");
    expect(handing.underWay).toBe(3);
    stop.abort();
    await Promise.all(asked);
    await until("all are over", 5_000, () => handing.underWay === 0);
  });

  test("cannot start more than a few children a second, however soon they go", async () => {
    const clock = new FakeClock();
    const { command, started } = child(heading, "exec sleep 1000");
    const { handingOut: handing, stop } = handingOut(command, { clock });
    for (let round = 1; round <= 3; round += 1) {
      const gone = new AbortController();
      const asked = [handing.ask(identity, gone.signal), handing.ask(identity, gone.signal)];
      await until("two more have run", 5_000, () => started().length === 2 * round);
      gone.abort();
      await Promise.all(asked);
      await until("they are gone", 5_000, () => started().every((pid) => !existsSync(`/proc/${pid}`)));
      await settle();
      expect(handing.underWay).toBe(2);
      await clock.advance(250);
      expect(handing.underWay).toBe(0);
    }
    stop.abort();
  });

  test("one that goes while it waits takes no place", async () => {
    const { command, started } = child(heading, "read go");
    const { handingOut: handing, stop } = handingOut(command, { clock: new FakeClock() });
    const first = [handing.ask(identity, nobodyGone), handing.ask(identity, nobodyGone)];
    const gone = new AbortController();
    const waiting = handing.ask(identity, gone.signal);
    await until("two run", 5_000, () => started().length === 2);
    gone.abort();
    expect(await waiting).toMatchObject({ kind: "busy" });
    stop.abort();
    await Promise.all(first);
    await until("all are over", 5_000, () => handing.underWay === 0);
    expect(started().length).toBe(2);
  });
});
