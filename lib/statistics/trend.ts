/**
 * Slow change: a log-linear slope over the observed days, with Mann-Kendall as a check that asks nothing of the shape.
 */
import { type Coverage, isUsable } from "./coverage.ts";
import { normalTwoSided, studentQuantile, studentTwoSided } from "./distributions.ts";
import type { ChangeKind, KeyedRows, KeyValues } from "./keyed-rows.ts";

/** Keys per kind whose trend is fitted for the fleet, and event ids per sensor. */
export const TREND_KEYS = 10;
export const TREND_SENSOR_KEYS = 3;

/** Fewest observed days, and fewest counts, that a slope is fitted to. */
const TREND_MIN_DAYS = 14;
export const TREND_MIN_COUNT = 20;

/**
 * Fit counts = exposure * exp(a + b * day) by quasi-Poisson regression.
 *
 * Newton's method on two parameters; standard errors are widened by Pearson's dispersion (never below 1), and the
 * interval is Student's with n - 2 degrees of freedom.
 *
 * @param days Day of each count; any origin, not all equal.
 * @param exposures > 0.
 * @returns undefined with fewer than three days, no counts, or a slope that runs off (all counts on one edge).
 */
export function fitSlope(
  days: readonly number[],
  counts: readonly number[],
  exposures: readonly number[],
) {
  const n = days.length;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const watched = exposures.reduce((sum, exposure) => sum + exposure, 0);
  if (n < 3 || total <= 0) return undefined;
  const middle = days.reduce((sum, day) => sum + day, 0) / n;
  const length =
    days.reduce((most, day) => Math.max(most, day), -Infinity) - days.reduce((least, day) => Math.min(least, day), Infinity);
  let a = Math.log(total / watched);
  let b = 0;
  for (let round = 0; round < 50; round++) {
    let gradA = 0;
    let gradB = 0;
    let aa = 0;
    let ab = 0;
    let bb = 0;
    for (let i = 0; i < n; i++) {
      const x = days[i]! - middle;
      const mean = exposures[i]! * Math.exp(a + b * x);
      gradA += counts[i]! - mean;
      gradB += (counts[i]! - mean) * x;
      aa += mean;
      ab += mean * x;
      bb += mean * x * x;
    }
    const det = aa * bb - ab * ab;
    if (!(det > 1e-12 * aa * bb)) return undefined;
    const stepA = (bb * gradA - ab * gradB) / det;
    const stepB = (aa * gradB - ab * gradA) / det;
    // A far start can overshoot; half a unit on the log scale over the whole range is as far as one step may go.
    const reach = Math.max(Math.abs(stepA), Math.abs(stepB) * length);
    const damp = reach > 1 ? 1 / reach : 1;
    a += stepA * damp;
    b += stepB * damp;
    if (reach < 1e-10) {
      let pearson = 0;
      for (let i = 0; i < n; i++) {
        const mean = exposures[i]! * Math.exp(a + b * (days[i]! - middle));
        pearson += (counts[i]! - mean) ** 2 / mean;
      }
      const dispersion = Math.max(1, pearson / (n - 2));
      const error = Math.sqrt((dispersion * aa) / det);
      const reachOut = studentQuantile(0.05, n - 2) * error;
      const percent = (slope: number) => 100 * Math.expm1(7 * slope);
      return {
        percentPerWeek: percent(b),
        low: percent(b - reachOut),
        high: percent(b + reachOut),
        dispersion,
        p: studentTwoSided(b / error, n - 2),
      };
    }
  }
  return undefined;
}

/**
 * How many pairs rise, less how many fall: `sign(values[j] - values[i])` summed over all i < j.
 *
 * Not pair by pair, which takes minutes over some decades of days: a tree of running sums (Fenwick) tells how many earlier
 * values are smaller.
 */
