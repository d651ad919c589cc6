// Whatever two instances missed: what the extraction calls whole is so, and what it calls incomplete has a moment that
// nobody heard, or rows that could not be put together. More seeds: ICON_EXTRACTION_SEEDS=N.

import { expect, test } from "bun:test";
import { query } from "../idb/temporary.ts";
import { Dice } from "../simulation/dice.ts";
import { ExtractionSetting } from "./extraction-setting.ts";
import { accounts, isHeardThroughout, lifeOf } from "./heard-calls.ts";
import { randomSpells, ScriptedServer } from "./scripted-server.ts";

// Of the first twenty-five, three in which copies are whole in turn.
const seedsUsual = [3, 17, 25];
const seedsAsked = Number(process.env["ICON_EXTRACTION_SEEDS"] ?? 0);
const seeds = seedsAsked > 0 ? Array.from({ length: seedsAsked }, (_, index) => index + 1) : seedsUsual;

for (const seed of seeds) {
  test(`seed ${seed}: no call is called whole that is not, and none incomplete that was heard throughout`, async () => {
    const dice = new Dice(seed);
    const script = {
      calls: 40,
      everySeconds: 0.7,
      lifeSeconds: 2 + dice.below(25),
      hasIds: dice.chance(0.7),
      transfersEvery: seed % 3 === 0 ? null : 3,
    };
    using setting = new ExtractionSetting(new ScriptedServer(script));
    const end = setting.server.endSeconds;
    await setting.truth();
    const heard = ["a", "b"].map((name) => ({ name, spells: randomSpells(dice, end) }));
    for (const { name, spells } of heard) await setting.copy(name, ...spells);
    const report = await setting.extract(["a", "b"], "out.db");
    const truth = accounts(setting.idb("truth"));
    const told = accounts(setting.at("out.db"));
    const verdicts = query(
      setting.at("out.db"),
      "SELECT CALLID, VERDICT, REASONS FROM ICON_EXTRACT_CALL",
    ) as string[][];
    const [wrong, needless, notJoined]: string[][] = [[], [], []];
    for (const [callId = "", verdict = "", reasons = ""] of verdicts) {
      if (verdict === "complete" || verdict === "joined") {
        if (told.get(callId) !== truth.get(callId)) wrong?.push(callId);
      } else if (/"(key is local|rows do not fit)"/.test(reasons)) {
        notJoined?.push(`${callId} ${reasons}`);
      } else if (isHeardThroughout(heard, lifeOf(setting.idb("truth"), callId))) {
        needless?.push(`${callId} ${reasons}`);
      }
    }
    const { complete, joined, incomplete } = report.calls;
    console.log(
      `seed ${seed}: ${complete} whole, ${joined} joined, ${incomplete} incomplete, of them ${notJoined?.length} that could not be joined`,
    );
    expect({ wrong, needless }).toEqual({ wrong: [], needless: [] });
    // Every call that some copy has whole is there.
    for (const [callId] of truth) {
      const life = lifeOf(setting.idb("truth"), callId);
      if (heard.some((one) => isHeardThroughout([one], life)))
        expect([callId, told.has(callId)]).toEqual([callId, true]);
    }
    expect(new Set(verdicts.map(([callId]) => callId)).size).toBe(verdicts.length);
  }, 30_000);
}
