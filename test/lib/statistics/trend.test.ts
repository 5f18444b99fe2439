import { describe, expect, test } from "bun:test";
import { fitSlope, mannKendall } from "../../../lib/statistics/trend.ts";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import { buildReduced } from "../../support/build.ts";
import { command, dateOf, watch } from "../../support/days.ts";
import { overdispersed } from "../../support/simulate.ts";
import { seededRandom } from "../../support/random.ts";

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

describe("fitSlope", () => {
  test("finds a pure exponential", () => {
    const days = range(40);
    const slope = fitSlope(days, days.map(day => 50 * Math.exp(0.02 * day)), days.map(() => 1))!;
    expect(slope.percentPerWeek).toBeCloseTo(100 * Math.expm1(0.14), 6);
    const { percentPerWeek, low, high } = slope;
    expect([slope.dispersion, low < percentPerWeek, high > percentPerWeek]).toEqual([1, true, true]);
  });
  test("half a day's watch counts for half", () => {
    const days = range(40);
    const exposures = days.map(day => (day % 3 === 0 ? 0.5 : 1));
    const slope = fitSlope(days, exposures.map(exposure => 80 * exposure), exposures)!;
    expect(slope.percentPerWeek).toBeCloseTo(0, 9);
  });
  test("the interval holds the truth about 95 times in 100", () => {
    let held = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed);
      const days = range(35);
      const counts = days.map(day => overdispersed(random, 20 * Math.exp(0.01 * day), 3));
      const slope = fitSlope(days, counts, days.map(() => 1))!;
      const truth = 100 * Math.expm1(0.07);
      if (slope.low <= truth && truth <= slope.high) held++;
    }
    expect(held / 300).toBeGreaterThan(0.91);
    expect(held / 300).toBeLessThan(0.985);
  });
  test("nothing to fit", () => {
    expect(fitSlope([], [], [])).toBeUndefined();
    expect(fitSlope([1, 2, 3], [0, 0, 0], [1, 1, 1])).toBeUndefined();
    expect(fitSlope([5, 5, 5], [1, 2, 3], [1, 1, 1])).toBeUndefined();
  });
  test("all counts on the last day run off and give no slope", () => {
    expect(fitSlope([0, 1, 2, 3], [0, 0, 0, 9], [1, 1, 1, 1])?.percentPerWeek ?? Infinity).toBeGreaterThan(1e6);
  });
});

describe("mannKendall", () => {
  test("is what all pairs say, with ties and without", () => {
    const random = seededRandom("pairs");
    for (const [n, distinct] of [
      [3, 2],
      [40, 4],
      [200, 1000],
    ] as const) {
      const values = Array.from({ length: n }, () => random.int(distinct));
      let sum = 0;
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) sum += Math.sign(values[j]! - values[i]!);
      expect(mannKendall(values).tau).toBe(sum / ((n * (n - 1)) / 2));
    }
  });

  test("a rising series", () => {
    // n = 10, S = 45, variance 125: z = 44 / sqrt(125) = 3.9355.
    expect(mannKendall(range(10))).toEqual({ tau: 1, p: expect.closeTo(8.3031e-5, 8) });
  });
  test("ties make the variance smaller", () => {
    // S = 8 - 0 over 1 1 2 2 3: pairs rising 8; variance (5*4*15 - 2 * 2*1*9) / 18 = 264 / 18.
    const { tau, p } = mannKendall([1, 1, 2, 2, 3]);
    expect(tau).toBeCloseTo(0.8, 12);
    expect(p).toBeCloseTo(0.067577, 5); // z = 7 / sqrt(14.667) = 1.8278
  });
  test("constant and short series have no trend", () => {
    expect(mannKendall([3, 3, 3, 3])).toEqual({ tau: 0, p: 1 });
    expect(mannKendall([1, 2])).toEqual({ tau: 0, p: 1 });
  });
});

test("a sensor that joins makes no trend for the fleet", () => {
  const of = (sensor: string) => [...watch(sensor, 40), ...command(sensor, "id", range(40).map(() => 60))];
  const rows = [...of("a"), ...of("b").filter(row => row.date >= dateOf(20))];
  const { trends } = computeStatistics(buildReduced(rows));
  const trend = trends.find(({ kind, sensor }) => kind === "command" && sensor === null)!;
  expect([trend.count, trend.observedDays]).toEqual([3600, 40]);
  expect(trend.percentPerWeek).toBeCloseTo(0, 9);
});

test("nor does one that joins with another rate", () => {
  const of = (sensor: string, rate: number) => [...watch(sensor, 40), ...command(sensor, "id", range(40).map(() => rate))];
  const rows = [...of("a", 60), ...of("b", 300).filter(row => row.date >= dateOf(20))];
  const { trends } = computeStatistics(buildReduced(rows));
  const trend = trends.find(({ kind, sensor }) => kind === "command" && sensor === null)!;
  expect(trend.count).toBe(40 * 60 + 20 * 300);
  expect(trend.percentPerWeek).toBeCloseTo(0, 9);
});

test("trends are those of the most frequent keys, whatever order they come in", () => {
  const rates = [3, 30, 7, 40, 12, 1, 25, 9, 50, 5, 18, 2];
  const rows = rates.flatMap((rate, i) => command("a", `command ${String.fromCharCode(97 + i)}`, range(40).map(() => rate)));
  const { trends } = computeStatistics(buildReduced([...watch("a", 40), ...rows]));
  const counts = trends.filter(({ kind }) => kind === "command").map(({ count }) => count);
  expect(counts.sort((a, b) => b - a)).toEqual([50, 40, 30, 25, 18, 12, 9, 7, 5, 3].map(rate => 40 * rate));
});

test("a key of twenty events has a trend, one of nineteen has none", () => {
  const rare = (name: string, n: number) => command("a", name, range(40).map(day => Number(day % 2 === 0 && day < 2 * n)));
  const { trends } = computeStatistics(buildReduced([...watch("a", 40), ...rare("id", 20), ...rare("w", 19)]));
  expect(trends.filter(({ kind, sensor }) => kind === "command" && sensor !== null).map(({ key, count }) => [key[0], count])).toEqual([
    ["id", 20],
  ]);
});

test("fourteen days have a trend, thirteen have none", () => {
  const trendsOf = (days: number) => computeStatistics(buildReduced([...watch("a", days), ...command("a", "id", range(days).map(() => 5))])).trends;
  expect(trendsOf(14).filter(({ kind }) => kind === "command").map(({ observedDays, count }) => [observedDays, count])).toEqual([[14, 70]]);
  expect(trendsOf(13)).toEqual([]);
});

test("a key seen on its last day alone has no slope, and no interval", () => {
  const { trends } = computeStatistics(buildReduced([...watch("a", 40), ...command("a", "id", range(40).map(day => (day === 39 ? 90 : 0)))]));
  const { percentPerWeek, low, high, count } = trends.find(({ kind }) => kind === "command")!;
  expect({ percentPerWeek, low, high, count }).toEqual({ percentPerWeek: null, low: null, high: null, count: 90 });
});