function sumOfSigns(values: readonly number[]): number {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const ranks = new Map(sorted.map((value, i) => [value, i + 1]));
  const tree = new Int32Array(sorted.length + 1);
  const countUpTo = (rank: number) => {
    let count = 0;
    for (let i = rank; i > 0; i -= i & -i) count += tree[i]!;
    return count;
  };
  let sum = 0;
  for (const [seen, value] of values.entries()) {
    const rank = ranks.get(value)!;
    sum += countUpTo(rank - 1) - (seen - countUpTo(rank));
    for (let i = rank; i < tree.length; i += i & -i) tree[i]!++;
  }
  return sum;
}

/**
 * Mann-Kendall test for a monotone trend, ties allowed for, normal approximation with continuity correction.
 *
 * @returns Kendall's tau-a like S over all pairs, and a two-sided p; tau 0 and p 1 for fewer than three values.
 */
export function mannKendall(values: readonly number[]): { tau: number; p: number } {
  const n = values.length;
  if (n < 3) return { tau: 0, p: 1 };
  const s = sumOfSigns(values);
  const sizes = new Map<number, number>();
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  let variance = n * (n - 1) * (2 * n + 5);
  for (const size of sizes.values()) variance -= size * (size - 1) * (2 * size + 5);
  variance /= 18;
  const tau = s / ((n * (n - 1)) / 2);
  return { tau, p: variance > 0 ? normalTwoSided((s - Math.sign(s)) / Math.sqrt(variance)) : 1 };
}

export interface TrendRow<Key = KeyValues> {
  sensor: string | null;
  kind: ChangeKind;
  key: Key;
  observedDays: number;
  count: number;
  /** Percent per week with its 95 % interval, quasi-Poisson; null when no slope can be fitted. */
  percentPerWeek: number | null;
  low: number | null;
  high: number | null;
  dispersion: number;
  p: number;
  /** Mann-Kendall check of the same series: tau and two-sided p. */
  tau: number;
  kendallP: number;
}

/** The keys whose trends are fitted, most frequent first, ties in their order. */
export function chooseTrendKeys(totals: Float64Array, keys: number): number[] {
  const top: number[] = [];
  for (let key = 0; key < keys; key++) {
    const total = totals[key]!;
    if (total < TREND_MIN_COUNT) continue;
    if (top.length === TREND_KEYS && total <= totals[top.at(-1)!]!) continue;
    top.push(key);
    top.sort((a, b) => totals[b]! - totals[a]! || a - b);
    if (top.length > TREND_KEYS) top.pop();
  }
  return top;
}

/** Slopes of the most frequent keys of a kind for the fleet; of event ids for each sensor, too. */
export function fitTrends(kind: KeyedRows, coverage: Coverage): TrendRow<number>[] {
  return fitLeaders(kind, coverage).flatMap(({ trends }) => trends);
}

/** One of the most frequent keys, and its slopes if there are some. */
export interface TrendLeader {
  readonly key: number;
  readonly total: number;
  readonly trends: readonly TrendRow<number>[];
}

/** The most frequent keys in their order. */
export function fitLeaders(kind: KeyedRows, coverage: Coverage): TrendLeader[] {
  // Asked once: rows of several shapes come here, and looking each column up again for each row takes twice as long.
  const { rows, key: keyOf, count: countOf } = kind;
  const totals = new Float64Array(kind.keys);
  for (let row = 0; row < rows; row++) totals[keyOf[row]!]! += countOf[row]!;
  const top = chooseTrendKeys(totals, kind.keys);
  const laid = new LaidKeys(top.length, coverage);
  // Bytes, so that the table stays in the cache while every row asks it.
  const slotOf = new Uint8Array(kind.keys);
  for (const [slot, key] of top.entries()) slotOf[key] = slot + 1;
  laid.add(kind, slotOf);
  return top.map((key, slot) => ({ key, total: totals[key]!, trends: fitLaid(kind.kind, laid, { key, slot }) }));
}

