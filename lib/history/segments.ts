/**
 * Change points of a series of daily counts: where its level changed, and what it was between.
 *
 * Counts are negative binomial around a piecewise constant rate, with the exposure as offset: a day of exposure E at rate
 * m has mean mE and size rE, so that days add up (a day watched twice as long is two days) and the cost of a segment needs
 * nothing but its sums. Segmentation is exact: the optimal partition under a penalty for each change, found by PELT
 * (Killick, Fearnhead and Eckley 2012), whose pruning loses nothing because splitting never costs likelihood. The model
 * with one size for all segments is that of Cleynen et al. 2014 (Segmentor3IsBack).
 */

/** Days from `start` to before `end`, by their place in the series, and their rate per unit of exposure. */
export interface Segment {
  readonly start: number;
  readonly end: number;
  readonly rate: number;
}

export interface SegmentOptions {
  /** Size of the negative binomial per unit of exposure; Infinity = Poisson. */
  readonly size: number;
  /** What each change must gain in twice the log-likelihood, at least. */
  readonly penalty: number;
}

/** Days that a segment stands for on average, at least: a series of 30 days has at most ten. */
const DAYS_PER_SEGMENT = 3;

/**
 * The optimal segmentation of a series.
 *
 * @param counts One per observed day, whole numbers >= 0.
 * @param exposure The same length; each > 0.
 * @returns Segments in order, that cover the series; one where nothing changed, none for an empty series. Where there
 *   would be more than one per {@link DAYS_PER_SEGMENT} days, the penalty is raised until there are not.
 */
export function segmentSeries(
  counts: ArrayLike<number>,
  exposure: ArrayLike<number>,
  { size, penalty }: SegmentOptions,
): Segment[] {
  const n = counts.length;
  if (n === 0) return [];
  const sums = runningSums(counts, exposure);
  const most = Math.max(1, Math.ceil(n / DAYS_PER_SEGMENT));
  for (let price = penalty; ; price *= 1.5) {
    const segments = partition(sums, size, price);
    if (segments.length <= most) return segments;
  }
}

/**
 * What a segment costs: minus twice its log-likelihood at its own rate, but for terms that no partition changes.
 *
 * @param count Sum of its counts.
 * @param exposure Sum of its exposure, > 0.
 */
export function segmentCost(count: number, exposure: number, size: number): number {
  if (size === Infinity) return count === 0 ? 0 : -2 * count * (Math.log(count / exposure) - 1);
  const shape = size * exposure;
  return 2 * (entropy(count + shape) - entropyOfCount(count) - entropy(shape));
}

/** x log x. */
function entropy(x: number): number {
  return x > 0 ? x * Math.log(x) : 0;
}

/** {@link entropy} of the counts that most sums are: a series of a year asks for it 66,000 times. */
const ENTROPIES = Float64Array.from({ length: 1 << 14 }, (_, count) => entropy(count));

function entropyOfCount(count: number): number {
  return count < ENTROPIES.length && count === (count | 0) ? ENTROPIES[count]! : entropy(count);
}

/** Sums up to each place where a segment may start or end. */
interface Sums {
  /** Days before the place. */
  readonly days: Int32Array;
  readonly count: Float64Array;
  readonly exposure: Float64Array;
}

/**
 * Running sums; a run of days without a count is one step.
 *
 * Nothing is lost by it: the cost of a segment at its own rate is the least of many that are linear in its sums, so it is concave
 * in them, and as an end moves through such a run only exposure changes sides. The sum of both costs is then concave too, and
 * least at an end of the run. Most keys are absent on most days, and the work grows with the square of the steps.
 */
function runningSums(counts: ArrayLike<number>, exposure: ArrayLike<number>): Sums {
  const n = counts.length;
  const [days, count, watched] = [new Int32Array(n + 1), new Float64Array(n + 1), new Float64Array(n + 1)];
  let steps = 0;
  for (let i = 0; i < n; i++) {
    const goesOn = i > 0 && counts[i] === 0 && counts[i - 1] === 0;
    if (!goesOn) {
      count[steps + 1] = count[steps]! + counts[i]!;
      watched[steps + 1] = watched[steps]!;
      steps++;
    }
    watched[steps]! += exposure[i]!;
    days[steps] = i + 1;
  }
  return { days: days.subarray(0, steps + 1), count: count.subarray(0, steps + 1), exposure: watched.subarray(0, steps + 1) };
}

/** More than the sums of some thousand logarithms are off by. */
const ROUNDING = 1e-6;

function partition({ days, count, exposure }: Sums, size: number, penalty: number): Segment[] {
  const n = count.length - 1;
  /** Least cost of the first i days, and where the last segment of that partition starts. */
  const best = new Float64Array(n + 1);
  const startOf = new Int32Array(n + 1);
  best[0] = -penalty;
  /** Starts that a last segment may still have. */
  const starts = new Int32Array(n);
  // A segment costs at least what it cost up to some place and each step behind that by itself: from a cost once known most
  // starts are seen to lose, without their costs anew. What a start cost, less the steps up to there, taken by themselves.
  const keys = new Float64Array(n);
  let open = 0;
  let steps = 0;
  /** Place among the starts of the one that the step before had. */
  let last = 0;
  for (let end = 1; end <= n; end++) {
    const counted = count[end]!;
    const watched = exposure[end]!;
    const costFrom = (start: number) => best[start]! + segmentCost(counted - count[start]!, watched - exposure[start]!, size);
    steps += segmentCost(count[end]! - count[end - 1]!, exposure[end]! - exposure[end - 1]!, size);
    starts[open] = end - 1;
    keys[open++] = -Infinity;
    // Where it began for the step before it begins most often.
    let from = last;
    let cost = costFrom(starts[last]!);
    let least = cost + penalty;
    let limit = cost - steps + ROUNDING;
    keys[last] = cost - steps;
    for (let i = 0; i < open; i++) {
      if (keys[i]! > limit || i === last) continue;
      cost = costFrom(starts[i]!);
      keys[i] = cost - steps;
      // Of equal ones the first.
      if (cost + penalty > least || (cost + penalty === least && i > from)) continue;
      least = cost + penalty;
      limit = cost - steps + ROUNDING;
      from = i;
    }
    best[end] = least;
    startOf[end] = starts[from]!;
    let kept = 0;
    // A start that is worse than starting anew here stays worse, however the series goes on.
    for (let i = 0; i < open; i++) {
      if (keys[i]! > least - steps + ROUNDING) continue;
      if (i === from) last = kept;
      starts[kept] = starts[i]!;
      keys[kept++] = keys[i]!;
    }
    open = kept;
  }
  const segments: Segment[] = [];
  for (let end = n; end > 0; end = startOf[end]!) {
    const start = startOf[end]!;
    segments.push({ start: days[start]!, end: days[end]!, rate: (count[end]! - count[start]!) / (exposure[end]! - exposure[start]!) });
  }
  return segments.reverse();
}
