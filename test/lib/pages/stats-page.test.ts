import { describe, expect, test } from "bun:test";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import { renderStats } from "../../../lib/pages/stats-page.ts";
import { formatProbability, sensorsText, toTable, textCell } from "../../../lib/view/stats-tables.ts";
import { buildReduced } from "../../support/build.ts";
import { buildHostile } from "../../hostile/texts.ts";
import { buildFleet } from "../../support/report-fleet.ts";
import { bodyOf } from "../../support/report.ts";

const OPTIONS = { thresholdPercent: 20, lastDays: 7 };
const render = (table: Parameters<typeof computeStatistics>[0]) =>
  renderStats(table, computeStatistics(table, OPTIONS), OPTIONS);

describe("renderStats", () => {
  test("the same table gives the same bytes", () => {
    const table = buildFleet({ days: 20, sensors: 2 });
    expect(render(table)).toBe(render(table));
  });

  test("an empty table gives a page that says so", () => {
    const body = bodyOf(render(buildReduced([])));
    expect(body).toContain("No events");
    expect(body).not.toContain("<table");
  });

  test("one event: nothing is called new, nothing changed, one sensor", () => {
    const table = buildReduced([
      { kind: "event", date: "2024-02-29", sensor: "a", key: { eventid: "e", hour: 1 }, count: 1 },
    ]);
    const body = bodyOf(render(table));
    expect(body).toContain("Nothing was compared: a comparison needs 9 watched days of a sensor");
    expect(body).toContain("Nothing is called new: the archive is not longer than its burn-in");
    // In a line, without a word on how the columns would be read.
    expect(body).toContain('<section id="period" class="brief">\n<h2>What changed over these days as a whole?</h2>\n<p class="lead">Nothing was compared');
    expect(body).not.toContain("95 % interval of the ratio");
    expect(body).not.toContain("sources are not known");
    expect(body).not.toContain("undefined");
    expect(body).not.toContain("NaN");
  });

  test("trends of the only sensor do not name it in every row", () => {
    const headsOf = (sensors: number) =>
      [...bodyOf(render(buildFleet({ days: 40, sensors }))).matchAll(/data-table-name="trends-sensors".*?<thead>(.*?)<\/thead>/gs)].map(([, head]) => head!.includes(">Where<"));
    expect(headsOf(1)).toEqual([false]);
    expect(headsOf(3)).toEqual([true]);
  });

  test("a fleet: every section, every link of the list leads somewhere", () => {
    const body = bodyOf(render(buildFleet({ days: 40, sensors: 4 })));
    const ids = [...body.matchAll(/<section id="([^"]+)"/g)].map(match => match[1]!);
    expect(ids).toEqual([
      "overview",
      "period",
      "days",
      "new",
      "coverage",
      "distinct",
      "sensors",
      "trends",
      "tests",
      "provenance",
    ]);
    for (const [, id] of body.matchAll(/<a href="#([^"]+)"/g)) expect(body).toContain(`id="${id!}"`);
    expect(body).toContain("New values were never seen before 2024-04-03 by any sensor");
    expect(body).toContain('class="hatched"');
    expect(body).toContain("Sensors by day");
    expect(body).not.toMatch(/undefined|NaN|\[object/);
  });

  test("hostile text adds no element and no link", () => {
    const html = render(buildHostile());
    const body = bodyOf(html);
    expect(body.match(/<(script|img|iframe|object|embed|link|base|form)\b/g)).toBeNull();
    // Values are quoted: what stands in them is none of the attributes.
    expect(body.replace(/"[^"]*"/g, "").match(/<[^>]*\son[a-z]+\s*=/g)).toBeNull();
    expect(body.match(/href="[^#]/g)).toBeNull();
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html.isWellFormed()).toBe(true);
    expect(html.length).toBeLessThan(3_000_000);
  });
});

describe("tables", () => {
  test("say how many rows there are when they are cut", () => {
    const make = (most: number) => toTable("t", "T", [["a", "", n => textCell(String(n))]], [1, 2, 3], most);
    expect([make(2).shown, make(3).shown, make(2).rows.length]).toEqual(["First 2 of 3", "3 rows", 2]);
  });

  test.each([
    [0, "<0.0001"],
    [0.00012345, "0.00012"],
    [0.05, "0.05"],
    [0.5, "0.50"],
    [1, "1.00"],
  ] as const)("formatProbability(%p) is %p", (p, text) => {
    expect(formatProbability(p)).toBe(text);
  });

  test("sensorsText() names three and counts the rest", () => {
    expect(sensorsText(["a", "", "c\u202e", "d", "e"])).toBe("a, (no name), c\\u{202e} and 2 more");
  });
});
