// R17 at the instance's capacity: how many events a second are acknowledged while a source sends as fast as it may, in
// stretches of calm and attack in turn. Nothing is judged but that intake goes on: source, instance and attacker are
// processes of their own, and on a machine of two cores they take each other's time. What is lost there is not only what
// the HTTP side takes, but also what the attacker takes.
//
// ICON_HTTP_CAPACITY_EVENTS: how many events to send; without it nothing is measured, for making them takes a minute.

import { expect, test } from "bun:test";
import { spread } from "../bench/figures.ts";
import { recordLoad } from "../bench/load-file.ts";
import { MeasuredInstance } from "../bench/measured-instance.ts";
import { figure } from "../harness/figure.ts";
import { fromEnvironment, iconBinary, TemporaryDirectory } from "../harness/processes.ts";
import { Attacker } from "./http-attack.ts";

const events = fromEnvironment("ICON_HTTP_CAPACITY_EVENTS", 0);
const windowBytes = 262_144;
const stretchSeconds = 0.25;
const settlingMs = 300;

test.skipIf(events === 0)(
  "at capacity intake goes on under attack (skipped: ICON_HTTP_CAPACITY_EVENTS is not set)",
  async () => {
    const icon = await iconBinary();
    using directory = new TemporaryDirectory("http-capacity");
    const load = await recordLoad({ icon, path: directory.at("load"), events, seed: 1 });
    await using instance = await MeasuredInstance.start({ icon, directory: directory.at("run"), loadPath: load.path });
    await using attacker = new Attacker(Number(new URL(instance.status).port), false);
    let acknowledged = 0;
    /** Events a second; null: the load came to its end. */
    const stretch = async (word: "attack" | "calm"): Promise<number | null> => {
      await attacker.tell(word);
      await Bun.sleep(settlingMs);
      const sent = await instance.send({ events, windowBytes, secondsMax: stretchSeconds });
      acknowledged += sent.events;
      if (acknowledged >= load.events) return null;
      return (sent.events / (sent.lastAckAt - sent.firstSentAt)) * 1_000;
    };
    await stretch("calm"); // the first moments of a process is like no other
    const pairs: { readonly calm: number; readonly loss: number }[] = [];
    for (;;) {
      const [calm, attacked] = [await stretch("calm"), await stretch("attack")];
      if (calm === null || attacked === null) break;
      expect(attacked).toBeGreaterThan(0);
      pairs.push({ calm, loss: 1 - attacked / calm });
    }
    const { opened } = await attacker.tell("calm");
    expect([acknowledged, instance.process.exitCode]).toEqual([load.events, null]);
    const percent = (part: number) => `${(part * 100).toFixed(1)} %`;
    const loss = spread(pairs.map((pair) => pair.loss));
    figure(
      "R17",
      `at capacity on loopback, ${Math.round(spread(pairs.map(({ calm }) => calm)).median)} events/s in calm: intake loss ` +
        `${percent(loss.median)} (${percent(loss.min)} to ${percent(loss.max)}) in ${pairs.length} pairs of ${stretchSeconds} s, with what ` +
        `the attacker takes of the same processors (${opened} connections)`,
    );
  },
  600_000,
);
