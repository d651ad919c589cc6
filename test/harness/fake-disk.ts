// A disk in memory that keeps only what disk.ts promises. What was not synced is, at a power cut, there, gone, or there
// in part, sector by sector and name by name, as the seed decides. Any call can be made to fail.

import type { Disk, DiskFile, LockOutcome } from "../../src/queue/disk.ts";

/** The calls that change something; each has a number, counted from 1, at which the power can go off. */
export type DiskCall =
  | "create"
  | "rename"
  | "unlink"
  | "syncDirectory"
  | "write"
  | "allocate"
  | "truncate"
  | "syncData"
  | "sync";

/** Thrown by every call after the power went off, until `powerCut` or `kill` starts the disk again. */
export class PowerOffError extends Error {
  override readonly name = "PowerOffError";
}

type Change = { readonly offset: number; readonly bytes: Uint8Array } | { readonly length: number };

interface Inode {
  /** What a read sees. */
  content: Uint8Array;
  /** What a power cut leaves for certain. */
  durable: Uint8Array;
  /** Since the last sync, in order. */
  changes: Change[];
  modifiedMs: number;
}

interface NameChange {
  readonly directory: string;
  readonly names: readonly (readonly [path: string, inode: Inode | undefined])[];
}

const sectorBytes = 512;

