// An Asterisk that is not there: channels, bridges and Linkedids as the real one has them, and what its manager says of
// them. Stories (ami-pbx-stories.ts) play on it, interleaved in simulated time.

export interface Channel {
  readonly name: string;
  readonly uniqueId: string;
  /** Counts channels: the oldest of a bridge gives its Linkedid to all. */
  readonly number: number;
  linkedId: string;
  readonly callerId: string;
  readonly context: string;
  readonly exten: string;
  isUp: boolean;
  bridge: string | null;
}

export interface Said {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly name: string;
  readonly text: string;
  /** No event: only the manager's lists show it. */
  readonly isHidden: boolean;
}

/** A story goes on when the milliseconds it yields have passed. */
export type Telling<T = void> = Generator<number, T>;

type Fields = Readonly<Record<string, string | number>>;

export class Pbx {
  readonly said: Said[] = [];
  now: number;
  readonly #startedAt: number;
  #channels = 0;
  #bridges = 0;
  readonly #bridged = new Map<string, Channel[]>();
  readonly #waiting: { at: number; order: number; story: Telling }[] = [];
  #order = 0;

  constructor(startedAt: number) {
    this.#startedAt = startedAt;
    this.now = startedAt;
  }

  /** Lets a story begin `ms` after the start. */
  plan(ms: number, story: Telling): void {
    this.#waiting.push({ at: this.#startedAt + ms, order: this.#order++, story });
  }

  /** Plays all stories to their ends. */
  play(): void {
    for (;;) {
      this.#waiting.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.now = next.at;
      const { value, done } = next.story.next();
      if (done !== true) this.#waiting.push({ at: this.now + value, order: this.#order++, story: next.story });
    }
  }

  say(name: string, fields: Fields, isHidden = false): void {
    const lines = Object.entries(fields).map(([field, value]) => `${field}: ${value}`);
    const head = [`Event: ${name}`, "Privilege: call,all", `Timestamp: ${(this.now / 1000).toFixed(6)}`];
    this.said.push({ at: this.now, name, text: [...head, ...lines].join("\r\n"), isHidden });
  }

  /** Newchannel. `by`: on whose behalf it is made; it gets that channel's Linkedid. */
  create(
    tech: string,
    given: { readonly number?: string; readonly context?: string; readonly exten?: string; readonly by?: Channel } = {},
  ): Channel {
    const { number = "", context = "internal", exten = "", by } = given;
    this.#channels += 1;
    const uniqueId = `pbx-${Math.floor(this.now / 1000)}.${this.#channels}`;
    const name = /;[12]$/.test(tech) ? tech : `${tech}-${this.#channels.toString(16).padStart(8, "0")}`;
    const linkedId = by?.linkedId ?? uniqueId;
    const facts = { name, uniqueId, number: this.#channels, linkedId, callerId: number, context, exten };
    const channel: Channel = { ...facts, isUp: false, bridge: null };
    this.say("Newchannel", this.of(channel));
    return channel;
  }

  /** Both halves of a Local pair. */
  createPair(address: string, by: Channel): readonly [Channel, Channel] {
    const name = `Local/${address}-${(this.#channels + 1).toString(16).padStart(8, "0")}`;
    const first = this.create(`${name};1`, { by });
    const second = this.create(`${name};2`, { by });
    this.say("LocalBridge", {
      ...this.of(first, "LocalOne"),
      ...this.of(second, "LocalTwo"),
      LocalOptimization: "Yes",
    });
    return [first, second];
  }

  /** A channel as fields of an event. */
  of(channel: Channel, prefix = ""): Fields {
    const values = {
      Channel: channel.name,
      ChannelState: channel.isUp ? 6 : 0,
      ChannelStateDesc: channel.isUp ? "Up" : "Down",
      CallerIDNum: channel.callerId === "" ? "<unknown>" : channel.callerId,
      Context: channel.context,
      Exten: channel.exten,
      Uniqueid: channel.uniqueId,
      Linkedid: channel.linkedId,
    };
    return Object.fromEntries(Object.entries(values).map(([field, value]) => [`${prefix}${field}`, value]));
  }

  up(channel: Channel): void {
    channel.isUp = true;
    this.say("Newstate", this.of(channel));
  }

  runs(channel: Channel, application: string, data = ""): void {
    const step = { Extension: channel.exten || "s", Application: application, AppData: data };
    this.say("Newexten", { ...this.of(channel), ...step });
  }

  dials(channel: Channel, dest: Channel): void {
    this.say("DialBegin", { ...this.of(channel), ...this.of(dest, "Dest") });
  }

  dialEnds(channel: Channel, dest: Channel, status: string): void {
    if (status === "ANSWER") this.up(dest);
    this.say("DialEnd", { ...this.of(channel), ...this.of(dest, "Dest"), DialStatus: status });
  }

  /** Puts channels into a new bridge, or into one that is there; returns its id. */
  bridge(channels: readonly Channel[], into?: string): string {
    this.#bridges += 1;
    const bridge = into ?? `bridge-${this.#bridges}`;
    if (into === undefined) this.say("BridgeCreate", { BridgeUniqueid: bridge });
    for (const channel of channels) {
      if (channel.bridge !== null) this.leave(channel);
      channel.bridge = bridge;
      const inIt = [...(this.#bridged.get(bridge) ?? []), channel];
      this.#bridged.set(bridge, inIt);
      const [oldest] = inIt.toSorted((a, b) => numberOf(a.linkedId) - numberOf(b.linkedId));
      for (const each of inIt) {
        if (oldest === undefined || each.linkedId === oldest.linkedId) continue;
        each.linkedId = oldest.linkedId;
        this.say("Newstate", this.of(each), true);
      }
      this.say("BridgeEnter", { BridgeUniqueid: bridge, ...this.of(channel) });
    }
    return bridge;
  }

  leave(channel: Channel): void {
    if (channel.bridge === null) return;
    const { bridge } = channel;
    channel.bridge = null;
    const rest = (this.#bridged.get(bridge) ?? []).filter((each) => each !== channel);
    this.#bridged.set(bridge, rest);
    this.say("BridgeLeave", { BridgeUniqueid: bridge, ...this.of(channel) });
    if (rest.length === 0) this.say("BridgeDestroy", { BridgeUniqueid: bridge });
  }

  hangUp(channel: Channel, cause = 16): void {
    this.leave(channel);
    this.say("Hangup", { ...this.of(channel), Cause: cause });
  }

  /** The device takes the place of the Local pair through which it was dialed. */
  optimise(first: Channel, second: Channel, device: Channel): void {
    const pair = { ...this.of(first, "LocalOne"), ...this.of(second, "LocalTwo") };
    this.say("LocalOptimizationBegin", { ...pair, ...this.of(device, "Source"), DestUniqueid: first.uniqueId, Id: 1 });
    if (first.bridge !== null) this.bridge([device], first.bridge);
    this.say("LocalOptimizationEnd", { ...pair, Success: "true", Id: 1 });
    this.hangUp(first);
    this.hangUp(second);
  }
}

function numberOf(uniqueId: string): number {
  return Number(uniqueId.split(".").at(-1));
}
