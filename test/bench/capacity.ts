// What the whole of an instance can take: events/s from the first byte sent to the last row readable, after a warm-up. A
// tenth of it is the load of a site that has room to grow.

import { MeasuredInstance } from "./measured-instance.ts";
import { emptyPlace, perSecond, type Setting, shown, warmUpEvents } from "./setting.ts";

let known: number | undefined;

/** Events a second; measured once in a run of the bench. */
export async function capacity(setting: Setting): Promise<number> {
  if (known !== undefined) return known;
  const { icon, load, rowEvents, say } = setting;
  const windowBytes = Math.max(...setting.windows);
  await using instance = await MeasuredInstance.start({ icon, directory: emptyPlace(setting), loadPath: load.path });
  await instance.send({ events: warmUpEvents, windowBytes });
  await instance.readable();
  const sent = await instance.send({ events: rowEvents, windowBytes });
  known = perSecond(sent.events, (await instance.readable()) - sent.firstSentAt);
  say(`capacity, to the last row readable: ${shown(known)} events/s`);
  return known;
}
