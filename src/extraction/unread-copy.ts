// Stands in for a copy that cannot be read now, so that the others keep their places: it has no calls and no login sessions.

import type { Copy, CopyIdentity, Subject } from "./copy.ts";

/** The same list with a stand-in wherever there is no identity. */
export function readableCopies(copies: readonly Copy[], identities: readonly (CopyIdentity | null)[]): readonly Copy[] {
  return copies.map((copy, index) => (identities[index] == null ? unread(copy.name) : copy));
}

function unread(name: string): Copy {
  const refuse = () => Promise.reject(new Error(`Cannot ask "${name}": it could not be read`));
  return {
    name,
    identity: refuse,
    ledger: refuse,
    subjects: () => none(),
    async [Symbol.asyncDispose]() {},
  };
}

async function* none(): AsyncGenerator<Subject> {
  // It may have any number of them; nobody can say.
}
