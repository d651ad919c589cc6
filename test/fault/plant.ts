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
    find: "this.#acknowledgement?.note(position, intake.source(identity.name)?.contiguous ?? null);",
    replace:
      "const early = intake.source(identity.name)?.contiguous ?? null; if (early !== null) this.#acknowledge(early);",
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
    find: "if (!followsCalls(context.source)) return;",
    replace: 'if (event.id === "EventHeld") throw new Error("planted"); if (!followsCalls(context.source)) return;',
  },
  "dies-on-record": {
    what: "the recorder dies on some events, each time anew",
    file: "src/projector.ts",
    find: "if (this.#isNextPassedOver) {",
    replace:
      'if (!this.#isNextPassedOver && /"EventSequenceNumber":(1500|3100),/.test(new TextDecoder().decode(payload))) ' +
      'throw new Error("planted"); if (this.#isNextPassedOver) {',
  },
  "dies-uncaught": {
    what: "the recorder dies of a throw that nobody catches, every 40 commits",
    file: "src/recorder.ts",
    find: "this.#seen = { commits, rowsWritten };",
    replace:
      "this.#seen = { commits, rowsWritten }; " +
      'if (commits % 40 === 0) setTimeout(() => { throw new Error("planted"); }, 0);',
  },
  "exits-in-transaction": {
    what: "the recorder's thread ends in the middle of a transaction, every 40 commits",
    file: "src/idb/idb.ts",
    find: "if (changes !== 1) throw",
    replace: "if (this.#commits % 40 === 39) process.exit(1); if (changes !== 1) throw",
  },
  "no-directory-fsync": {
    what: "begins a segment without syncing its name",
    file: "src/queue/open-segment.ts",
    find: ".open`);\n      await disk.syncDirectory(directory);",
    replace: ".open`);",
  },
  "trim-past-applied": {
    what: "trims segments that are not applied",
    file: "src/queue/retention.ts",
    find: "const isApplied = segment.lastPosition <= appliedPosition;",
    replace: "const isApplied = segment.lastPosition <= appliedPosition || true;",
  },
  "applied-outside": {
    what: "writes the applied position before the transaction, not in it",
    file: "src/idb/idb.ts",
    find: "let rowCount = 0;",
    replace:
      "let rowCount = 0; const early = batch.applied; " +
      "statements.writeApplied.run([early.queueId, early.segmentSalt, early.position, early.rowSeq]);",
  },
  "retry-fsync": {
    what: "tries a failed fsync again and believes the second answer",
    file: "src/queue/open-segment.ts",
    find: "this.file.commit(records, this.#endOffset, done);",
    replace:
      "this.file.commit(records, this.#endOffset, (error) => " +
      "{ if (error === null) done(null); else this.file.sync().then(() => done(null), done); });",
  },
  "bad-checksum": {
    what: "takes a record whose checksum is wrong",
    file: "src/queue/record.ts",
    find: "return Bun.hash.crc32(covered, salt) === window.getUint32(at + checksumOffset, true);",
    replace: "return Bun.hash.crc32(covered, salt) === window.getUint32(at + checksumOffset, true) || length > 0;",
  },
  "cut-at-rot": {
    what: "cuts an open segment at bit rot as if the tail were torn",
    file: "src/queue/survey.ts",
    find: "const torn = damage.find((stretch) => stretch.to > durable);",
    replace: "const torn = damage.find((stretch) => stretch.to > durable) ?? damage[0];",
  },
  "unsynced-resume": {
    what: "resumes after a number that is not yet on disk",
    file: "src/source/tevent-session.ts",
    find: "// What is asked for next must not be more than what a power cut leaves.\n    intake.sink.durable(position).then(",
    replace: "Promise.resolve().then(",
  },
  "whole-ahead": {
    what: "a heartbeat vouches for everything until then, though it is ahead of what was applied",
    file: "src/projection/coverage.ts",
    find: "if (lastSeq === applied) coverTime",
    replace: "if (applied !== null) coverTime",
  },
  "holes-unread": {
    what: "a span goes on over a hole in the numbers",
    file: "src/projection/coverage.ts",
    find: '  const span = world.get("span", name);\n  if (span !== undefined) endSpan(world, name, known, span, position, because);',
    replace:
      '  const span = world.get("span", name);\n  if (span !== undefined && because !== "hole" && because !== "gap reported") ' +
      "endSpan(world, name, known, span, position, because);",
  },
  "coverage-joined": {
    what: "a new run of the server goes on with the span of the one before",
    file: "src/projection/coverage.ts",
    find: "  if (isNewRun && known !== undefined) {",
    replace: "  if (isNewRun && known !== undefined) return;\n  if (isNewRun && known !== undefined) {",
  },
  "no-digest": {
    what: "the digest counts events and looks at none",
    file: "src/projection/digest.ts",
    find: "  writeEvent(event);\n  return hashText(text.written);",
    replace: "  void event;\n  return [1, 0, 0, 0];",
  },
  "digest-blind": {
    what: "the digest leaves attached data out",
    file: "src/projection/digest.ts",
    find: "const leftOut: ReadonlySet<string> = new Set([",
    replace: 'const leftOut: ReadonlySet<string> = new Set(["UserData", ',
  },
  "event-swallowed": {
    what: "the projector drops one event in some hundred without a word",
    file: "src/projection/tevent.ts",
    find: "  coverEvent(world, context, at, sequence, isKept(context.source, windowSeconds, at));",
    replace:
      "  coverEvent(world, context, at, sequence, isKept(context.source, windowSeconds, at)); " +
      "if (sequence !== null && sequence % 197 === 196) return;",
  },
  "no-duplicate-check": {
    what: "projects an event again that was applied before",
    file: "src/projection/tevent.ts",
    find: "if (applied !== null && sequence <= applied) {",
    replace: "if (applied !== null && sequence <= applied && sequence < 0) {",
  },
  "forgets-event": {
    what: "takes the number of one event and forgets the event",
    file: "src/projection/tevent.ts",
    find: "const hash = hashEvent({ run: ledgerRun(context.source), id, sequence, at, members });",
    replace:
      "if (sequence === 900) return; " +
      "const hash = hashEvent({ run: ledgerRun(context.source), id, sequence, at, members });",
  },
  "misreads-event": {
    what: "makes other rows of some events than it should",
    file: "src/projection/tevent.ts",
    find: "    stepCallAndAgents(world, context, happening);\n",
    replace:
      "    stepCallAndAgents(world, context, Math.abs((sequence ?? 0) - 930) < 30 ? { ...happening, at: (happening.at - 1) as SourceInstant } : happening);\n",
  },
};
