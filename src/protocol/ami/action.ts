// Writes what a client sends to the manager interface.

/** An action cannot be written as header lines. The message never holds a value: it may be a secret. */
export class AmiActionError extends Error {
  override readonly name = "AmiActionError";
}

const encoder = new TextEncoder();

/**
 * The bytes of one action: `Action: name`, the fields in order, an empty line. A line break in a value would let it
 * smuggle in an action of its own, so it throws AmiActionError.
 */
export function encodeAction(
  name: string,
  fields: Readonly<Record<string, string | number>> | readonly (readonly [string, string | number])[] = {},
): Uint8Array {
  const entries = Array.isArray(fields) ? fields : Object.entries(fields);
  let text = "";
  for (const [field, value] of [["Action", name], ...entries] as [string, string | number][]) {
    if (!/^[A-Za-z][\w.-]*$/.test(field)) {
      throw new AmiActionError(
        `Cannot encode action ${JSON.stringify(name)}: a field is named ${JSON.stringify(field)}, expected letters, digits, "-", "_" and "."`,
      );
    }
    if (/[\r\n\0]/.test(String(value))) {
      throw new AmiActionError(
        `Cannot encode field ${JSON.stringify(field)} of a manager action: its value has a line break or a zero byte, expected one line of text`,
      );
    }
    text += `${field}: ${value}\r\n`;
  }
  return encoder.encode(`${text}\r\n`);
}
