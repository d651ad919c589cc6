// From what somebody typed to a copy: the path of an IDB file or of a data directory, or an instance's address.

import { type Copy, CopyError } from "./copy.ts";
import { IdbCopy } from "./idb-copy.ts";

/** What reaching an instance over HTTP takes; files need nothing of it. */
export interface CopyAccess {
  /** Opens the copy behind an http(s) address. */
  readonly openHttp?: (address: string) => Copy;
}

/** It names an instance by its address, and no file. */
export function isAddress(name: string): boolean {
  return /^https?:\/\//i.test(name);
}

/** Nothing is read yet: a copy that is away says so at the first question. Throws CopyError for a name that is none. */
export function openCopy(name: string, access: CopyAccess = {}): Copy {
  if (name.trim() === "") {
    throw new CopyError("lasting", 'Cannot use "" as IDB: expected a file, a data directory or an http(s) address');
  }
  if (!isAddress(name)) return new IdbCopy(name);
  if (access.openHttp === undefined) {
    throw new CopyError("lasting", `Cannot use "${name}" as IDB: this command reads files only`);
  }
  return access.openHttp(name);
}
