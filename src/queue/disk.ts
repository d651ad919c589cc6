// The file operations that the queue stands on. The real ones are in system-disk.ts; a seeded fake for tests loses,
// tears and reorders whatever was not synced.
//
// What is promised of a disk, and nothing more:
//
// 1. Bytes written to a file survive a power cut once their `commit` is done, or once `sync` of that file, called after
//    the write, has resolved. Before that any part of them may be there, in any order.
// 2. A file's name (created, renamed, deleted) survives once `syncDirectory`, called afterwards, has resolved.
// 3. A rename is seen wholly or not at all.
// 4. After a sync that failed nothing is known, and syncing again proves nothing.
//
// Reading is synchronous, since the readers (a Worker, a command, a start) have nothing else to do. What changes the
// disk is asynchronous, since the main thread has sockets to read meanwhile.

export interface Disk {
  /** Makes the directory and its parents, readable by this user only, if it is not there. */
  createDirectory(path: string): Promise<void>;
  /** File names without their directory, in no particular order. */
  list(directory: string): readonly string[];
  /** Opens a file for reading. Throws an error with the code ENOENT when it is not there. */
  open(path: string): DiskFile;
  /** Opens a file for reading and writing; one that is there is emptied. */
  create(path: string): DiskFile;
  /** A file that is already at `to` is replaced. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** Bytes that this user may still write to the file system that holds the directory. */
  freeBytes(directory: string): number;
  /** Takes the lock that ends with the process at the latest, and writes `holder` into the file. Never waits. */
  lock(path: string, holder: string): LockOutcome;
}

export type LockOutcome =
  | { readonly kind: "held"; release(): void }
  /** `holder` is what the one who has the lock wrote; "" if nothing yet. */
  | { readonly kind: "refused"; readonly holder: string };

export interface DiskFile {
  /** Length in bytes. */
  size(): number;
  /** When the content last changed, milliseconds since 1970 UTC. */
  modifiedMs(): number;
  /** Fills `target` from `offset`; returns how many bytes there were, fewer only at the end of the file. */
  read(target: Uint8Array, offset: number): number;
  /** Resolves when all of `bytes` are with the kernel, which is not yet the disk. `bytes` must not change until then. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Reserves the blocks up to `bytes` and makes the file that long, so that a later write cannot find the disk full. */
  allocate(bytes: number): void;
  truncate(bytes: number): Promise<void>;
  /**
   * Writes `bytes` and then calls fdatasync, beside whatever else goes on. Commits of a file are done strictly one after
   * another, each write begun only when the sync before has returned; after one that failed none is tried, and all fail.
   * `done` is called once for each, in order, never before `commit` has returned. `bytes` must not change until then.
   */
  commit(bytes: Uint8Array, offset: number, done: (error: Error | null) => void): void;
  /** Calls `done` of the commits that have ended, instead of leaving that to the event loop. */
  settleCommits(): void;
  /** fsync: the bytes and everything else about the file. */
  sync(): Promise<void>;
  close(): void;
}
