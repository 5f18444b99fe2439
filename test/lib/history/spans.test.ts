import { describe, expect, test } from "bun:test";
import { findShape } from "../../../lib/history/levels.ts";
import type { Segment } from "../../../lib/history/segments.ts";
import { findSpans } from "../../../lib/history/spans.ts";

const days = (n: number, count: number) => new Array<number>(n).fill(count);
const spansOf = (...parts: number[][]) => {
  const counts = parts.flat();
  const exposure = days(counts.length, 1);
  return findSpans(counts, exposure, 20, findShape(counts, exposure, { size: 20, penalty: 16 }));
};
const told = (...parts: number[][]) => spansOf(...parts).map(({ shape, start, end }) => [shape, start, end]);

describe("findSpans", () => {
  test("what begins, ends, passes, bursts", () => {
    expect(told(days(20, 0), days(20, 12))).toEqual([["began", 20, 40]]);
    expect(told(days(20, 12), days(20, 0))).toEqual([["ended", 0, 20]]);
    expect(told(days(15, 0), days(15, 12), days(15, 0))).toEqual([["passed", 15, 30]]);
    expect(told(days(20, 2), [80], days(20, 2))).toEqual([["burst", 20, 21]]);
  });

  test("its rates, and NaN where the archive has no day", () => {
    const [began] = spansOf(days(20, 1), days(20, 12));
    expect(began).toMatchObject({ before: 1, level: 12, after: NaN });
    expect(began!.gain).toBeGreaterThan(16);
  });

  test("a pause is told, and the time round it is one", () => {
    expect(told(days(20, 20), days(5, 0), days(20, 22))).toEqual([["paused", 20, 25]]);
    expect(told(days(15, 0), days(15, 20), days(5, 0), days(15, 22))).toEqual([
      ["began", 15, 50],
      ["paused", 30, 35],
    ]);
    // Between two levels that are not alike nothing has paused.
    expect(told(days(15, 0), days(15, 20), days(5, 0), days(15, 90)).map(([shape]) => shape)).not.toContain("paused");
  });

  test("a ramp is one span and not as many as it has steps", () => {
    const steps = [2, 6, 16, 40].map(level => days(10, level));
    expect(told(days(15, 0), ...steps)).toEqual([["ramp", 15, 55]]);
  });

  test("a burst inside a level, and a level that is no change of half as much again", () => {
    expect(told(days(20, 0), days(12, 10), [120], days(12, 10))).toEqual([
      ["began", 20, 45],
      ["burst", 32, 33],
    ]);
    expect(told(days(25, 40), days(25, 60))).toEqual([]);
    expect(told(days(30, 5))).toEqual([]);
  });
});

/** Levels as they are given, of some days each; counts are what they say, two watched days to a day. */
const leveled = (parts: readonly (readonly [days: number, rate: number])[], bursts: readonly Segment[] = []) => {
  let end = 0;
  const levels = parts.map(([length, rate]) => ({ start: end, end: (end += length), rate }));
  const counts = parts.flatMap(([length, rate]) => days(length, 2 * rate));
  for (const burst of bursts) counts.fill(2 * burst.rate, burst.start, burst.end);
  return { counts, spans: findSpans(counts, days(counts.length, 2), Infinity, { levels, bursts }) };
};

