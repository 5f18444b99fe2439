/** Which days are compared with which, by their numbers. */
import { describe, expect, test } from "bun:test";
import { type BaselineOptions, buildWindows, type Window } from "../../../lib/statistics/baseline.ts";
import { buildCoverage } from "../../../lib/statistics/coverage.ts";
import { chiSquareUpper } from "../../../lib/statistics/distributions.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { dateOf, FIRST_DAY, watch } from "../../support/days.ts";
import { Random } from "../../support/random.ts";

const OPTIONS: BaselineOptions = { lastDays: 3, baselineDays: 10, guardDays: 1, minBaselineDays: 4 };

function windowsOf(rows: LiteralRow[], options: Partial<BaselineOptions> = {}) {
  return buildWindows(buildCoverage(buildReduced(rows)), { ...OPTIONS, ...options });
}

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const cells = (window: Window | undefined) =>
  window && { judged: [...window.judged], baseline: [...window.baseline], spread: [...window.spread], ranges: window.ranges };

describe("the windows of a sensor", () => {
  test("a day has the days before its guard; the period as many days before as it has itself", () => {
    const { windows, slots, shownOffset, refused, firstOffset, usable } = windowsOf(watch("a", 20));
    expect([slots, shownOffset, refused, [...firstOffset], [...usable[0]!]]).toEqual([4, 17, [], [6], range(0, 19)]);
    const day = (offset: number) => {
      const baseline = range(offset - 11, offset - 2);
      const at = { start: offset - 11, end: offset - 1 };
      return { judged: [offset], baseline, spread: baseline, ranges: { judged: { start: offset, end: offset + 1 }, baseline: at, spread: at } };
    };
    expect(windows.slice(0, 3).map(cells)).toEqual([day(17), day(18), day(19)]);
    expect(cells(windows[3])).toEqual({
      judged: range(17, 19),
      baseline: range(14, 16),
      spread: range(7, 16),
      ranges: { judged: { start: 17, end: 20 }, baseline: { start: 14, end: 17 }, spread: { start: 7, end: 17 } },
    });
    expect(windows.map(window => [window!.exposure, window!.baselineExposure, window!.spreadExposure, window!.weekday])).toEqual([
      ...range(0, 2).map(() => [1, 10, 10, false]),
      [3, 3, 10, false],
    ]);
  });

  test("days that were not watched are passed over, and say why they have no test", () => {
    const { windows, refused } = windowsOf(watch("a", 20, [8, 12, 18]));
    expect(cells(windows[0])!.baseline).toEqual([...range(3, 7), ...range(9, 11), ...range(13, 15)].slice(-10));
    expect(cells(windows[2])!.baseline).toEqual([...range(5, 7), ...range(9, 11), ...range(13, 17)].slice(-10));
    expect(refused).toEqual([{ sensor: 0, offset: 18, reason: "not watched" }]);
    expect(cells(windows[3])!.judged).toEqual([17, 19]);
  });

  test("too short a past refuses the day: at the fewest days it does not", () => {
    const at = (days: number) => windowsOf(watch("a", days), { lastDays: 1 });
    expect(at(6).windows[0]?.baseline.length).toBe(4);
    expect([at(5).windows[0], at(5).refused]).toEqual([undefined, [{ sensor: 0, offset: 4, reason: "short baseline" }]]);
    expect(windowsOf(watch("a", 6), { lastDays: 1, guardDays: 2 }).windows[0]).toBeUndefined();
  });

  test("half of a period and of the days before it must have been watched; one day is no period", () => {
    const period = (down: number[]) => windowsOf(watch("a", 20, down), { lastDays: 4 }).windows[4] !== undefined;
    expect(windowsOf(watch("a", 20), { lastDays: 1 }).windows[1]).toBeUndefined();
    expect([period([16, 17]), period([16, 17, 18]), period([12, 13]), period([12, 13, 14])]).toEqual([true, false, true, false]);
  });

  test("a second sensor has its own cells, and cut days are told apart", () => {
    const cut: LiteralRow = { kind: "login", date: dateOf(19), sensor: "b", key: { username: "r", password: null }, count: 1 };
    const { windows, refused, firstOffset, slots } = windowsOf([...watch("a", 20), ...watch("b", 19), cut]);
    expect(cells(windows[slots])!.judged).toEqual([20 + 17]);
    expect(cells(windows[slots])!.baseline).toEqual(range(20 + 6, 20 + 15));
    expect([...firstOffset]).toEqual([6, 6]);
    expect(refused).toEqual([{ sensor: 1, offset: 19, reason: "cut" }]);
  });

  test("an archive shorter than the days in question is all in question", () => {
    const { slots, shownOffset, windows, firstOffset } = windowsOf(watch("a", 2));
    expect([slots, shownOffset, windows, [...firstOffset]]).toEqual([3, 0, [undefined, undefined, undefined], [2]]);
  });
});

