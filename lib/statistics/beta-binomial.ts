/**
 * Chances of a count given the sum of it and its baseline, where each day's rate varies: the beta-binomial distribution.
 *
 * Parameters are real and reach from 1e-5 to 1e9, so gamma functions are never taken by themselves: their quotients are,
 * with what cancels between them left out first.
 */

/** Up to here a quotient is multiplied out; beyond, Stirling's series is asked. */
const SHORT_PRODUCT = 16;
/** From here on Stirling's series, cut after four terms, is right to 1e-13. */
const STIRLING_MIN = 12;
/** Longer tails are integrated, not added up. */
const LONG_SUM = 4096;

/** What Stirling's formula for log gamma lacks; `z` at least {@link STIRLING_MIN}. */
function stirlingRest(z: number): number {
  const w = 1 / (z * z);
  return (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w / 1680))) / z;
}

/**
 * log of Gamma(a + n) / Gamma(a) / a^n, which is the sum of log(1 + k/a) over k < n: 0 where `a` is large.
 *
 * Right to 1e-12, absolutely, or to the rounding of its larger parts, n.
 *
 * @param a > 0.
 * @param n Not negative; whole below 17, real above.
 */
export function logRise(a: number, n: number): number {
  if (n <= 1) return 0;
  if (n <= SHORT_PRODUCT && a > 1e-9) {
    let product = 1 + 1 / a;
    for (let k = 2; k < n; k++) product *= 1 + k / a;
    return Math.log(product);
  }
  if (a < STIRLING_MIN) {
    // Gamma(a) is brought to a larger argument, where the series holds.
    const shifted = a + STIRLING_MIN;
    let log = (n - STIRLING_MIN) * Math.log(shifted / a);
    let product = 1;
    for (let k = 1; k < STIRLING_MIN; k++) product *= 1 + k / a;
    log += Number.isFinite(product) ? Math.log(product) : sumLogs(a);
    return log + (n === STIRLING_MIN ? 0 : logRise(shifted, n - STIRLING_MIN));
  }
  return (a + n - 0.5) * Math.log1p(n / a) - n + stirlingRest(a + n) - stirlingRest(a);
}

function sumLogs(a: number): number {
  let log = 0;
  for (let k = 1; k < STIRLING_MIN; k++) log += Math.log1p(k / a);
  return log;
}

const HALF_LOG_2_PI = 0.5 * Math.log(2 * Math.PI);

/** log n! less Stirling's main part; n > 0. */
function factorialRest(n: number): number {
  if (n >= STIRLING_MIN) return stirlingRest(n);
  let log = 0;
  let z = n;
  // Only whole numbers come here: real ones belong to long tails.
  for (; z < STIRLING_MIN; z++) log += (z + 0.5) * Math.log1p(1 / z) - 1;
  return log + stirlingRest(z);
}

/** x log(x / mean) + mean - x without cancellation. */
function deviance(x: number, mean: number): number {
  const off = (x - mean) / (x + mean);
  if (Math.abs(off) >= 0.1) return x * Math.log(x / mean) + mean - x;
  let sum = (x - mean) * off;
  let term = 2 * x * off;
  for (let k = 1; k < 100; k++) {
    term *= off * off;
    const next = sum + term / (2 * k + 1);
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

/**
 * log of the binomial chance of `x` out of `n` at share `s`, by the saddle point (Loader 2000): right to rounding for large
 * numbers.
 */
export function logBinomial(x: number, n: number, s: number): number {
  const rest = n - x;
  if (x === 0) return n * Math.log1p(-s);
  if (rest === 0) return n * Math.log(s);
  return (
    factorialRest(n) - factorialRest(x) - factorialRest(rest) - deviance(x, n * s) - deviance(rest, n * (1 - s)) +
    0.5 * Math.log(n / (x * rest)) - HALF_LOG_2_PI
  );
}

/** log of the beta-binomial chance of `x` out of `n`. */
function logChance(x: number, n: number, a: number, b: number): number {
  return logBinomial(x, n, a / (a + b)) + logRise(a, x) + logRise(b, n - x) - logRise(a + b, n);
}

/**
 * Chance of `x` or more out of `n` under the beta-binomial distribution with real parameters.
 *
 * The lower tail is the upper one of what is left: `upperBetaBinomial(n - x, n, b, a)`.
 *
 * @param x Whole number, 0..n, above the mean `n a / (a + b)`: below it the sum is long and loses nothing but time.
 */
export function upperBetaBinomial(x: number, n: number, a: number, b: number): number {
  if (x <= 0) return 1;
  if (x > n) return 0;
  const start = addChances(x, n, a, b);
  if (start.last === n || start.isOver) return Math.min(1, start.sum);
  // Towards n chances may rise again, without bound if they were not whole: there they are added one by one, too.
  const end = Math.max(start.last + 1, n - LONG_SUM);
  const middle = end > start.last + 1 ? integrateChances(start.last + 1, end - 1, { n, a, b, sum: start.sum }) : 0;
  return Math.min(1, start.sum + middle + addChances(end, n, a, b).sum);
}

/** The sum of at most {@link LONG_SUM} chances and one from `x` on; it is over where more of them would change nothing. */
function addChances(x: number, n: number, a: number, b: number): { sum: number; last: number; isOver: boolean } {
  let chance = Math.exp(logChance(x, n, a, b));
  let sum = chance;
  const last = Math.min(n, x + LONG_SUM);
  for (let k = x; k < last; k++) {
    chance *= ((n - k) / (k + 1)) * ((a + k) / (b + n - k - 1));
    const next = sum + chance;
    // With b below 1 the chances of few that are left may be the largest.
    if (next === sum && b >= 1) return { sum, last: k, isOver: true };
    sum = next;
  }
  return { sum, last, isOver: false };
}

/** Nodes and weights of Gauss and Legendre with five points on -1..1. */
const NODES = [-0.906179845938664, -0.538469310105683, 0, 0.538469310105683, 0.906179845938664];
const WEIGHTS = [0.236926885056189, 0.478628670499366, 0.568888888888889, 0.478628670499366, 0.236926885056189];

/**
 * The sum of the chances from `x` to `last` as an integral from half before to half behind: where thousands of chances make a
 * tail, one differs from the next so little that the two are equal to 1e-7 of the tail.
 *
 * @param of `sum`: what there is already, which tells when a piece no longer matters.
 */
function integrateChances(x: number, last: number, { n, a, b, sum }: { n: number; a: number; b: number; sum: number }): number {
  const end = last + 0.5;
  let width = LONG_SUM / 4;
  let found = 0;
  for (let start = x - 0.5; start < end; ) {
    // Towards n pieces become narrow again.
    const half = Math.min(width, end - start, Math.max(LONG_SUM / 4, (n - start) / 4)) / 2;
    let piece = 0;
    for (let i = 0; i < NODES.length; i++) piece += WEIGHTS[i]! * half * Math.exp(logChance(start + half + half * NODES[i]!, n, a, b));
    found += piece;
    if (piece <= 1e-12 * (found + sum) && b >= 1) break;
    start += 2 * half;
    width *= 1.25;
  }
  return found;
}
