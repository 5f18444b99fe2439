/**
 * Statistics that a single outlier cannot move.
 *
 * Tested in `test/lib/statistics/change.test.ts`.
 */

/** Median of a list that is not empty. */
export function median(values: readonly number[]): number {
  return medianSorted(Float64Array.from(values).sort());
}

/** Median of a list that is sorted and not empty. */
export function medianSorted(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Square root that makes Poisson noise about as wide everywhere: standard deviation 1. */
export function anscombe(count: number): number {
  return 2 * Math.sqrt(Math.max(0, count) + 0.375);
}

/**
 * How far a count lies from the median of others, in robust standard deviations of the square-root scale.
 *
 * The floor of 1 is Poisson noise: a window of zeros does not blow up, and one earlier spike hides nothing.
 */
export function robustZ(count: number, others: readonly number[]): number {
  const scaled = others.map(anscombe);
  const middle = median(scaled);
  const spread = 1.4826 * median(scaled.map(value => Math.abs(value - middle)));
  return (anscombe(count) - middle) / Math.max(spread, 1);
}
