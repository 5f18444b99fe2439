/**
 * The test of one comparison: a count against its baseline, under a mixture over how much such counts vary.
 *
 * Variance over mean differs from key to key a thousandfold, and a key's own few days tell little of it. So each value of a
 * grid is weighed: by how usual it is among the keys of the kind, learnt from all of them (empirical Bayes), and by how
 * well the key's own past agrees with it. Counts of exposure E at dispersion phi are negative binomial of size r E with
 * r = rate / (phi - 1), so that sums over days are of the same family and the sum of two falls into a beta-binomial: the
 * rate itself has dropped out of both the weights and the test.
 *
 * Pure functions on numbers.
 */
import { logRise, upperBetaBinomial } from "./beta-binomial.ts";
import { upperTail } from "./distributions.ts";
import { anscombe, medianSorted } from "./robust.ts";

/**
 * Variance over mean, from Poisson (nearly: the size of a negative binomial must be finite) to what the commonest keys of real
 * sensors show: tens of thousands of events a day, mostly of one address or none, have 5,000 to 8,000. A grid that ends below
 * calls every day of such a key a change.
 */
export const DISPERSIONS = [
  1.0001, 1.3, 1.7, 2.2, 3, 4, 5.5, 7.5, 10, 14, 20, 30, 50, 100, 250, 1000, 4000, 16_000, 64_000,
] as const;
export const GRID = DISPERSIONS.length;
const LOG_DISPERSIONS = DISPERSIONS.map(Math.log);

/** A baseline of this many tells something of its dispersion: keys with fewer teach nothing about their kind. */
export const MIN_LEARNT = 5;
const EM_ROUNDS = 30;
/** Keys that what is usual in all kinds weighs, beside those of the kind; and a flat start, beside all keys. */
const POOLED_WEIGHT = 5;
const FLAT_WEIGHT = 1;
/** Where nothing is known all are alike, but for those that hardly any key has: a tenth of the others each. */
const RARE_DISPERSION = 250;
const shares = DISPERSIONS.map((phi): number => (phi > RARE_DISPERSION ? 0.1 : 1));
const FLAT = Float64Array.from(shares, share => share / shares.reduce((sum, other) => sum + other, 0));
/** Weights below this add nothing that a double could show. */
const LEAST_WEIGHT = 1e-16;

/** The days of a baseline: `counts[i]` on exposure `exposures[i]`, for i < days; and their sums. */
export interface Baseline {
  days: number;
  readonly counts: Float64Array;
  readonly exposures: Float64Array;
  count: number;
  exposure: number;
}

export function makeBaseline(most: number): Baseline {
  return { days: 0, counts: new Float64Array(most), exposures: new Float64Array(most), count: 0, exposure: 0 };
}

/** Baselines up to this are multiplied out: no product then leaves the range of doubles, but on days of next to no exposure. */
const SHORT_BASELINE = 40;

/**
 * How well a baseline agrees with each dispersion of the grid: a Dirichlet-multinomial likelihood, the largest brought to 1.
 *
 * @param into `GRID` numbers from `at` on.
 */
export function weighLikelihoods(baseline: Baseline, into: Float64Array | Float32Array, at = 0): void {
  if (baseline.count > SHORT_BASELINE || !multiplyOut(baseline)) addLogs(baseline);
  let most = 0;
  for (let j = 0; j < GRID; j++) if (likelihoods[j]! > most) most = likelihoods[j]!;
  for (let j = 0; j < GRID; j++) into[at + j] = likelihoods[j]! / most;
}

const likelihoods = new Float64Array(GRID);

/**
 * Few counts: the chance of each event given those before it, one factor each. The k-th of a day goes with 1 + k / size of
 * the day, the k-th of all with 1 + k / size of all days.
 *
 * @returns Whether no product left the range of doubles.
 */
function multiplyOut({ days, counts, exposures, count, exposure }: Baseline): boolean {
  let several = 0;
  for (let i = 0; i < days; i++) {
    // None and one say the same at any dispersion.
    if (counts[i]! < 2) continue;
    severalCounts[several] = counts[i]!;
    severalExposures[several++] = exposures[i]!;
  }
  for (let j = 0; j < GRID; j++) {
    const inverse = (DISPERSIONS[j]! - 1) / (count + 0.5);
    let above = 1;
    for (let i = 0; i < several; i++) {
      const ofDay = (inverse * exposure) / severalExposures[i]!;
      for (let k = 1; k < severalCounts[i]!; k++) above *= 1 + k * ofDay;
    }
    if (above === Infinity) return false;
    likelihoods[j] = above / riseOfAll(j, count, inverse);
  }
  return true;
}

