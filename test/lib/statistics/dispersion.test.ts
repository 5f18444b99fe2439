import { describe, expect, test } from "bun:test";
import { type DispersionSamples, learnOwn, learnPooled, SampleList } from "../../../lib/statistics/dispersion.ts";
import { type Baseline, DISPERSIONS, GRID, makeBaseline, meanDispersion } from "../../../lib/statistics/mixture.ts";
import { seededRandom } from "../../support/random.ts";
import { overdispersed } from "../../support/simulate.ts";

function draw(name: string, dispersion: number, days = 28): Baseline {
  const random = seededRandom(name);
  const baseline = makeBaseline(days);
  for (let i = 0; i < days; i++) {
    baseline.counts[i] = overdispersed(random, 20, dispersion);
    baseline.exposures[i] = 1;
    baseline.count += baseline.counts[i]!;
  }
  baseline.days = baseline.exposure = days;
  return baseline;
}

/** Keys come by marks that are spread evenly; the n-th of `all` has a share of (n + 1) / all. */
function sample(group: number, dispersion: number, all: number, most: number): DispersionSamples {
  const samples = new SampleList(group + 1, 1);
  for (let n = 0; n < all && samples.wants(group); n++) {
    samples.add(group, 0, draw(`${dispersion} ${n}`, dispersion), most, (n + 1) / (all + 1));
  }
  expect(samples.isFull).toBe(all >= most);
  return samples.finish();
}

describe("a sample", () => {
  test("of few keys is all of them", () => {
    const { group, keys, offsets, likelihoods } = sample(3, 2.2, 40, 100);
    expect([[...group], [...keys], [...offsets], likelihoods.length]).toEqual([[3], [40], [0, 40], 40 * GRID]);
  });
  test("of many keys is enough of them, and knows how many there are", () => {
    const { keys, offsets } = sample(3, 2.2, 5000, 100);
    expect(offsets[1]).toBe(100);
    expect(keys[0]).toBeCloseTo(5000, -1);
  });
  test("says of all what they are", () => {
    for (const dispersion of [DISPERSIONS[0], 5.5]) {
      const [some, all] = [100, 400].map(most => meanDispersion(learnPooled([sample(0, dispersion, 400, most)]).get(0)!));
      expect(Math.log(some! / all!)).toBeCloseTo(0, 0);
    }
  });
});

test("a kind starts from what is usual in all, and follows its own where it has many keys", () => {
  const [calm, wild] = [sample(0, 1.0001, 200, 1000), sample(0, 20, 200, 1000)];
  const few = sample(0, 20, 3, 1000);
  const pooled = learnPooled([calm, wild]);
  const middle = meanDispersion(pooled.get(0)!);
  expect(meanDispersion(learnOwn(wild, pooled).get(0)!)).toBeGreaterThan(middle * 1.5);
  expect(meanDispersion(learnOwn(calm, pooled).get(0)!)).toBeLessThan(middle / 3);
  const ofFew = meanDispersion(learnOwn(few, pooled).get(0)!);
  expect(ofFew).toBeGreaterThan(middle * 0.9);
  expect(ofFew).toBeLessThan(meanDispersion(learnOwn(wild, pooled).get(0)!));
});

test("groups know nothing of each other, whatever the order of kinds", () => {
  const [calm, wild] = [sample(0, 1.0001, 60, 1000), sample(1, 20, 60, 1000)];
  const both = learnPooled([calm, wild]);
  expect(learnPooled([wild, calm])).toEqual(both);
  expect(both.get(0)).toEqual(learnPooled([calm]).get(0)!);
  expect(both.get(2)).toBeUndefined();
});
