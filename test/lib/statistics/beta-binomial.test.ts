import { describe, expect, test } from "bun:test";
import EXACT from "../../fixtures/beta-binomial.json";
import { logBinomial, logRise, upperBetaBinomial } from "../../../lib/statistics/beta-binomial.ts";

// The fixture was worked out with 60 digits (mpmath 1.3: loggamma, and sums of all chances).

test("logRise() agrees with 60 digits, from tiny to huge arguments", () => {
  expect(EXACT.rise.length).toBeGreaterThan(90);
  for (const { a, n, log } of EXACT.rise) {
    const off = Math.abs(logRise(a, n) - Number(log)) / Math.max(1, n / 100);
    expect({ a, n, isNear: off < 1e-11 }).toEqual({ a, n, isNear: true });
  }
});

describe("upperBetaBinomial()", () => {
  test("agrees with sums of 60 digits, where tails are long or tiny too", () => {
    expect(EXACT.tails.length).toBeGreaterThan(300);
    for (const { x, n, a, b, upper } of EXACT.tails) {
      const off = Math.abs(upperBetaBinomial(x, n, a, b) / Number(upper) - 1);
      expect({ x, n, a, b, isNear: off < 1e-8 }).toEqual({ x, n, a, b, isNear: true });
    }
  });
  test("both tails overlap in one chance", () => {
    for (const [x, n, a, b] of [[3, 11, 0.4, 7], [1, 5, 30, 90], [20, 50, 2, 3]] as const) {
      const upper = upperBetaBinomial(x, n, a, b);
      const lower = upperBetaBinomial(n - x, n, b, a);
      const next = upperBetaBinomial(x + 1, n, a, b);
      expect(upper + lower - (upper - next)).toBeCloseTo(1, 12);
    }
  });
  test("everything is at least 0 and at most n", () => {
    expect([upperBetaBinomial(0, 9, 1, 2), upperBetaBinomial(10, 9, 1, 2)]).toEqual([1, 0]);
  });
  test("is the binomial tail where nothing varies", () => {
    let sum = 0;
    for (let k = 7; k <= 30; k++) sum += Math.exp(logBinomial(k, 30, 0.1));
    expect(upperBetaBinomial(7, 30, 1e8, 9e8)).toBeCloseTo(sum, 8);
  });
});

test("logBinomial() adds up to 1", () => {
  for (const [n, s] of [[1, 0.3], [12, 0.04], [300, 0.5], [5000, 1 / 29]] as const) {
    let sum = 0;
    for (let x = 0; x <= n; x++) sum += Math.exp(logBinomial(x, n, s));
    expect(sum).toBeCloseTo(1, 10);
  }
});