/** Numbers from 0 to below 1, the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class FakeDisk implements Disk {
  /** How many changing calls there were. */
  callCount = 0;
  /** What the clock says when a file changes. */
  nowMs = 0;
  /** While this is so, no sync comes to its end: the disk is slow. */
  isHeld = false;
  readonly #random: () => number;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #nameChanges: NameChange[] = [];
  #locks = new Map<string, string>();
  #failures: { readonly call: DiskCall; readonly path: RegExp; readonly error: Error }[] = [];
  #powerOffAtCall = Number.POSITIVE_INFINITY;
  /** Files opened in an earlier life of the process are dead. */
  #life = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** The next such call on a file whose path at that time matches fails with `error`. A failed sync forgets what it should have written. */
  failNext(call: DiskCall, path: RegExp, error: Error): void {
    this.#failures.push({ call, path, error });
  }

  /** The changing call of this number, counted from now, and everything after it fails with PowerOffError. */
  powerOffAfter(calls: number): void {
    this.#powerOffAtCall = this.callCount + calls;
  }

  /** Forgets the failures that were still to come. */
  mend(): void {
    this.#failures = [];
    this.#powerOffAtCall = Number.POSITIVE_INFINITY;
  }

  /** The disk as the process sees it that lives now: once that is gone, whatever it still had in hand reaches nothing. */
  asProcess(): Disk {
    const life = this.#life;
    return new Proxy<Disk>(this, {
      get: (disk, name) => {
        const member: unknown = Reflect.get(disk, name, disk);
        if (typeof member !== "function") return member;
        return (...given: unknown[]) => {
          if (life !== this.#life) throw new PowerOffError("The process is gone");
          return member.apply(disk, given);
        };
      },
    });
  }

  /** The process is gone, the kernel lives on: everything written is still there. */
  kill(): void {
    this.#life += 1;
    this.#locks.clear();
    this.#failures = [];
    this.#powerOffAtCall = Number.POSITIVE_INFINITY;
  }

  /** The power was cut and came back: what was not synced is there as chance has it. */
  powerCut(): void {
    this.kill();
    const survival = [0, 1, 0.5, this.#random()][Math.floor(this.#random() * 4)] ?? 0;
    const inodes = new Set([...this.#names.values(), ...this.#durableNames.values()]);
    for (const { names } of this.#nameChanges) for (const [, inode] of names) if (inode) inodes.add(inode);
    for (const inode of inodes) {
      for (const change of inode.changes) this.#applyInPart(inode, change, survival);
      inode.changes = [];
      inode.content = inode.durable.slice();
    }
    for (const change of this.#nameChanges) if (this.#random() < survival) apply(this.#durableNames, change);
    this.#nameChanges = [];
    this.#names = new Map(this.#durableNames);
  }

  /** Bit rot: turns one bit of a file over, counted from its beginning. */
  flipBit(path: string, bit: number): void {
    const inode = this.#inode(path);
    for (const bytes of new Set([inode.content, inode.durable])) {
      const at = bit >> 3;
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
    }
  }

  async createDirectory(): Promise<void> {}

  list(directory: string): string[] {
    this.#check();
    return [...this.#names.keys()]
      .filter((path) => directoryOf(path) === directory)
      .map((path) => path.slice(directory.length + 1));
  }

  open(path: string): DiskFile {
    this.#check();
    return this.#file(path, this.#inode(path));
  }

  create(path: string): DiskFile {
    this.#count("create", path);
    const there = this.#names.get(path);
    const inode = there ?? {
      content: new Uint8Array(0),
      durable: new Uint8Array(0),
      changes: [],
      modifiedMs: this.nowMs,
    };
    if (there === undefined) this.#rename([[path, inode]]);
    else this.#change(inode, { length: 0 });
    return this.#file(path, inode);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#count("rename", from);
    this.#rename([
      [from, undefined],
      [to, this.#inode(from)],
    ]);
  }

  async unlink(path: string): Promise<void> {
    this.#count("unlink", path);
    this.#inode(path);
    this.#rename([[path, undefined]]);
  }

  async syncDirectory(path: string): Promise<void> {
    this.#count("syncDirectory", path);
    const covered = this.#nameChanges.filter(({ directory }) => directory === path);
    await this.#delay();
    // Another sync may have covered some of them meanwhile; doing those again would undo what came after.
    const due = this.#nameChanges.filter((change) => covered.includes(change));
    for (const change of due) apply(this.#durableNames, change);
    this.#nameChanges = this.#nameChanges.filter((change) => !due.includes(change));
  }

  freeBytes(): number {
    return Number.MAX_SAFE_INTEGER; // a full disk is a call that fails: failNext
  }

  lock(path: string, holder: string): LockOutcome {
    this.#check();
    const there = this.#locks.get(path);
    if (there !== undefined) return { kind: "refused", holder: there };
    this.#locks.set(path, holder);
    const life = this.#life;
    return {
      kind: "held",
      release: () => {
        if (life === this.#life) this.#locks.delete(path);
      },
    };
  }

  #file(path: string, inode: Inode): DiskFile {
    const life = this.#life;
    const alive = () => {
      if (life !== this.#life) throw new PowerOffError(`The process that opened "${path}" is gone`);
      this.#check();
    };
    const sync = async (call: "sync" | "syncData") => {
      alive();
      const covered = inode.changes.slice();
      const failure = this.#takeFailure(call, this.#nameOf(inode) ?? path);
      this.#countOnly();
      await this.#delay();
      alive();
      const due = inode.changes.filter((change) => covered.includes(change));
      inode.changes = inode.changes.filter((change) => !due.includes(change));
      if (failure !== undefined) {
        for (const change of due) this.#applyInPart(inode, change, this.#random());
        throw failure;
      }
      for (const change of due) inode.durable = applied(inode.durable, change);
    };
    const count = (call: DiskCall) => {
      alive();
      this.#count(call, this.#nameOf(inode) ?? path);
    };
    let commits: Promise<void> = Promise.resolve();
    return {
      size: () => inode.content.length,
      modifiedMs: () => inode.modifiedMs,
      read: (target, offset) => {
        alive();
        const part = inode.content.subarray(offset, offset + target.length);
        target.set(part);
        return part.length;
      },
      write: async (bytes, offset) => {
        count("write");
        this.#change(inode, { offset, bytes: bytes.slice() });
      },
      commit: (bytes, offset, done) => {
        commits = commits.then(async () => {
          count("write");
          this.#change(inode, { offset, bytes: bytes.slice() });
          await sync("syncData");
        });
        commits.then(
          () => done(null),
          (error: Error) => done(error),
        );
      },
      settleCommits: () => undefined,
      allocate: (bytes) => {
        count("allocate");
        this.#change(inode, { length: bytes });
      },
      truncate: async (bytes) => {
        count("truncate");
        this.#change(inode, { length: bytes });
      },
      sync: () => sync("sync"),
      close: () => undefined,
    };
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw Object.assign(new Error(`No such file: "${path}"`), { code: "ENOENT" });
    return inode;
  }

  #nameOf(inode: Inode): string | undefined {
    for (const [path, each] of this.#names) if (each === inode) return path;
    return undefined;
  }

  #change(inode: Inode, change: Change): void {
    inode.content = applied(inode.content, change);
    inode.changes.push(change);
    inode.modifiedMs = this.nowMs;
  }

  #rename(names: NameChange["names"]): void {
    const change = { directory: directoryOf(names[0]?.[0] ?? ""), names };
    apply(this.#names, change);
    this.#nameChanges.push(change);
  }

  // Sectors reach the disk in any order, and one that was being written when the power went may be half new, half old.
  #applyInPart(inode: Inode, change: Change, survival: number): void {
    if ("length" in change) {
      if (this.#random() < survival) inode.durable = applied(inode.durable, change);
      return;
    }
    const { offset, bytes } = change;
    for (let from = 0; from < bytes.length; ) {
      const to = Math.min(bytes.length, from + sectorBytes - ((offset + from) % sectorBytes));
      if (this.#random() < survival) {
        const isTorn = this.#random() < 0.1;
        const end = isTorn ? from + Math.floor(this.#random() * (to - from)) : to;
        inode.durable = applied(inode.durable, { offset: offset + from, bytes: bytes.subarray(from, end) });
      }
      from = to;
    }
  }

  #check(): void {
    if (this.callCount >= this.#powerOffAtCall) throw new PowerOffError("The power is off");
  }

  #count(call: DiskCall, path: string): void {
    const failure = this.#takeFailure(call, path);
    this.#countOnly();
    if (failure !== undefined) throw failure;
  }

  #countOnly(): void {
    this.callCount += 1;
    this.#check();
  }

  #takeFailure(call: DiskCall, path: string): Error | undefined {
    const at = this.#failures.findIndex((each) => each.call === call && each.path.test(path));
    return at === -1 ? undefined : this.#failures.splice(at, 1)[0]?.error;
  }

  // A sync takes a few turns of the event loop, in which more is appended, or the power goes.
  async #delay(): Promise<void> {
    const life = this.#life;
    const turns = Math.floor(this.#random() * 3);
    for (let turn = 0; turn <= turns || (this.isHeld && life === this.#life); turn++)
      await new Promise<void>((resolve) => setImmediate(resolve));
    if (life !== this.#life) await new Promise<never>(() => undefined); // nobody is there any more to be told
  }
}

function applied(content: Uint8Array, change: Change): Uint8Array {
  if ("length" in change) {
    const resized = new Uint8Array(change.length);
    resized.set(content.subarray(0, change.length));
    return resized;
  }
  const end = change.offset + change.bytes.length;
  const grown = end > content.length ? new Uint8Array(end) : content;
  if (grown !== content) grown.set(content);
  grown.set(change.bytes, change.offset);
  return grown;
}

function apply(target: Map<string, Inode>, { names }: NameChange): void {
  for (const [path, inode] of names) {
    if (inode === undefined) target.delete(path);
    else target.set(path, inode);
  }
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
