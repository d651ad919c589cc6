// Cuts the byte stream of Asterisk's manager interface into messages.
//
// 1. A message is header lines up to an empty line. Its frame is those lines as they came, without the line end of the
//    last one and without the empty line. Lines end with CR LF or LF.
// 2. The manager greets with one line and no empty line after it. So the first line of a stream is a frame of its own
//    when it is not a header line, whatever it says: a foreign protocol is then seen at once, not at the first empty line.
// 3. A message longer than the bound is handed out as soon as the bound is passed: its beginning, flagged. What follows
//    up to the next empty line is skipped. So memory stays bounded whatever arrives.
// 4. How the bytes are split over pushes makes no difference.

/** No message of the manager comes near: the longest are a few KiB. */
export const amiMessageBytesMax = 1024 * 1024;

export interface AmiFrame {
  readonly bytes: Uint8Array;
  /** The message was longer than the bound; these are its first bytes. */
  readonly isCut: boolean;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
// The line ends after the last header line, CR LF CR LF, may stand beyond the bound.
const endingBytesMax = 4;
const headerLine = /^[A-Za-z][\w.-]*:/;
const decoder = new TextDecoder();

export class AmiFramer {
  readonly #bytesMax: number;
  #held = new Uint8Array(4096);
  #length = 0;
  #lineStart = 0;
  #isFirstLine = true;
  /** Behind a message that was cut: waiting for an empty line. */
  #isSkipping = false;
  #skippedLineIsEmpty = false;

  constructor(messageBytesMax: number = amiMessageBytesMax) {
    this.#bytesMax = messageBytesMax;
  }

  /** Bytes of a message that is not complete yet. */
  get heldBytes(): number {
    return this.#length;
  }

  /** The beginning of a message that will not be completed, for the connection is over; null when there is none. */
  takeRest(): AmiFrame | null {
    if (this.#length === 0) return null;
    const frames: AmiFrame[] = [];
    this.#emit(frames, this.#length, true);
    return frames[0] ?? null;
  }

  /** Takes the next bytes of the stream; returns the messages that they complete. The frames are copies. */
  push(bytes: Uint8Array): AmiFrame[] {
    const frames: AmiFrame[] = [];
    let offset = 0;
    while (offset < bytes.length) {
      const lineEnd = bytes.indexOf(lineFeed, offset);
      const end = lineEnd === -1 ? bytes.length : lineEnd + 1;
      const part = bytes.subarray(offset, end);
      if (this.#isSkipping) this.#skip(part);
      else this.#take(part, frames);
      offset = end;
    }
    return frames;
  }

  #take(part: Uint8Array, frames: AmiFrame[]): void {
    const room = this.#bytesMax + endingBytesMax - this.#length;
    if (part.length > room) {
      this.#append(part.subarray(0, room));
      // The line that the bound falls into may be the empty one that ends the message.
      const isLineEmpty = this.#held.subarray(this.#lineStart, this.#length).every((byte) => byte === carriageReturn);
      this.#emit(frames, this.#bytesMax, true);
      this.#isSkipping = true;
      this.#skippedLineIsEmpty = isLineEmpty;
      this.#skip(part.subarray(room));
      return;
    }
    this.#append(part);
    if (part[part.length - 1] === lineFeed) this.#endLine(frames);
  }

  #endLine(frames: AmiFrame[]): void {
    const contentEnd = this.#contentEnd(this.#lineStart, this.#length);
    if (contentEnd > this.#lineStart) {
      const isGreeting =
        this.#isFirstLine && !headerLine.test(decoder.decode(this.#held.subarray(this.#lineStart, contentEnd)));
      this.#isFirstLine = false;
      if (isGreeting) this.#emit(frames, contentEnd, false);
      else this.#lineStart = this.#length;
      return;
    }
    const messageEnd = this.#contentEnd(0, this.#lineStart);
    if (messageEnd > 0) this.#emit(frames, messageEnd, false);
    this.#reset();
  }

  /** Where the content of the line or message from `start` to `end` ends: before its line end. */
  #contentEnd(start: number, end: number): number {
    let contentEnd = end;
    if (contentEnd > start && this.#held[contentEnd - 1] === lineFeed) contentEnd -= 1;
    if (contentEnd > start && this.#held[contentEnd - 1] === carriageReturn) contentEnd -= 1;
    return contentEnd;
  }

  #emit(frames: AmiFrame[], length: number, isCut: boolean): void {
    const isTooLong = length > this.#bytesMax;
    const bytes = this.#held.slice(0, Math.min(length, this.#bytesMax));
    frames.push({ bytes, isCut: isCut || isTooLong });
    this.#reset();
  }

  #reset(): void {
    this.#length = 0;
    this.#lineStart = 0;
    this.#isFirstLine = false;
  }

  #append(part: Uint8Array): void {
    const needed = this.#length + part.length;
    if (needed > this.#held.length) {
      const larger = new Uint8Array(Math.min(Math.max(needed, this.#held.length * 2), this.#bytesMax + endingBytesMax));
      larger.set(this.#held.subarray(0, this.#length));
      this.#held = larger;
    }
    this.#held.set(part, this.#length);
    this.#length = needed;
  }

  #skip(part: Uint8Array): void {
    for (const byte of part) {
      if (byte === lineFeed) {
        if (this.#skippedLineIsEmpty) {
          this.#isSkipping = false;
          return;
        }
        this.#skippedLineIsEmpty = true;
      } else if (byte !== carriageReturn) {
        this.#skippedLineIsEmpty = false;
      }
    }
  }
}
