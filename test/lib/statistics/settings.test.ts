import { expect, test } from "bun:test";
import { STATISTICS_DEFAULTS, type StatisticsOptions, toSettings } from "../../../lib/statistics/settings.ts";

test("what was not set has its default; what is none of ours is left out", () => {
  expect(toSettings({})).toEqual(STATISTICS_DEFAULTS);
  const more = { lastDays: undefined, q: 0.5, downtime: [], newSinceDay: 3, limits: ["x"] } as unknown as StatisticsOptions;
  expect(toSettings(more)).toEqual({ ...STATISTICS_DEFAULTS, q: 0.5 });
});

test.each([
  ["lastDays", 1],
  ["baselineDays", 2],
  ["guardDays", 0],
  ["minBaselineDays", 2],
  ["returningAfterDays", 1],
  ["burnInDays", 0],
  ["listLimit", 0],
] as const)("%s is a whole number from %d on", (name, min) => {
  const others = { baselineDays: 2, minBaselineDays: 2 };
  expect(toSettings({ ...others, [name]: min })[name]).toBe(min);
  for (const wrong of [min - 1, min + 0.5, NaN, Infinity]) {
    expect(() => toSettings({ ...others, [name]: wrong })).toThrow(new RangeError(`Cannot use ${name} ${wrong}: expected a whole number >= ${min}`));
  }
});

test.each([
  [{ q: 0 }, "Cannot use q 0: expected 0 < q < 1"],
  [{ q: 1 }, "Cannot use q 1: expected 0 < q < 1"],
  [{ thresholdPercent: -1 }, "Cannot use thresholdPercent -1: expected a number >= 0"],
  [{ thresholdPercent: NaN }, "Cannot use thresholdPercent NaN: expected a number >= 0"],
  [{ baselineDays: 6 }, "Cannot use minBaselineDays 7: expected at most baselineDays 6"],
] as [StatisticsOptions, string][])("refuses %j", (options, message) => {
  expect(() => toSettings(options)).toThrow(new RangeError(message));
});

test("takes what lies just within", () => {
  expect(toSettings({ q: 0.999, thresholdPercent: 0, baselineDays: 7 })).toMatchObject({ q: 0.999, thresholdPercent: 0, baselineDays: 7 });
});