describe("weekdays", () => {
  /** So many events in an hour of each day. */
  const counted = (days: number, count: (day: number) => number): LiteralRow[] =>
    range(0, days - 1).flatMap(day =>
      range(0, 23).map((hour): LiteralRow => ({
        kind: "event", date: dateOf(day), sensor: "a", key: { eventid: "e", hour }, count: count(day), firstSeenUs: ((FIRST_DAY + day) * 24 + hour) * 3_600_000_000,
      })),
    );
  const weekly = (day: number) => 100 + 10 * (day % 7) + (day % 3);
  const first = (rows: LiteralRow[], options: Partial<BaselineOptions> = {}) => windowsOf(rows, { lastDays: 1, ...options }).windows[0]!;

  test("are compared with each other once eight weeks lie before the guard", () => {
    const found = first(counted(58, weekly));
    expect([found.weekday, cells(found)!.baseline]).toEqual([true, [1, 8, 15, 22, 29, 36, 43, 50]]);
    expect(found.ranges.baseline).toEqual({ start: 0, end: 0 });
    expect([first(counted(57, weekly)).weekday, first(counted(58, weekly), { minBaselineDays: 8 }).weekday]).toEqual([false, true]);
    expect(first(counted(58, weekly), { minBaselineDays: 9, baselineDays: 9 }).weekday).toBe(false);
  });

  test("are left alone where no day differs, and where the difference may be chance", () => {
    expect(first(counted(58, () => 100)).weekday).toBe(false);
    expect(first(counted(58, day => 100 + ((day * 7919) % 101))).weekday).toBe(false);
    // Ranks decide: one enormous day a week apart from the rest is no weekday.
    expect(first(counted(58, day => (day === 14 ? 1e6 : 100 + ((day * 7919) % 101)))).weekday).toBe(false);
  });

  /** The obvious way: mean ranks of the weekdays, ties shared, corrected for them. */
  function kruskalWallis(totals: readonly number[]): number {
    const n = totals.length;
    const rankOf = (value: number) => totals.filter(other => other < value).length + (totals.filter(other => other === value).length + 1) / 2;
    const groups = range(0, 6).map(weekday => totals.filter((_, day) => day % 7 === weekday).map(rankOf));
    const between = groups.reduce((sum, ranks) => sum + ranks.reduce((all, rank) => all + rank, 0) ** 2 / ranks.length, 0);
    const ties = [...new Set(totals)].reduce((sum, value) => {
      const size = totals.filter(other => other === value).length;
      return sum + size ** 3 - size;
    }, 0);
    return ((12 / (n * (n + 1))) * between - 3 * (n + 1)) / (1 - ties / (n ** 3 - n));
  }

  test("the statistic is that of Kruskal and Wallis, and counts at p below 0.001", () => {
    const random = new Random("weekdays");
    const said = range(1, 60).map(round => {
      const lift = 1 + random.int(12);
      const values = range(0, 57).map(day => 3 + random.int(round % 2 === 0 ? 12 : 400 * 12) + (day % 7 === 3 || day % 7 === 5 ? lift * (round % 2 === 0 ? 1 : 400) : 0));
      const statistic = kruskalWallis(values.slice(0, 56));
      expect([statistic, first(counted(58, day => values[day]!)).weekday]).toEqual([statistic, chiSquareUpper(statistic, 6) < 0.001]);
      return statistic > 22.458;
    });
    expect([...new Set(said)].sort()).toEqual([false, true]);
  });
});
