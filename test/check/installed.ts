// What both README commands do first: on a fresh checkout there is no node_modules, and nothing that needs a package may
// be imported before this has returned. So this file, and the entries that use it, import nothing but the runtime's own.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

export const checkout = resolve(import.meta.dir, "../..");

/** Installs the pinned packages if they are not there. Throws when that fails. */
export async function ensureInstalled(): Promise<void> {
  if (existsSync(join(checkout, "node_modules", "libsql", "package.json"))) return;
  console.log("installing the pinned packages …");
  // The running executable and not a name on PATH: it may be what npx brought, and nothing else.
  const child = Bun.spawn([process.execPath, "install", "--frozen-lockfile"], {
    cwd: checkout,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const [exitCode, errors] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  if (exitCode !== 0) {
    throw new Error(`Cannot install the packages (bun install --frozen-lockfile, exit code ${exitCode}):\n${errors}`);
  }
}
