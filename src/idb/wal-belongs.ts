// Does the WAL belong to the IDB beside it? SQLite does not ask: it replays whatever WAL lies there, one of yesterday or of
// another database too, and the two make a file that looks sound and lacks rows. After `kill -9` a WAL is left, and whoever
// then puts a backup in place of the IDB and forgets the WAL has made such a pair.
//
// Every commit of ours counts itself in the one row of ICON_APPLIED, so every transaction in a WAL holds the page of that
// row. A WAL continues the database: what it says first is one more than what the database says, or less when some of it
// was moved there already; what it says last is not less.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { IdbDamagedError, idbError } from "./error.ts";
import { openReading, sizeOf } from "./reading.ts";

/** What the row of ICON_APPLIED says in one version of its page. */
interface Book {
  readonly idbId: string;
  readonly commits: number;
}

const walHeaderBytes = 32;
const frameHeaderBytes = 24;
const leafTablePage = 0x0d;
const commitsColumn = 6;
const idbIdColumn = 1;

/** Throws IdbDamagedError when they do not belong together, as far as can be told. Nobody may be writing. */
export function requireOwnWal(path: string): void {
  if (sizeOf(`${path}-wal`) < walHeaderBytes) return;
  try {
    const rootPage = rootPageOfBook(path);
    const disagreement = rootPage === null ? null : walDisagreement(path, rootPage);
    if (disagreement !== null) throw new IdbDamagedError(`Cannot use IDB "${path}": ${disagreement}`);
  } catch (error) {
    throw idbError(error, `Cannot read IDB "${path}"`);
  }
}

/** Of ICON_APPLIED; a table's first page stays where it was made. Null while the IDB is being made. */
function rootPageOfBook(path: string): number | null {
  const { database, close } = openReading(path);
  try {
    const row = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'ICON_APPLIED'").raw().get();
    const [rootPage] = (row ?? []) as unknown[];
    return typeof rootPage === "number" ? rootPage : null;
  } finally {
    close();
  }
}

function walDisagreement(path: string, rootPage: number): string | null {
  const database = openSync(path, "r");
  const wal = openSync(`${path}-wal`, "r");
  try {
    const pageBytes = pageBytesOf(database);
    const stands = bookOn(read(database, (rootPage - 1) * pageBytes, pageBytes));
    const [first, last] = booksIn(wal, rootPage, pageBytes);
    // An IDB that is still being made has the row in the WAL alone; a WAL without a commit of ours cannot be told.
    if (stands === null || first === null || last === null) return null;
    if (first.idbId !== stands.idbId || last.idbId !== stands.idbId) return "its WAL is that of another IDB";
    if (first.commits - 1 <= stands.commits && stands.commits <= last.commits) return null;
    return (
      `its WAL holds the commits ${first.commits} to ${last.commits} and does not continue the file, ` +
      `which has those up to ${stands.commits}`
    );
  } finally {
    closeSync(database);
    closeSync(wal);
  }
}

/** In the first and in the last frame that holds the page. */
function booksIn(wal: number, rootPage: number, pageBytes: number): readonly [Book | null, Book | null] {
  const header = view(read(wal, 0, walHeaderBytes));
  const salts = [header.getUint32(16), header.getUint32(20)];
  if (header.getUint32(8) !== pageBytes) return [null, null];
  const walBytes = fstatSync(wal).size;
  const frameBytes = frameHeaderBytes + pageBytes;
  let first: Book | null = null;
  let last: Book | null = null;
  for (let offset = walHeaderBytes; offset + frameBytes <= walBytes; offset += frameBytes) {
    const frame = view(read(wal, offset, frameHeaderBytes));
    // What an earlier round of the WAL has left behind the end of this one.
    if (frame.getUint32(8) !== salts[0] || frame.getUint32(12) !== salts[1]) break;
    if (frame.getUint32(0) !== rootPage) continue;
    const book = bookOn(read(wal, offset + frameHeaderBytes, pageBytes));
    first ??= book;
    last = book ?? last;
  }
  return [first, last];
}

/** Reads the row off its page; null when it is not there in the form that SQLite gives it. */
function bookOn(page: Uint8Array): Book | null {
  if (page.length < 16 || page[0] !== leafTablePage) return null;
  const bytes = view(page);
  if (bytes.getUint16(3) !== 1) return null;
  try {
    const cursor = { bytes, at: bytes.getUint16(8) };
    varint(cursor); // bytes of the record
    varint(cursor); // rowid
    const headerFrom = cursor.at;
    const headerTo = headerFrom + varint(cursor);
    const types: number[] = [];
    while (cursor.at < headerTo) types.push(varint(cursor));
    const values = types.map((type) => value(cursor, type));
    const [idbId, commits] = [values[idbIdColumn], values[commitsColumn]];
    return typeof idbId === "string" && typeof commits === "number" ? { idbId, commits } : null;
  } catch (error) {
    if (error instanceof RangeError) return null; // it leads out of the page
    throw error;
  }
}

interface Cursor {
  readonly bytes: DataView;
  at: number;
}

/** Big-endian, seven bits a byte; the ninth, with eight, is beyond any number in this row. */
function varint(cursor: Cursor): number {
  let result = 0;
  for (let count = 0; count < 8; count += 1) {
    const byte = cursor.bytes.getUint8(cursor.at++);
    result = result * 128 + (byte & 0x7f);
    if (byte < 0x80) return result;
  }
  throw new RangeError("a number of nine bytes");
}

const integerBytes = [0, 1, 2, 3, 4, 6, 8];

function value(cursor: Cursor, type: number): number | string | null {
  if (type === 0) return null;
  if (type === 8 || type === 9) return type - 8;
  const length = type <= 6 ? (integerBytes[type] ?? 0) : Math.floor((type - 12) / 2);
  const from = cursor.at;
  cursor.at += length;
  if (type <= 6) {
    let number = 0;
    for (let at = from; at < cursor.at; at += 1) number = number * 256 + cursor.bytes.getUint8(at);
    return number; // none is negative here
  }
  if (cursor.at > cursor.bytes.byteLength) throw new RangeError("a text beyond the page");
  return new TextDecoder("latin1").decode(new Uint8Array(cursor.bytes.buffer, cursor.bytes.byteOffset + from, length));
}

function pageBytesOf(database: number): number {
  const header = read(database, 0, 100);
  const given = header.length < 100 ? 0 : view(header).getUint16(16);
  return given === 1 ? 65_536 : given;
}

function read(descriptor: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
