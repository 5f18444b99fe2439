import { expect, test } from "bun:test";
import { DISPERSIONS, GRID, mixtureP } from "../../../lib/statistics/mixture.ts";
import { ObviousCounts } from "../../../lib/statistics/obvious.ts";

test("a count is called obvious only where every dispersion gives a p above the ceiling, and most common ones are", () => {
  for (const ceiling of [0.05, 0.0125]) {
    const obvious = new ObviousCounts(ceiling);
    let calls = 0;
    for (const ratio of [1 / 28, 0.0373, 0.5 / 27.5, 0.83, 1, 7 / 6]) {
      for (const baseline of [1, 2, 5, 17, 60, 300, 511]) {
        const reach = 4 * Math.ceil(Math.sqrt(ratio * baseline)) + 4;
        for (let count = Math.max(0, Math.floor(ratio * baseline) - reach); count <= ratio * baseline + reach; count++) {
          if (!obvious.has(count, baseline, ratio)) continue;
          calls++;
          for (let j = 0; j < GRID; j++) {
            const weights = Float64Array.from(DISPERSIONS, (_, i) => (i === j ? 1 : 0));
            const p = mixtureP({ count, baseline, ratio }, weights);
            if (!(p > ceiling)) throw new Error(`p ${p} at ${count} against ${baseline}, ratio ${ratio}, ${DISPERSIONS[j]}`);
          }
        }
        // Nothing where much is not expected, and what is expected.
        expect(obvious.has(Math.round(ratio * baseline), baseline, ratio)).toBe(true);
      }
    }
    expect(calls).toBeGreaterThan(200);
  }
});

test("with a ceiling of 1, and of large or no baselines, nothing is", () => {
  expect(new ObviousCounts(1).has(1, 28, 1 / 28)).toBe(false);
  expect(new ObviousCounts(0.05).has(1000, 28_000, 1 / 28)).toBe(false);
  expect(new ObviousCounts(0.05).has(1, 0, 1 / 28)).toBe(false);
});
