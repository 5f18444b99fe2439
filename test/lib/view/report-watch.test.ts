import { describe, expect, test } from "bun:test";
import { everything } from "../../../lib/view/cells.ts";
import { toSteps } from "../../../lib/view/chart.ts";
import { heatChart, type HeatRow } from "../../../lib/view/heat-chart.ts";
import { toMarkupText } from "../../../lib/view/markup.ts";
import { buildScope } from "../../../lib/view/report-view.ts";
import { describeOrder, findUnlike, orderRows, sortByStray, strayOf, watchMarkup } from "../../../lib/view/report-watch.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { buildReportData } from "../../support/report.ts";

/** Sensors of one rhythm, each at a level of its own. */
const fleet = (n: number): HeatRow[] =>
  Array.from({ length: n }, (_, sensor) => ({
    name: `s${sensor}`,
    total: 1,
    values: Array.from({ length: 10 }, (_, step) => (1 + sensor) * (100 + 40 * (step % 3)) + ((sensor * 7 + step * 3) % 5)),
  }));

describe("sensors unlike the fleet", () => {
  test("a level of its own is none, a rhythm of its own is", () => {
    expect(findUnlike(fleet(20))).toEqual([]);
    const rows = fleet(20);
    rows[7] = { ...rows[7]!, values: rows[7]!.values.map((value, step) => (step < 5 ? value! / 20 : value!)) };
    expect(findUnlike(rows)).toEqual(["s7"]);
    expect(sortByStray(rows)[0]!.name).toBe("s7");
  });

  test("of a large fleet they are the rows on top, set apart by a line; of a small one rows stay in their order", () => {
    const rows = fleet(60);
    const names = ["s9", "s40"];
    const ordered = orderRows(rows, names);
    expect([ordered.apart, ordered.rows.length, new Set(ordered.rows).size]).toEqual([2, 60, 60]);
    expect(ordered.rows.slice(0, 2).map(({ name }) => name)).toEqual(names);
    const steps = toSteps({ first: 0, last: 9 }, 1);
    expect(toMarkupText(heatChart(ordered.rows, steps, 1000, "x", ordered.apart).svg)).toContain('<path class="apart" d="M0 36H1000"/>');
    expect(describeOrder(ordered.rows, 2)).toBe("; 2 sensors unlike the rest above the line");
    expect(describeOrder(ordered.rows, 0)).toBe("; those farthest from the rest on top");
    expect(orderRows(fleet(20), names)).toEqual({ rows: fleet(20), apart: 0 });
  });

  test("days without a sensor say nothing of it; few sensors are no fleet", () => {
    const rows = fleet(20);
    rows[3] = { ...rows[3]!, values: rows[3]!.values.map((value, step) => (step < 8 ? undefined : value)) };
    expect(findUnlike(rows)).toEqual([]);
    expect(strayOf([{ name: "none", total: 0, values: [null, undefined] }])).toEqual([0]);
    expect(findUnlike(fleet(3))).toEqual([]);
  });
});

test("one line: days watched, those that nobody watched, who is silent", () => {
  const rows = [1, 2, 4, 5, 6, 7, 8].flatMap((n): LiteralRow[] =>
    ["a", "<b>"].filter(sensor => sensor === "a" || n < 6).map(sensor => ({
      kind: "event", date: `2026-05-0${n}`, sensor, key: { eventid: "e", hour: 1 }, count: 1,
    })),
  );
  const data = buildReportData(buildReduced(rows), { show: 5 });
  const scope = buildScope(data, everything(data.grid), { lastDays: 7, thresholdPercent: 20 });
  const [line, strip] = watchMarkup(scope).map(toMarkupText);
  expect(line).toBe("<p><b>Watch</b> 7 of 8 days; nobody on 3 May; silent now: <code>&lt;b&gt;</code>.</p>");
  expect(strip).toContain('class="hatched"');
});

test("few days are told by hours, where not all of them were watched", () => {
  const row = (date: string): LiteralRow => ({ kind: "event", date, sensor: "a", key: { eventid: "e", hour: 1 }, count: 1 });
  const data = buildReportData(buildReduced([row("2026-05-01"), row("2026-05-02")]), { show: 5 });
  const told = (hours: readonly number[]) => {
    const watched = { ...data, watchedHours: { at: Int32Array.of(0, 1), count: Float64Array.from(hours) } };
    return toMarkupText(watchMarkup(buildScope(watched, everything(data.grid), { lastDays: 7, thresholdPercent: 20 }))[0]!);
  };
  expect(told([24, 24])).toContain("</b> 2 of 2 days.");
  expect(told([3, 14])).toContain("</b> 17 of 48 hours.");
});
