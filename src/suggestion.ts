// A misspelt name is answered with the one that was probably meant.

/** The candidate nearest to `written`, if it is near enough to be a slip of the fingers; null otherwise. */
export function nearestName(written: string, candidates: readonly string[]): string | null {
  return nearestNames(written, candidates, 1)[0] ?? null;
}

/** So many at most, the nearest first; of equally near ones in the order given. */
export function nearestNames(written: string, candidates: readonly string[], countMax: number): readonly string[] {
  const plain = normalized(written);
  // A third of the letters wrong, and it is another word.
  const distanceMax = Math.max(1, Math.floor(plain.length / 3));
  return candidates
    .filter((candidate) => Math.abs(candidate.length - plain.length) <= distanceMax)
    .map((candidate) => ({ candidate, distance: editDistance(plain, normalized(candidate)) }))
    .filter(({ distance }) => distance <= distanceMax)
    .sort((one, other) => one.distance - other.distance)
    .slice(0, countMax)
    .map(({ candidate }) => candidate);
}

const normalized = (name: string) => name.slice(0, 100).toLowerCase().replaceAll("-", "_");

/** Insertions, deletions and replacements that turn `from` into `to`. */
function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[to.length] ?? 0;
}
