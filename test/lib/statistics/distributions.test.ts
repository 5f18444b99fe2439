import { describe, expect, test } from "bun:test";
import EXACT_TAILS from "../../fixtures/tails.json";
import {
  binomialTwoSided,
  chiSquareUpper,
  falseDiscovery,
  normalTwoSided,
  rateRatioInterval,
  studentQuantile,
  studentTwoSided,
  upperTail,
} from "../../../lib/statistics/distributions.ts";
import { seededRandom } from "../../support/random.ts";

/** Poisson or negative-binomial chances added up one by one, the obvious way. */
function plainTail(count: number, mean: number, variance: number): number {
  const chances: number[] = [];
  const poisson = variance <= mean;
  const size = (mean * mean) / (variance - mean);
  chances.push(poisson ? Math.exp(-mean) : (size / (size + mean)) ** size);
  for (let k = 1; k < 3000; k++) {
    const step = poisson ? mean / k : ((k - 1 + size) / k) * (mean / (size + mean));
    chances.push(chances[k - 1]! * step);
  }
  return chances.slice(count).reduceRight((total, x) => total + x, 0);
}

const { incbet } = require("cephes") as typeof import("cephes");

/** Made by adding up every chance in decimals of 90 digits; cut to 60. */
interface ExactTail {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
  readonly upper: string;
}

describe("tails", () => {
  test("agree with sums of 60 digits, where counts and sizes are large too", () => {
    expect(EXACT_TAILS.length).toBeGreaterThan(150);
    let compared = 0;
    for (const { count, mean, variance, upper } of EXACT_TAILS as ExactTail[]) {
      // A negative binomial this near Poisson has a size of 1e6 and more: six digits are what is left of a power of it.
      const digits = variance > mean && (mean * mean) / (variance - mean) > 1e6 ? 5 : 8;
      if (Number(upper) < 1e-300) continue;
      compared++;
      const ratio = upperTail(count, mean, variance) / Number(upper);
      expect({ count, mean, variance, ratio }).toEqual({ count, mean, variance, ratio: expect.closeTo(1, digits) });
    }
    expect(compared).toBeGreaterThan(150);
  });

  test("agree with chances added up one by one", () => {
    const shapes = [[0.02, 0.02], [0.5, 1.4], [3, 3], [7, 21], [40, 320], [100, 103.6]] as const;
    for (const [mean, variance] of shapes) {
      for (const count of [0, 1, 2, 5, 9, 30, 80, 150]) {
        const upper = plainTail(count, mean, variance);
        const at = { mean, variance, count };
        const one = { ...at, ratio: expect.closeTo(1, 9) };
        // Beyond the smallest double the plain sum has nothing left to compare with.
        if (upper > 1e-290) expect({ ...at, ratio: upperTail(count, mean, variance) / upper }).toEqual(one);
      }
    }
  });

  test("a very small tail is not zero", () => {
    expect(upperTail(400, 50, 50)).toBeGreaterThan(0);
    expect(upperTail(400, 50, 50)).toBeLessThan(1e-150);
    expect(upperTail(100_000, 1000, 3000)).toBeLessThan(1e-300);
  });

  test("a Poisson tail below the smallest double is 0, and what lies beside it 1", () => {
    expect([upperTail(5000, 50, 50), upperTail(50, 5000, 5000)]).toEqual([0, 1]);
    expect([normalTwoSided(60), chiSquareUpper(1e5, 4), chiSquareUpper(1e-4, 1e4)]).toEqual([0, 0, 1]);
  });

  test("a variance at the mean is Poisson, and the two meet", () => {
    const poisson = upperTail(30, 20, 20);
    expect(upperTail(30, 20, 20 * (1 + 1e-7)) / poisson).toBeCloseTo(1, 5);
    expect(upperTail(30, 20, 20 * (1 + 1e-10))).toBe(poisson);
  });
});

