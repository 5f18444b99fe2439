import { expect, test } from "bun:test";
import { PartCall, toStandOutOptions } from "../../../lib/statistics/statistics-parts.ts";
import { STATISTICS_DEFAULTS } from "../../../lib/statistics/settings.ts";

test("an answer is there once it was given, whatever it is", () => {
  const call = new PartCall("trends", {} as never, 7);
  expect(() => call.answer).toThrow(new TypeError("Cannot read the answer of part trends: not there yet"));
  call.settle([]);
  expect([call.answer, call.rows]).toEqual([[], 7]);
});

test("shares are looked at over the days of a baseline", () => {
  expect(toStandOutOptions({ ...STATISTICS_DEFAULTS, baselineDays: 9, listLimit: 3, strict: true, q: 0.2 })).toEqual({
    q: 0.2, strict: true, days: 9, limit: 3,
  });
});