describe("of given levels", () => {
  // Rises by half, lows of a third, two weeks, three days, three levels: each just there, and just not.
  test.each([
    ["twice as much is told", [[20, 2], [10, 4], [20, 2]], [["passed", 20, 30]]],
    ["less is not", [[20, 2], [10, 3.9], [20, 2]], []],
    ["twice the higher of those beside it", [[20, 1], [10, 5.9], [20, 3]], [["began", 20, 50]]],
    ["on either side", [[20, 3], [10, 5.9], [20, 1]], [["ended", 0, 30]]],
    ["three days are a burst", [[20, 1], [3, 10], [20, 1]], [["burst", 20, 23]]],
    ["four have passed", [[20, 1], [4, 10], [20, 1]], [["passed", 20, 24]]],
    ["what ends and what begins is none, however short", [[3, 10], [20, 1], [3, 10], [20, 1]], [["ended", 0, 3], ["burst", 23, 26]]],
    ["a pause of two weeks", [[20, 9], [14, 0], [20, 9]], [["paused", 20, 34]]],
    ["a day more is an end and a beginning", [[20, 9], [15, 0], [20, 9]], [["ended", 0, 20], ["began", 35, 55]]],
    ["a third is a pause", [[20, 9], [5, 3], [20, 9]], [["paused", 20, 25]]],
    ["more is none", [[20, 9], [5, 3.1], [20, 9]], [["ended", 0, 20], ["began", 25, 45]]],
    ["of several levels the highest counts", [[20, 9], [5, 0], [5, 3.1], [20, 9]], [["ended", 0, 20], ["began", 30, 50]]],
    ["three times as much behind it", [[20, 10], [5, 0], [20, 30]], [["paused", 20, 25]]],
    ["more is a beginning", [[20, 10], [5, 0], [20, 31]], [["ended", 0, 20], ["began", 25, 45]]],
    ["more before it is an end", [[20, 31], [5, 0], [20, 10]], [["ended", 0, 20], ["began", 25, 45]]],
    ["two pauses", [[5, 1], [15, 20], [5, 0], [15, 20], [6, 0], [15, 20], [5, 1]], [["passed", 5, 61], ["paused", 20, 25], ["paused", 40, 46]]],
    ["three levels up to the end are a ramp", [[15, 1], [10, 4], [10, 8], [10, 16]], [["ramp", 15, 45]]],
    ["however much the last is", [[15, 1], [10, 4], [10, 8], [10, 160]], [["ramp", 15, 45]]],
    ["two are what gains most", [[15, 1], [10, 4], [10, 160]], [["began", 25, 35]]],
    ["and of a small second step both", [[15, 1], [10, 4], [10, 5]], [["began", 15, 35]]],
    ["no ramp falls", [[15, 1], [10, 8], [10, 7], [10, 9]], [["began", 15, 45]]],
    ["one that is found behind a height", [[15, 1], [10, 10], [10, 4], [10, 8], [10, 16], [10, 32]], [["passed", 15, 25], ["ramp", 35, 65]]],
    ["a ramp does not end", [[15, 1], [10, 4], [10, 8], [10, 16], [15, 1]], [["passed", 25, 45]]],
    ["nor one from the first day", [[10, 4], [10, 7], [10, 12]], []],
    ["a height inside a height", [[20, 1], [10, 5], [10, 12], [10, 5], [20, 1]], [["passed", 20, 50], ["passed", 30, 40]]],
    ["of those that begin together the one that gains most", [[20, 1], [10, 50], [10, 5], [20, 1]], [["passed", 20, 30]]],
    ["a height before a pause", [[20, 1], [5, 30], [20, 1], [10, 9], [5, 0], [10, 9], [20, 1]], [["passed", 20, 25], ["passed", 45, 70], ["paused", 55, 60]]],
    ["rates below one a day", [[20, 0.1], [10, 0.5], [20, 0.1]], [["passed", 20, 30]]],
    ["one level", [[30, 5]], []],
    ["none above nothing", [[30, 0]], []],
  ] as const)("%s", (_, parts, expected) => {
    const { spans } = leveled(parts);
    expect(spans.map(({ shape, start, end }) => [shape, start, end])).toEqual(expected as never);
    for (const one of spans) {
      const rateAt = (day: number) => leveled(parts).counts[day] ?? NaN;
      expect([one.before * 2, one.after * 2]).toEqual([rateAt(one.start - 1), rateAt(one.end)]);
    }
  });

  test("a burst between two levels stands between their rates", () => {
    const { spans } = leveled([[10, 3], [10, 4]], [{ start: 10, end: 12, rate: 50 }]);
    expect(spans.map(({ before, after }) => [before, after])).toEqual([[3, 4]]);
    const other = leveled([[10, 3], [10, 4]], [{ start: 8, end: 10, rate: 50 }]);
    expect(other.spans.map(({ before, after }) => [before, after])).toEqual([[3, 4]]);
    const early = leveled([[1, 3], [10, 4]], [{ start: 1, end: 2, rate: 50 }]);
    expect(early.spans.map(({ before, after }) => [before, after])).toEqual([[3, 4]]);
  });

  test("rates by watched days, and what they gain: of Poisson's likelihood, as it is written", () => {
    const { counts, spans } = leveled([[10, 3], [6, 9], [3, 2], [6, 11], [4, 2]], [{ start: 0, end: 1, rate: 8 }, { start: 4, end: 6, rate: 20 }, { start: 27, end: 29, rate: 30 }]);
    const told = spans.map(({ shape, start, end, before, level, after }) => [shape, start, end, before, level, after]);
    expect(told).toEqual([
      ["burst", 0, 1, NaN, 8, 3],
      ["burst", 4, 6, 3, 20, 3],
      ["passed", 10, 25, 3, (6 * 9 + 3 * 2 + 6 * 11) / 15, 2],
      ["paused", 16, 19, 9, 2, 11],
      ["burst", 27, 29, 2, 30, NaN],
    ]);
    const chance = (from: readonly number[]) => {
      const rate = from.reduce((sum, count) => sum + count, 0) / (2 * from.length);
      return from.reduce((sum, count) => sum + (count === 0 ? 0 : count * Math.log(2 * rate)) - 2 * rate, 0);
    };
    for (const { start, end, gain } of spans) {
      const inside = counts.slice(start, end);
      const outside = [...counts.slice(0, start), ...counts.slice(end)];
      expect(gain).toBeCloseTo(chance(inside) + chance(outside) - chance(counts), 8);
    }
  });
});
