/**
 * What a segmentation says of a key: levels that hold for days, and bursts.
 *
 * A burst, three days at most, is a fact wherever its days lie; no test can say more of it than that it was. A level holds
 * longer, and is told from the next only if its days rank above or below the other's: one large day among many does not
 * make a level, and days in any other order would not have made it.
 */
import { type Segment, type SegmentOptions, segmentSeries } from "./segments.ts";

/**
 * What a change must gain in twice the log-likelihood.
 *
 * With it and the rank test below, of the keys of real logs whose days were shuffled less than one in a hundred has a change
 * of level.
 */
export const PENALTY = 16;
/** Days of a burst at most. */
export const BURST_DAYS = 3;
/** Deviate of the rank test between two levels that follow each other, at least. */
const LEAST_DEVIATE = 3.3;
/** Where all days of one rank above all of the other, the deviate is too strict: so many orders of the days must not do that. */
const LEAST_ORDERS = 2000;

export interface Level {
  /** Places of its first day and behind its last; bursts and dips lie inside as well. */
  readonly start: number;
  readonly end: number;
  /** Mean rate of its days but for bursts. */
  readonly rate: number;
}

export interface Shape {
  /** In order, covering the series; one where no level changed, none for an empty series. */
  readonly levels: readonly Level[];
  readonly bursts: readonly Segment[];
}

export interface ShapeOptions extends SegmentOptions {
  /** How many series of one key are asked: each must then say the more clearly what it says. */
  readonly series?: number;
}

/** Find levels and bursts; see {@link segmentSeries} for what is asked for. */
export function findShape(counts: ArrayLike<number>, exposure: ArrayLike<number>, { series = 1, ...options }: ShapeOptions): Shape {
  // A chance that is so many times smaller: of a likelihood ratio, and nearly so of a normal deviate's square.
  const more = 2 * Math.log(series);
  const least = { deviate: Math.sqrt(LEAST_DEVIATE ** 2 + more), orders: LEAST_ORDERS * series };
  const segments = segmentSeries(counts, exposure, { ...options, penalty: options.penalty + more });
  const bursts = segments.filter(({ start, end, rate }, i) => {
    const around = [segments[i - 1], segments[i + 1]].filter(other => other !== undefined);
    return end - start <= BURST_DAYS && around.length > 0 && around.every(other => other.rate < rate);
  });
  const rates = Float64Array.from(counts, (count, i) => count / exposure[i]!);
  let parts = segments
    .filter(segment => !bursts.includes(segment))
    .map(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i));
  // A dip is as short as a burst; it goes to the days before it, or behind it at the start.
  parts = mergeWhere(parts, (a, b) => (Math.min(a.length, b.length) <= BURST_DAYS ? 0 : Infinity));
  const ratesOf = (days: readonly number[]) => Float64Array.from({ length: days.length }, (_, i) => rates[days[i]!]!);
  parts = mergeWhere(parts, (a, b) => {
    const [first, second] = [ratesOf(a), ratesOf(b)];
    const deviate = Math.abs(rankDeviate(first, second));
    return deviate < least.deviate && !areApart(first, second, least.orders) ? deviate : Infinity;
  });
  const levels = parts.map((days, i): Level => {
    const sum = (of: ArrayLike<number>) => days.reduce((total, day) => total + of[day]!, 0);
    const start = i === 0 ? 0 : days[0]!;
    const end = i === parts.length - 1 ? counts.length : parts[i + 1]![0]!;
    return { start, end, rate: sum(counts) / sum(exposure) };
  });
  return { levels, bursts };
}

/** Whether all values of one list lie above all of the other, and one in so many orders at most does that. */
function areApart(a: Float64Array, b: Float64Array, leastOrders: number): boolean {
  if (Math.max(...a) >= Math.min(...b) && Math.max(...b) >= Math.min(...a)) return false;
  const few = Math.min(a.length, b.length);
  let orders = 1;
  for (let i = 1; i <= few && orders < leastOrders; i++) orders *= (a.length + b.length - few + i) / i;
  return orders >= leastOrders;
}

/** Merge neighbours, those of the least cost first, until none has a finite one. */
function mergeWhere(parts: number[][], cost: (a: number[], b: number[]) => number): number[][] {
  const merged = [...parts];
  const costs = merged.slice(1).map((part, i) => cost(merged[i]!, part));
  for (;;) {
    let least = Infinity;
    let at = -1;
    for (let i = 0; i < costs.length; i++) if (costs[i]! < least) [least, at] = [costs[i]!, i];
    if (at < 0) return merged;
    merged.splice(at, 2, [...merged[at]!, ...merged[at + 1]!]);
    costs.splice(at, 1);
    // To all others the neighbours are what they were.
    if (at > 0) costs[at - 1] = cost(merged[at - 1]!, merged[at]!);
    if (at < costs.length) costs[at] = cost(merged[at]!, merged[at + 1]!);
  }
}

/**
 * Deviate of the Mann-Whitney test, corrected for ties: how far the second list ranks above the first.
 *
 * @returns 0 where all values are equal or a list is empty.
 */
export function rankDeviate(first: ArrayLike<number>, second: ArrayLike<number>): number {
  // Numbers sort by themselves, without a comparison of ours.
  const [a, b] = [Float64Array.from(first).sort(), Float64Array.from(second).sort()];
  const [n, m] = [a.length, b.length];
  const total = n + m;
  let ranks = 0;
  let ties = 0;
  for (let i = 0, j = 0; i < n || j < m; ) {
    const value = j === m || (i < n && a[i]! <= b[j]!) ? a[i]! : b[j]!;
    const start = i + j;
    const before = j;
    while (i < n && a[i] === value) i++;
    while (j < m && b[j] === value) j++;
    const tied = i + j - start;
    ties += tied ** 3 - tied;
    ranks += ((j - before) * (start + 1 + i + j)) / 2;
  }
  const variance = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)));
  return variance > 0 ? (ranks - (m * (total + 1)) / 2) / Math.sqrt(variance) : 0;
}
