// A token lets its holder ask the HTTP side. It is random, shown once when it is made, and kept nowhere: the token file
// (token-file.ts) holds its hash. A hash without salt or stretching is enough, for nobody can guess 32 random bytes.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** What a token may be for. Each sees the page, status, metrics and readiness; what it may do beyond is in `mayOf`. */
export type TokenRole = "read" | "read-personal" | "act";

export const tokenRoles: readonly TokenRole[] = ["read", "read-personal", "act"];

// Whoever acts need not see callers' numbers, and whoever sees them need not act.
const mayOf: Readonly<Record<TokenRole, readonly TokenRole[]>> = {
  read: ["read"],
  "read-personal": ["read", "read-personal"],
  act: ["read", "act"],
};

/** What the holder of a token with `role` may do: read status, read what names callers, change something. */
export function mayDo(role: TokenRole): readonly TokenRole[] {
  return mayOf[role];
}

export interface Token {
  readonly name: string;
  readonly role: TokenRole;
  /** SHA-256 of the whole token text, prefix included. */
  readonly hash: Uint8Array;
}

/** A scanner for leaked secrets finds this prefix, and so does whoever wonders what the text is. */
export const tokenPrefix = "icon_";
const tokenBytes = 32;
/** No token is longer; what is longer is not even hashed. */
export const tokenLengthMax = 256;

/** A new token's text, from the system's random numbers. */
export function makeToken(): string {
  return tokenPrefix + randomBytes(tokenBytes).toString("base64url");
}

export function hashToken(text: string): Uint8Array {
  return createHash("sha256").update(text, "utf8").digest();
}

/** The token that `presented` is, or null. Takes as long for each text, and for each place in the list. */
export function findToken(tokens: readonly Token[], presented: string): Token | null {
  if (presented.length > tokenLengthMax) return null;
  const hash = hashToken(presented);
  let found: Token | null = null;
  for (const token of tokens) if (timingSafeEqual(token.hash, hash)) found = token;
  return found;
}
