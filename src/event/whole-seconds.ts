// Stretches of milliseconds as whole seconds, so that parts and their sum agree.

/**
 * Whole seconds that add up to `seconds`: each rounded down, and one more for those that lost most by it, the first of
 * several. So the sum of the parts is the length of the whole, and none is wrong by more than a second.
 */
export function wholeSeconds(ms: readonly number[], seconds = Math.floor(sum(ms) / 1000)): readonly number[] {
  const whole = ms.map((each) => Math.floor(each / 1000));
  const lost = (index: number) => (ms[index] ?? 0) - (whole[index] ?? 0) * 1000;
  const inOrder = ms.map((_, index) => index).sort((a, b) => lost(b) - lost(a) || a - b);
  const roundedUp = new Set(inOrder.slice(0, seconds - sum(whole)));
  return whole.map((each, index) => each + (roundedUp.has(index) ? 1 : 0));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
