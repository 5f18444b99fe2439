import { describe, expect, test } from "bun:test";
import { areNear, intervalMark, lineChart, linePath, sparkline, stackChart, toSteps } from "../../../lib/view/chart.ts";
import type { Markup } from "../../../lib/view/markup.ts";
import { calendarChart, heatChart } from "../../../lib/view/heat-chart.ts";

const STEPS = toSteps({ first: 19783, last: 19786 }, 1);

/** All elements of a tree that carry a class. */
function byClass(node: Markup, className: string): Markup[] {
  const own = String(node.attributes["class"] ?? "")
    .split(" ")
    .includes(className)
    ? [node]
    : [];
  return [...own, ...node.children.flatMap(child => (typeof child === "string" ? [] : byClass(child, className)))];
}
const textOf = (node: Markup) => node.children.filter(child => typeof child === "string").join("");

const DOT = "m-1.4 0a1.4 1.4 0 1 0 2.8 0a1.4 1.4 0 1 0-2.8 0";

describe("linePath", () => {
  const CASES: { name: string; values: (number | null)[]; path: string }[] = [
    { name: "nothing", values: [], path: "" },
    { name: "nobody watched", values: [null, null], path: "" },
    { name: "a line", values: [1, 2, 0], path: "M0 1l1 1 1-2" },
    { name: "a gap is not bridged", values: [1, 2, null, 3, 4], path: "M0 1l1 1M3 3l1 1" },
    { name: "a day alone is a dot", values: [null, 5, null], path: `M1 5${DOT}` },
    { name: "the last day alone is a dot", values: [1, null, 5], path: `M0 1${DOT}M2 5${DOT}` },
  ];
  test.each(CASES)("$name", ({ values, path }) => {
    expect(
      linePath(
        values,
        x => x,
        y => y,
      ),
    ).toBe(path);
  });
});

describe("lineChart", () => {
  const lines = [
    { name: "a", values: [10, 10, 10, 10] },
    { name: "b", values: [10, 10, null, 10] },
  ];

  test("lines that lie on each other are drawn side by side, except on zero", () => {
    const equal = [0, 1, 2].map(i => ({ name: String(i), values: [5, 0, null, 5] }));
    const starts = byClass(lineChart(equal, STEPS, 1000, "x").svg, "line").map(
      path => /^M[\d.]+ ([\d.]+)l[\d.]+ ([\d.]+)/.exec(String(path.attributes["d"]))!,
    );
    expect(new Set(starts.map(([, y]) => y)).size).toBe(3);
    expect(starts.every(([, y, down]) => Math.abs(Number(y) + Number(down) - 288) < 0.11)).toBe(true);
  });

  test("labels of equal ends do not overlap and stay with their colour", () => {
    const { svg } = lineChart(lines, STEPS, 1000, "x");
    const labels = byClass(svg, "label").sort((a, b) => Number(a.attributes["y"]) - Number(b.attributes["y"]));
    expect(labels.map(textOf)).toEqual(["a", "b"]);
    expect(Number(labels[1]!.attributes["y"]) - Number(labels[0]!.attributes["y"])).toBeGreaterThanOrEqual(14);
  });

  test("the leading line is drawn last, so that it is seen", () => {
    expect(
      byClass(lineChart(lines, STEPS, 1000, "x").svg, "series").map(node => node.attributes["data-series"]),
    ).toEqual([1, 0]);
  });

  test("counts of one power of ten fill a scale from zero, and do not crowd under the end of a logarithmic one", () => {
    const near = [{ name: "a", values: [200, 350, 500, 0] }];
    expect(areNear(near)).toBe(true);
    const heights = (isLinear: boolean) => {
      const [path] = byClass(lineChart(near, STEPS, 1000, "x", { isLinear }).svg, "line");
      const [, down] = /l[\d.]+ ?(-?[\d.]+)/.exec(String(path!.attributes["d"]))!;
      return Math.abs(Number(down));
    };
    expect(heights(true)).toBeGreaterThan(60);
    expect(heights(false)).toBeLessThan(40);
  });

  test.each([
    { name: "one day of many times the rest", values: [300, 310, 50_000, 290], isNear: false },
    { name: "one low day", values: [300, 1, 310, 290], isNear: true },
    { name: "nothing", values: [null, null, null, null], isNear: false },
    { name: "gaps and zeros are no counts", values: [null, 0, 0, 500], isNear: true },
  ])("whether counts are near: $name", ({ values, isNear }) => {
    expect(areNear([{ name: "a", values }])).toBe(isNear);
  });

  test("a narrow chart has no labels and uses the room", () => {
    const { svg, plot } = lineChart(lines, STEPS, 360, "x");
    expect(byClass(svg, "label")).toEqual([]);
    expect(plot.right).toBeGreaterThan(340);
  });

  test("attacker text is text, cut in the label and whole in the title", () => {
    const name = `<script>${"x".repeat(50)}`;
    const [label] = byClass(lineChart([{ name, values: [1, 1, 1, 1] }], STEPS, 1000, "x").svg, "label");
    expect(textOf(label!)).toBe("<script>xxxxxxxxxxxxxxxxx…");
    expect(label!.children).toContainEqual({ tag: "title", attributes: {}, children: [name] });
  });
});

