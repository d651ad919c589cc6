// What another host or a file chose to say, before a terminal shows it: it must not be told what to do by that.

/** Without control and format characters; what else is there stays as it is. */
export function plainLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, " ");
}

const lengthMax = 400;

/** As plainLine, without needless spaces and cut where it is long: a clause for the end of a message. */
export function plainClause(text: string): string {
  const plain = plainLine(text).replace(/\s+/gu, " ").trim();
  return plain.length > lengthMax ? `${plain.slice(0, lengthMax)}…` : plain;
}
