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
    file: "src/queue/system-disk.ts",
    find: "return settle((done) => fs.fdatasync(this.descriptor, done));",
    replace: "return Promise.resolve();",
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