describe("stackChart", () => {
  test("hatches the days on which nobody watched, and only those", () => {
    const { svg, plot } = stackChart([{ name: "a", values: [1, null, null, 0] }], STEPS, 1000, "x");
    const band = (plot.right - plot.left) / 4;
    expect(byClass(svg, "hatched").map(node => node.attributes["d"])).toEqual([
      `M${plot.left + band} ${plot.top}H${plot.left + 3 * band}V${plot.bottom}H${plot.left + band}z`,
    ]);
  });

  test("one day is one bar as wide as the plot", () => {
    const { svg } = stackChart([{ name: "a", values: [1] }], toSteps({ first: 0, last: 0 }, 1), 1000, "x");
    expect(String(byClass(svg, "area")[0]!.attributes["d"]).match(/M/g)).toHaveLength(1);
  });
});

describe("heatChart", () => {
  const rows = [
    { name: "s", total: 5, values: [undefined, null, 0, 5] },
    { name: "t", total: 503, values: [1, 1, 1, 500] },
  ];

  test("no data is hatched, zero has its own shade, before the first sign there is nothing", () => {
    const { svg, plot, rowHeight } = heatChart(rows, STEPS, 1000, "x");
    const [hatched] = byClass(svg, "hatched").filter(node => node.tag === "path");
    const left = Math.round((plot.left + (plot.right - plot.left) / 4) * 10) / 10;
    expect(String(hatched!.attributes["d"])).toStartWith(`M${left} ${plot.top}H`);
    expect(String(hatched!.attributes["d"])).toContain(`v${rowHeight}`);
    expect(
      byClass(svg, "h0")
        .filter(node => node.tag === "path")
        .map(node => node.attributes["d"]),
    ).toEqual(["M2 0h1v1h-1z"]);
  });

  test("equal neighbours are one cell; the lightest and the darkest shade are both used", () => {
    const { svg } = heatChart(rows, STEPS, 1000, "x");
    const cells = (shade: string) =>
      byClass(svg, shade)
        .filter(node => node.tag === "path")
        .map(node => node.attributes["d"]);
    expect([cells("h1"), cells("h7")]).toEqual([["M0 1h3v1h-3z"], ["M3 1h1v1h-1z"]]);
  });

  test("365 days of 100 sensors stay some hundred elements", () => {
    const many = Array.from({ length: 100 }, (_, s) => ({
      name: `s${s}`,
      total: s,
      values: Array.from({ length: 365 }, (_, d) => (s * 31 + d * 7) % 50),
    }));
    const count = (node: Markup): number =>
      1 + node.children.reduce((n, child) => n + (typeof child === "string" ? 0 : count(child)), 0);
    expect(count(heatChart(many, toSteps({ first: 0, last: 364 }, 1), 1000, "x").svg)).toBeLessThan(600);
  });

  test("all equal counts, or none at all, are drawn too", () => {
    for (const value of [1, 7, 0, null]) {
      const { svg } = heatChart([{ name: "s", total: 0, values: [value, value, value, value] }], STEPS, 1000, "x");
      expect(JSON.stringify(svg)).not.toMatch(/NaN|Infinity/);
    }
    const { svg } = heatChart([{ name: "s", total: 28, values: [7, 7, 7, 7] }], STEPS, 1000, "x");
    expect(byClass(svg, "h7").map(({ tag }) => tag)).toEqual(["rect", "path"]);
  });

  test("a narrow one has its shades in a row, with the least and the most beside it", () => {
    const { svg } = heatChart(rows, STEPS, 300, "x");
    const shades = ["h1", "h2", "h3", "h4", "h5", "h6", "h7"].map(shade => byClass(svg, shade).filter(({ tag }) => tag === "rect"));
    expect(shades.map(found => found.length)).toEqual([1, 1, 1, 1, 1, 1, 1]);
    const places = shades.map(([found]) => Number(found!.attributes["x"]));
    expect(places.map((x, i) => x - places[0]! - 12 * i)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    const texts = byClass(svg, "tick").filter(({ attributes }) => attributes["y"] === 10).map(({ children }) => children[0]);
    expect(texts).toEqual(["no data", "0", "1", "500"]);
  });
});

describe("calendarChart", () => {
  test("where a column holds several days, the worst is shown", () => {
    const steps = toSteps({ first: 0, last: 6 }, 7);
    const classes = (letters: string) =>
      byClass(calendarChart([{ name: "s", letters }], steps, 1000, "x").svg, "hatched").length > 0;
    expect([classes("ooo.ooo"), classes("ooooooo")]).toEqual([true, false]);
  });
});

describe("intervalMark", () => {
  const CASES: { name: string; low: number; ratio: number; high: number; tone: string; arrows: number }[] = [
    { name: "around no change", low: 0.5, ratio: 1, high: 2, tone: "same", arrows: 0 },
    { name: "more", low: 2, ratio: 3, high: 4, tone: "more", arrows: 0 },
    { name: "less, down to nothing", low: 0, ratio: 0.01, high: 0.2, tone: "less", arrows: 1 },
    { name: "more, without bound", low: 5, ratio: 100, high: Infinity, tone: "more", arrows: 1 },
  ];
  test.each(CASES)("$name", ({ low, ratio, high, tone, arrows }) => {
    const svg = intervalMark(low, ratio, high, 32);
    expect([svg.attributes["class"], byClass(svg, "end-mark").length]).toEqual([`interval ${tone}`, arrows]);
    expect(JSON.stringify(svg)).not.toMatch(/NaN|Infinity/);
  });
});

test("sparkline() of one value, of nothing and of gaps draws no impossible number", () => {
  for (const values of [[], [5], [null], [0, 0], [1, null, 2]]) {
    expect(JSON.stringify(sparkline(values))).not.toMatch(/NaN|Infinity/);
  }
});
