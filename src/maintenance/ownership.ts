// What root does in another user's data directory must not lock that user out of it.

import { chownSync, lchownSync, lstatSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What root makes belongs to `owner` from now on; whoever is not root makes it his own anyway. */
export function giveTo({ uid, gid }: Owner, paths: readonly string[]): void {
  if (process.getuid?.() !== 0) return;
  for (const path of paths) chownSync(path, uid, gid);
}

/**
 * Gives what root has left in the persistent queue's folder, and under the IDB's name beside it, to whom the queue's folder
 * belongs. The folders are that user's to write: a link in them, of either kind, may lead to what is not, and is left alone.
 */
export function giveBack(queueDirectory: string, idbPath: string): void {
  const owner = statSync(queueDirectory);
  if (process.getuid?.() !== 0 || owner.uid === 0) return;
  const [folder, name] = [dirname(idbPath), basename(idbPath)];
  const paths = [
    ...readdirSync(queueDirectory).map((each) => join(queueDirectory, each)),
    ...readdirSync(folder).flatMap((each) =>
      each === name || (/^[.-]/.test(each.slice(name.length)) && each.startsWith(name)) ? [join(folder, each)] : [],
    ),
  ];
  for (const path of paths) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.uid === 0 && found.isFile() && found.nlink === 1) lchownSync(path, owner.uid, owner.gid);
  }
}
