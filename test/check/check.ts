// `bun run check`: everything that must hold before a change goes in, the same here and in CI. Its last line sums up all
// steps: `N passed, N failed`, with `, N skipped` behind it when something could not be tested here.

import { ensureInstalled } from "./installed.ts";

try {
  await ensureInstalled();
  const { checkEverything } = await import("./steps.ts");
  process.exit(await checkEverything());
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  console.log("0 passed, 1 failed");
  process.exit(1);
}
