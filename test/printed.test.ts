import { expect, test } from "bun:test";
import { join } from "node:path";

test("what is longer than a pipe holds arrives as it is, however slow its reader", async () => {
  const printing = join(import.meta.dir, "../src/printed.ts");
  // As main.ts does, before anything is printed.
  const script = `
    process.stdout.on("error", () => {});
    const { printed } = await import(${JSON.stringify(printing)});
    await printed(Array.from({ length: 40_000 }, (_, index) => index).join(","));
    process.exit(0);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const slow = Bun.spawn(["sh", "-c", "sleep 1; cat"], { stdin: child.stdout, stdout: "pipe" });
  const [text, exitCode] = await Promise.all([new Response(slow.stdout).text(), child.exited]);
  expect(exitCode).toBe(0);
  expect(text).toBe(Array.from({ length: 40_000 }, (_, index) => index).join(","));
});
