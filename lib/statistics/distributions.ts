/**
 * Tails, quantiles and intervals of the distributions that counts are judged by.
 *
 * A thin layer: the incomplete beta and gamma functions are those of the Cephes library, compiled to WebAssembly. They are
 * asked for the tail that is wanted, never for one minus the other, so a chance of 1e-200 is told from 0. Against sums of
 * 60 digits their tails are right to 3e-6 at worst (just above Poisson, where the negative binomial's size passes 1e8),
 * mostly to 1e-12.
 */
/// <reference path="./cephes.d.ts" />

// Its CommonJS form compiles at once. As a module it asks to be awaited, and a thread that awaits while it loads misses what
// it is sent meanwhile.
const { erfc, igam, igamc, incbet } = require("cephes") as typeof import("cephes");

/** A variance this little above the mean is Poisson: the negative binomial's size would pass 1e9 and mean nothing. */
const POISSON_SLACK = 1e-9;

/**
 * Chance of `count` or more when counts have this mean and variance: negative binomial, Poisson when the variance is not
 * above the mean.
 *
 * @param count Whole number; below 1 gives 1.
 * @param mean > 0.
 */
export function upperTail(count: number, mean: number, variance: number): number {
  if (count <= 0) return 1;
  const excess = variance - mean;
  if (!(excess > POISSON_SLACK * mean)) return orLimit(() => igam(count, mean), mean < count ? 0 : 1);
  const size = (mean * mean) / excess;
  if (count === 1) return -Math.expm1(-size * Math.log1p(mean / size));
  return incbet(count, size, excess / variance);
}

/**
 * Exact two-sided binomial test: twice the smaller tail of `count` out of `n` at `share`, at most 1.
 *
 * Counts may be fractional (counts divided by a dispersion).
 */
export function binomialTwoSided(count: number, n: number, share: number): number {
  if (n <= 0 || share <= 0 || share >= 1) return 1;
  // Away from the mean one tail is the smaller for certain.
  if (count === 0) return Math.min(1, 2 * Math.exp(n * Math.log1p(-share)));
  if (count === 1 && n * share < 0.5) return Math.min(1, -2 * Math.expm1(n * Math.log1p(-share)));
  const mean = n * share;
  if (count > mean + 1 && count < n) return Math.min(1, 2 * incbet(count, n - count + 1, share));
  if (count < mean - 1) return Math.min(1, 2 * incbet(n - count, count + 1, 1 - share));
  const upper = count <= 0 ? 1 : incbet(count, n - count + 1, share);
  const lower = count >= n ? 1 : incbet(n - count, count + 1, 1 - share);
  return Math.min(1, 2 * lower, 2 * upper);
}

/**
 * Interval of the ratio of two rates from the conditional binomial: given both counts' sum, the first is binomial.
 *
 * Exact (Clopper-Pearson) for Poisson counts. Over-dispersed counts carry less information: both are divided by the
 * dispersion first, which widens the interval by its square root and also holds when a count is 0.
 *
 * @param exposureRatio Exposure of `count` over exposure of `baselineCount`.
 * @returns `low` 0 when `count` is 0; `high` null when `baselineCount` is 0.
 */
export function rateRatioInterval(
  count: number,
  baselineCount: number,
  exposureRatio: number,
  dispersion: number,
  confidence = 0.95,
): { low: number; high: number | null } {
  const a = count / dispersion;
  const b = baselineCount / dispersion;
  const tail = (1 - confidence) / 2;
  const low = a > 0 ? betaOdds(tail, a, b + 1) / exposureRatio : 0;
  // At the other end the odds are those of what is left of 1.
  const high = b > 0 ? 1 / betaOdds(tail, b, a + 1) / exposureRatio : Infinity;
  return { low, high: Number.isFinite(high) ? high : null };
}

/** Two-sided tail of the standard normal distribution. */
export function normalTwoSided(z: number): number {
  return orLimit(() => erfc(Math.abs(z) * Math.SQRT1_2), 0);
}

