import { describe, expect, test } from "bun:test";
import {
  type Baseline,
  BURST_LEAST,
  DISPERSIONS,
  findBurst,
  GRID,
  leaveOut,
  learnUsual,
  makeBaseline,
  meanDispersion,
  mixtureP,
  tailAt,
  weighOwn,
  weighUsual,
  weighLikelihoods,
} from "../../../lib/statistics/mixture.ts";
import { type Random, seededRandom } from "../../support/random.ts";
import { overdispersed } from "../../support/simulate.ts";

function toBaseline(counts: readonly number[], exposures: readonly number[] = counts.map(() => 1)): Baseline {
  const baseline = makeBaseline(counts.length);
  baseline.days = counts.length;
  baseline.counts.set(counts);
  baseline.exposures.set(exposures);
  baseline.count = counts.reduce((sum, count) => sum + count, 0);
  baseline.exposure = exposures.reduce((sum, exposure) => sum + exposure, 0);
  return baseline;
}

function weighDispersions(days: Baseline, usual: Float64Array, into: Float64Array): void {
  weighOwn(days, into);
  weighUsual(into, usual);
}

/** Chance of the days given their sum, the plain way: one event after the other falls on a day, as likely as days are. */
function plainLikelihood({ days, counts, exposures, count, exposure }: Baseline, dispersion: number): number {
  const size = (count + 0.5) / exposure / (dispersion - 1);
  let log = 0;
  let fallen = 0;
  for (let i = 0; i < days; i++) {
    for (let k = 0; k < counts[i]!; k++, fallen++) log += Math.log((size * exposures[i]! + k) / (size * exposure + fallen));
  }
  return log;
}

/** The beta-binomial tail as a sum of chances, each a product. */
function plainTail(count: number, baseline: number, ratio: number, dispersion: number): number {
  const b = (baseline + 0.5) / (dispersion - 1);
  const a = b * ratio;
  const n = count + baseline;
  const chance = (x: number) => {
    let product = 1;
    for (let k = 0; k < x; k++) product *= (((a + k) / (a + b + k)) * (n - k)) / (x - k);
    for (let k = 0; k < n - x; k++) product *= (b + k) / (a + b + x + k);
    return product;
  };
  let sum = 0;
  if (count > ratio * baseline) for (let x = count; x <= n; x++) sum += chance(x);
  else for (let x = 0; x <= count; x++) sum += chance(x);
  return sum;
}

const flat = new Float64Array(GRID).fill(1 / GRID);
const only = (j: number) => Float64Array.from({ length: GRID }, (_, i) => (i === j ? 1 : 0));
const some = <T>(random: Random, of: readonly T[]) => of[random.int(of.length)]!;

test("likelihoods are those of the plain way, for few counts and many, whole days and parts", () => {
  const random = seededRandom("likelihoods");
  for (let run = 0; run < 60; run++) {
    const mean = some(random, [0.3, 1.2, 8, 90]);
    const counts = Array.from({ length: 28 }, () => overdispersed(random, mean, some(random, [1, 3, 20])));
    const exposures = counts.map(() => (random.chance(0.1) ? 0.5 + random.next() / 2 : 1));
    const baseline = toBaseline(counts, exposures);
    if (baseline.count === 0) continue;
    const found = new Float64Array(GRID);
    weighLikelihoods(baseline, found);
    const logs = DISPERSIONS.map(phi => plainLikelihood(baseline, phi));
    const most = Math.max(...logs);
    logs.forEach((log, j) => expect(found[j]).toBeCloseTo(Math.exp(log - most), 7));
  }
});

