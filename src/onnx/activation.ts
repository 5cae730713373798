/** What makes scores of a classifier's outputs. */
export type Activation = 'softmax' | 'sigmoid' | 'none';

/** Scores of one row of outputs: a softmax over all, a sigmoid of each, or the outputs as they are. */
export function activate(outputs: readonly number[], activation: Activation): number[] {
  if (activation === 'none') return [...outputs];
  if (activation === 'sigmoid') return outputs.map(sigmoid);
  // The greatest is taken off first: e^89 is more than a float can hold, and logits of 100 are nothing rare.
  const greatest = outputs.reduce((best, output) => Math.max(best, output), Number.NEGATIVE_INFINITY);
  const powers = outputs.map((output) => Math.exp(output - greatest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Index of the greatest number, the first of equals; -1 when there is none. */
export function argmax(numbers: ArrayLike<number>): number {
  let best = -1;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < numbers.length; index += 1) {
    const number = numbers[index] ?? Number.NaN;
    if (number > greatest) {
      greatest = number;
      best = index;
    }
  }
  return best;
}