describe("rateRatioInterval", () => {
  test("is Clopper-Pearson turned into odds", () => {
    // 10 of 30 at a share of one half: Clopper-Pearson 0.17287..0.52812 (R: binom.test(10, 30)).
    const { low, high } = rateRatioInterval(10, 20, 1, 1);
    expect(low / (1 + low)).toBeCloseTo(0.172871, 4);
    expect(high! / (1 + high!)).toBeCloseTo(0.52812, 4);
  });

  test("has an open end where a count is 0", () => {
    expect(rateRatioInterval(0, 28, 1 / 28, 1).low).toBe(0);
    // 1 - 0.025 ** (1 / 28) as odds, over 1/28.
    expect(rateRatioInterval(0, 28, 1 / 28, 1).high).toBeCloseTo(28 * (0.025 ** (-1 / 28) - 1), 9);
    expect(rateRatioInterval(5, 0, 1 / 28, 1).high).toBeNull();
    expect(rateRatioInterval(5, 0, 1 / 28, 1).low).toBeGreaterThan(1);
  });

  test("turns the binomial around for counts of any size and any dispersion", () => {
    const random = seededRandom(3);
    let turned = 0;
    for (let i = 0; i < 300; i++) {
      const [count, baselineCount] = [Math.floor(10 ** (random.next() * 6)), Math.floor(10 ** (random.next() * 6))];
      const dispersion = 10 ** (random.next() * 3);
      const { low, high } = rateRatioInterval(count, baselineCount, 1, dispersion);
      const [a, b] = [count / dispersion, baselineCount / dispersion];
      const at = { count, baselineCount, dispersion };
      // The chance of so much or more at the low end, and of so little or less at the high end, is 2.5 % each.
      for (const [odds, x, y] of [[low, a, b], [high === null ? 0 : 1 / high, b, a]] as const) {
        if (odds < 1e-250) continue;
        turned++;
        expect({ ...at, tail: incbet(x, y + 1, odds / (1 + odds)) }).toEqual({ ...at, tail: expect.closeTo(0.025, 9) });
      }
    }
    expect(turned).toBeGreaterThan(500);
  });

  test("is about twice as wide on the log scale at a dispersion of 4", () => {
    const width = (phi: number) => {
      const { low, high } = rateRatioInterval(400, 28 * 400, 1 / 28, phi);
      return Math.log(high! / low);
    };
    expect(width(4) / width(1)).toBeCloseTo(2, 1);
  });
});

test("binomialTwoSided agrees with chances added up", () => {
  const n = 20;
  const share = 0.3;
  let lower = 0;
  let chance = (1 - share) ** n;
  for (let k = 0; k <= n; k++) {
    const upper = 1 - lower;
    lower += chance;
    expect(binomialTwoSided(k, n, share)).toBeCloseTo(Math.min(1, 2 * lower, 2 * upper), 9);
    chance *= ((n - k) / (k + 1)) * (share / (1 - share));
  }
});

test("normal, Student and chi-square match the tables", () => {
  expect(normalTwoSided(1.959963984540054)).toBeCloseTo(0.05, 12);
  expect(studentTwoSided(2.228138852, 10)).toBeCloseTo(0.05, 8);
  expect(studentQuantile(0.05, 10)).toBeCloseTo(2.228138852, 8);
  expect(chiSquareUpper(12.591587, 6)).toBeCloseTo(0.05, 6);
});

describe("falseDiscovery", () => {
  // R: p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.5), "BH") and "BY".
  const p = Float64Array.of(0.01, 0.04, 0.03, 0.005, 0.5);
  test("Benjamini-Hochberg", () => {
    expect([...falseDiscovery(p, false)].map(q => q.toFixed(6))).toEqual(
      [0.025, 0.05, 0.05, 0.025, 0.5].map(q => q.toFixed(6)),
    );
  });
  test("Benjamini-Yekutieli is larger by the harmonic sum", () => {
    const sum = 1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5;
    expect(falseDiscovery(p, true)[0]).toBeCloseTo(0.025 * sum, 12);
    expect(falseDiscovery(p, true)[4]).toBe(1);
  });
  test("large values may be left out when their number is given", () => {
    const q = falseDiscovery(p.subarray(0, 4), false, 5);
    expect([...q]).toEqual([...falseDiscovery(p, false).subarray(0, 4)]);
  });
  test("no test, no answer", () => {
    expect([...falseDiscovery(new Float64Array(0), true)]).toEqual([]);
  });
});
