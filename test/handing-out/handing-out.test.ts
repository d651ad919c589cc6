import { afterAll, describe, expect, test } from "bun:test";
import { IdbCopy } from "../../src/extraction/idb-copy.ts";
import { storeCopy } from "../extraction/stored-copy.ts";
import { manyCalls } from "../harness/stored-story.ts";
import { startMs } from "../harness/story.ts";
import { TemporaryDirectory } from "../idb/temporary.ts";
import { ServedIdb } from "./served-idb.ts";

const second = (seconds: number) => startMs / 1000 + seconds;
const allTime = { from: second(-3600), until: second(7200) };

const shared = new TemporaryDirectory();
const idbPath = await storeCopy({ directory: shared.path, payloads: manyCalls({ calls: 450 }).payloads });
const served = await ServedIdb.start({ idbPath });
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  shared[Symbol.dispose]();
});

describe("an IDB behind an address", () => {
  test("says of itself and of its ledger what the file says", async () => {
    await using file = new IdbCopy(idbPath);
    await using copy = served.copy(served.tokens.read);
    expect(await copy.identity()).toEqual(await file.identity());
    const { version } = await file.identity();
    for (const question of [
      { stretch: allTime, changedAfter: null },
      { stretch: { from: second(120.5), until: second(240) }, changedAfter: null },
      { stretch: allTime, changedAfter: version - 3 },
      { stretch: { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY }, changedAfter: null },
    ]) {
      const ledger = await copy.ledger(question);
      const whole = { from: Math.floor(question.stretch.from), until: question.stretch.until };
      expect(ledger).toEqual(await file.ledger({ ...question, stretch: whole }));
    }
    expect((await copy.ledger({ stretch: allTime, changedAfter: null })).windows.length).toBeGreaterThan(10);
  }, 60_000);

  test("hands out the same calls in the same order", async () => {
    await using file = new IdbCopy(idbPath);
    await using copy = served.copy();
    for (const question of [
      { kind: "created", stretch: allTime },
      { kind: "alive", stretch: { from: second(300), until: second(420) } },
      { kind: "named", keys: ["C7", "nobody's", "C8", "C7"] },
      { kind: "named", keys: [] },
    ] as const) {
      expect(await Array.fromAsync(copy.subjects("call", question))).toEqual(
        await Array.fromAsync(file.subjects("call", question)),
      );
    }
  }, 60_000);
});
