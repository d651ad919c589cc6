// The page's time line in a real browser: while the link of one instance of a pair is cut, after it, and when the peer is
// gone.
// ICON_PICTURES=DIR keeps the pictures.

import { expect, test } from "bun:test";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { startSimulatedTserver } from "../../src/simulator/tserver/simulated-tserver.ts";
import { startBrowser, whyNoBrowser } from "../harness/browser.ts";
import { layCable } from "../harness/cable.ts";
import { Instance, type InstanceSetting, iconBinary, TemporaryDirectory, until } from "../harness/processes.ts";

const name =
  "the page says why a link is cut while it is, shows it as a gap afterwards, the pair whole over it, and goes on when the peer is gone";

interface Row {
  readonly label: string;
  readonly pieces: readonly { readonly words: string; readonly link: string | null }[];
}

// As texts: these run in the browser, whose globals this program does not have.
const readRows = `[...document.querySelectorAll("svg.line[aria-label]")].map((row) => ({
  label: row.getAttribute("aria-label"),
  pieces: [...row.querySelectorAll("title")].map((title) => ({
    words: title.textContent,
    link: title.parentElement.getAttribute("href"),
  })),
}))`;
const readOverflow = "document.documentElement.scrollWidth - window.innerWidth";

/** The rows as they are drawn, from the top. */
function rowsOf(page: Page): Promise<Row[]> {
  return page.evaluate<Row[]>(readRows);
}

/** The list below the rows, line by line. */
function listOf(page: Page): Promise<string[]> {
  return page.locator(".gaps tbody tr").allTextContents();
}

async function show(page: Page, what: string, pictures: string): Promise<void> {
  const overflow = await page.evaluate<number>(readOverflow);
  expect([what, overflow]).toEqual([what, 0]);
  const path = join(pictures, `${what}.png`);
  await page.screenshot({ path, fullPage: true });
  expect(statSync(path).size).toBeGreaterThan(10_000);
}

async function act(): Promise<void> {
  await iconBinary();
  using directory = new TemporaryDirectory("pair-page");
  const pictures = process.env["ICON_PICTURES"] || directory.at("pictures");
  mkdirSync(pictures, { recursive: true });
  // What falls out of the resend buffer while the link is cut is lost to that instance for good.
  const server = await startSimulatedTserver({
    ...{ seed: 11, rate: 200, heartbeatMs: 250, talkSeconds: 1, primaryDbid: 101, dbid: 101, switchDbid: 1 },
    ...{ resendEvents: 300, lingerSeconds: 0, finalAckMs: 0, clientsMin: 2 },
  });
  const port = Number(server.address.split(":")[1]);
  await using cable = layCable("a", false);
  const setting = (own: string, dbid: number, address: string, lines: readonly string[]): InstanceSetting => ({
    ...{ directory: directory.at(own), name: own, dbid },
    http: { lines: ['listen = "127.0.0.1:0"', ...lines] },
    sources: [{ name: "north", address, dbid: 101, switchDbid: 1, lines: ['silence = "2s"'] }],
  });
  try {
    await using peer = await Instance.start(setting("icon-b", 9002, server.address, []));
    const peerPage = await peer.ready();
    await using own = await Instance.start(
      setting("icon-a", 9001, await cable.addressOf(port), [`peer = ${JSON.stringify(new URL(peerPage).origin)}`]),
    );
    const address = await own.ready();
    await until("both are served", 15_000, () => server.progress().clientsServed === 2);
    const { events } = server.progress();
    await until("some seconds are whole", 15_000, () => server.progress().events > events + 400);
    cable.pull();
    const before = server.progress().events;
    await until("more is missed than the server can send again", 15_000, () => server.progress().events > before + 900);

    const complaints: string[] = [];
    const browser = await startBrowser();
    try {
      const open = async (scheme: "light" | "dark", width: number) => {
        const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 900 } });
        const page = await context.newPage();
        page.on("console", (message) => complaints.push(message.text()));
        page.on("pageerror", (error) => complaints.push(String(error)));
        await page.goto(`${address}?span=15m`);
        await page.locator("article.pair-source").first().waitFor();
        return page;
      };
      const page = await open("light", 1280);
      const isRunning = ({ words }: Row["pieces"][number]) => /: not yet known: .*session ended: silence/.test(words);
      await until(
        "the running cut says why",
        40_000,
        async () => (await rowsOf(page))[1]?.pieces.some(isRunning) === true,
      );
      const cut = await rowsOf(page);
      console.log(cut[1]?.pieces.map(({ words }) => words).join("\n"));
      expect(cut[1]?.pieces.at(-1)?.words).toMatch(/session ended: silence; .*not heard far enough/);
      expect(cut[2]?.pieces.filter(({ words }) => words.includes("session ended: silence"))).toEqual([]);
      await show(page, "cut", pictures);

      cable.plug();
      // Other gaps there may be: a busy host is late with what it hears, and that is not what this is about.
      const isGap = ({ words }: Row["pieces"][number]) => /: incomplete: .*could not send again/.test(words);
      let rows: Row[] = [];
      await until("the cut is a gap of this instance, and the pair has all of it", 40_000, async () => {
        rows = await rowsOf(page);
        return (
          rows[1]?.pieces.some(isGap) === true &&
          (await listOf(page)).some((line) => /icon-a.*whole.*could not send again/.test(line))
        );
      });
      const [pair, here, there] = rows;
      expect(rows.map(({ label }) => label)).toEqual(["Pair, north", "icon-a, north", "icon-b, north"]);
      const gaps = here?.pieces.filter(isGap) ?? [];
      console.log(gaps.map(({ words }) => words).join("\n"));
      console.log(pair?.pieces.map(({ words }) => words).join("\n"));
      expect(gaps.length).toBe(1);
      expect(gaps[0]?.words).toContain("session ended: silence");
      expect(pair?.pieces.filter(isGap)).toEqual([]);
      expect(there?.pieces.filter(isGap)).toEqual([]);
      // Without a mouse: the gap can be reached, and leads to its line in words.
      const drawn = page.locator('svg.line[aria-label="icon-a, north"] a');
      await drawn.filter({ hasText: "could not send again" }).focus();
      await page.keyboard.press("Enter");
      expect(await page.locator("tr:target").textContent()).toContain("icon-a");
      await page.mouse.move(0, 0);
      await show(page, "light", pictures);
      await show(await open("dark", 1280), "dark", pictures);
      await show(await open("light", 390), "narrow", pictures);

      await peer.kill();
      await page.getByText("does not answer since").first().waitFor({ timeout: 30_000 });
      expect(await page.locator("section.pair").textContent()).toContain("The verdict is from icon-a alone.");
      expect((await rowsOf(page)).map(({ label }) => label)).toEqual(["Pair, north", "icon-a, north"]);
      await show(page, "peer-gone", pictures);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  } finally {
    server.stop();
    await server.finished;
  }
}

if (whyNoBrowser === null) test(name, act, 180_000);
else test.skip(`skipped: ${whyNoBrowser}: ${name}`, () => {});
