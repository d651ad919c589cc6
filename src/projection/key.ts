// Keys of rows come from what the source says, so that both instances of a pair, and every rebuild, write the same.

/** 32 hexadecimal digits of a SHA-256 over the parts, in order; parts cannot run into each other. */
export function hashedKey(...parts: readonly (string | number)[]): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const part of parts) {
    const text = String(part);
    hasher.update(`${text.length}:${text};`);
  }
  return hasher.digest("hex").slice(0, 32);
}
