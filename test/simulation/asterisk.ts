// An Asterisk's manager on the simulated network: plays a recording on, message by message, whether or not somebody
// listens, and answers what a client asks. It acknowledges nothing and resends nothing; what is missed is in its lists.

import { AmiFramer } from "../../src/protocol/ami/framer.ts";
import { decodeAmi, decodeFields } from "../../src/protocol/ami/message.ts";
import { LiveView } from "../../src/simulator/ami/live-view.ts";
import type { RecordedMessage } from "../../src/simulator/ami/recording.ts";
import { loadRecording } from "../harness/ami-recording.ts";
import type { Dice } from "./dice.ts";
import type { Link } from "./network.ts";

// Read once for all histories.
const recorded = {
  ami: playable("ami"),
  a: playable("a"),
} as const;

function playable(name: "ami" | "a"): readonly RecordedMessage[] {
  return loadRecording(name).connections.flatMap(({ messages }) => messages.filter(({ answers }) => answers === null));
}

export class SimulatedAsterisk {
  /** By the number that stands in the answer to each login. */
  readonly connections: Link[] = [];
  /** When each event happened that every listener is told, by its own time stamp, ms since 1970. */
  readonly told: number[] = [];
  readonly #messages: readonly RecordedMessage[];
  readonly #view = new LiveView();
  readonly #clients = new Set<Link>();
  #next: number;
  /** Ms since 1970, by the server's clock: of the last message, told or not. */
  #now: number;

  constructor(dice: Dice) {
    this.#messages = recorded[dice.chance(0.5) ? "ami" : "a"];
    this.#next = dice.below(this.#messages.length / 2);
    this.#now = this.#messages[Math.max(0, this.#next - 1)]?.at ?? 0;
  }

  accept(link: Link): void {
    const framer = new AmiFramer();
    const number = this.connections.push(link) - 1;
    link.server = {
      told: () => {},
      received: (bytes) => {
        for (const frame of framer.push(bytes)) this.#act(link, number, decodeFields(frame.bytes));
      },
      closed: () => this.#clients.delete(link),
    };
    link.socket.write("Asterisk Call Manager/13.0.0\r\n");
  }

  /** The next `count` messages happen. */
  work(count: number): void {
    for (const message of this.#messages.slice(this.#next, this.#next + count)) {
      this.#next += 1;
      this.#now = Math.max(this.#now, message.at);
      this.#view.observe(decodeAmi(message.bytes), message.at);
      this.#note(new TextDecoder().decode(message.bytes));
      for (const link of this.#clients) link.socket.write(message.bytes);
    }
  }

  /** A greeting is for whoever logs in, and what names an action for whoever asked. */
  #note(text: string): void {
    const [, seconds] = /^Timestamp: ([\d.]+)\r$/m.exec(text) ?? [];
    if (seconds === undefined || /^(Event: FullyBooted|ActionID: )/m.test(text)) return;
    this.told.push(Number(seconds) * 1000);
  }

  #act(link: Link, number: number, fields: ReturnType<typeof decodeFields>): void {
    const id = fields.get("ActionID") ?? "";
    const answer = (word: string, rest: string) =>
      link.socket.write(`Response: ${word}\r\nActionID: ${id}\r\n${rest}\r\n\r\n`);
    switch (fields.get("Action")) {
      case "Login":
        answer("Success", `Message: Authentication accepted\r\nConnection: ${number}`);
        this.#clients.add(link);
        return;
      case "Ping":
        answer("Success", `Ping: Pong\r\nTimestamp: ${(this.#now / 1000).toFixed(6)}`);
        return;
      case "CoreShowChannels":
        link.socket.write(this.#view.listChannels(id, this.#now));
        return;
      case "QueueStatus":
        link.socket.write(this.#view.listWaiting(id, this.#now));
        return;
      case "Logoff":
        answer("Goodbye", "Message: Thanks for all the fish.");
        link.socket.end();
        return;
      default:
        answer("Error", "Message: Invalid/unknown command");
    }
  }
}
