import { expect, test } from "bun:test";
import { busiestDays, countOutside } from "../../../lib/reduced/busiest-days.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { dateOf, FIRST_DAY } from "../../support/days.ts";

const rows = (...counts: readonly (readonly [day: number, count: number])[]) =>
  counts.flatMap(([day, count]): LiteralRow[] => [
    { kind: "event", date: dateOf(day), sensor: "a", key: { eventid: "e", hour: 1 }, count },
    { kind: "scan", date: dateOf(day + 500), sensor: "a", key: { shasum: "x", positives: 1, total: 2 }, count: 1000 },
  ]);

function busiest(most: number, ...counts: (readonly [number, number])[]) {
  const table = buildReduced(rows(...counts));
  const found = busiestDays(table, most);
  return found && [found.first - FIRST_DAY, found.last - FIRST_DAY, countOutside(table, found)];
}

test("the days in a row that hold most; the first of equals; verdicts count nowhere", () => {
  expect(busiest(10)).toBeUndefined();
  expect(busiest(10, [3, 1])).toEqual([3, 3, 0]);
  expect(busiest(10, [3, 1], [12, 1])).toEqual([3, 12, 0]);
  expect(busiest(9, [3, 1], [12, 1])).toEqual([3, 3, 1]);
  expect(busiest(9, [3, 1], [12, 2])).toEqual([12, 12, 1]);
  expect(busiest(5, [0, 9], [4, 1], [5, 8], [8, 1], [20, 9])).toEqual([0, 4, 18]);
  expect(busiest(5, [0, 1], [4, 1], [5, 8], [8, 1], [20, 9])).toEqual([4, 8, 10]);
});
