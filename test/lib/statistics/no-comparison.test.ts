import { expect, test } from "bun:test";
import { type NotCompared, whyNoComparison, whyNothingNew } from "../../../lib/statistics/no-comparison.ts";

const options = { minBaselineDays: 7, guardDays: 1 };
const build = (days: string[], tests: Partial<NotCompared["tests"]> = {}): NotCompared => ({
  tests: { withoutSupport: 0, refused: [], ...tests },
  coverage: days.map(letters => ({ days: letters })),
  options,
});

test("too short a past is said with the days that are missing, by the sensor watched longest", () => {
  const words = whyNoComparison(build(["oo??", "opo.", "-"]));
  expect(words).toEndWith("(7 for a baseline, 1 between, 1 to judge), and the longest has 3: 6 days are missing");
  expect(whyNoComparison(build(["oooooooo"]))).toEndWith("1 day is missing");
});

test("cut counts, rare values and gaps are told apart", () => {
  const refused = [{ sensor: "a", day: 1, reason: "cut" as const }];
  expect(whyNoComparison(build(["oo"], { refused }))).toStartWith("the counts were cut");
  expect(whyNoComparison(build(["oo"], { withoutSupport: 3 }))).toBe("3 values were all too rare to compare");
  expect(whyNoComparison(build(["ooooooooooo"]))).toBe("no day in question was watched long enough and has 7 watched days of the same sensor before it (1 between)");
});

test("of cut counts alone it is not said how long the archive is, but that they are cut", () => {
  const cut = [{ days: "ccc-c" }, { days: "c" }];
  expect(whyNothingNew(cut, 14)).toBe(
    "the counts were cut to the most frequent before they were read, so a value may have been there before and not be listed",
  );
  const refused = [{ sensor: "a", day: 1, reason: "not watched" as const }];
  expect(whyNoComparison({ ...build(["ccc"]), tests: { withoutSupport: 0, refused } })).toStartWith("the counts were cut");
  expect(whyNothingNew([{ days: "ccoo" }], 14)).toEndWith("would be new; days known from cut counts alone are none");
  expect(whyNothingNew([{ days: "oo" }], 14)).toEndWith("in which every value would be new");
});