/** Counts of some keys, laid out over sensors and days. */
export class LaidKeys {
  readonly coverage: Coverage;
  readonly #cells: number;
  readonly #laid: Float64Array;

  constructor(keys: number, coverage: Coverage) {
    this.coverage = coverage;
    this.#cells = coverage.sensors.length * coverage.days;
    this.#laid = new Float64Array(keys * this.#cells);
  }

  /** @param slotOf By key: its place here + 1, 0 = it is not wanted. */
  add({ rows, key, day, sensor, count }: Pick<KeyedRows, "rows" | "key" | "day" | "sensor" | "count">, slotOf: Uint8Array): void {
    const { firstDay, days } = this.coverage;
    for (let row = 0; row < rows; row++) {
      const slot = slotOf[key[row]!]! - 1;
      if (slot < 0) continue;
      this.#laid[slot * this.#cells + sensor[row]! * days + day[row]! - firstDay]! += count[row]!;
    }
  }

  of(slot: number): Float64Array {
    return this.#laid.subarray(slot * this.#cells, (slot + 1) * this.#cells);
  }
}

/** The slopes of a key that was laid out, for the fleet; for each sensor as well if it is among the first event ids. */
export function fitLaid(kind: ChangeKind, laid: LaidKeys, { key, slot }: { readonly key: number; readonly slot: number }): TrendRow<number>[] {
  const { coverage } = laid;
  const { sensors } = coverage;
  const all = sensors.map((_, sensor) => sensor);
  const scopes: (number | null)[] = sensors.length > 1 ? [null] : [0];
  if (sensors.length > 1 && kind === "event" && slot < TREND_SENSOR_KEYS) scopes.push(...all);
  return scopes.flatMap(scope => {
    const trend = fitTrend(laid.of(slot), coverage, scope === null ? all : [scope]);
    return trend === undefined ? [] : [{ sensor: scope === null ? null : sensors[scope]!, kind, key, ...trend }];
  });
}

/**
 * One series over the sensors that were up, day by day.
 *
 * A sensor counts as so much exposure as its own mean rate, so that one that joins or leaves makes no trend.
 */
function fitTrend(
  laid: Float64Array,
  coverage: Coverage,
  sensors: readonly number[],
): Omit<TrendRow, "sensor" | "kind" | "key"> | undefined {
  const { days, exposure } = coverage;
  const counts = new Float64Array(days);
  const wanted = new Float64Array(days);
  for (const sensor of sensors) {
    let sum = 0;
    let watched = 0;
    for (let cell = sensor * days; cell < (sensor + 1) * days; cell++) {
      if (!isUsable(coverage, cell)) continue;
      sum += laid[cell]!;
      watched += exposure[cell]!;
    }
    if (sum === 0) continue;
    for (let offset = 0; offset < days; offset++) {
      const cell = sensor * days + offset;
      if (!isUsable(coverage, cell)) continue;
      counts[offset]! += laid[cell]!;
      wanted[offset]! += (sum / watched) * exposure[cell]!;
    }
  }
  const observed: number[] = [];
  for (let offset = 0; offset < days; offset++) if (wanted[offset]! > 0) observed.push(offset);
  const count = observed.reduce((sum, offset) => sum + counts[offset]!, 0);
  if (observed.length < TREND_MIN_DAYS || count < TREND_MIN_COUNT) return undefined;
  const slope = fitSlope(observed, observed.map(offset => counts[offset]!), observed.map(offset => wanted[offset]!));
  const kendall = mannKendall(observed.map(offset => counts[offset]! / wanted[offset]!));
  return {
    observedDays: observed.length,
    count,
    percentPerWeek: slope?.percentPerWeek ?? null,
    low: slope?.low ?? null,
    high: slope?.high ?? null,
    dispersion: slope?.dispersion ?? 1,
    p: slope?.p ?? 1,
    tau: kendall.tau,
    kendallP: kendall.p,
  };
}
