import { expect, test } from "bun:test";
import { computeStatistics, type Statistics } from "../../../lib/statistics/statistics.ts";
import { summarizeStatistics } from "../../../lib/statistics/statistics-summary.ts";
import { buildReduced } from "../../support/build.ts";
import { FIRST_DAY, watch } from "../../support/days.ts";

const BASE = computeStatistics(buildReduced(watch("a", 40)));
const linesOf = (differing: object) => Object.fromEntries(summarizeStatistics({ ...BASE, ...differing } as Statistics));
const changes = (...categories: string[]) => categories.map(category => ({ reported: true, category }));

test("changes by category, in their order; steady and not reported ones are none", () => {
  const rows = [...changes("gone", "up", "new", "up", "steady"), { reported: false, category: "down" }];
  expect(linesOf({ changes: rows, tests: { ...BASE.tests, m: 1200 } }).Changes).toBe("1 new, 2 up, 1 gone; 1,200 comparisons with the days before");
  expect(linesOf({ changes: [{ reported: false, category: "down" }], tests: { ...BASE.tests, m: 1 } }).Changes).toBe("none; 1 comparison with the days before");
  expect(linesOf({ tests: { ...BASE.tests, m: 0 } }).Changes).toStartWith("nothing was compared: ");
});

test("new values are added up over their types, unless novelty is not claimed", () => {
  const novelty = { ...BASE.novelty, sinceDay: FIRST_DAY, totals: [{ new: 2 }, { new: 1000 }] };
  expect(linesOf({ novelty }).New).toBe("1,002 values since 2024-01-01: addresses, credentials, commands, files and others");
  const claims = (claimsFromDay: number | null) => linesOf({ novelty: { ...novelty, claimsFromDay } }).New;
  expect(claims(BASE.lastDay)).toStartWith("1,002 values");
  expect(claims(BASE.lastDay + 1)).toBe("nothing is called new in the first 14 watched days");
  expect(claims(null)).toStartWith("nothing is called new: the archive is not longer");
});

test("five silent sensors are named, the others counted", () => {
  const silent = (number: number) =>
    linesOf({ silent: Array.from({ length: number }, (_, i) => ({ sensor: i === 0 ? "" : `s\u001b${i}`, sinceUs: FIRST_DAY * 86_400e6, hours: 3 })) }).SILENT;
  expect(silent(0)).toBeUndefined();
  expect(silent(1)).toBe("(no name) since 2024-01-01 00:00:00 (3 h 00 min)");
  expect(silent(5)).not.toContain("more");
  expect(silent(5)).not.toContain("\u001b");
  expect(silent(7)).toEndWith(", and 2 more");
});
