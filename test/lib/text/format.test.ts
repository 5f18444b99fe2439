import { describe, expect, test } from "bun:test";
import {
  formatBytes,
  formatDuration,
  formatInstant,
  formatNumber,
  formatRate,
  formatShare,
  parseIsoDay,
  plural,
  toIsoDay,
  toIsoInstant,
  toSpan,
} from "../../../lib/text/format.ts";
import { seededRandom } from "../../support/random.ts";

const NUMBERS: { value: number; digits?: number; text: string }[] = [
  { value: 0, text: "0" },
  { value: -0, text: "0" },
  { value: -0.001, digits: 2, text: "0.00" },
  { value: 999, text: "999" },
  { value: 1000, text: "1,000" },
  { value: 1234567, text: "1,234,567" },
  { value: -1234567.891, digits: 2, text: "-1,234,567.89" },
  { value: 0.5, digits: 4, text: "0.5000" },
  { value: 9007199254740991, text: "9,007,199,254,740,991" },
  { value: 1e21, text: "1,000,000,000,000,000,000,000" },
  { value: NaN, text: "NaN" },
  { value: -Infinity, text: "-Infinity" },
];
test.each(NUMBERS)("formatNumber() $text", ({ value, digits, text }) => expect(formatNumber(value, digits)).toBe(text));

test("plural() takes one for 1 alone", () => {
  expect([0, 1, 1234].map(count => plural(count, "log"))).toEqual(["0 logs", "1 log", "1,234 logs"]);
  expect(plural(2, "address", "addresses")).toBe("2 addresses");
});

const BYTES: [number, string][] = [
  [0, "0 B"], [999, "999 B"], [1000, "1.00 kB"], [9994, "9.99 kB"], [9996, "10.0 kB"], [99_949, "99.9 kB"],
  [99_960, "100 kB"], [999_400, "999 kB"], [999_500, "1.00 MB"], [1_234_567, "1.23 MB"], [2.9e9, "2.90 GB"],
  [5e15, "5.00 PB"], [5e18, "5,000 PB"], [-1500, "-1.50 kB"],
];
test.each(BYTES)("formatBytes(%p) = %p", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test("formatRate() has no rate without time", () => {
  expect(formatRate(624e6, 2)).toBe("312 MB/s");
  expect(formatRate(5, 0)).toBe("-");
});

const DURATIONS: [number, string][] = [
  [0, "0.00 s"], [0.424, "0.42 s"], [9.994, "9.99 s"], [9.996, "10.0 s"], [59.94, "59.9 s"], [59.96, "1 min 00 s"],
  [185, "3 min 05 s"], [3599.4, "59 min 59 s"], [3599.6, "1 h 00 min"], [7380, "2 h 03 min"], [86_399, "1 d 00 h"],
  [4 * 86_400 + 3600, "4 d 01 h"], [-185, "-3 min 05 s"], [Infinity, "Infinity"],
];
test.each(DURATIONS)("formatDuration(%p) = %p", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

const SHARES: [number, string][] = [
  [0, "0.0 %"], [0.0004, "<0.1 %"], [0.0005, "0.1 %"], [0.123, "12.3 %"], [0.9994, "99.9 %"], [0.9996, ">99.9 %"],
  [1, "100.0 %"], [NaN, "-"], [12.5, "1,250.0 %"],
];
test("toSpan(): one day is told once", () => {
  expect(toSpan("2026-07-06", "2026-08-16")).toBe("2026-07-06 to 2026-08-16");
  expect(toSpan("2026-07-06", "2026-07-06")).toBe("2026-07-06");
});

test.each(SHARES)("formatShare(%p) = %p", (share, text) => expect(formatShare(share)).toBe(text));

describe("days", () => {
  test("toIsoDay() knows leap years and years before 1970", () => {
    expect([0, -1, 11016, 19782, 20779].map(toIsoDay)).toEqual([
      "1970-01-01", "1969-12-31", "2000-02-29", "2024-02-29", "2026-11-22",
    ]);
  });
  test("toIsoDay() refuses what is no day", () => {
    expect(() => toIsoDay(0.5)).toThrow(RangeError);
    expect(() => toIsoDay(1e9)).toThrow(RangeError);
  });
  const WRONG = ["", "2024-2-3", "2023-02-29", "2024-02-30", "2024-13-01", "2024-00-10", "2024-01-00", "2024-01-01T00",
    " 2024-01-01", "2024-01-01\n", "20240101", "today", "２０２４-01-01"];
  test.each(WRONG)("parseIsoDay(%p) is no day", text => expect(parseIsoDay(text)).toBeUndefined());
  test("parseIsoDay() undoes toIsoDay()", () => {
    const random = seededRandom("days");
    for (let i = 0; i < 1000; i++) {
      const day = random.between(-719_000, 2_900_000);
      expect(parseIsoDay(toIsoDay(day))).toBe(day);
    }
  });
});

test("toIsoInstant() keeps microseconds, before 1970 too", () => {
  expect(toIsoInstant(0)).toBe("1970-01-01T00:00:00.000000Z");
  expect(toIsoInstant(1_700_000_000_123_456)).toBe("2023-11-14T22:13:20.123456Z");
  expect(toIsoInstant(-1)).toBe("1969-12-31T23:59:59.999999Z");
  expect(() => toIsoInstant(NaN)).toThrow(RangeError);
});

test("formatInstant() stops at seconds", () => {
  expect(formatInstant(1_700_000_000_999_999)).toBe("2023-11-14 22:13:20");
});
