// `bun run demo [-- --seconds N] [--dir D] [--rate EVENTS] [--clock-speed N] [--start-time T]`: installs what is missing, then shows the program at work.

import { ensureInstalled } from "./installed.ts";

try {
  await ensureInstalled();
  const { demonstrate } = await import("./demonstration.ts");
  // npm's habit of writing `--` before a script's own options is kept up by some and passed on by bun.
  process.exit(await demonstrate(process.argv.slice(2).filter((word) => word !== "--")));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
