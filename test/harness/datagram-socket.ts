// The receiving end of a datagram socket in the Unix domain, which the runtime lacks: what a service manager has.

import { dlopen, ptr } from "bun:ffi";
import { rmSync } from "node:fs";

const { socket, bind, recv, close } = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  close: { args: ["i32"], returns: "i32" },
}).symbols;

const [familyUnix, typeDatagram, dontWait] = [1, 2, 0x40];

export class DatagramSocket implements Disposable {
  readonly #descriptor: number;
  readonly #texts: string[] = [];

  /** `name` is a path, or begins with @ for one in the abstract namespace. */
  constructor(private readonly name: string) {
    const path = new TextEncoder().encode(name);
    const address = new Uint8Array([familyUnix, 0, ...path]);
    if (name.startsWith("@")) address[2] = 0;
    this.#descriptor = socket(familyUnix, typeDatagram, 0);
    if (bind(this.#descriptor, ptr(address), address.length) !== 0)
      throw new Error(`Cannot bind a socket to "${name}"`);
  }

  /** All datagrams so far. */
  received(): readonly string[] {
    const bytes = new Uint8Array(4096);
    for (;;) {
      const count = Number(recv(this.#descriptor, ptr(bytes), bytes.length, dontWait));
      if (count < 0) return this.#texts;
      this.#texts.push(new TextDecoder().decode(bytes.subarray(0, count)));
    }
  }

  [Symbol.dispose](): void {
    close(this.#descriptor);
    if (!this.name.startsWith("@")) rmSync(this.name, { force: true });
  }
}
