import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { getPriority } from "node:os";
import { giveWay, niceness } from "../src/niceness.ts";

const priorities = (pid: number) => readdirSync(`/proc/${pid}/task`).map((thread) => getPriority(Number(thread)));

test("a process gives way with all of its threads, those that its runtime began before too, and never comes back up", async () => {
  const program = `
    const { giveWay } = await import(${JSON.stringify(`${import.meta.dir}/../src/niceness.ts`)});
    for (let n = 0, s = ""; n < 3e5; n += 1) s = String(n) + s.slice(0, 9);
    giveWay(15);
    console.log("down");
    await new Promise(() => {});`;
  await using child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("down\n");
  expect(priorities(child.pid).length).toBeGreaterThan(1);
  expect(new Set(priorities(child.pid))).toEqual(new Set([niceness.far]));
  giveWay(niceness.little, child.pid);
  expect(new Set(priorities(child.pid))).toEqual(new Set([niceness.far]));
  giveWay(niceness.furthest, child.pid);
  expect(new Set(priorities(child.pid))).toEqual(new Set([niceness.furthest]));
  child.kill("SIGKILL");
  await child.exited;
  expect(() => giveWay(niceness.far, child.pid)).not.toThrow();
});
