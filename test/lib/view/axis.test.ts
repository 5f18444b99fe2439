import { describe, expect, test } from "bun:test";
import { dayTicks, stepDays } from "../../../lib/view/axis.ts";

const day = (text: string) => Date.parse(text) / 86_400_000;

describe("dayTicks", () => {
  const CASES: { name: string; first: string; last: string; most: number; labels: string[] }[] = [
    { name: "one day", first: "2024-02-29", last: "2024-02-29", most: 8, labels: ["29 Feb"] },
    { name: "every day", first: "2023-12-30", last: "2024-01-01", most: 8, labels: ["30 Dec", "31 Dec", "1 Jan"] },
    { name: "Mondays", first: "2024-03-01", last: "2024-03-20", most: 5, labels: ["4 Mar", "11 Mar", "18 Mar"] },
    {
      name: "months",
      first: "2023-11-15",
      last: "2024-03-02",
      most: 5,
      labels: ["Dec 2023", "Jan 2024", "Feb", "Mar"],
    },
    {
      name: "half years",
      first: "2023-01-01",
      last: "2024-12-31",
      most: 5,
      labels: ["Jan 2023", "Jul", "Jan 2024", "Jul"],
    },
    { name: "years", first: "2014-06-01", last: "2018-06-01", most: 5, labels: ["2015", "2016", "2017", "2018"] },
  ];
  test.each(CASES)("$name", ({ first, last, most, labels }) => {
    expect(dayTicks({ first: day(first), last: day(last) }, most).map(tick => tick.label)).toEqual(labels);
  });

  test("never more than asked for by much, whatever the range", () => {
    for (let days = 1; days < 4000; days += 7) {
      const n = dayTicks({ first: 19000, last: 19000 + days }, 10).length;
      expect({ days, fits: n <= 12 }).toEqual({ days, fits: true });
    }
  });
});

describe("stepDays", () => {
  const CASES: { days: number; most: number; step: number }[] = [
    { days: 1, most: 1, step: 1 },
    { days: 90, most: 90, step: 1 },
    { days: 91, most: 90, step: 7 },
    { days: 3653, most: 100, step: 84 },
    { days: 100_000, most: 100, step: 1092 },
  ];
  test.each(CASES)("$days days in at most $most steps: $step", ({ days, most, step }) => {
    expect(stepDays({ first: 0, last: days - 1 }, most)).toBe(step);
  });
});
