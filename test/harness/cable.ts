// The way between one instance and its source, which can be pulled out: then nothing gets through, and neither side is
// told. With network namespaces each instance has a namespace of its own and a pair of virtual interfaces to this one;
// where those are not to be had, a proxy on loopback that stops to pass bytes on.
//
// Programs are started with nsenter, never with `ip netns exec`: that one keeps a copy of all mounts, and with it the
// disks of tests that cut their power.

import { connect, createServer, type Server, type Socket } from "node:net";
import { whenGone } from "./processes.ts";

export interface Cable extends AsyncDisposable {
  /** Words before those of a program that start it at this end. */
  readonly words: readonly string[];
  /** Where at this end the server on this port of the other end is found. */
  addressOf(port: number): Promise<string>;
  pull(): void;
  plug(): void;
}

/** Where a server must listen to be found over a cable of this kind. */
export function listenAddress(isNamespaced: boolean): string {
  return isNamespaced ? "0.0.0.0:0" : "127.0.0.1:0";
}

/** Null: there are namespaces here; else why not. */
export function whyNoNamespaces(): string | null {
  try {
    const cable = new NamespaceCable("probe");
    cable[Symbol.dispose]();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `label`: one for each cable of this process, short. */
export function layCable(label: string, isNamespaced: boolean): Cable {
  return isNamespaced ? new NamespaceCable(label) : new ProxyCable();
}

let laid = 0;

class NamespaceCable implements Cable, Disposable {
  readonly words: readonly string[];
  readonly #name: string;
  readonly #interface: string;
  readonly #host: string;
  readonly #callOff: () => void;

  constructor(label: string) {
    laid += 1;
    this.#name = `icon-${process.pid}-${laid}-${label}`;
    this.#interface = `iv${process.pid.toString(36)}x${laid.toString(36)}`; // 15 characters at most
    this.words = ["nsenter", `--net=/run/netns/${this.#name}`];
    ip("netns", "add", this.#name);
    this.#callOff = whenGone(["ip", "netns", "delete", this.#name]);
    try {
      const subnet = freeSubnet();
      const inside = ["-n", this.#name];
      this.#host = `${subnet}.1`;
      ip("link", "add", this.#interface, "type", "veth", "peer", "name", "uplink", "netns", this.#name);
      ip("address", "add", `${this.#host}/30`, "dev", this.#interface);
      ip(...inside, "address", "add", `${subnet}.2/30`, "dev", "uplink");
      for (const each of ["lo", "uplink"]) ip(...inside, "link", "set", each, "up");
      this.plug();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  addressOf(port: number): Promise<string> {
    return Promise.resolve(`${this.#host}:${port}`);
  }

  pull(): void {
    ip("link", "set", this.#interface, "down");
  }

  plug(): void {
    ip("link", "set", this.#interface, "up");
  }

  [Symbol.dispose](): void {
    this.#callOff();
    // Takes both interfaces with it, once no process is left inside.
    Bun.spawnSync(["ip", "netns", "delete", this.#name]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
  }
}

/** 198.18.0.0/15 is there for tests between devices [RFC 2544]: no host has such an address but from another test. */
function freeSubnet(): string {
  const taken = ip("-4", "-o", "address", "show");
  for (let tried = 0; tried < 100; tried++) {
    const subnet = `198.${18 + Math.floor(Math.random() * 2)}.${Math.floor(Math.random() * 256)}`;
    if (!taken.includes(` ${subnet}.`)) return subnet;
  }
  throw new Error("Cannot find a free subnet in 198.18.0.0/15: expected one among 512");
}

function ip(...words: readonly string[]): string {
  const { success, stdout, stderr } = run(["ip", ...words]);
  if (!success) throw new Error(`Cannot make network namespaces: ip ${words.join(" ")}: ${stderr.trim()}`);
  return stdout;
}

function run(words: readonly string[]): { success: boolean; stdout: string; stderr: string } {
  try {
    const { success, stdout, stderr } = Bun.spawnSync([...words]);
    return { success, stdout: stdout.toString(), stderr: stderr.toString() };
  } catch (error) {
    return { success: false, stdout: "", stderr: error instanceof Error ? error.message : String(error) };
  }
}

/** One loopback port for each port of the other end; pulled, it keeps its connections and passes nothing on, no end either. */
class ProxyCable implements Cable {
  readonly words: readonly string[] = [];
  readonly #servers = new Map<number, { readonly server: Server; readonly address: string }>();
  readonly #sockets = new Set<Socket>();
  /** What happened while it was pulled. */
  readonly #waiting: (() => void)[] = [];
  #isPulled = false;

  async addressOf(port: number): Promise<string> {
    const known = this.#servers.get(port);
    if (known !== undefined) return known.address;
    const server = createServer((near) => this.#join(near, port));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const bound = server.address();
    if (bound === null || typeof bound === "string") throw new Error("Cannot tell on which port the proxy listens");
    const address = `127.0.0.1:${bound.port}`;
    this.#servers.set(port, { server, address });
    return address;
  }

  pull(): void {
    this.#isPulled = true;
    for (const socket of this.#sockets) socket.pause();
  }

  plug(): void {
    this.#isPulled = false;
    for (const act of this.#waiting.splice(0)) act();
    for (const socket of this.#sockets) socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.plug();
    for (const socket of this.#sockets) socket.destroy();
    for (const { server } of this.#servers.values()) server.close();
  }

  #join(near: Socket, port: number): void {
    this.#keep(near);
    this.#whenPlugged(() => {
      const far = connect(port, "127.0.0.1");
      this.#keep(far);
      this.#passOn(near, far);
      this.#passOn(far, near);
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.pause();
  }

  #passOn(from: Socket, to: Socket): void {
    from.on("data", (bytes) => {
      if (!to.write(bytes)) from.pause();
    });
    to.on("drain", () => {
      if (!this.#isPulled) from.resume();
    });
    from.on("close", () => {
      this.#sockets.delete(from);
      this.#whenPlugged(() => to.destroy());
    });
    if (!this.#isPulled) from.resume();
  }

  #whenPlugged(act: () => void): void {
    if (this.#isPulled) this.#waiting.push(act);
    else act();
  }
}
