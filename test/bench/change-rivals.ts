/**
 * Other rules for counts that change, from their published definitions, as scores of one day of a series: the larger the less
 * usual. A series holds the counts of observed days; what comes behind day `t` is not looked at.
 *
 * EARS C2: Hutwagner et al. 2003; seven days, two left out. Farrington flexible: Noufaily et al. 2013, of a level without
 * trend or season, as there is a month to go by: quasi-Poisson, past outbreaks weighed down, negative-binomial tail. CUSUM:
 * sums of deviates on the square-root scale 2 sqrt(x + 3/8), k = 1/2, over seven days. Held against R's `surveillance` in the
 * record of the runs.
 */
import { upperTail } from "../../lib/statistics/distributions.ts";

export type Rule = (series: readonly number[], t: number) => number;

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

export const earsC2: Rule = (series, t) => {
  const past = series.slice(Math.max(0, t - 9), Math.max(0, t - 2));
  if (past.length < 7) return 0;
  const middle = mean(past);
  const sd = Math.sqrt(past.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (past.length - 1));
  return (series[t]! - middle) / Math.max(1, sd);
};

export const farrington: Rule = (series, t) => {
  const past = series.slice(Math.max(0, t - 29), Math.max(0, t - 1));
  if (past.length < 7) return 0;
  let weights = past.map(() => 1);
  let [level, phi] = [0, 1];
  for (let round = 0; round < 3; round++) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    level = Math.max(0.05, past.reduce((sum, value, i) => sum + weights[i]! * value, 0) / total);
    phi = Math.max(1, past.reduce((sum, value, i) => sum + (weights[i]! * (value - level) ** 2) / level, 0) / (past.length - 1));
    const residuals = past.map(value => (1.5 * (Math.cbrt(value) ** 2 - Math.cbrt(level) ** 2)) / (Math.cbrt(level) ** 0.5 * Math.sqrt(phi)));
    weights = residuals.map(residual => (residual > 2.58 ? residual ** -2 : 1));
  }
  const variance = phi * level * (1 + 1 / past.length);
  return series[t]! <= level ? 0 : -Math.log10(Math.max(1e-300, upperTail(series[t]!, level, variance)));
};

export const cusum: Rule = (series, t) => {
  const past = series.slice(Math.max(0, t - 35), Math.max(0, t - 7));
  if (past.length < 7) return 0;
  const level = mean(past);
  const phi = Math.max(1, past.reduce((sum, value) => sum + (value - level) ** 2, 0) / Math.max(level, 0.05) / (past.length - 1));
  let sum = 0;
  for (let i = t - 6; i <= t; i++) {
    const deviate = (2 * (Math.sqrt(series[i]! + 0.375) - Math.sqrt(level + 0.375))) / Math.sqrt(phi);
    sum = Math.max(0, sum + deviate - 0.5);
  }
  return sum;
};
