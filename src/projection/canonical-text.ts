// A text to be hashed, as the UTF-8 that it would have: it is written piece by piece into one buffer, which the next text
// uses again. Joining strings costs twice as much: each joint is an object, and whoever reads the text copies the pieces.

const encoder = new TextEncoder();

// Most texts are shorter. What is kept for longer ones would have no bound but theirs.
const viewBytesMax = 1024;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u001f]/g;

export class CanonicalText {
  // Grows with the longest text, which is a few times as long as a line may be.
  #bytes = new Uint8Array(16 * 1024);
  #end = 0;
  // By length: to make one anew costs about as much as one of the hashes does.
  #views: Uint8Array[] = [];
  #lead = "";
  #leadEnd = 0;

  /** Begins anew, with this as it is: the last text's is left in the buffer if it is the same. */
  begin(lead: string): void {
    this.#end = 0;
    if (lead !== this.#lead) {
      this.#leadEnd = encoder.encodeInto(lead, this.#reserve(3 * lead.length)).written;
      this.#lead = lead;
    }
    this.#end = this.#leadEnd;
  }

  /** Until the next one is begun. */
  get written(): Uint8Array {
    const known = this.#views[this.#end];
    if (known !== undefined) return known;
    const view = this.#bytes.subarray(0, this.#end);
    if (this.#end < viewBytesMax) this.#views[this.#end] = view;
    return view;
  }

  /** A control character, to stand between parts. */
  control(code: number): void {
    this.#reserve(1)[this.#end] = code;
    this.#end += 1;
  }

  /** Four bytes, the lowest first. */
  word(value: number): void {
    const to = this.#reserve(4);
    const at = this.#end;
    to[at] = value;
    to[at + 1] = value >>> 8;
    to[at + 2] = value >>> 16;
    to[at + 3] = value >>> 24;
    this.#end = at + 4;
  }

  /** Its control characters become others. Nearly all texts are ASCII without: for them no call of the runtime is made. */
  string(text: string): void {
    const { length } = text;
    const to = this.#reserve(3 * length);
    const end = this.#end;
    for (let at = 0; at < length; at += 1) {
      const code = text.charCodeAt(at);
      if (code < 0x20 || code > 0x7f) {
        this.#end = end + encoder.encodeInto(escaped(text), to.subarray(end)).written;
        return;
      }
      to[end + at] = code;
    }
    this.#end = end + length;
  }

  /** As the language writes it: whole ones below 2^31, as most are, digit by digit. */
  number(value: number): void {
    if (value !== (value | 0) || value < 0) return this.string(String(value));
    let digits = 1;
    for (let bound = 10; bound <= value && digits < 10; bound *= 10) digits += 1;
    const to = this.#reserve(digits);
    let rest = value | 0;
    for (let at = this.#end + digits - 1; at >= this.#end; at -= 1) {
      const tenth = (rest / 10) | 0;
      to[at] = 0x30 + rest - 10 * tenth;
      rest = tenth;
    }
    this.#end += digits;
  }

  #reserve(count: number): Uint8Array {
    if (this.#end + count > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.#end + count));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#views = [];
    }
    return this.#bytes;
  }
}

/** With its control characters as others. */
export function escaped(text: string): string {
  return text.replace(controls, (control) => `\u000f${String.fromCharCode(0x40 + control.charCodeAt(0))}`);
}
