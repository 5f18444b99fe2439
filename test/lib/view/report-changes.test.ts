import { describe, expect, test } from "bun:test";
import { everything } from "../../../lib/view/cells.ts";
import { buildChangesView, type ChangesData, toChangesData } from "../../../lib/view/report-changes.ts";
import { buildScope } from "../../../lib/view/report-view.ts";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import type { ShownChange } from "../../../lib/view/stats-tables.ts";
import { buildReduced } from "../../support/build.ts";
import { command, FIRST_DAY, watch } from "../../support/days.ts";
import { buildReportData } from "../../support/report.ts";

const OPTIONS = { lastDays: 7, thresholdPercent: 20 };
const jump = [...Array.from({ length: 33 }, () => 5), ...Array.from({ length: 7 }, () => 90)];
const TABLE = buildReduced([
  ...watch("a", 40),
  ...watch("b", 40),
  ...command("a", "up", jump),
  ...command(
    "b",
    "steady",
    Array.from({ length: 40 }, () => 20),
  ),
]);
const DATA = buildReportData(TABLE, { show: 5 });
const scopeOf = (first: number, last: number, sensors: readonly number[] = [1, 1]) =>
  buildScope(
    DATA,
    { range: { first: FIRST_DAY + first, last: FIRST_DAY + last }, sensors: Uint8Array.from(sensors) },
    OPTIONS,
  );
const whole = buildScope(DATA, everything(DATA.grid), OPTIONS);
const CHANGES = toChangesData(computeStatistics(TABLE, OPTIONS));

/** Day, sensor and value of each row. */
const list = (data: ChangesData, scope: typeof whole) => {
  const { table } = buildChangesView(scope, data);
  const at = (name: string) => table?.columns.findIndex(column => column.name === name) ?? -1;
  return (table?.rows ?? []).map(({ cells }) =>
    ["Day", "Where", "Value"].flatMap(name => (at(name) < 0 ? [] : [cells[at(name)]!.sort])).join(" "),
  );
};

describe("tested changes in the report", () => {
  test("of everything: what the fleet did, not each sensor and day again", () => {
    expect(list(CHANGES, whole)).toEqual(["up"]);
    const { lead } = buildChangesView(whole, CHANGES);
    expect(lead).toStartWith("2024-02-03 to 2024-02-09 against the days before: what is unusual");
    expect(lead).toMatch(/ \d+ findings more on single days or sensors/);
  });

  test("of chosen sensors: what was found on them", () => {
    expect(list(CHANGES, scopeOf(0, 39, [1, 0]))).toEqual(["a up"]);
    const { lead, table } = buildChangesView(scopeOf(0, 39, [0, 1]), CHANGES);
    expect(table).toBeUndefined();
    expect(lead).toMatch(/^Nothing on 2024-02-03 to 2024-02-09 on 1 chosen sensor was unusual/);
  });

  test("of some of the days: those days by themselves; of none of them: it says so", () => {
    const days = list(CHANGES, scopeOf(33, 34));
    expect(days.length).toBeGreaterThan(0);
    for (const text of days) expect(text).toMatch(/^(19756|19757) /);
    expect(buildChangesView(scopeOf(0, 20), CHANGES)).toEqual({
      lead: "Tested were the days 2024-02-03 to 2024-02-09, and none of them is in this selection.",
    });
  });

  test("the days at either end are in", () => {
    expect(list(CHANGES, scopeOf(33, 39))).toEqual(["up"]);
    const daysOf = (first: number, last: number) => [...new Set(list(CHANGES, scopeOf(first, last)).map(text => Number(text.split(" ")[0]) - FIRST_DAY))];
    const all = daysOf(33, 38);
    expect(all.length).toBeGreaterThan(2);
    for (const day of all) expect(daysOf(day, day)).toEqual([day]);
    expect(daysOf(34, 39).filter(day => day < 39)).toEqual(all.filter(day => day > 33));
    expect(buildChangesView(scopeOf(32, 32), CHANGES).lead).toContain("none of them");
    expect(buildChangesView(scopeOf(20, 33), CHANGES).lead).toContain("2024-02-03 to 2024-02-03");
    expect(buildChangesView(scopeOf(39, 39), CHANGES).lead).toContain("2024-02-09 to 2024-02-09");
  });

  test("where the fleet as a whole did nothing unusual, what single sensors and days did is shown", () => {
    const finer = CHANGES.rows.filter((row: ShownChange) => row.sensor !== null);
    expect(list({ ...CHANGES, rows: finer }, whole)).toEqual(["a up"]);
    const ofDays = finer.filter(row => row.view === "day");
    expect(list({ ...CHANGES, rows: ofDays }, whole)).toHaveLength(ofDays.length);
  });

  test("sources stand beside events, with the events of each; events that say the same are left out", () => {
    const [row] = CHANGES.rows;
    const rows: ShownChange[] = [
      { ...row!, unit: "sources", count: 20, eventsPerSource: 1 },
      { ...row!, unit: "events", count: 20, eventsPerSource: 1 },
      { ...row!, unit: "events", key: ["loud"], count: 900, eventsPerSource: 45 },
    ];
    const { table } = buildChangesView(whole, { ...CHANGES, rows });
    const at = (name: string) => table!.columns.findIndex(column => column.name === name);
    const shown = table!.rows.map(({ cells }) => ["Counted", "Count", "Events a source"].map(name => cells[at(name)]!.sort));
    expect(shown).toEqual([["sources", 20, 1], ["events", 900, 45]]);
    expect(buildChangesView(whole, CHANGES).table!.columns.map(({ name }) => name)).not.toContain("Counted");
  });

  test("where nothing was tested, nothing is said to be usual", () => {
    expect(buildChangesView(whole, { ...CHANGES, comparisons: 0, whyNone: "2 days are missing", rows: [] })).toEqual({
      lead: "Nothing was compared with the days before: 2 days are missing.",
    });
  });

  test("what the page carries is bounded, and what it leaves out is counted", () => {
    const many = Array.from({ length: 500 }, () => CHANGES.rows[0]!);
    const statistics = computeStatistics(TABLE, OPTIONS);
    const reported = statistics.changes.find(row => row.reported)!;
    const data = toChangesData({ ...statistics, changes: many.map(() => reported) });
    expect([data.rows.length, data.reported]).toEqual([200, 500]);
    expect(buildChangesView(whole, data).lead).toEndWith("The page carries 200 of 500 findings.");
  });
});
