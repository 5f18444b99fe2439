import { describe, expect, test } from "bun:test";
import { type Segment, segmentCost, segmentSeries } from "../../../lib/history/segments.ts";
import { seededRandom } from "../../support/random.ts";
import { overdispersed } from "../../support/simulate.ts";

/** Every partition there is, by dynamic programming without any pruning. */
function segmentSlowly(counts: number[], exposure: number[], size: number, penalty: number): Segment[] {
  const n = counts.length;
  const sum = (values: number[], start: number, end: number) => values.slice(start, end).reduce((all, one) => all + one, 0);
  const best: { cost: number; segments: Segment[] }[] = [{ cost: -penalty, segments: [] }];
  for (let end = 1; end <= n; end++) {
    let least = { cost: Infinity, segments: [] as Segment[] };
    for (let start = 0; start < end; start++) {
      const [count, watched] = [sum(counts, start, end), sum(exposure, start, end)];
      const cost = best[start]!.cost + segmentCost(count, watched, size) + penalty;
      if (cost < least.cost - 1e-9) least = { cost, segments: [...best[start]!.segments, { start, end, rate: count / watched }] };
    }
    best.push(least);
  }
  return best[n]!.segments;
}

const costOf = (segments: readonly Segment[], exposure: readonly number[], size: number, penalty: number) =>
  segments.reduce((sum, { start, end, rate }) => {
    const watched = exposure.slice(start, end).reduce((all, one) => all + one, 0);
    return sum + segmentCost(rate * watched, watched, size) + penalty;
  }, -penalty);

describe("segmentSeries", () => {
  test("costs no more than the best of all partitions, whatever the series", () => {
    const random = seededRandom("segments");
    let compared = 0;
    for (let run = 0; run < 120; run++) {
      const n = 1 + Math.floor(random.next() * 40);
      const change = Math.floor(random.next() * n);
      const counts = Array.from({ length: n }, (_, day) => overdispersed(random, day < change ? 3 : 30 * random.next(), 1 + 3 * random.next()));
      const exposure = Array.from({ length: n }, () => 0.3 + random.next());
      const size = run % 5 === 0 ? Infinity : 0.3 + 20 * random.next();
      const penalty = 4 + 20 * random.next();
      const slow = segmentSlowly(counts, exposure, size, penalty);
      // More segments than a series may have are asked for with a greater penalty: another question.
      if (slow.length > Math.ceil(n / 3)) continue;
      const fast = segmentSeries(counts, exposure, { size, penalty });
      expect(costOf(fast, exposure, size, penalty)).toBeCloseTo(costOf(slow, exposure, size, penalty), 6);
      expect(fast.map(({ start, end }) => [start, end])).toEqual(slow.map(({ start, end }) => [start, end]));
      compared++;
    }
    expect(compared).toBeGreaterThan(80);
  });

  test("a day watched twice as long is two days", () => {
    const options = { size: 5, penalty: 10 };
    const [low, high] = [new Array<number>(8).fill(2), new Array<number>(4).fill(40)];
    const whole = segmentSeries([...low, ...high, ...low], new Array(20).fill(1), options);
    const joined = segmentSeries([4, 4, 4, 4, 80, 80, 4, 4, 4, 4], new Array(10).fill(2), options);
    expect(whole).toEqual([{ start: 0, end: 8, rate: 2 }, { start: 8, end: 12, rate: 40 }, { start: 12, end: 20, rate: 2 }]);
    expect(joined).toEqual(whole.map(({ start, end, rate }) => ({ start: start / 2, end: end / 2, rate })));
  });

  test("a constant series is one segment, an empty one none, and no series has more than one for three days", () => {
    const options = { size: Infinity, penalty: 1 };
    expect(segmentSeries([], [], options)).toEqual([]);
    expect(segmentSeries([0, 0, 0], [1, 1, 1], options)).toEqual([{ start: 0, end: 3, rate: 0 }]);
    expect(segmentSeries(new Array(30).fill(7), new Array(30).fill(1), options)).toHaveLength(1);
    const jumps = Array.from({ length: 30 }, (_, day) => (day % 2 === 0 ? 1000 : 0));
    expect(segmentSeries(jumps, new Array(30).fill(1), options).length).toBeLessThanOrEqual(10);
  });

  test("a large size is Poisson", () => {
    const gain = (size: number) => segmentCost(30, 10, size) - segmentCost(5, 5, size) - segmentCost(25, 5, size);
    expect(gain(1e7)).toBeCloseTo(gain(Infinity), 4);
    expect(gain(1)).toBeLessThan(gain(Infinity) / 2);
  });
});
