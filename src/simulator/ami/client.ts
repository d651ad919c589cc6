// One client of the replayed manager: the actions it sends, and the writing to it.

import type { Socket } from "node:net";
import type { Clock } from "../../clock.ts";
import type { AmiFields } from "../../event/ami-message.ts";
import { AmiFramer } from "../../protocol/ami/framer.ts";
import { decodeFields } from "../../protocol/ami/message.ts";

const endGraceMs = 1000;

/** An action as a client sent it. */
export interface ClientAction {
  readonly name: string;
  /** Null: the client gave none, and its answers have none either. */
  readonly actionId: string | null;
  readonly fields: AmiFields;
}

export class ReplayClient {
  readonly #socket: Socket;
  readonly #framer = new AmiFramer();
  readonly #onAction: (action: ClientAction) => void;
  #isGone = false;
  readonly #gone: Promise<void>;

  constructor(socket: Socket, onAction: (action: ClientAction) => void) {
    this.#socket = socket;
    this.#onAction = onAction;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
    // A reset is followed by "close", which says all that matters here.
    socket.on("error", () => {});
    this.#gone = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isGone = true;
        resolve();
      });
    });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Resolves once the connection is closed, whoever closed it. */
  get gone(): Promise<void> {
    return this.#gone;
  }

  /** Resolves when there is room for more, or the client is gone. */
  async write(bytes: Uint8Array | string): Promise<void> {
    if (this.#isGone || this.#socket.destroyed || this.#socket.writableEnded) return;
    if (this.#socket.write(bytes)) return;
    await Promise.race([new Promise<void>((resolve) => this.#socket.once("drain", resolve)), this.#gone]);
  }

  /** Sends what is still to be sent and ends the connection; a client that does not end it too is dropped. */
  async end(clock: Clock): Promise<void> {
    this.#socket.end();
    // Dropping at once could reset the connection under what the client has not read yet.
    const cancel = clock.after(endGraceMs, () => this.#socket.destroy());
    await this.#gone;
    cancel();
  }

  /** Ends the connection at once. */
  drop(): void {
    this.#socket.destroy();
  }

  #take(bytes: Uint8Array): void {
    for (const frame of this.#framer.push(bytes)) {
      const fields = decodeFields(frame.bytes);
      const name = fields.get("Action");
      if (name !== undefined) this.#onAction({ name, actionId: fields.get("ActionID") ?? null, fields });
    }
  }
}