/** Two-sided tail of Student's t. */
export function studentTwoSided(t: number, degrees: number): number {
  return t === 0 ? 1 : incbet(degrees / 2, 0.5, degrees / (degrees + t * t));
}

/** The t that a two-sided tail of `tail` lies beyond. */
export function studentQuantile(tail: number, degrees: number): number {
  return Math.sqrt(degrees / betaOdds(tail, degrees / 2, 0.5));
}

/** Chance of `value` or more under chi-square. */
export function chiSquareUpper(value: number, degrees: number): number {
  return value <= 0 ? 1 : orLimit(() => igamc(degrees / 2, value / 2), value > degrees ? 0 : 1);
}

/**
 * Odds x / (1 - x) at which the regularized incomplete beta function of x reaches `tail`.
 *
 * Cephes has an inverse, which breaks off or is wrong where a shape is small or the tail far out. This one goes by the
 * logarithms of both, between which the tail is nearly a line: some ten steps of the false position.
 *
 * @param tail 0 < tail < 1.
 */
function betaOdds(tail: number, a: number, b: number): number {
  const miss = (logOdds: number) => {
    // Of the two shares the smaller is exact.
    const lower =
      logOdds < 0 ? incbet(a, b, 1 / (1 + Math.exp(-logOdds))) : 1 - incbet(b, a, 1 / (1 + Math.exp(logOdds)));
    return Math.max(-1e4, Math.log(lower / tail));
  };
  let [low, high] = [Math.log(a / b) - 1, Math.log(a / b) + 1];
  let [below, above] = [miss(low), miss(high)];
  for (let step = 2; below > 0 && step < 1e9; step *= 2) [high, above, low, below] = [low, below, low - step, miss(low - step)];
  for (let step = 2; above < 0 && step < 1e9; step *= 2) [low, below, high, above] = [high, above, high + step, miss(high + step)];
  let side = 0;
  for (let step = 0; step < 200 && high - low > 1e-14 * Math.max(1, Math.abs(low)); step++) {
    const middle = below === above ? (low + high) / 2 : (low * above - high * below) / (above - below);
    const found = miss(middle);
    if (found === 0) return Math.exp(middle);
    // An end that stays twice is taken for half as far (the Illinois rule), so that both ends close in.
    if (found < 0) {
      [low, below] = [middle, found];
      if (side < 0) above /= 2;
      side = -1;
    } else {
      [high, above] = [middle, found];
      if (side > 0) below /= 2;
      side = 1;
    }
  }
  return Math.exp((low + high) / 2);
}

/** Cephes throws where a tail, or what it lacks to 1, is below the smallest double: then it is 0, or 1. */
function orLimit(tail: () => number, limit: 0 | 1): number {
  try {
    return tail();
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return limit;
  }
}

/**
 * Adjusted p of Benjamini and Hochberg, or of Benjamini and Yekutieli, in the order of `p`.
 *
 * @param strict Benjamini-Yekutieli: multiplied by 1 + 1/2 + ... + 1/m; holds under any dependence.
 * @param m How many tests were made, when `p` leaves out large ones; what is given must be the smallest of them. An
 *   adjusted p is never below its p, so nothing below the smallest left out is changed by leaving them out.
 */
export function falseDiscovery(p: Float64Array, strict: boolean, m = p.length): Float64Array {
  const adjusted = new Float64Array(p.length);
  const order = Uint32Array.from(p.keys()).sort((a, b) => p[a]! - p[b]! || a - b);
  let factor = m;
  if (strict) {
    let harmonic = 0;
    for (let i = 1; i <= m; i++) harmonic += 1 / i;
    factor *= harmonic;
  }
  let least = 1;
  for (let rank = p.length; rank >= 1; rank--) {
    const i = order[rank - 1]!;
    least = Math.min(least, (p[i]! * factor) / rank);
    adjusted[i] = least;
  }
  return adjusted;
}
