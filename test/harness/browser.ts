// A real browser, Debian's chromium, to see the page as people see it. Each has a profile of its own that goes with it.

import { type Browser, chromium } from "playwright-core";

const executablePath = Bun.which("chromium");

/** Why tests that need a browser are skipped; null: there is one. */
export const whyNoBrowser: string | null = executablePath === null ? "chromium is not installed" : null;

/** It ends with this process at the latest; the caller closes it before. */
export function startBrowser(): Promise<Browser> {
  if (executablePath === null) throw new Error("Cannot start a browser: expected chromium on the PATH");
  return chromium.launch({
    executablePath,
    // Nothing of it may go to the network by itself; QUIC would go around whatever a test puts between.
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
