import { describe, expect, test } from "bun:test";
import { dayOf, parseTimestampUs, toDay } from "../../../lib/text/time.ts";
import { seededRandom } from "../../support/random.ts";
import { parseTimestamp } from "../../support/slow-counter.ts";
import { randomTimestamp } from "../../support/timestamps.ts";

const NOON = Date.UTC(2024, 0, 31, 12) * 1000;

describe("an instant is read to the microsecond, in UTC", () => {
  const table: [text: string, us: number][] = [
    ["2024-01-31T12:00:00Z", NOON],
    ["2024-01-31T12:00:00.5Z", NOON + 500_000],
    ["2024-01-31T12:00:00.000001Z", NOON + 1],
    ["2024-01-31T12:00:00.0000019Z", NOON + 1],
    ["2024-01-31T12:00:00.999999999Z", NOON + 999_999],
    ["2024-01-31T14:00:00+0200", NOON],
    ["2024-01-31T14:00:00+02:00", NOON],
    ["2024-01-31T08:30:00.25-03:30", NOON + 250_000],
    ["2024-02-01T00:30:00+12:30", NOON],
    ["2024-02-01T11:00:00+23:00", NOON],
    ["2024-01-30T12:01:00-23:59", NOON],
    ["1970-01-01T00:00:00Z", 0],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29) * 1000],
    ["2199-12-31T23:59:59.999999Z", Date.UTC(2200, 0, 1) * 1000 - 1],
    ["2000-02-29T00:00:00Z", Date.UTC(2000, 1, 29) * 1000],
  ];
  test.each(table)("%s", (text, us) => expect(parseTimestampUs(text)).toBe(us));

  test.each([
    "",
    "now",
    "2024-01-31",
    "2024-01-31T12:00:00",
    "2024-01-31 12:00:00Z",
    "2024-01-31T12:00Z",
    "2024-1-31T12:00:00Z",
    "2024-01-31T24:00:00Z",
    "2024-01-31T12:60:00Z",
    "2024-01-31T12:00:60Z",
    "2024-13-01T00:00:00Z",
    "2024-00-01T00:00:00Z",
    "2024-01-32T00:00:00Z",
    "2024-01-00T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z",
    "2024-01-31T12:00:00.Z",
    "2024-01-31T12:00:00.1234567890Z",
    "2024-01-31T12:00:00+24:00",
    "2024-01-31T12:00:00+02:60",
    "2024-01-31T12:00:00+2",
    "2024-01-31T12:00:00z",
    "2024-01-31T12:00:00Z ",
    "2024-01-31T12:00:00Z\n",
    "٢٠٢٤-01-31T12:00:00Z",
  ])("%p is none", text => expect(parseTimestampUs(text)).toBeNaN());
});

test("as an obvious reader reads them, right and spoiled", () => {
  const random = seededRandom("timestamps");
  let taken = 0;
  for (let i = 0; i < 40_000; i++) {
    const text = randomTimestamp(random);
    const us = parseTimestampUs(text);
    expect({ text, us }).toEqual({ text, us: parseTimestamp(text) ?? NaN });
    if (!Number.isNaN(us)) taken++;
  }
  expect(taken).toBeGreaterThan(5000);
});

test("days", () => {
  expect([dayOf(0), dayOf(-1), dayOf(86_400_000_000 - 1), dayOf(86_400_000_000)]).toEqual([0, -1, 0, 1]);
  for (let day = 0; day < 84_000; day += 13) {
    const date = new Date(day * 86_400_000);
    expect(toDay(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate())).toBe(day);
  }
});
