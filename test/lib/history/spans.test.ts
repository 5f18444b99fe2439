import { describe, expect, test } from "bun:test";
import { findShape } from "../../../lib/history/levels.ts";
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