describe("one tail", () => {
  test("is the sum of its chances", () => {
    for (const phi of DISPERSIONS) {
      for (const [count, baseline, ratio] of [[5, 3, 1 / 28], [0, 40, 1 / 28], [9, 120, 1 / 28], [30, 22, 1], [2, 90, 0.02]] as const) {
        const plain = plainTail(count, baseline, ratio, phi);
        expect(tailAt({ count, baseline, ratio }, phi) / plain).toBeCloseTo(1, 9);
      }
    }
  });
  test("at known dispersion p <= alpha happens with frequency alpha at most", () => {
    const random = seededRandom("calibrated");
    // Five times as much exposure in the baseline, a rate of 12: both negative binomial of the first kind.
    for (const j of [0, 4, 8]) {
      const weights = only(j);
      const runs = 4000;
      const found = [0.05, 0.01].map(() => 0);
      for (let run = 0; run < runs; run++) {
        const count = overdispersed(random, 12, DISPERSIONS[j]!);
        const baseline = overdispersed(random, 12 * 20, DISPERSIONS[j]!);
        const p = mixtureP({ count, baseline, ratio: 1 / 20 }, weights);
        if (p <= 0.05) found[0]!++;
        if (p <= 0.01) found[1]!++;
      }
      expect(found[0]! / runs).toBeLessThan(0.062);
      expect(found[1]! / runs).toBeLessThan(0.0145);
      expect(found[0]! / runs).toBeGreaterThan(0.015);
    }
  });
});

test("days of next to no exposure leave no likelihood without a number", () => {
  const found = new Float64Array(GRID);
  const counts = [38, ...Array.from({ length: 27 }, () => 0)];
  const baseline = toBaseline(counts, counts.map((_, i) => (i === 0 ? 1e-6 : 1)));
  weighLikelihoods(baseline, found);
  const logs = DISPERSIONS.map(phi => plainLikelihood(baseline, phi));
  const most = Math.max(...logs);
  logs.forEach((log, j) => expect(found[j]).toBeCloseTo(Math.exp(log - most), 7));
});

test("keys of thousands of events a day, which vary as such keys do, are no change day by day", () => {
  const random = seededRandom("large");
  let passed = 0;
  const runs = 1500;
  const weights = new Float64Array(GRID);
  for (let run = 0; run < runs; run++) {
    const [mean, dispersion] = some(random, [[7000, 2600], [3400, 5500], [450, 300]] as const);
    const days = toBaseline(Array.from({ length: 20 }, () => overdispersed(random, mean, dispersion)));
    weighDispersions(days, flat, weights);
    const p = mixtureP({ count: overdispersed(random, mean, dispersion), baseline: days.count, ratio: 1 / 20 }, weights);
    if (p <= 0.001) passed++;
  }
  expect(passed / runs).toBeLessThan(0.005);
});

describe("p", () => {
  test("is near 1 where a count is as expected", () => {
    for (const baseline of [28, 280, 28_000, 2_800_000]) {
      expect(mixtureP({ count: baseline / 28, baseline, ratio: 1 / 28 }, flat)).toBeGreaterThan(0.75);
    }
  });
  test("with a ceiling is the same up to the ceiling, and above it where it is above", () => {
    for (let count = 0; count < 40; count++) {
      const comparison = { count, baseline: 200, ratio: 1 / 28 };
      const p = mixtureP(comparison, flat);
      const cut = mixtureP(comparison, flat, 0.0125);
      if (p <= 0.0125) expect(cut).toBeCloseTo(p, 12);
      else expect(cut).toBeGreaterThan(0.0125);
    }
  });
  test("without any baseline is of half a count", () => {
    const p = mixtureP({ count: 5, baseline: 0, ratio: 1 / 28 }, only(0));
    const mean = 0.5 / 28;
    expect(p / (2 * (Math.exp(-mean) * mean ** 5) / 120)).toBeCloseTo(1, 0);
  });
  test("falls as the count moves away", () => {
    let before = 1;
    for (let count = 11; count < 60; count++) {
      const p = mixtureP({ count, baseline: 280, ratio: 1 / 28 }, flat);
      expect(p).toBeLessThan(before);
      before = p;
    }
  });
});

