/**
 * How much the counts of a series vary from one day to the next, apart from what changes of level make.
 *
 * Two neighbouring days of one level share their sum like a beta-binomial, whose correlation is 1 / (2r + 1) where r is
 * the size of the negative binomial. Only neighbours are compared, so a level that lasts adds next to nothing, and each
 * pair says at most 1, so no single day decides.
 */

/** Correlations of a series' neighbouring days, summed, with the weight they have. */
export type Noise = ReturnType<typeof measureNoise>;

/** A pair weighs as its variance tells at this correlation: more events add ever less. */
const USUAL_CORRELATION = 0.1;
/** Pairs that may belong to one burst of a day, and are left out: the two round the day. */
const BURST_PAIRS = 2;
/** A kind's own keys speak for one of them with the weight of this many pairs of two large days. */
const PRIOR_WEIGHT = 30;
/** What a kind is taken to have before any of its keys has spoken; and within which limits all stay. */
const PRIOR_CORRELATION = 0.1;
const LEAST_CORRELATION = 0.002;
const MOST_CORRELATION = 0.9;

/**
 * Measure the noise of a series.
 *
 * @param counts One per observed day.
 * @param exposure The same length; each > 0.
 */
export function measureNoise(counts: ArrayLike<number>, exposure: ArrayLike<number>) {
  let sum = 0;
  let weight = 0;
  // Falling; of equal ones the first.
  const largest = new Float64Array(BURST_PAIRS);
  const weights = new Float64Array(BURST_PAIRS);
  for (let i = 1; i < counts.length; i++) {
    const total = counts[i - 1]! + counts[i]!;
    if (total < 2) continue;
    const share = exposure[i]! / (exposure[i - 1]! + exposure[i]!);
    // The variance of a beta-binomial in units of the binomial's is 1 + (total - 1) * correlation.
    const off = counts[i]! - total * share;
    const correlation = ((off * off) / (total * share * (1 - share)) - 1) / (total - 1);
    const own = (total - 1) / (1 + USUAL_CORRELATION * (total - 1));
    const value = own * Math.min(1, correlation);
    sum += value;
    weight += own;
    let place = BURST_PAIRS;
    while (place > 0 && value > largest[place - 1]!) place--;
    if (place === BURST_PAIRS) continue;
    largest.copyWithin(place + 1, place);
    weights.copyWithin(place + 1, place);
    largest[place] = value;
    weights[place] = own;
  }
  for (let place = 0; place < BURST_PAIRS && largest[place]! > 0; place++) {
    sum -= largest[place]!;
    weight -= weights[place]!;
  }
  return { sum, weight };
}

/** The correlation that is usual in a kind. */
export function usualCorrelation(noises: readonly Noise[]): number {
  let sum = PRIOR_WEIGHT * PRIOR_CORRELATION;
  let weight = PRIOR_WEIGHT;
  for (const noise of noises) {
    // No key speaks for its kind with more than the weight it is itself pulled with.
    const part = Math.min(1, PRIOR_WEIGHT / Math.max(noise.weight, 1e-9));
    sum += noise.sum * part;
    weight += noise.weight * part;
  }
  return clamp(sum / weight);
}

/** Size of the negative binomial, per unit of exposure, of a series whose kind usually has this correlation. */
export function sizeOf(noise: Noise, usual: number): number {
  const correlation = clamp((noise.sum + PRIOR_WEIGHT * usual) / (noise.weight + PRIOR_WEIGHT));
  return (1 / correlation - 1) / 2;
}

function clamp(correlation: number): number {
  return Math.min(MOST_CORRELATION, Math.max(LEAST_CORRELATION, correlation));
}
