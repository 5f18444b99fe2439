import { describe, expect, test } from "bun:test";
import { measureNoise, type Noise, sizeOf, usualCorrelation } from "../../../lib/history/noise.ts";
import { seededRandom } from "../../support/random.ts";
import { gamma, poisson } from "../../support/simulate.ts";

const random = seededRandom("noise");
const ones = (n: number) => new Array<number>(n).fill(1);
/** Negative binomial of a size. */
const draw = (mean: number, size: number) => (size === Infinity ? poisson(random, mean) : poisson(random, (gamma(random, size) * mean) / size));
const series = (days: number, mean: (day: number) => number, size: number) => Array.from({ length: days }, (_, day) => draw(mean(day), size));
const correlation = ({ sum, weight }: Noise) => sum / weight;

describe("measureNoise", () => {
  test.each([[0.5], [2], [10]])("tells the size %p of many long series", size => {
    const noises = Array.from({ length: 60 }, () => measureNoise(series(120, () => 20, size), ones(120)));
    const sum = noises.reduce((all, one) => all + one.sum, 0);
    const weight = noises.reduce((all, one) => all + one.weight, 0);
    const found = (weight / sum - 1) / 2;
    expect(found / size).toBeGreaterThan(0.7);
    expect(found / size).toBeLessThan(1.7);
  });

  test("a level that changes once, and a burst of one day, are no noise", () => {
    const calm = series(60, () => 20, Infinity);
    const stepped = series(60, day => (day < 30 ? 2 : 40), Infinity);
    const burst = calm.map((count, day) => (day === 20 ? 2000 : count));
    expect(correlation(measureNoise(calm, ones(60)))).toBeLessThan(0.02);
    expect(correlation(measureNoise(stepped, ones(60)))).toBeLessThan(0.05);
    expect(correlation(measureNoise(burst, ones(60)))).toBeLessThan(0.02);
    expect(correlation(measureNoise(series(60, day => (day % 2 === 0 ? 0 : 40), Infinity), ones(60)))).toBeGreaterThan(0.8);
  });

  test("exposure that differs is no noise", () => {
    const exposure = Array.from({ length: 200 }, (_, day) => (day % 2 === 0 ? 0.3 : 1.7));
    expect(correlation(measureNoise(exposure.map(watched => poisson(random, 30 * watched)), exposure))).toBeLessThan(0.02);
  });

  test("a series without two events on neighbouring days says nothing", () => {
    expect(measureNoise([0, 1, 0, 0, 1], ones(5))).toEqual({ sum: 0, weight: 0 });
    expect(measureNoise([], [])).toEqual({ sum: 0, weight: 0 });
  });
});

test("a key that says little has what is usual for its kind, one that says much its own", () => {
  const noisy = measureNoise(series(400, () => 50, 0.5), ones(400));
  const usual = usualCorrelation(Array.from({ length: 50 }, () => measureNoise(series(60, () => 20, 20), ones(60))));
  expect(usual).toBeLessThan(0.06);
  expect(sizeOf({ sum: 0, weight: 0 }, usual)).toBeCloseTo((1 / usual - 1) / 2, 6);
  expect(sizeOf(noisy, usual)).toBeLessThan(1);
});
