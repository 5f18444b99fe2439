import { describe, expect, test } from "bun:test";
import { everything } from "../../../lib/view/cells.ts";
import { toSteps } from "../../../lib/view/chart.ts";
import { compareFigures, compareLeaders, compareLines, type Side, sideName } from "../../../lib/view/report-compare.ts";
import { buildScope } from "../../../lib/view/report-view.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { buildReportData } from "../../support/report.ts";

const row = (date: string, sensor: string, input: string, count: number): LiteralRow[] => [
  { kind: "event", date, sensor, key: { eventid: "e", hour: 3 }, count: 9 },
  { kind: "command", date, sensor, key: { input }, count },
];
const DATA = buildReportData(
  buildReduced([
    ...row("2024-01-01", "a", "id", 6),
    ...row("2024-01-02", "a", "w", 2),
    ...row("2024-01-03", "a", "id", 3),
    ...row("2024-01-03", "b", "uname", 5),
    ...row("2024-01-04", "a", "id", 9),
  ]),
  { show: 5 },
);
const FIRST = DATA.grid.firstDay;
const COMMANDS = DATA.sections.find(section => section.id === "commands")!;
const OPTIONS = { lastDays: 2, thresholdPercent: 20 };

function side(from: number, to: number, sensors: number[]): Side {
  const filter = { range: { first: FIRST + from, last: FIRST + to }, sensors: Uint8Array.from(sensors) };
  const scope = buildScope(DATA, filter, OPTIONS);
  return { scope, name: sideName(scope) };
}

describe("side by side", () => {
  const before = side(0, 1, [1, 1]);
  const after = side(2, 3, [1, 1]);

  test("both sides are counted each by itself", () => {
    const commands = compareFigures([before, after]).find(figure => figure.label === "commands")!;
    expect(commands.sides).toEqual([
      { value: "8", note: "2 distinct" },
      { value: "17", note: "2 distinct" },
    ]);
  });

  test("leaders of either side, changes per sensor-day with logs", () => {
    const rows = compareLeaders([before, after], COMMANDS, 5);
    expect(rows.map(({ parts, sides, change }) => [parts[0]!.text, ...sides.map(one => one.count), change])).toEqual([
      // 6 on two sensor-days, 12 on three.
      ["id", 6, 12, "+33.3 %"],
      ["uname", 0, 5, "only in B"],
      ["w", 2, 0, "only in A"],
    ]);
    expect(rows.map(({ sides }) => sides.map(one => one.shareText))).toEqual([
      ["75.0 %", "70.6 %"],
      ["–", "29.4 %"],
      ["25.0 %", "–"],
    ]);
  });

  test("a label that does for both is the plural, whichever side has one", () => {
    const one = buildReportData(buildReduced([...row("2024-01-01", "a", "id", 1), ...row("2024-01-02", "a", "id", 2)]), { show: 5 });
    const of = (day: number): Side => {
      const range = { first: one.grid.firstDay + day, last: one.grid.firstDay + day };
      return { name: "", scope: buildScope(one, { range, sensors: Uint8Array.from([1]) }, OPTIONS) };
    };
    for (const sides of [[of(0), of(1)], [of(1), of(0)]] as const) expect(compareFigures(sides).map(({ label }) => label)).toContain("commands");
  });

  test("a side that was not watched, or holds nothing, has no share and no change; equal shares stand as in the data", () => {
    const told = (...sides: [Side, Side]) =>
      compareLeaders(sides, COMMANDS, 5).map(({ parts, sides: [a, b], change }) => [parts[0]!.text, a!.shareText, b!.shareText, change]);
    // Sensor b has logs on the third day alone.
    expect(told(side(0, 0, [1, 0]), side(0, 0, [0, 1]))).toEqual([["id", "100.0 %", "–", "–"]]);
    expect(told(side(0, 0, [0, 1]), side(0, 0, [1, 0]))).toEqual([["id", "–", "100.0 %", "–"]]);
    expect(told(side(0, 0, [1, 0]), side(1, 1, [1, 0]))).toEqual([["id", "100.0 %", "–", "only in A"], ["w", "–", "100.0 %", "only in B"]]);
    expect(told(side(1, 1, [1, 0]), side(0, 0, [1, 0]))).toEqual([["id", "–", "100.0 %", "only in B"], ["w", "100.0 %", "–", "only in A"]]);
    expect(compareLeaders([before, after], COMMANDS, 1).map(({ parts }) => parts[0]!.text)).toEqual(["id"]);
  });

  test("two periods are laid on each other from their first day, two sensors by date", () => {
    const { lines, isAligned, steps } = compareLines([before, after], COMMANDS, 100);
    expect({ isAligned, n: steps.n, values: lines.map(line => line.values) }).toEqual({
      isAligned: false,
      n: 2,
      values: [
        [6, 2],
        [8, 9],
      ],
    });
    const sensors = compareLines([side(0, 3, [1, 0]), side(0, 3, [0, 1])], COMMANDS, 100);
    expect(sensors.isAligned).toBe(true);
    expect(sensors.lines.map(line => line.values)).toEqual([
      [6, 2, 3, 9],
      [null, null, 5, null],
    ]);
    expect(compareLines([side(0, 0, [1, 1]), side(1, 3, [1, 1])], COMMANDS, 100).lines[0]!.values).toEqual([6, null, null]);
    expect(lines.map(({ name, style }) => [name, style])).toEqual([["A: from 2024-01-01", 0], ["B: from 2024-01-03", 1]]);
    expect(sensors.lines.map(({ name, style }) => [name, style])).toEqual([["A: a", 0], ["B: b", 1]]);
    // Of two that are as long the first has the axis; as many steps as there is room for, one at least.
    expect(steps).toEqual(toSteps(before.scope.filter.range, 1));
    expect([0, 1, 1.9, 3, 4].map(most => compareLines([side(0, 3, [1, 1]), after], COMMANDS, most).steps.n)).toEqual([1, 1, 1, 1, 4]);
  });

  test("sides are named by their days and sensors", () => {
    expect(before.name).toBe("2024-01-01 to 2024-01-02, all 2 sensors");
    expect(side(3, 3, [0, 1]).name).toBe("2024-01-04, b");
    expect(sideName(buildScope(DATA, everything(DATA.grid), OPTIONS))).toBe("2024-01-01 to 2024-01-04, all 2 sensors");
  });
});
