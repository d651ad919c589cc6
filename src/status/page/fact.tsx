// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import type { Child } from "hono/jsx";

/** A line of a panel: what it is, and how it stands. */
export function Fact({ name, children }: { readonly name: string; readonly children: Child }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{children}</td>
    </tr>
  );
}