/** Days of a short baseline that have two counts at least. */
const severalCounts = new Float64Array(SHORT_BASELINE);
const severalExposures = new Float64Array(SHORT_BASELINE);
/** By count and dispersion; 0 where nobody has asked. */
const risesOfAll = new Float64Array((SHORT_BASELINE + 1) * GRID);

function riseOfAll(j: number, count: number, inverse: number): number {
  const at = count * GRID + j;
  const known = risesOfAll[at];
  if (known !== 0 && known !== undefined) return known;
  let rise = 1;
  for (let k = 1; k < count; k++) rise *= 1 + k * inverse;
  risesOfAll[at] = rise;
  return rise;
}

/** Days that are alike weigh alike: each pair of count and exposure is looked at once. */
const pairCounts: number[] = [];
const pairExposures: number[] = [];
const pairTimes: number[] = [];

function findPairs({ days, counts, exposures }: Baseline): void {
  pairCounts.length = pairExposures.length = pairTimes.length = 0;
  for (let i = 0; i < days; i++) {
    const count = counts[i]!;
    // None and one say the same at any dispersion.
    if (count < 2) continue;
    let at = 0;
    while (at < pairCounts.length && (pairCounts[at] !== count || pairExposures[at] !== exposures[i])) at++;
    if (at === pairCounts.length) {
      pairCounts.push(count);
      pairExposures.push(exposures[i]!);
      pairTimes.push(0);
    }
    pairTimes[at]!++;
  }
}

/** The same for any number of counts. */
function addLogs(baseline: Baseline): void {
  const { count, exposure } = baseline;
  findPairs(baseline);
  let most = -Infinity;
  for (let j = 0; j < GRID; j++) {
    // Size of the negative binomial of all days, and of one unit of exposure.
    const whole = (count + 0.5) / (DISPERSIONS[j]! - 1);
    const unit = whole / exposure;
    let log = -logRise(whole, count);
    for (let i = 0; i < pairCounts.length; i++) {
      log += pairTimes[i]! * logRise(unit * pairExposures[i]!, pairCounts[i]!);
    }
    likelihoods[j] = log;
    if (log > most) most = log;
  }
  for (let j = 0; j < GRID; j++) likelihoods[j] = Math.exp(likelihoods[j]! - most);
}

/** Likelihoods of several keys, `GRID` numbers each; `weight` keys stand behind each of them. */
export interface Learnt {
  readonly likelihoods: Float32Array;
  readonly weight: number;
}

/**
 * How usual each dispersion is among some keys, by expectation and maximization.
 *
 * @param start What is usual elsewhere, which weighs as much as `startWeight` keys; flat, and one key, without it.
 */
export function learnUsual(lists: readonly Learnt[], start?: Float64Array): Float64Array {
  const prior = start ?? FLAT;
  const priorWeight = start === undefined ? FLAT_WEIGHT : POOLED_WEIGHT;
  let usual = Float64Array.from(prior);
  for (let round = 0; round < EM_ROUNDS; round++) {
    const next = Float64Array.from(prior, share => share * priorWeight);
    for (const { likelihoods, weight } of lists) {
      for (let at = 0; at < likelihoods.length; at += GRID) {
        let sum = 0;
        for (let j = 0; j < GRID; j++) sum += usual[j]! * likelihoods[at + j]!;
        if (sum <= 0) continue;
        const scale = weight / sum;
        for (let j = 0; j < GRID; j++) next[j]! += usual[j]! * likelihoods[at + j]! * scale;
      }
    }
    const total = next.reduce((sum, share) => sum + share, 0);
    usual = next.map(share => share / total);
  }
  return usual;
}

/** What a key's own past says of the grid: of none all is alike. */
export function weighOwn(baseline: Baseline, into: Float64Array, at = 0): void {
  if (baseline.count === 0) into.fill(1, at, at + GRID);
  else weighLikelihoods(baseline, into, at);
}

/**
 * Weights of the grid for one key: what is usual, by what its own past says.
 *
 * @param weights What {@link weighOwn} gave, in place of which they are put.
 * @param usual Flat where nothing is known.
 */
export function weighUsual(weights: Float64Array, usual: Float64Array = FLAT): void {
  let sum = 0;
  for (let j = 0; j < GRID; j++) sum += weights[j]! *= usual[j]!;
  for (let j = 0; j < GRID; j++) weights[j]! /= sum;
}

