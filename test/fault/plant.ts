// Faults that are put into a build on purpose, so that the fault tests can be shown to notice them. A test that passes
// on a planted build proves nothing.

export interface Plant {
  readonly file: string;
  /** Must be there, or the build fails: a fault that is not planted would be a test that cannot fail. */
  readonly find: string;
  readonly replace: string;
  readonly what: string;
}

export const plants: Readonly<Record<string, Plant>> = {
  "no-fdatasync": {
    what: "acknowledges without having synced",
    file: "src/queue/committer.ts",
    find: "fs.fdatasyncSync(descriptor);",
    replace: "",
  },
  "early-ack": {
    what: "acknowledges what has arrived, before it is written",
    file: "src/source/tevent-session.ts",
    find: "this.#notes.push({ position, contiguous });",
    replace: "this.#notes.push({ position, contiguous }); this.#acknowledge(position);",
  },
  "blind-resume": {
    what: "a start forgets what the newest segment holds, and asks for it again",
    file: "src/instance.ts",
    find: "intake.recover(queue.lastHead, queue.readRecent());",
    replace: "intake.recover(queue.lastHead, []);",
  },
  "lost-state": {
    what: "a start forgets which calls were open",
    file: "src/projector.ts",
    find: "this.#live.restore(idb.readLive(), applied.rowSeq);",
    replace: 'this.#live.restore([...idb.readLive()].filter(({ kind }) => kind !== "call"), applied.rowSeq);',
  },
  "past-durable": {
    what: "the projector reads what is written but not yet durable",
    file: "src/projector.ts",
    find: "advance(durable: bigint): boolean {",
    replace: "advance(published: bigint): boolean { const durable = this.#reader.lastWholePosition(); void published;",
  },
  "held-fails": {
    what: "the projection fails on one kind of event",
    file: "src/projection/tevent.ts",
    find: "if (!context.source.writesCalls) return;",
    replace: 'if (event.id === "EventHeld") throw new Error("planted"); if (!context.source.writesCalls) return;',
  },
};