describe("what is usual", () => {
  const likelihoodsOf = (dispersion: number, keys: number) => {
    const random = seededRandom(`usual ${dispersion}`);
    const list = new Float32Array(keys * GRID);
    for (let key = 0; key < keys; key++) {
      weighLikelihoods(toBaseline(Array.from({ length: 28 }, () => overdispersed(random, 30, dispersion))), list, key * GRID);
    }
    return list;
  };
  test("is found again from many keys", () => {
    for (const dispersion of [1.0001, 3, 20]) {
      const usual = learnUsual([{ likelihoods: likelihoodsOf(dispersion, 300), weight: 1 }]);
      expect(Math.log(meanDispersion(usual)) - Math.log(dispersion)).toBeCloseTo(0, 0);
      expect(usual.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    }
  });
  test("a key that stands for ten counts as ten", () => {
    const [calm, wild] = [likelihoodsOf(1.0001, 20), likelihoodsOf(30, 20)];
    const one = meanDispersion(learnUsual([{ likelihoods: calm, weight: 1 }, { likelihoods: wild, weight: 1 }]));
    const ten = meanDispersion(learnUsual([{ likelihoods: calm, weight: 10 }, { likelihoods: wild, weight: 1 }]));
    expect(ten).toBeLessThan(one / 2);
  });
  test("few keys stay near what they start from, none are it", () => {
    const start = only(7);
    expect(learnUsual([], start)).toEqual(start);
    expect(meanDispersion(learnUsual([], flat))).toBeCloseTo(meanDispersion(flat), 9);
  });
  test("a key's own days speak with it", () => {
    const [calm, wild] = [new Float64Array(GRID), new Float64Array(GRID)];
    weighDispersions(toBaseline(Array.from({ length: 28 }, () => 20)), flat, calm);
    weighDispersions(toBaseline(Array.from({ length: 28 }, (_, i) => (i % 4 === 0 ? 80 : 0))), flat, wild);
    expect(meanDispersion(calm)).toBeLessThan(1.5);
    expect(meanDispersion(wild)).toBeGreaterThan(20);
    weighDispersions(toBaseline(Array.from({ length: 28 }, () => 0)), only(4), calm);
    expect(meanDispersion(calm)).toBeCloseTo(DISPERSIONS[4]!, 12);
  });
});

describe("an earlier burst", () => {
  const calm = Array.from({ length: 28 }, (_, i) => 3 + (i % 3));
  const spiked = (...at: number[]) => calm.map((count, i) => (at.includes(i) ? 90 : count));
  const CASES: { name: string; counts: number[]; burst: ReturnType<typeof findBurst> }[] = [
    { name: "none", counts: calm, burst: undefined },
    { name: "one day", counts: spiked(9), burst: { start: 9, length: 1 } },
    { name: "three days in a row", counts: spiked(9, 10, 11), burst: { start: 9, length: 3 } },
    { name: "four days are a level", counts: spiked(9, 10, 11, 12), burst: undefined },
    { name: "two bursts are how the key is", counts: spiked(9, 20), burst: undefined },
    { name: "nothing else", counts: calm.map((_, i) => (i === 27 ? 30 : 0)), burst: { start: 27, length: 1 } },
    { name: "too few days to tell", counts: spiked(3).slice(0, 9), burst: undefined },
  ];
  test.each(CASES)("$name", ({ counts, burst }) => {
    expect(findBurst(toBaseline(counts))).toEqual(burst);
  });
  test("no day of so few counts is one", () => {
    const day = (count: number) => calm.map((_, i) => (i === 5 ? count : 0));
    expect(findBurst(toBaseline(day(Math.floor(BURST_LEAST))))).toBeUndefined();
    expect(findBurst(toBaseline(day(Math.ceil(BURST_LEAST) + 1)))).toEqual({ start: 5, length: 1 });
  });
  test("is left out with its exposure", () => {
    const exposures = calm.map((_, i) => (i === 9 ? 0.5 : 1));
    const baseline = toBaseline(spiked(9), exposures);
    leaveOut(baseline, { start: 9, length: 1 });
    expect([baseline.days, baseline.count, baseline.exposure]).toEqual([27, calm.reduce((a, b) => a + b) - calm[9]!, 27]);
    expect([...baseline.counts.subarray(0, 27)]).toEqual(calm.filter((_, i) => i !== 9));
    expect([...baseline.exposures.subarray(0, 27)].every(exposure => exposure === 1)).toBe(true);
  });
});