/** Mean of the dispersions by weight, geometric, as the grid is: what is shown, and what widens an interval. */
export function meanDispersion(weights: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < GRID; j++) sum += weights[j]! * LOG_DISPERSIONS[j]!;
  const mean = Math.exp(sum);
  // The lowest of the grid stands for Poisson.
  return mean < 1.001 ? 1 : mean;
}

/** A count and what it is held against: the sum of a baseline, and the exposure of the count over that of the baseline. */
export interface Comparison {
  readonly count: number;
  readonly baseline: number;
  readonly ratio: number;
}

/** Chance of so much or more, on the side of the count, at one dispersion: one tail. */
export function tailAt({ count, baseline, ratio }: Comparison, dispersion: number): number {
  if (baseline === 0) {
    // Nothing was there to be conditioned on: half a count stands for it.
    const mean = 0.5 * ratio;
    return upperTail(count, mean, dispersion * mean);
  }
  const b = (baseline + 0.5) / (dispersion - 1);
  const a = b * ratio;
  const n = count + baseline;
  // The mean of the conditional distribution lies between the count and its expectation: the same side.
  return count > ratio * baseline ? upperBetaBinomial(count, n, a, b) : upperBetaBinomial(baseline, n, b, a);
}

/**
 * Two-sided p of a comparison: twice the mixture of the tails, at most 1.
 *
 * @param ceiling Once it is sure that p lies above, what was found so far is given.
 */
export function mixtureP(comparison: Comparison, weights: Float64Array, ceiling = 1): number {
  // The heaviest first: most comparisons are seen by it to be nothing.
  let heaviest = 0;
  for (let j = 1; j < GRID; j++) if (weights[j]! > weights[heaviest]!) heaviest = j;
  let sum = weights[heaviest]! * tailAt(comparison, DISPERSIONS[heaviest]!);
  for (let j = GRID - 1; j >= 0 && 2 * sum <= ceiling; j--) {
    if (j !== heaviest && weights[j]! > LEAST_WEIGHT) sum += weights[j]! * tailAt(comparison, DISPERSIONS[j]!);
  }
  return Math.min(1, 2 * sum);
}

/** Anscombe deviate from which on a day is a burst, days that a burst lasts at most, and days that are needed to tell. */
const BURST_DEVIATE = 5;
const BURST_DAYS = 3;
const BURST_MIN_DAYS = 10;
/** No day of so few events a unit of exposure is a burst, whatever the others are. */
export const BURST_LEAST = (BURST_DEVIATE + 2 * Math.sqrt(0.375)) ** 2 / 4 - 0.375;

/**
 * Find the one earlier burst of a baseline: the days of it whose count lies five robust deviations above the median, where
 * they follow each other and are three at most. Two bursts are how the key behaves, and stay.
 *
 * @returns First index and number of the days; undefined where there is no burst, or more than one.
 */
export function findBurst({ days, counts, exposures }: Baseline): { start: number; length: number } | undefined {
  if (days < BURST_MIN_DAYS) return undefined;
  if (scratch.length < days) [scaled, scratch] = [new Float64Array(2 * days), new Float64Array(2 * days)];
  for (let i = 0; i < days; i++) scratch[i] = scaled[i] = anscombe(counts[i]! / exposures[i]!);
  const sorted = scratch.subarray(0, days).sort();
  const middle = medianSorted(sorted);
  for (let i = 0; i < days; i++) sorted[i] = Math.abs(sorted[i]! - middle);
  const limit = middle + BURST_DEVIATE * Math.max(1, 1.4826 * medianSorted(sorted.sort()));
  let start = -1;
  let last = -1;
  for (let i = 0; i < days; i++) {
    if (scaled[i]! <= limit) continue;
    if (start < 0) start = i;
    else if (i !== last + 1) return undefined;
    last = i;
  }
  const length = last - start + 1;
  return start < 0 || length > BURST_DAYS ? undefined : { start, length };
}

let scaled = new Float64Array(64);
let scratch = new Float64Array(64);

/** The baseline without some of its days that follow each other. */
export function leaveOut(baseline: Baseline, { start, length }: { start: number; length: number }): void {
  const { counts, exposures } = baseline;
  for (let i = start; i < start + length; i++) {
    baseline.count -= counts[i]!;
    baseline.exposure -= exposures[i]!;
  }
  counts.copyWithin(start, start + length, baseline.days);
  exposures.copyWithin(start, start + length, baseline.days);
  baseline.days -= length;
}
