// A promise that a history broke. Everything else that is thrown is a fault of the program or of the simulation, and as
// much a finding; only the words differ.

export class Finding extends Error {
  override readonly name = "Finding";
}

export function promise(isKept: boolean, broken: () => string): void {
  if (!isKept) throw new Finding(broken());
}
