// What a command says on standard output. `Bun.write(Bun.stdout, …)` is not for that: once somebody has touched
// `process.stdout`, as main.ts has, it garbles what is longer than a pipe holds when its reader is slow (Bun 1.4.5).

/** Comes back when all of it is handed over; rejects when it cannot be. A pipe that nobody reads ends the process: main.ts. */
export function printed(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
