import { describe, expect, test } from "bun:test";
import { findShape, rankDeviate } from "../../../lib/history/levels.ts";
import { measureNoise, sizeOf, usualCorrelation } from "../../../lib/history/noise.ts";
import { seededRandom } from "../../support/random.ts";
import { gamma, poisson } from "../../support/simulate.ts";

const ones = (n: number) => new Array<number>(n).fill(1);
const OPTIONS = { size: 20, penalty: 16 };
const shapeOf = (counts: number[]) => findShape(counts, ones(counts.length), OPTIONS);
const days = (n: number, count: number) => new Array<number>(n).fill(count);

describe("rankDeviate", () => {
  test("as it is done by hand", () => {
    // U = 12 of 12, expected 6, variance 3 * 4 * 8 / 12.
    expect(rankDeviate([1, 2, 3], [4, 5, 6, 7])).toBeCloseTo(6 / Math.sqrt(8), 10);
    expect(rankDeviate([4, 5, 6, 7], [1, 2, 3])).toBeCloseTo(-6 / Math.sqrt(8), 10);
    // Ties take their mean rank, and the variance shrinks: 2 * 2 * (5 - (6 + 6) / 12) / 12.
    expect(rankDeviate([1, 1], [2, 2])).toBeCloseTo(2 / Math.sqrt(4 / 3), 10);
    expect(rankDeviate([3, 3, 3], [3, 3])).toBe(0);
    expect(rankDeviate([], [1])).toBe(0);
  });
});

describe("findShape", () => {
  test("one of many series of a key must say it the more clearly", () => {
    const counts = [...days(20, 6), ...[9, 11, 7, 12, 8, 11, 9, 10, 12, 8]];
    const levelsOf = (series: number) => findShape(counts, ones(counts.length), { size: 40, penalty: 4, series }).levels.length;
    expect([1, 2, 1e6].map(levelsOf)).toEqual([2, 2, 1]);
  });

  test("levels that hold, a burst, a dip that is neither", () => {
    expect(shapeOf([...days(20, 0), ...days(20, 12)]).levels).toEqual([
      { start: 0, end: 20, rate: 0 },
      { start: 20, end: 40, rate: 12 },
    ]);
    const burst = shapeOf([...days(20, 3), 90, 90, ...days(20, 3)]);
    expect(burst).toEqual({ levels: [{ start: 0, end: 42, rate: 3 }], bursts: [{ start: 20, end: 22, rate: 90 }] });
    expect(shapeOf([...days(20, 30), 0, 0, ...days(20, 30)]).levels).toHaveLength(1);
    expect(shapeOf([...days(20, 30), ...days(5, 0), ...days(20, 30)]).levels.map(({ start, end }) => [start, end])).toEqual([
      [0, 20],
      [20, 25],
      [25, 45],
    ]);
  });

  test("one large day among many does not make a level", () => {
    const counts = Array.from({ length: 40 }, (_, day) => (day === 25 || day === 31 ? 80 : 1));
    expect(shapeOf(counts).levels).toHaveLength(1);
  });

  test("nothing for an empty series, one level for a short one", () => {
    expect(shapeOf([])).toEqual({ levels: [], bursts: [] });
    expect(shapeOf([4]).levels).toEqual([{ start: 0, end: 1, rate: 4 }]);
  });

  test("days in any other order show a change of level in fewer than one key of a hundred", () => {
    const random = seededRandom("shuffled");
    const keys = 400;
    const all = Array.from({ length: keys }, (_, key) => {
      const size = [0.3, 1, 3, 20][key % 4]!;
      const mean = 0.5 * 2 ** (key % 7);
      return Array.from({ length: 60 }, () => poisson(random, (gamma(random, size) * mean) / size));
    });
    const noises = all.map(counts => measureNoise(counts, ones(60)));
    const usual = usualCorrelation(noises);
    const changed = all.filter((counts, key) => findShape(counts, ones(60), { size: sizeOf(noises[key]!, usual), penalty: 16 }).levels.length > 1);
    expect(changed.length).toBeLessThanOrEqual(keys / 100);
  });
});
