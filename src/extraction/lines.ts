// Lines of text from pieces of bytes, as they come.

/** A line is longer than it may be, or no UTF-8. The message is a clause. */
export class LinesError extends Error {
  override readonly name = "LinesError";
}

/** Each without its end; what follows the last line end is a line only when there is something. Throws LinesError. */
export async function* linesOf(
  pieces: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<{ readonly text: string; readonly isEnded: boolean }> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  const take = (last: Uint8Array): string => {
    const bytes = begun.length === 0 ? last : Buffer.concat([...begun, last]);
    begun = [];
    begunBytes = 0;
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw new LinesError("a line is no UTF-8", { cause });
    }
  };
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, from)) {
      yield { text: take(piece.subarray(from, end)), isEnded: true };
      from = end + 1;
    }
    if (from === piece.length) continue;
    begun.push(piece.slice(from));
    begunBytes += piece.length - from;
    if (begunBytes > lineBytesMax) throw new LinesError(`a line is longer than ${lineBytesMax} bytes`);
  }
  if (begunBytes > 0) yield { text: take(new Uint8Array()), isEnded: false };
}
