/**
 * Slow change: a log-linear slope over the observed days, with Mann-Kendall as a check that asks nothing of the shape.
 */
import { normalTwoSided, studentQuantile, studentTwoSided } from "./distributions.ts";

/** Fewest observed days, and fewest counts, that a slope is fitted to. */
export const TREND_MIN_DAYS = 14;
export const TREND_MIN_COUNT = 20;

export interface Slope {
  percentPerWeek: number;
  low: number;
  high: number;
  dispersion: number;
  p: number;
}

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
): Slope | undefined {
  const n = days.length;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const watched = exposures.reduce((sum, exposure) => sum + exposure, 0);
  if (n < 3 || total <= 0) return undefined;
  const middle = days.reduce((sum, day) => sum + day, 0) / n;
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
    const reach = Math.max(Math.abs(stepA), Math.abs(stepB) * (Math.max(...days) - Math.min(...days)));
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
 * Mann-Kendall test for a monotone trend, ties allowed for, normal approximation with continuity correction.
 *
 * @returns Kendall's tau-a like S over all pairs, and a two-sided p; tau 0 and p 1 for fewer than three values.
 */
export function mannKendall(values: readonly number[]): { tau: number; p: number } {
  const n = values.length;
  if (n < 3) return { tau: 0, p: 1 };
  let s = 0;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) s += Math.sign(values[j]! - values[i]!);
  const sizes = new Map<number, number>();
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  let variance = n * (n - 1) * (2 * n + 5);
  for (const size of sizes.values()) variance -= size * (size - 1) * (2 * size + 5);
  variance /= 18;
  const tau = s / ((n * (n - 1)) / 2);
  return { tau, p: variance > 0 ? normalTwoSided((s - Math.sign(s)) / Math.sqrt(variance)) : 1 };
}
